package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"xplan/internal/sandbox"
)

// An oracle stands before the sandbox and answers for its policy simulator.
type oracle struct {
	*site
	asked atomic.Int64
	// says answers a question; false leaves it to the sandbox.
	says func(w http.ResponseWriter, form url.Values) bool
}

func newOracle(t *testing.T, says func(w http.ResponseWriter, form url.Values) bool) *oracle {
	t.Helper()
	o := &oracle{site: newSite(t), says: says}
	front := httptest.NewServer(o)
	t.Cleanup(front.Close)
	for profile, account := range map[string]string{sandbox.SourceProfile: sandbox.SourceAccount, sandbox.DestinationProfile: sandbox.DestinationAccount} {
		id, secret := o.server.Admin(account)
		o.loginAt(t, front.URL, profile, id, secret)
	}
	recipe(t, o.site)
	return o
}

// ServeHTTP looks at what is asked.
func (o *oracle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body)) // another service's is none
	if err == nil && strings.HasPrefix(form.Get("Action"), "Simulate") {
		if o.asked.Add(1); o.says != nil && o.says(w, form) {
			return
		}
	}
	o.server.ServeHTTP(w, r)
}

// decides answers questions about an action, among others: the others are allowed. Of the rest the sandbox decides.
func decides(decision, action string, missing ...string) func(w http.ResponseWriter, form url.Values) bool {
	return func(w http.ResponseWriter, form url.Values) bool {
		var results strings.Builder
		about := false
		for i := 1; ; i++ {
			asked := form.Get(fmt.Sprintf("ActionNames.member.%d", i))
			if asked == "" {
				break
			}
			said := "allowed"
			if asked == action {
				said, about = decision, true
			}
			fmt.Fprintf(&results, `<member><EvalActionName>%s</EvalActionName><EvalDecision>%s</EvalDecision><ResourceSpecificResults><member><EvalResourceName>%s</EvalResourceName>`+
				`<EvalResourceDecision>%[2]s</EvalResourceDecision><MissingContextValues>`, asked, said, form.Get("ResourceArns.member.1"))
			for _, key := range missing {
				results.WriteString("<member>" + key + "</member>")
			}
			results.WriteString("</MissingContextValues></member></ResourceSpecificResults></member>")
		}
		if about {
			name := form.Get("Action")
			fmt.Fprintf(w, `<%sResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><%[1]sResult><EvaluationResults>%s</EvaluationResults></%[1]sResult></%[1]sResponse>`, name, results.String())
		}
		return about
	}
}

const noTags = `{"Version":"2012-10-17","Statement":[{"Sid":"NoTags","Effect":"Deny","Principal":"*","Action":"s3:GetObjectTagging","Resource":"arn:aws:s3:::tommy/*"}]}`

func TestTheSimulatorAgrees(t *testing.T) {
	t.Parallel()
	o := newOracle(t, nil)
	text, _ := o.both(t, "plan", "plan.yaml")
	if strings.Contains(text, "simulator") || strings.Contains(text, "denied:") {
		t.Errorf("nothing is denied, and the plan speaks of it:\n%s", text)
	}
	if n := o.asked.Load(); n == 0 || n > 4 {
		t.Errorf("the simulator was asked %d times, want once for each of two buckets and their objects", n)
	}
	arranged(t, o.server.SetBucketPolicy("tommy", noTags))
	text, _ = o.both(t, "plan", "plan.yaml")
	if !strings.Contains(text, "statement NoTags of the bucket policy of tommy denies it; AWS's policy simulator agrees") {
		t.Errorf("the plan does not say that the simulator agrees:\n%s", text)
	}
	if text, status := o.both(t, "apply", "plan.yaml", "--yes"); status != exitError || !strings.Contains(text, "AWS's policy simulator agrees") {
		t.Errorf("apply: exit status %d:\n%s", status, text)
	}
}

