package policy

import (
	"strings"
	"testing"
)

// An awsCase is one sentence of AWS's documentation as a request and its outcome.
type awsCase struct {
	fact string
	page string
	r    Request
	want string // see verdict
}

// Where the pages stand.
const (
	iam = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
	s3g = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/"
	kms = "https://docs.aws.amazon.com/kms/latest/developerguide/"
)

// Outcomes, as verdict words them.
const (
	allowed          = "allowed"
	deniedByIdentity = "explicit deny: identity policy"
	deniedByResource = "explicit deny: resource policy"
	deniedByBoundary = "explicit deny: permissions boundary"
	deniedBySCP      = "explicit deny: service control policy"
	noIdentity       = "implicit deny: identity policy"
	noResource       = "implicit deny: resource policy"
	noBoundary       = "implicit deny: permissions boundary"
	noSession        = "implicit deny: session policy"
	noSCP            = "implicit deny: service control policy"
	noRCP            = "implicit deny: resource control policy"
)

func verdict(d Decision) string {
	if d.Allowed {
		return allowed
	}
	return string(d.Reason) + ": " + string(d.Leg)
}

func awsCases(t *testing.T) []awsCase {
	t.Helper()
	var all []awsCase
	for _, table := range []func(*testing.T) []awsCase{
		logicCases, boundaryCases, crossAccountCases, principalCases, elementCases, variableCases,
		operatorCases, existenceCases, setCases, bucketCases, bucketConditionCases, keyCases, trustCases,
	} {
		all = append(all, table(t)...)
	}
	return all
}

func TestRequestsAreDecidedAsAWSDocumentsThem(t *testing.T) {
	for _, c := range awsCases(t) {
		t.Run(c.fact, func(t *testing.T) {
			if got := verdict(Evaluate(c.r)); got != c.want {
				t.Errorf("got %q, want %q\n%s", got, c.want, c.page)
			}
		})
	}
}

func TestEveryDocumentedCaseNamesItsPage(t *testing.T) {
	all := awsCases(t)
	if len(all) < 60 {
		t.Errorf("got %d cases, want at least 60", len(all))
	}
	seen := make(map[string]bool)
	for _, c := range all {
		if !strings.HasPrefix(c.page, "https://docs.aws.amazon.com/") || !strings.HasSuffix(c.page, ".html") {
			t.Errorf("%s: page %q is not one of AWS's", c.fact, c.page)
		}
		if seen[c.fact] {
			t.Errorf("%s: stands twice", c.fact)
		}
		seen[c.fact] = true
	}
}

// An explanation names what is missing exactly where a request is denied, and what it
// proposes lets the request in, unless a statement denies it.
func TestExplanationsOfDocumentedCasesAreComplete(t *testing.T) {
	for _, c := range awsCases(t) {
		t.Run(c.fact, func(t *testing.T) {
			missing := Explain(c.r)
			if (len(missing) == 0) != Evaluate(c.r).Allowed {
				t.Fatalf("explanation %v of %s", missing, c.want)
			}
			denied := false
			for _, m := range missing {
				denied = denied || m.Denies != nil
			}
			if got := Evaluate(grantAll(c.r, missing)).Allowed; got == denied {
				t.Errorf("after granting %v: allowed is %t", missing, got)
			}
		})
	}
}

// grantAll adds the proposed statements to the legs that miss them.
func grantAll(r Request, missing []Missing) Request {
	with := func(d *Document, s Statement) *Document {
		if d == nil {
			d = &Document{Version: Version2012}
		}
		more := d.with(s)
		return &more
	}
	for _, m := range missing {
		if m.Allow == nil {
			continue
		}
		switch m.Leg {
		case LegResource:
			r.ResourcePolicy = with(r.ResourcePolicy, *m.Allow)
		case LegBoundary:
			r.Boundary = with(r.Boundary, *m.Allow)
		case LegSession:
			r.Session = with(r.Session, *m.Allow)
		case LegIdentity:
			r.Identity = append(r.Identity, *with(nil, *m.Allow))
		case LegSCP:
			r.SCPs = append(r.SCPs, *with(nil, *m.Allow))
		case LegRCP:
			r.RCPs = append(r.RCPs, *with(nil, *m.Allow))
		case LegEndpoint: // no request has one
		}
	}
	return r
}

// doc parses statements, or a whole policy.
func doc(t *testing.T, text string) Document {
	t.Helper()
	if !strings.Contains(text, `"Statement"`) {
		text = `{"Version": "2012-10-17", "Statement": [` + text + `]}`
	}
	d, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("parse %s: %v", text, err)
	}
	return d
}

func docs(all ...Document) []Document { return all }

func user(account, name string) Principal {
	return Principal{Account: account, ARN: "arn:aws:iam::" + account + ":user/" + name, UserID: "AIDA" + strings.ToUpper(name)}
}

func session(account, role, name string) Principal {
	return Principal{
		Account: account,
		ARN:     "arn:aws:sts::" + account + ":assumed-role/" + role + "/" + name,
		Issuer:  "arn:aws:iam::" + account + ":role/" + role,
		UserID:  "AROA" + strings.ToUpper(role) + ":" + name,
	}
}

func root(account string) Principal {
	return Principal{Account: account, ARN: "arn:aws:iam::" + account + ":root", UserID: account}
}

func service(name string) Principal { return Principal{Service: name} }

func given(pairs ...string) map[string][]string {
	all := make(map[string][]string)
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = append(all[pairs[i]], pairs[i+1])
	}
	return all
}
