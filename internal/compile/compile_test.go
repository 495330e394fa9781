package compile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xplan/plan"
)

func tommy() *plan.Plan {
	return &plan.Plan{
		Version: 1, Name: "tommy-to-b",
		Accounts: plan.Accounts{
			Source:      plan.Account{Provider: plan.AWS, ID: "123456789012", Region: "us-west-2"},
			Destination: plan.Account{Provider: plan.AWS, ID: "210987654321", Region: "us-west-2"},
		},
		Principal:   &plan.Principal{ARN: "arn:aws:iam::210987654321:user/misterrodgers", Credentials: plan.AccessKey},
		Permissions: plan.Permissions{Manage: true, Policy: "s3_copy_by_pull_across_accounts", Statement: "DelegateS3Access"},
		Buckets:     []plan.Pair{pair("tommy", "tommy-b")},
		Cleanup: plan.Cleanup{
			AccessKey: plan.Always, Policy: plan.AfterVerify, BucketPolicy: plan.AfterVerify, DestinationBucket: plan.Keep,
		},
	}
}

func pair(source, destination string) plan.Pair {
	return plan.Pair{
		Source: source, Destination: destination, Create: true,
		Copy: plan.Copy{
			Include: []string{"**"}, Compare: plan.CompareAuto, Overwrite: "changed", Tags: true,
			StorageClass: "preserve", ACL: "none", Archived: "report",
		},
		Verify:  plan.Verify{Level: plan.LevelChecksum, Otherwise: "accept"},
		Cleanup: plan.PairCleanup{SourceObjects: plan.Keep, SourceBucket: plan.Keep},
	}
}

func secure(region string) Bucket {
	return Bucket{
		Exists: true, Region: region, Ownership: enforced, Encryption: plan.Encryption{Algorithm: "AES256"},
		PublicAccess: &PublicAccess{true, true, true, true},
	}
}

func fresh() World {
	return World{
		Identities: map[plan.Side]Identity{
			plan.Source:      {Account: "123456789012", ARN: "arn:aws:iam::123456789012:user/admin-a"},
			plan.Destination: {Account: "210987654321", ARN: "arn:aws:iam::210987654321:user/admin-b"},
		},
		Buckets:   map[BucketRef]Bucket{{plan.Source, "tommy"}: secure("us-west-2"), {plan.Destination, "tommy-b"}: {}},
		Principal: PrincipalFacts{Exists: true, ARN: "arn:aws:iam::210987654321:user/misterrodgers", UserID: "AIDAEXAMPLE"},
		Copies: map[string]CopyFacts{"tommy/→tommy-b/": {
			Known: true, Listed: Count{3, 30}, New: Count{3, 30},
		}},
	}
}

func compiled(t *testing.T, p *plan.Plan, w World) *Program {
	t.Helper()
	prog, err := Compile(p, w)
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	return prog
}

// outline is a program in a few words: action, step, what it needs, what it comes after.
func outline(p *Program) string {
	var b strings.Builder
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "%s %s\n", s.Action, s.ID)
		if s.Rule != "" {
			fmt.Fprintf(&b, "    rule %s\n", s.Rule)
		}
		if s.Confirm != "" {
			fmt.Fprintf(&b, "    confirm %s\n", s.Confirm)
		}
		for _, id := range s.Needs {
			fmt.Fprintf(&b, "    needs %s\n", id)
		}
		for _, id := range s.After {
			fmt.Fprintf(&b, "    after %s\n", id)
		}
		for _, l := range s.Change.Lines {
			fmt.Fprintf(&b, "    | %s %s\n", l.Sign, l.Text)
		}
		if len(s.Change.Preserved) > 0 {
			fmt.Fprintf(&b, "    | = %s\n", strings.Join(s.Change.Preserved, ", "))
		}
		if s.Change.Danger != "" {
			fmt.Fprintf(&b, "    | ! %s\n", s.Change.Danger)
		}
		if s.Change.Note != "" {
			fmt.Fprintf(&b, "    | %s\n", s.Change.Note)
		}
	}
	for _, w := range p.Warnings {
		fmt.Fprintf(&b, "warning %s: %s\n", w.Subject, w.Text)
	}
	fmt.Fprintf(&b, "%+v\n", p.Totals())
	return b.String()
}

// golden compares with a file of testdata; XPLAN_UPDATE=1 writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("XPLAN_UPDATE") != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestAFreshWorldNeedsEveryStep(t *testing.T) {
	golden(t, "program/fresh.txt", outline(compiled(t, tommy(), fresh())))
}
