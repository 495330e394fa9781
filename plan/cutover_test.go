package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xplan/plan"
)

func TestACutOverThatMakesNoSenseIsRefused(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"no permissions to manage", with(pair, pair+"cutover: {freeze: true}\n", "buckets:", "permissions: {manage: false}\nbuckets:"), []string{
			"8:16: principal.credentials: an access key cannot be made where permissions.manage is false | it touches IAM: write credentials: profile",
			"13:19: cutover.freeze is true, and permissions.manage is false: no bucket policy may be touched | stop the writers by hand, or write manage: true",
		}},
		{"one Sid for two statements", with(pair, pair+"cutover: {freeze: true, statement: DelegateS3Access}\n"), []string{
			`12:36: cutover.statement: "DelegateS3Access" is permissions.statement as well | they are two statements of one policy: choose another name`,
		}},
		{"the second one's Sid", with(pair, pair+"cutover: {freeze: true, statement: X}\n", "buckets:", "permissions: {statement: XDeletes}\nbuckets:"), []string{
			`13:36: cutover.statement: "XDeletes" is permissions.statement as well | they are two statements of one policy: choose another name`,
		}},
		{"no Sid", with(pair, pair+"cutover: {freeze: true, statement: a-b}\n"), []string{
			"12:36: cutover.statement must be 1 to 57 letters and digits (the rule for a Sid, with room for our ending)",
		}},
		{"a session", with(pair, pair+"cutover: {freeze: true, exempt: ['arn:aws:sts::123456789012:assumed-role/a/b']}\n"), []string{
			"12:34: cutover.exempt[0] must be a user's or role's ARN, such as arn:aws:iam::123456789012:role/auditor (a session is named by its role)",
		}},
		{"passes", with(pair, pair+"cutover: {passes: -1, until: 1.5}\n"), []string{
			"12:19: cutover.passes wants a number from 0 to 1000",
			"12:30: cutover.until wants a whole number, not a fraction",
		}},
		{"a freeze that outlives a failure", with(pair, pair+"cutover: {freeze: true}\ncleanup: {freeze: keep}\n"), []string{
			`13:19: cleanup.freeze cannot be "keep" | one of: always, on-failure`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, problemsOf(t, c.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestACutOverThatIsProbablyNotMeantIsWarnedOf(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"nothing to warn of", with(pair, pair+"cutover: {freeze: true}\ncleanup: {freeze: on-failure}\n"), nil},
		{"without a freeze", with(pair, pair+"cutover: {statement: X, exempt: []}\ncleanup: {freeze: always}\n"), []string{
			"12:22: cutover.statement has no effect where cutover.freeze is false",
			"12:33: cutover.exempt has no effect where cutover.freeze is false",
			"13:19: cleanup.freeze has no effect where cutover.freeze is false",
		}},
		{"frozen for long", with(pair, pair+"verify: {level: bytes}\ncutover: {freeze: true}\n"), []string{
			"12:17: verify.level is bytes, and cutover.freeze true: the source stays frozen while every byte of it is read | checksum is proof as well; xplan verify can read the bytes afterwards",
		}},
		{"a second pass", with(pair, pair+"copy: {second_pass: true}\ncutover: {}\n"), []string{
			"12:21: copy.second_pass has no effect in a cut-over | the deltas and the final pass do what it does",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, warningsOf(t, c.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestACutOverHasDefaultsAndLeavesOtherPlansAlone(t *testing.T) {
	p, err := plan.Parse("p.yaml", []byte(with(pair, pair+"cutover: {freeze: true}\n")))
	if err != nil {
		t.Fatal(err)
	}
	want := &plan.CutOver{Passes: 5, Until: 100, Freeze: true, Statement: "XplanFreezeTommyToB"}
	if diff := cmp.Diff(want, p.CutOver); diff != "" || p.Cleanup.Freeze != plan.Always {
		t.Errorf("cleanup.freeze is %q, and\n%s", p.Cleanup.Freeze, diff)
	}
	long, err := plan.Parse("p.yaml", []byte(with(pair, pair+"cutover: {freeze: true}\n", "tommy-to-b", strings.Repeat("a", 63))))
	if err != nil || slices.ContainsFunc(plan.FreezeSids(long.CutOver.Statement), func(sid string) bool { return len(sid) > 64 }) {
		t.Errorf("a long name gives %+v, %v", long, err)
	}
	without, err := plan.Parse("p.yaml", []byte(sound))
	if err != nil || without.CutOver != nil || strings.Contains(string(without.JSON()), "freeze") {
		t.Errorf("a plan without a cut-over has one: %s, %v", without.JSON(), err)
	}
}
