package awsapi

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"xplan/internal/compile"
)

// Simulate asks IAM's policy simulator. A server's failure is not waited out: nothing depends on the answer.
func (s *session) Simulate(ctx context.Context, q compile.Question) (map[string]compile.Opinion, error) {
	said, err := s.simulated(ctx, q)
	if err != nil {
		e := failed(err, "ask the policy simulator about %s", q.Resource)
		if code := errorCode(err); code == "InvalidAction" {
			e = because(e, compile.ErrUnsupported)
		}
		return nil, e
	}
	all := map[string]compile.Opinion{}
	for _, r := range said {
		o := compile.Opinion{Decision: string(r.EvalDecision), Missing: r.MissingContextValues}
		for _, one := range r.ResourceSpecificResults { // of one resource
			o = compile.Opinion{Decision: string(one.EvalResourceDecision), Missing: one.MissingContextValues}
		}
		if o.Decision != "" {
			all[aws.ToString(r.EvalActionName)] = o
		}
	}
	return all, nil
}

func (s *session) simulated(ctx context.Context, q compile.Question) (all []types.EvaluationResult, err error) {
	c := s.iamClient()
	if q.Own {
		pages := iam.NewSimulatePrincipalPolicyPaginator(c, &iam.SimulatePrincipalPolicyInput{
			PolicySourceArn: &q.Caller, ActionNames: q.Actions, ResourceArns: []string{q.Resource}, ContextEntries: contextEntries(q.Context),
		})
		for pages.HasMorePages() {
			out, err := pages.NextPage(ctx, s.onceAtMost)
			if err != nil {
				return nil, err
			}
			all = append(all, out.EvaluationResults...)
		}
		return all, nil
	}
	in := &iam.SimulateCustomPolicyInput{
		PolicyInputList: q.Identity, ActionNames: q.Actions, ResourceArns: []string{q.Resource}, ContextEntries: contextEntries(q.Context), CallerArn: &q.Caller,
	}
	if q.Boundary != "" {
		in.PermissionsBoundaryPolicyInputList = []string{q.Boundary}
	}
	if q.ResourcePolicy != "" {
		in.ResourcePolicy = &q.ResourcePolicy
	}
	if partition, _, ok := strings.Cut(q.Caller, ":iam:"); ok && q.Owner != "" {
		in.ResourceOwner = aws.String(partition + ":iam::" + q.Owner + ":root")
	}
	pages := iam.NewSimulateCustomPolicyPaginator(c, in)
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx, s.onceAtMost)
		if err != nil {
			return nil, err
		}
		all = append(all, out.EvaluationResults...)
	}
	return all, nil
}

// contextEntries are a request's condition keys, with the types that the simulator wants.
func contextEntries(keys map[string][]string) []types.ContextEntry {
	var all []types.ContextEntry
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		kind := types.ContextKeyTypeEnumString
		switch strings.ToLower(key) {
		case "aws:securetransport", "aws:viaawsservice", "aws:multifactorauthpresent", "aws:principalisawsservice":
			kind = types.ContextKeyTypeEnumBoolean
		case "s3:tlsversion":
			kind = types.ContextKeyTypeEnumNumeric
		default:
			if len(keys[key]) > 1 {
				kind = types.ContextKeyTypeEnumStringList
			}
		}
		all = append(all, types.ContextEntry{ContextKeyName: aws.String(key), ContextKeyType: kind, ContextKeyValues: keys[key]})
	}
	return all
}
