package view

import (
	"io"
	"testing"

	"xplan/internal/compile"
	"xplan/plan"
)

// found are findings of each severity; one tries to act on the terminal.
func found() []compile.Finding {
	const me = "arn:aws:iam::210987654321:user/misterrodgers"
	return []compile.Finding{
		{
			Severity: compile.SeverityDenied, Legs: []string{"read tags"}, Who: me, Side: plan.Source, Account: "123456789012",
			Actions: []string{"s3:GetObjectTagging"}, Resources: []string{"arn:aws:s3:::tommy/*"},
			Rule: "statement NoTags of the bucket policy of tommy denies it",
			AWS:  "AWS's policy simulator agrees",
			Fix:  "take it out of the bucket policy of tommy, or replace it by one that spares user/misterrodgers:", Statement: `{"Sid":"NoTags","Effect":"Deny"}`,
		},
		{
			Severity: compile.SeverityMay, Legs: []string{"list source", "read source"}, Who: me, Side: plan.Source, Account: "123456789012",
			Actions: []string{"s3:ListBucket", "s3:GetObject"}, Resources: []string{"arn:aws:s3:::tommy", "arn:aws:s3:::tommy/*"},
			Rule: "statement Net\x1b[31m of the bucket policy of tommy denies it, depending on aws:SourceIp", DependsOn: []string{"aws:SourceIp"},
			Fix: "see whether its condition holds where xplan runs", Statement: `{}`,
		},
		{
			Severity: compile.SeverityNote, Legs: []string{"prove destination"}, Who: me, Side: plan.Destination, Account: "210987654321",
			Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::tommy-b/*"}, Rule: "no statement of the policies of user/misterrodgers allows it, which matters at times",
			Fix: "add to the policies of user/misterrodgers:", Statement: `{"Effect":"Allow"}`,
		},
	}
}

func TestTheReviewBeginsWithWhatWouldBeDenied(t *testing.T) {
	p, prog := rich(t)
	prog.Findings = found()
	golden(t, "diff_denied.txt", func(w io.Writer, color bool) error { return Diff(w, p, prog, Style{Color: color}) })
}