func TestWhatTheSimulatorAllowsIsNotRefused(t *testing.T) {
	t.Parallel()
	o := newOracle(t, decides("allowed", "s3:GetObjectTagging"))
	arranged(t, o.server.SetBucketPolicy("tommy", noTags))
	text, _ := o.both(t, "plan", "plan.yaml")
	for _, want := range []string{"may be denied: read tags", "statement NoTags of the bucket policy of tommy denies it; AWS's policy simulator says that it is allowed"} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan does not say %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "apply refuses") {
		t.Errorf("the plan refuses:\n%s", text)
	}
}

func TestWhatTheSimulatorAloneDeniesIsAFinding(t *testing.T) {
	t.Parallel()
	o := newOracle(t, decides("explicitDeny", "s3:PutObject"))
	text, _ := o.both(t, "plan", "plan.yaml")
	want := "the policies as xplan reads them allow it; AWS's policy simulator says that it is denied: explicitDeny"
	if !strings.Contains(text, "may be denied: write destination") || !strings.Contains(text, want) {
		t.Errorf("the plan does not say %q:\n%s", want, text)
	}
	saved := o.xplan(t, exitDone, "plan", "plan.yaml", "-o", "saved.plan")
	o.says = refusing(500, "<html>oops</html>") // another answer at the apply is no drift
	if text, status := o.both(t, "apply", "saved.plan"); status != exitDone {
		t.Errorf("apply of the saved plan: exit status %d:\n%s\n%s", status, text, saved)
	}
}

func TestWhatTheSimulatorMissesDecidesNothing(t *testing.T) {
	t.Parallel()
	o := newOracle(t, decides("explicitDeny", "s3:PutObject", "aws:SourceIp"))
	if text, _ := o.both(t, "plan", "plan.yaml"); strings.Contains(text, "denied") {
		t.Errorf("an answer that rests on what the simulator does not know counts:\n%s", text)
	}
}

func refusing(status int, body string) func(http.ResponseWriter, url.Values) bool {
	return func(w http.ResponseWriter, _ url.Values) bool {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}

func TestASimulatorThatRefusesCostsOneRequest(t *testing.T) {
	t.Parallel()
	failure := func(code string) string {
		return `<ErrorResponse><Error><Type>Sender</Type><Code>` + code + `</Code><Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>`
	}
	const denied = "iam:SimulateCustomPolicy denied: access is judged by xplan alone"
	for _, c := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"denied", failure("AccessDenied"), 403, denied},
		{"a server without it", "<html>Internal Server Error</html>", 500, ""},
		{"unknown to the server", failure("InvalidAction"), 400, ""},
		{"a question that it does not take", failure("InvalidInput"), 400, "iam:SimulateCustomPolicy gave no answer: access is judged by xplan alone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := newOracle(t, refusing(c.status, c.body))
			text, status := o.both(t, "plan", "plan.yaml")
			if status != exitDone || c.want != "" && strings.Count(text, c.want) != 1 || c.want == "" && strings.Contains(text, "Simulate") {
				t.Errorf("exit status %d, want %q once:\n%s", status, c.want, text)
			}
			if n := o.asked.Load(); n != 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

// TestTheDoctorAsksForAdministrators wants an answer where their own policies decide.
func TestTheDoctorAsksForAdministrators(t *testing.T) {
	t.Parallel()
	o := newOracle(t, nil)
	text, _ := o.both(t, "doctor", "plan.yaml")
	if strings.Contains(text, "own policies are not read") {
		t.Errorf("the administrators' rows have no answer:\n%s", text)
	}
	o.says = decides("implicitDeny", "s3:PutBucketPolicy")
	text, status := o.both(t, "doctor", "plan.yaml")
	if status != exitDone || !strings.Contains(text, "AWS's policy simulator denies it by the policies of") {
		t.Errorf("exit status %d, and the doctor does not say who may not:\n%s", status, text)
	}
}
