package policy

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func drawnDocument(t *rapid.T, label string, principal bool) Document {
	var all []string
	for i := range rapid.IntRange(1, 3).Draw(t, label) {
		effect := rapid.SampledFrom([]string{"Allow", "Allow", "Deny"}).Draw(t, fmt.Sprint(label, i, " effect"))
		resource := rapid.SampledFrom([]string{
			`"Resource":"*"`, `"Resource":"arn:aws:s3:::b/*"`, `"Resource":"arn:aws:s3:::b/p/*"`, `"Resource":["arn:aws:s3:::b/p/x","arn:aws:s3:::b/q*"]`,
			`"NotResource":"arn:aws:s3:::b/p/?"`, `"Resource":"arn:aws:s3:::b/${s3:ExistingObjectTag/t}/*"`, `"Resource":"arn:aws:s3:::other/*"`, `"Resource":"arn:aws:s3:::b/p/"`,
		}).Draw(t, fmt.Sprint(label, i, " resource"))
		condition := rapid.SampledFrom([]string{
			"", "", `,"Condition":{"StringEquals":{"aws:SourceVpce":"v1"}}`, `,"Condition":{"StringNotEquals":{"aws:SourceVpce":"v1"}}`,
			`,"Condition":{"StringLikeIfExists":{"s3:ExistingObjectTag/t":"p*"}}`, `,"Condition":{"Null":{"aws:SourceVpce":"true"}}`,
			`,"Condition":{"Bool":{"aws:SecureTransport":"true"},"ForAnyValue:StringEquals":{"aws:SourceVpce":["v1","v2"]}}`,
		}).Draw(t, fmt.Sprint(label, i, " condition"))
		who := ""
		if principal {
			who = `"Principal":` + rapid.SampledFrom([]string{`"*"`, `{"AWS":"arn:aws:iam::210987654321:user/u"}`, `{"AWS":"123456789012"}`}).Draw(t, fmt.Sprint(label, i, " who")) + ","
		}
		all = append(all, fmt.Sprintf(`{"Effect":%q,%s"Action":"s3:Get*",%s%s}`, effect, who, resource, condition))
	}
	d, err := Parse([]byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(all, ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestAForecastHoldsWhateverTheUnknownTurnsOutToBe: of each certain outlook, no key of an object and no value makes it wrong.
func TestAForecastHoldsWhateverTheUnknownTurnsOutToBe(t *testing.T) {
	said := map[Outlook]int{}
	rapid.Check(t, func(t *rapid.T) {
		resource := drawnDocument(t, "resource", true)
		p := Prospect{
			Request: Request{
				Principal: Principal{Account: "210987654321", ARN: "arn:aws:iam::210987654321:user/u"}, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/p/",
				ResourceAccount: rapid.SampledFrom([]string{"123456789012", "210987654321"}).Draw(t, "owner"),
				Context:         map[string][]string{"aws:SecureTransport": {"true"}}, Identity: []Document{drawnDocument(t, "identity", false)}, ResourcePolicy: &resource,
			},
			Below:   true,
			Unknown: func(key string) bool { return key == "aws:sourcevpce" || key == "s3:existingobjecttag/t" },
		}
		f := Foresee(p)
		said[f.Outlook]++
		for range 5 {
			r := p.Request
			r.Resource += rapid.SampledFrom([]string{"", "x", "xy", "p/z", "?"}).Draw(t, "key")
			r.Context = map[string][]string{"aws:SecureTransport": {"true"}}
			if v := rapid.SampledFrom([]string{"", "v1", "v2", "v3"}).Draw(t, "endpoint"); v != "" {
				r.Context["aws:SourceVpce"] = []string{v}
			}
			if v := rapid.SampledFrom([]string{"", "p", "q"}).Draw(t, "tag"); v != "" {
				r.Context["s3:ExistingObjectTag/t"] = []string{v}
			}
			if d := Evaluate(r); f.Outlook == WillBeAllowed && !d.Allowed || f.Outlook == WillBeDenied && d.Allowed {
				t.Fatalf("foreseen: %s; %s with %v is decided %+v", f.Outlook, r.Resource, r.Context, d)
			}
		}
		if f.Outlook == MayBeDenied && len(f.DependsOn) == 0 || f.Outlook == WillBeDenied && len(f.Missing) == 0 {
			t.Fatalf("%s without a reason: %+v", f.Outlook, f)
		}
	})
	for _, o := range []Outlook{WillBeAllowed, WillBeDenied, MayBeDenied} {
		if said[o] == 0 {
			t.Errorf("nothing was foreseen as %s: %v", o, said)
		}
	}
}
