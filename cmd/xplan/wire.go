package main

import (
	"context"
	"errors"
	"fmt"

	"xplan/internal/awsapi"
	"xplan/internal/runner"
	"xplan/plan"
)

// The adapters prove themselves here: awsapi knows neither runner nor its ports.
var (
	_ runner.Account = (*awsapi.Account)(nil)
	_ runner.Login   = (*awsapi.Login)(nil)
	_ runner.Logins  = logins{}
)

// accounts are both sides, reached as their administrators.
type accounts struct {
	source, destination *awsapi.Account
}

// connect reaches both accounts. It asks them nothing yet. The error tells of both.
func connect(ctx context.Context, p *plan.Plan) (a accounts, err error) {
	options := awsapi.Options{InFlight: inFlight(p)}
	var source, destination error
	if a.source, err = awsapi.Open(ctx, p.Accounts.Source, options); err != nil {
		source = fmt.Errorf("source account: %w", err)
	}
	if a.destination, err = awsapi.Open(ctx, p.Accounts.Destination, options); err != nil {
		destination = fmt.Errorf("destination account: %w", err)
	}
	return a, errors.Join(source, destination)
}

// logins opens the principal's login in the destination account.
func (a accounts) logins() runner.Logins { return logins{a.destination} }

type logins struct{ account *awsapi.Account }

func (l logins) MintKey(ctx context.Context, user string) (string, runner.Login, error) {
	id, login, err := l.account.MintKey(ctx, user)
	if err != nil {
		return id, nil, err
	}
	return id, login, nil
}

func (l logins) AssumeRole(ctx context.Context, arn string) (runner.Login, error) {
	login, err := l.account.AssumeRole(ctx, arn)
	if err != nil {
		return nil, err
	}
	return login, nil
}

func (l logins) Profile(ctx context.Context, name string) (runner.Login, error) {
	login, err := l.account.Profile(ctx, name)
	if err != nil {
		return nil, err
	}
	return login, nil
}

func (l logins) Own() runner.Login { return l.account.Own() }
