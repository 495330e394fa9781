package runner

import (
	"context"
	"errors"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// Listing lists one page of a bucket as an account's administrator, who counts and compares. Who is the administrator's ARN.
func Listing(ctx context.Context, a Opener, who string, side plan.Side, at compile.Location, prefix string) compile.Check {
	check := compile.Check{
		Leg: "list " + string(side) + " as administrator", Side: side, Who: who, Actions: []string{"s3:ListBucket"},
		Resources: []string{bucketARN(at.Bucket)}, Verdict: compile.VerdictOK,
	}
	_, err := a.OpenSource(at).ListPage(ctx, s3copy.PageRequest{Prefix: prefix, Max: 1}, nil)
	return judged(check, err, side)
}

// Reading tries a pair's legs that change nothing, as the principal, once each.
func Reading(ctx context.Context, l Login, spec compile.ProbeSpec) []compile.Check {
	var all []compile.Check
	for _, leg := range spec.Legs {
		if leg == compile.LegWriteDest {
			continue // it starts an upload
		}
		check := compile.Check{Leg: "try to " + string(leg), Pair: spec.Pair.ID(), Side: plan.Destination, Who: spec.PrincipalARN, Verdict: compile.VerdictOK}
		if leg == compile.LegIdentity {
			check.Leg = "sign in as the principal"
		}
		err := l.Probe(ctx, leg, spec)
		if errors.Is(err, s3copy.ErrDenied) {
			err = explain(leg, spec, err)
		}
		all = append(all, judged(check, err, plan.Destination))
	}
	return all
}

// judged puts an error's meaning into a check.
func judged(c compile.Check, err error, side plan.Side) compile.Check {
	if err == nil {
		return c
	}
	c.Verdict, c.Why = compile.VerdictDenied, err.Error()
	var told *DeniedError
	switch {
	case errors.As(err, &told):
		c.Why, c.Fix = told.Err.Error(), told.Missing
	case errors.Is(err, s3copy.ErrDenied):
		told = &DeniedError{Principal: c.Who, Action: c.Actions[0], Resource: c.Resources[0], Err: err, admin: true}
		c.Fix = told.complete(side).Missing
	}
	return c
}
