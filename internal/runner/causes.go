package runner

import (
	"fmt"
	"slices"
	"strings"

	"xplan/internal/compile"
	"xplan/internal/policy"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// mostCauses is how many causes of failures are explained.
const mostCauses = 3

// causes explain the denials among failures: each cause once, however many objects it keeps from being copied.
func causes(failures []s3copy.Failure, c compile.CopySpec) []string {
	var order []string
	count := map[string]int{}
	texts := map[string]string{}
	for _, f := range failures {
		if !deniedText(f.Reason) {
			continue
		}
		told, _ := policy.ParseRefusal(f.Reason)
		cause := f.Phase + " " + told.Action + " " + told.String()
		if count[cause]++; count[cause] == 1 {
			order = append(order, cause)
			texts[cause] = causeText(f, told, c)
		}
	}
	lines := make([]string, 0, len(order))
	for _, cause := range order[:min(len(order), mostCauses)] {
		lines = append(lines, fmt.Sprintf("denied (%d of those named): %s", count[cause], texts[cause]))
	}
	return lines
}

// deniedText tells whether a failure's text is a denial's. The text is what is recorded of it.
func deniedText(reason string) bool {
	return slices.ContainsFunc([]string{"AccessDenied", "Access Denied", "Forbidden", "is not authorized to perform", s3copy.ErrDenied.Error()},
		func(words string) bool { return strings.Contains(reason, words) })
}

// causeText says who may not do what, which rule likely denies, and the way out. The probe was let in to other objects, so
// without AWS's own words it is something about the object itself.
func causeText(f s3copy.Failure, told policy.Refusal, c compile.CopySpec) string {
	legs := legsOf(f.Phase)
	e := DeniedError{Principal: c.Principal, Action: told.Action, Resource: told.Resource}
	if e.Principal == "" || c.AsAdministrators {
		e.Principal = "the administrator"
	}
	if told.Who != "" {
		e.Principal = told.Who
	}
	if told.Leg != "" && told.Action != "" {
		return fmt.Sprintf("%s may not %s on %s: %s", e.Principal, e.Action, e.Resource, wayOut(told, e, plan.Destination))
	}
	source, destination := bucketARN(c.Pair.Source)+"/"+c.Pair.Prefix+"*", bucketARN(c.Pair.Destination)+"/"+c.Pair.ToPrefix+"*"
	text := map[string]string{
		"copy":    "may not s3:GetObject or s3:GetObjectTagging on " + source + ", or s3:PutObject on " + destination,
		"compare": "may not s3:GetObject on " + source + " or " + destination,
		"verify":  "may not s3:GetObject on " + source + " or " + destination,
		"delete":  "may not s3:DeleteObject on " + destination,
		"restore": "may not s3:RestoreObject on " + source,
		"lock": "may not s3:GetObjectRetention or s3:GetObjectLegalHold on " + source + ", or these and s3:PutObjectRetention or " +
			"s3:PutObjectLegalHold on " + destination,
	}[f.Phase]
	if text == "" {
		text = "may not do it"
	}
	if told.Action != "" {
		text = "may not " + told.Action
	}
	text = e.Principal + " " + text
	for _, leg := range legs {
		if doubt := doubted(c.Doubts, leg); doubt != "" {
			return text + "; " + doubt
		}
	}
	return text + "; other objects were let through, so look for what is their own: a KMS key that is not the bucket's, another owner (ACLs), " +
		"or a statement about their keys or tags"
}

// legsOf are the preflight's legs that a phase of the copy rests on.
func legsOf(phase string) []string {
	switch phase {
	case "copy":
		return []string{string(compile.LegReadSource), string(compile.LegTagsSource), string(compile.LegReadVersion), string(compile.LegWriteDest), "make delete markers", "decrypt source", "encrypt destination"}
	case "compare", "verify":
		return []string{"prove destination", string(compile.LegReadSource)}
	case "lock":
		return []string{string(compile.LegLocksSource), "prove locks", string(compile.LegWriteDest)}
	case "delete":
		return []string{"delete extra objects"}
	}
	return nil
}

// doubted is what the preflight said about a leg, if anything.
func doubted(all []compile.Finding, leg string) string {
	for _, f := range all {
		if slices.Contains(f.Legs, leg) {
			return "likely: " + f.Rule + "; " + strings.TrimSuffix(f.Fix, ":") + ": " + f.Statement
		}
	}
	return ""
}
