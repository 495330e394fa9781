package awsapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"xplan/internal/compile"
)

func principalCalls() []faultCall {
	tags := map[string]string{"xplan": "p"}
	facts := func(p compile.PrincipalFacts, err error) (string, error) {
		p.UserID = ""
		return fmt.Sprintf("%t %s %d keys %v %v", p.Exists, p.ARN, len(p.Keys), p.Attached, p.Tags), err
	}
	user := compile.PrincipalSpec{ARN: "arn:aws:iam::" + accountB + ":user/made", Name: "made", Tags: tags}
	role := compile.PrincipalSpec{ARN: "arn:aws:iam::" + accountB + ":role/made", Name: "made", Role: true, Trust: faultTrust, Tags: tags}
	return []faultCall{
		{name: "Account.Principal", missing: true, do: func(ctx context.Context, w *faultWorld) (string, error) { return facts(w.b.Principal(ctx, faultUser)) }},
		{name: "Account.Principal: role", missing: true, do: func(ctx context.Context, w *faultWorld) (string, error) { return facts(w.b.Principal(ctx, faultRole)) }},
		{name: "Account.CreatePrincipal", do: func(ctx context.Context, w *faultWorld) (string, error) { return facts(w.b.CreatePrincipal(ctx, user)) }},
		{name: "Account.CreatePrincipal: role", do: func(ctx context.Context, w *faultWorld) (string, error) { return facts(w.b.CreatePrincipal(ctx, role)) }},
		{name: "Account.DeletePrincipal", missing: true, do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.DeletePrincipal(ctx, compile.PrincipalSpec{ARN: "arn:aws:iam::" + accountB + ":user/fresh", Name: "fresh"}))
		}},
		{name: "Account.DeletePrincipal: role", missing: true, do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.DeletePrincipal(ctx, compile.PrincipalSpec{ARN: faultRole, Name: "pull", Role: true}))
		}},
		{name: "Account.PrincipalPolicies", missing: true, unseen: true, do: func(ctx context.Context, w *faultWorld) (string, error) {
			p, unseen, err := w.b.PrincipalPolicies(ctx, compile.PrincipalFacts{Exists: true, ARN: faultUser, Attached: []string{"arn:aws:iam::" + accountB + ":policy/mine"}})
			if len(unseen) > 0 {
				return "unseen", err
			}
			return fmt.Sprintf("%+v", p), err
		}},
		{name: "Account.Simulate", once: true, do: func(ctx context.Context, w *faultWorld) (string, error) {
			all, err := w.b.Simulate(ctx, compile.Question{
				Caller: faultUser, Identity: []string{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`},
				Resource: "arn:aws:s3:::tommy-b/*", Owner: accountB, Actions: []string{"s3:PutObject", "s3:GetObject"},
			})
			return fmt.Sprint(all), err
		}},
		{name: "Account.Simulate: own", once: true, do: func(ctx context.Context, w *faultWorld) (string, error) {
			all, err := w.b.Simulate(ctx, compile.Question{Own: true, Caller: faultUser, Resource: "arn:aws:s3:::tommy-b/*", Actions: []string{"s3:PutObject"}})
			return fmt.Sprint(all), err
		}},
		{name: "Account.AccessKeys", missing: true, arrange: hasKey, do: func(ctx context.Context, w *faultWorld) (string, error) {
			keys, err := w.b.AccessKeys(ctx, "misterrodgers")
			return fmt.Sprint(len(keys)), err
		}},
		{name: "Account.MintKey", stands: keysOfUser, do: func(ctx context.Context, w *faultWorld) (string, error) {
			id, l, err := w.b.MintKey(ctx, "misterrodgers")
			return fmt.Sprint(id != "" && l != nil), err
		}},
		{name: "Account.DeleteAccessKey", missing: true, arrange: hasKey, do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.DeleteAccessKey(ctx, "misterrodgers", w.upload))
		}},
	}
}

func policyCalls() []faultCall {
	attachment := compile.AttachmentSpec{PolicyARN: faultPolicy, Principal: faultUser}
	toRole := compile.AttachmentSpec{PolicyARN: faultPolicy, Principal: faultRole}
	attached := func(a compile.AttachmentSpec) func(ctx context.Context, w *faultWorld) error {
		return func(ctx context.Context, w *faultWorld) error {
			return errors.Join(hasPolicy(ctx, w), w.b.Attach(ctx, a))
		}
	}
	full := func(ctx context.Context, w *faultWorld) error {
		err := hasPolicy(ctx, w)
		for range mostVersions - 1 {
			err = errors.Join(err, w.b.UpdatePolicy(ctx, w.policySpec()))
		}
		return err
	}
	attachedTo := func(arn string) func(ctx context.Context, w *faultWorld) (string, error) {
		return func(ctx context.Context, w *faultWorld) (string, error) {
			list, err := w.b.Attached(ctx, arn)
			return fmt.Sprint(list), err
		}
	}
	return []faultCall{
		{name: "Account.ManagedPolicy", missing: true, arrange: attached(attachment), do: func(ctx context.Context, w *faultWorld) (string, error) {
			p, err := w.b.ManagedPolicy(ctx, faultPolicy)
			p.ID, p.At = "", time.Time{} // each world makes its own
			return fmt.Sprintf("%+v", p), err
		}},
		{name: "Account.PolicyTags", missing: true, arrange: hasPolicy, do: func(ctx context.Context, w *faultWorld) (string, error) {
			p, err := w.b.PolicyTags(ctx, faultPolicy)
			p.ID, p.At = "", time.Time{}
			return fmt.Sprintf("%+v", p), err
		}},
		{name: "Account.CreatePolicy", do: func(ctx context.Context, w *faultWorld) (string, error) { return done(hasPolicy(ctx, w)) }},
		{name: "Account.UpdatePolicy", arrange: hasPolicy, stands: versionsOfPolicy, do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.UpdatePolicy(ctx, w.policySpec()))
		}},
		{name: "Account.UpdatePolicy: full", arrange: full, stands: versionsOfPolicy, do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.UpdatePolicy(ctx, w.policySpec()))
		}},
		{name: "Account.DeletePolicy", missing: true, arrange: full, do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.DeletePolicy(ctx, faultPolicy))
		}},
		{name: "Account.TagPolicy", arrange: hasPolicy, do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.TagPolicy(ctx, faultPolicy, map[string]string{"key": "AKIA"}))
		}},
		{name: "Account.UntagPolicy", missing: true, arrange: hasPolicy, do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.UntagPolicy(ctx, faultPolicy, []string{"xplan"}))
		}},
		{name: "Account.Attach", arrange: hasPolicy, do: func(ctx context.Context, w *faultWorld) (string, error) { return done(w.b.Attach(ctx, attachment)) }},
		{name: "Account.Attach: role", arrange: hasPolicy, do: func(ctx context.Context, w *faultWorld) (string, error) { return done(w.b.Attach(ctx, toRole)) }},
		{name: "Account.Detach", missing: true, arrange: attached(attachment), do: func(ctx context.Context, w *faultWorld) (string, error) { return done(w.b.Detach(ctx, attachment)) }},
		{name: "Account.Detach: role", missing: true, arrange: attached(toRole), do: func(ctx context.Context, w *faultWorld) (string, error) { return done(w.b.Detach(ctx, toRole)) }},
		{name: "Account.Attached", missing: true, do: attachedTo(faultUser)},
		{name: "Account.Attached: role", missing: true, arrange: attached(toRole), do: attachedTo(faultRole)},
	}
}
