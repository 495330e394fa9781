package policy

import (
	"slices"
	"strings"
	"testing"
)

func copier(t *testing.T, identity, bucket string) Request {
	t.Helper()
	r := Request{
		Principal: user("210987654321", "misterrodgers"), Action: "s3:GetObject", Resource: "arn:aws:s3:::tommy/key", ResourceAccount: "123456789012",
		Context: given("aws:SecureTransport", "true"),
	}
	if identity != "" {
		r.Identity = docs(doc(t, identity))
	}
	if bucket != "" {
		r.ResourcePolicy = new(doc(t, bucket))
	}
	return r
}

func TestExplainNamesEachLegThatMisses(t *testing.T) {
	read := `{"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::tommy/*"}`
	wrong := `{"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::tommy"}`
	mfa := `{"Sid": "Read", "Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}`
	noEC2 := copier(t, read, delegate)
	noEC2.Boundary = new(doc(t, `{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}`))
	session := copier(t, "", "")
	session.Principal = Principal{Account: "210987654321", ARN: "arn:aws:sts::210987654321:assumed-role/r/s", Issuer: "arn:aws:iam::210987654321:role/r"}
	plain := copier(t, read, delegate+","+tlsOnly)
	plain.Context = given("aws:SecureTransport", "false")
	who := "to arn:aws:iam::210987654321:user/misterrodgers"
	for name, c := range map[string]struct {
		r    Request
		want []string
	}{
		"nothing":         {copier(t, read, delegate), nil},
		"the bucket":      {copier(t, read, tlsOnly), []string{"resource policy: nothing allows s3:GetObject on arn:aws:s3:::tommy/key " + who}},
		"the user":        {copier(t, "", delegate), []string{"identity policy: nothing allows s3:GetObject on arn:aws:s3:::tommy/key " + who}},
		"both":            {copier(t, "", ""), []string{"resource policy: ", "identity policy: "}},
		"a boundary":      {noEC2, []string{"permissions boundary: nothing allows s3:GetObject"}},
		"a deny":          {plain, []string{"resource policy: statement DenyInsecureTransport denies s3:GetObject on arn:aws:s3:::tommy/key " + who}},
		"a condition":     {copier(t, mfa, delegate), []string{"identity policy: nothing allows s3:GetObject on arn:aws:s3:::tommy/key " + who + "; statement Read would, but for Bool aws:MultiFactorAuthPresent true"}},
		"a resource":      {copier(t, wrong, delegate), []string{"identity policy: nothing allows s3:GetObject on arn:aws:s3:::tommy/key " + who + "; statement Read allows the action on other resources"}},
		"a role's leg":    {session, []string{"to arn:aws:iam::210987654321:role/r", "to arn:aws:iam::210987654321:role/r"}},
		"a narrow bucket": {copier(t, read, narrower), []string{"resource policy: nothing allows s3:GetObject"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Explain(c.r)
			ok := slices.EqualFunc(got, c.want, func(m Missing, want string) bool { return strings.Contains(m.String(), want) })
			if !ok {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestExplainProposesTheStatementThatWouldAllow(t *testing.T) {
	missing := Explain(copier(t, "", ""))
	want := []string{
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::210987654321:user/misterrodgers"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::tommy/key"}`,
		`{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::tommy/key"}`,
	}
	for i, m := range missing {
		if got := string(m.Allow.JSON()); got != want[i] {
			t.Errorf("got %s, want %s", got, want[i])
		}
	}
}

func TestDecisionsNameTheirStatement(t *testing.T) {
	r := copier(t, `{"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}`, tlsOnly+","+delegate)
	if d := Evaluate(r); !d.Allowed || d.Label() != "DelegateS3Access" || d.Leg != LegResource || d.Reason != Allowed {
		t.Errorf("got %+v", d)
	}
	r.Context = given("aws:SecureTransport", "false")
	if d := Evaluate(r); d.Allowed || d.Label() != "DenyInsecureTransport" || d.Leg != LegResource || d.Reason != ExplicitDeny {
		t.Errorf("got %+v", d)
	}
	r.ResourcePolicy, r.ResourceAccount = nil, ""
	r.Identity = append(docs(doc(t, unnamed)), r.Identity...)
	r.Identity[0].Statements[0].Action = []string{"s3:PutObject"}
	if d := Evaluate(r); !d.Allowed || d.Label() != "Read" || d.Leg != LegIdentity || d.Document != 1 {
		t.Errorf("got %+v", d)
	}
	if d := Evaluate(Request{Principal: root("1"), Action: "s3:GetObject", Resource: "*"}); !d.Allowed || d.Reason != AllowedRoot || d.Label() != "" {
		t.Errorf("got %+v", d)
	}
}

func TestAnUnknownOperatorNeverLetsIn(t *testing.T) {
	unknown := `, "Condition": {"StringAlmostEquals": {"k": "v"}}}`
	allow := `{"Effect": "Allow", "Action": "s3:*", "Resource": "*"`
	deny := `{"Sid": "D", "Effect": "Deny", "Action": "s3:*", "Resource": "*"`
	if d := Evaluate(copier(t, allow+unknown, delegate)); d.Allowed {
		t.Errorf("got %+v", d)
	}
	if d := Evaluate(copier(t, allow+"},"+deny+unknown, delegate)); d.Reason != ExplicitDeny || d.Label() != "D" {
		t.Errorf("got %+v", d)
	}
}

func BenchmarkEvaluate(b *testing.B) {
	bucket, err := Parse([]byte(`{"Version": "2012-10-17", "Statement": [` + tlsOnly + "," + unnamed + "," + delegate + `]}`))
	if err != nil {
		b.Fatal(err)
	}
	r := Request{
		Principal: user("210987654321", "misterrodgers"), Action: "s3:GetObject", Resource: "arn:aws:s3:::tommy/a/longer/key/of/the/usual/kind.bin", ResourceAccount: "123456789012",
		Identity:       []Document{{Version: Version2012, Statements: []Statement{{Effect: Allow, Action: []string{"s3:ListBucket", "s3:GetObject"}, Resource: []string{"arn:aws:s3:::tommy", "arn:aws:s3:::tommy/*"}}}}},
		ResourcePolicy: &bucket, Context: given("aws:SecureTransport", "true"),
	}
	b.ReportAllocs()
	for b.Loop() {
		if !Evaluate(r).Allowed {
			b.Fatal("denied")
		}
	}
}
