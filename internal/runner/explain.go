package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/policy"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// signers remember who signed in each account during this run.
type signers struct {
	mu sync.Mutex
	of map[plan.Side]string
}

func (s *signers) put(side plan.Side, arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[plan.Side]string{}
	}
	s.of[side] = arn
}

func (s *signers) get(side plan.Side) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if arn := s.of[side]; arn != "" {
		return arn
	}
	return "the " + string(side) + " account's administrator"
}

// explained is a runner whose denials say who lacks which permission on what, which rule likely denies, and the way out.
type explained struct {
	executor.Runner
	signers *signers
}

// Run runs the step.
func (r explained) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	res, err := r.Runner.Run(ctx, s)
	return res, explainStep(s, r.signers, err)
}

// explainStep explains a denial of a step; other errors, and denials that are explained, stay as they are.
func explainStep(s compile.Step, who *signers, err error) error {
	var already *DeniedError
	if err == nil || errors.As(err, &already) || !errors.Is(err, compile.ErrDenied) && !errors.Is(err, s3copy.ErrDenied) {
		return err
	}
	e := &DeniedError{Leg: string(s.Kind), Principal: who.get(s.Side), Resource: resourceOf(s), Err: err}
	if p := principalOf(s); p != "" {
		e.Principal = p
	} else {
		e.admin = true
	}
	if e.Action = asked(err); e.Action == "" {
		e.Action = actionOf(s)
	}
	if undeleted, ok := errors.AsType[*s3copy.UndeletedError](err); ok && undeleted.Versions && e.Action == "s3:DeleteObject" {
		e.Action = "s3:DeleteObjectVersion"
	}
	return e.complete(s.Side)
}

// complete takes what AWS's own words tell, which goes before what we suppose, and says what would help.
func (e *DeniedError) complete(side plan.Side) *DeniedError {
	told, _ := policy.ParseRefusal(e.Err.Error())
	if told.Action != "" {
		e.Action = told.Action
	}
	if told.Resource != "" {
		e.Resource = told.Resource
	}
	if told.Who != "" {
		e.Principal = told.Who
	}
	e.Missing = wayOut(told, *e, side)
	return e
}

// asked is the permission that the refused request wanted, as far as the request tells.
func asked(err error) string {
	var request interface{ Asked() string }
	if !errors.As(err, &request) {
		return ""
	}
	return permissionFor(request.Asked())
}

// permissionFor is the permission that an operation asks for, where it is called otherwise.
func permissionFor(operation string) string {
	odd := map[string]string{
		"s3:HeadBucket": "s3:ListBucket", "s3:ListObjectsV2": "s3:ListBucket", "s3:ListObjectVersions": "s3:ListBucketVersions",
		"s3:HeadObject": "s3:GetObject", "s3:CopyObject": "s3:PutObject", "s3:CreateMultipartUpload": "s3:PutObject",
		"s3:UploadPart": "s3:PutObject", "s3:UploadPartCopy": "s3:PutObject", "s3:CompleteMultipartUpload": "s3:PutObject",
		"s3:ListParts": "s3:ListMultipartUploadParts", "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
		"s3:DeleteObjects": "s3:DeleteObject", "s3:ListBuckets": "s3:ListAllMyBuckets",
		"s3:GetBucketEncryption": "s3:GetEncryptionConfiguration", "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
		"s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock", "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
	}
	if action, ok := odd[operation]; ok {
		return action
	}
	return operation
}

// actionOf is the permission that a kind of step stands for, where the refused request does not tell.
func actionOf(s compile.Step) string {
	switch s.Kind {
	case compile.KindBucket:
		return "s3:CreateBucket"
	case compile.KindPolicy:
		return "iam:CreatePolicy"
	case compile.KindAttachment:
		return "iam:AttachUserPolicy"
	case compile.KindGrant:
		return "kms:CreateGrant"
	case compile.KindBucketPolicy, compile.KindCleanBucketPolicy, compile.KindFreeze, compile.KindCleanFreeze:
		return "s3:PutBucketPolicy"
	case compile.KindCopy, compile.KindDelta, compile.KindFinal:
		return "s3:PutObject"
	case compile.KindCleanExtra, compile.KindCleanSourceObjects:
		return "s3:DeleteObject"
	case compile.KindCleanUploads:
		return "s3:AbortMultipartUpload"
	default:
		return "what the step does"
	}
}

