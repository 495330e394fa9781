package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// A reviewersQuestion is what somebody asks who answers for both accounts, and the lines of the text that answer it.
type reviewersQuestion struct {
	ask     string
	answers []string // regular expressions, each of a line
	never   []string // what no line may say
}

// TestTenQuestionsOfAReviewerAreAnsweredByTheTextAlone asks them of the review that the story reviewer.txtar makes,
// of examples/review.xplan.yaml: two pairs, keys of KMS, a changed policy, a delete rule.
func TestTenQuestionsOfAReviewerAreAnsweredByTheTextAlone(t *testing.T) {
	t.Parallel()
	text := storyFile(t, "reviewer.txtar", "review.txt")
	for _, q := range []reviewersQuestion{
		{ask: "What is created?", answers: []string{
			`^\+ s3\.bucket         210987654321/invoices-b$`, `^    \+ public_access_block = all$`, `^    \+ encryption = aws:kms$`,
			`^\+ iam\.policy        210987654321/s3_copy_by_pull_across_accounts$`, `^\+ iam\.attachment    210987654321/role/finance-copier$`,
			`^\+ kms\.grant         arn:aws:kms:us-west-2:123456789012:key/`, `^\+ s3\.bucket_policy  123456789012/reports$`,
			`^Plan: 5 to create, 1 to change, 2 copies, `,
		}},
		{ask: "In whose account?", answers: []string{
			`^123456789012/invoices \(us-west-2\) → 210987654321/invoices-b \(us-west-2\)$`, `^123456789012/reports/2025/ \(us-west-2\) → 210987654321/reports-b/archive/2025/ \(us-west-2\)$`,
			`^~ s3\.bucket_policy  123456789012/invoices$`, `^\+ iam\.policy        210987654321/`,
		}},
		{ask: "Who gets access to what, and until when?", answers: []string{
			`^Who gets access: arn:aws:iam::210987654321:role/finance-copier$`, `^    until the copy is verified$`,
			`^\+ list and read     123456789012/invoices$`, `^\+ list and write    210987654321/invoices-b$`,
			`^\+ decrypt with      arn:aws:kms:us-west-2:123456789012:key/`, `^\+ encrypt with      arn:aws:kms:us-west-2:210987654321:key/`,
			`^\+ list and read     123456789012/reports/2025/$`, `^\+ list and write    210987654321/reports-b/archive/2025/$`,
		}},
		{ask: "What stays as it is?", answers: []string{
			`^    = DenyInsecureTransport, AuditorsRead   2 statements preserved$`, `^Stays$`,
			`^= 123456789012/invoices   the source: 5 objects, which the run only reads$`, `^= 210987654321/reports-b/archive/2025/   1 object at the destination only$`,
			`^= s3\.bucket 210987654321/invoices-b   made for the copied objects$`,
		}},
		{ask: "What is overwritten, and can it be had back?", answers: []string{
			`^    changed  +1 +25 B   ! overwrites 1 destination object \(of another size\)$`, `^        = changed 2025/q2\.csv   size 25 here, 14 there$`,
			`^! bucket reports-b: overwriting 1 object, of which it keeps no versions: `, ` IRREVERSIBLE$`,
		}},
		{ask: "What is deleted, and what is needed for it?", answers: []string{
			`^! DELETE 3 source objects in reports/2025/   IRREVERSIBLE, wants --confirm=reports$`, `^Plan: .*\(1 DANGEROUS\)$`,
			`^    ! it deletes nothing in reports by itself: with --confirm=reports it does$`, `^- s3\.bucket_policy  123456789012/invoices$`,
		}, never: []string{`DELETE .*invoices`}},
		{ask: "What does it cost?", answers: []string{
			`^    cost ≈ .* once \+ \$62\.12 a month   time `, `^≈ \$62\.12 a month   .*2\.6 TiB stored in STANDARD \$62\.12$`, `^≈ .* once   .* COPY and PUT into STANDARD`,
			`^    · at us-east-1's list prices of 2026-11$`, `^    · prices of other regions than us-east-1 differ$`,
		}},
		{ask: "How long does it take?", answers: []string{
			`   time ≈ 13 min at 350 objects/s$`, `^≈ 13 min$`, `^    · 350 objects/s and 4,000 MB/s for each pair; pairs run side by side$`,
		}},
		{ask: "What was not seen?", answers: []string{
			`^\? not previewed: logging of bucket invoices \(s3:GetBucketLogging denied\)$`, `^Not seen: 3 facts of the accounts: marked \? above$`,
		}},
		{ask: "How is exactly this applied?", answers: []string{
			`^To apply exactly this: xplan plan examples/review\.xplan\.yaml -o reviewed\.plan && xplan apply reviewed\.plan$`,
		}},
	} {
		for _, want := range q.answers {
			if !regexp.MustCompile("(?m)" + want).MatchString(text) {
				t.Errorf("%s No line is %s", q.ask, want)
			}
		}
		for _, not := range q.never {
			if line := regexp.MustCompile("(?m)^.*" + not + ".*$").FindString(text); line != "" {
				t.Errorf("%s A line says %s", q.ask, line)
			}
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if n := len([]rune(line)); n > 100 && !strings.HasPrefix(line, "To apply") {
			t.Errorf("a line has %d columns: %s", n, line)
		}
	}
}

// storyFile is a file of a story's archive.
func storyFile(t *testing.T, story, name string) string {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata/script", story))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	t.Fatalf("%s has no file %s", story, name)
	return ""
}
