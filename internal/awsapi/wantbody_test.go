package awsapi

import (
	"context"
	"errors"
	"testing"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
)

func TestASuccessWithoutABodyIsNone(t *testing.T) {
	for name, ask := range map[string]func(context.Context, *Account) error{
		"a list of objects": func(ctx context.Context, a *Account) error {
			_, err := a.pair().ListPage(ctx, s3copy.PageRequest{}, nil)
			return err
		},
		"a list of uploads": func(ctx context.Context, a *Account) error {
			_, err := a.pair().ListUploads(ctx, "")
			return err
		},
		"tags": func(ctx context.Context, a *Account) error { _, err := a.pair().Tags(ctx, "k", ""); return err },
		"a bucket's policy": func(ctx context.Context, a *Account) error {
			_, err := a.BucketPolicy(ctx, "tommy", "us-west-2")
			return err
		},
		"a user": func(ctx context.Context, a *Account) error {
			_, err := a.Principal(ctx, "arn:aws:iam::210987654321:user/u")
			return err
		},
		"a user's keys": func(ctx context.Context, a *Account) error { _, err := a.AccessKeys(ctx, "u"); return err },
		"who signs":     func(ctx context.Context, a *Account) error { _, err := a.Identity(ctx); return err },
		"a key": func(ctx context.Context, a *Account) error {
			_, _, err := a.MintKey(ctx, "u")
			return err
		},
		"a policy": func(ctx context.Context, a *Account) error {
			return a.CreatePolicy(ctx, compile.PolicySpec{ARN: "arn:aws:iam::210987654321:policy/p", Name: "p"})
		},
	} {
		s := serve(t, func(request) (int, string) { return 200, "" })
		if err := ask(t.Context(), account(t, s)); !errors.Is(err, s3copy.ErrEmptyAnswer) {
			t.Errorf("%s: got %v, want %v", name, err, s3copy.ErrEmptyAnswer)
		}
		once := name == "a key" || name == "a policy"
		if n := len(s.requests()); once != (n == 1) {
			t.Errorf("%s: %d requests", name, n)
		}
	}
}

func TestAnEmptyAnswerIsAskedForAgain(t *testing.T) {
	n := 0
	s := serve(t, func(request) (int, string) {
		if n++; n < 3 {
			return 200, ""
		}
		return 200, `<ListBucketResult><Contents><Key>k</Key></Contents></ListBucketResult>`
	})
	page, err := account(t, s).pair().ListPage(t.Context(), s3copy.PageRequest{}, nil)
	if err != nil || len(page.Objects) != 1 {
		t.Errorf("got %+v, %v", page, err)
	}
}