// principalOf is the ARN of the principal where the step runs as that; "" for an administrator's.
func principalOf(s compile.Step) string {
	switch {
	case s.Kind == compile.KindProbe && s.Spec.Probe != nil:
		return s.Spec.Probe.PrincipalARN
	case slices.Contains([]compile.Kind{compile.KindCopy, compile.KindDelta, compile.KindFinal, compile.KindCleanExtra}, s.Kind) && s.Spec.Copy != nil && !s.Spec.Copy.AsAdministrators:
		return s.Spec.Copy.Principal
	}
	return ""
}

// resourceOf is the ARN of what the step is about.
func resourceOf(s compile.Step) string {
	switch spec := s.Spec; {
	case spec.Policy != nil:
		return spec.Policy.ARN
	case spec.Attachment != nil:
		return spec.Attachment.Principal
	case spec.Grant != nil:
		return spec.Grant.KeyARN
	case spec.Statement != nil:
		return bucketARN(spec.Statement.Bucket)
	case spec.Freeze != nil:
		return bucketARN(spec.Freeze.Bucket)
	case spec.Bucket != nil:
		return bucketARN(spec.Bucket.Name)
	case spec.Inspect != nil:
		return bucketARN(spec.Inspect.Name)
	case spec.Principal != nil:
		return spec.Principal.ARN
	case spec.Credentials != nil:
		return spec.Credentials.Principal
	case spec.Instance != nil:
		return spec.Instance.ID
	case spec.Copy != nil && s.Side == plan.Source:
		return bucketARN(spec.Copy.Pair.Source) + "/" + spec.Copy.Pair.Prefix + "*"
	case spec.Copy != nil:
		return bucketARN(spec.Copy.Pair.Destination) + "/" + spec.Copy.Pair.ToPrefix + "*"
	}
	return "*"
}

// wayOut says which rule denies, as far as AWS told, and what to do about it.
func wayOut(told policy.Refusal, e DeniedError, side plan.Side) string {
	allow := policy.Statement{Effect: policy.Allow, Action: []string{e.Action}, Resource: []string{e.Resource}}
	statement := string(allow.JSON())
	rule := told.String()
	switch {
	case told.Leg == policy.LegSCP || told.Leg == policy.LegRCP:
		return rule + ": only who administers the organisation can lift it"
	case told.Leg == policy.LegEndpoint:
		return rule + ": the VPC endpoint by which xplan reaches AWS has to allow it: " + statement
	case told.Reason == policy.ExplicitDeny && told.Leg == policy.LegResource:
		return rule + ": a statement of the policy of " + e.Resource + " denies it: take it out, or have it spare " + e.Principal
	case told.Reason == policy.ExplicitDeny:
		return rule + ": it has to be taken out of what limits " + e.Principal
	case told.Leg == policy.LegBoundary:
		return rule + ": the permissions boundary of " + e.Principal + " has to allow it as well: " + statement
	case told.Leg == policy.LegResource:
		allow.Principal = policy.Principals{AWS: []string{e.Principal}}
		return rule + ": add to the policy of " + e.Resource + ": " + string(allow.JSON())
	case told.Leg == policy.LegIdentity, told.Leg == policy.LegSession:
		return rule + ": add to the policies of " + e.Principal + ": " + statement + adminHint(e, side)
	}
	return fmt.Sprintf("wanted in the policies of %s: %s%s; where that stands, look for a Deny: in the policy of the resource, a permissions boundary, "+
		"an organisation's policy, or a VPC endpoint's; xplan doctor tells which", e.Principal, statement, adminHint(e, side))
}

// adminHint points to the whole document of an administrator.
func adminHint(e DeniedError, side plan.Side) string {
	if !e.admin {
		return ""
	}
	return " (docs/permissions.md has all that the " + string(side) + " account's administrator needs)"
}
