package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"xplan/internal/compile"
	"xplan/internal/runner"
	"xplan/internal/view"
	"xplan/plan"
)

func (a *app) doctorCommand() *cobra.Command {
	var probe bool
	cmd := &cobra.Command{
		Use:   "doctor FILE",
		Short: "Who may do what the plan needs: each access, whether it is let, which rule denies, and the way out; changes nothing",
		Args:  files(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.load(args[0])
			if err != nil {
				return err
			}
			s, err := a.survey(cmd.Context(), p, nil, compile.CountNone)
			if err != nil {
				return err
			}
			if err := s.consult(cmd.Context()); err != nil {
				return err
			}
			if s.world, err = compile.Consult(cmd.Context(), s.world, compile.AdministratorsQuestions(p, s.world), s.simulator); err != nil {
				return err
			}
			return a.diagnose(cmd.Context(), s, probe)
		},
	}
	cmd.Flags().BoolVar(&probe, "probe", false, "also sign in as the principal, where a profile or a role gives it, and try what only reads")
	return cmd
}

// diagnose judges, tries what the administrators read, and shows both.
func (a *app) diagnose(ctx context.Context, s survey, probe bool) error {
	d := compile.Diagnose(s.plan, s.world)
	d.Checks = append(d.Checks, s.listings(ctx)...)
	if probe {
		checks, err := s.probes(ctx)
		if err != nil {
			return err
		}
		d.Checks = append(d.Checks, checks...)
	}
	show := func() error { return view.Doctor(a.out, s.plan, d, view.Style{Color: a.colors(a.out)}) }
	if a.json {
		show = func() error { return view.DoctorJSON(&a.lines, s.plan, d) }
	}
	if err := show(); err != nil || d.OK() {
		return err
	}
	return statusError(exitError)
}

// listings list a page of each bucket as its administrator.
func (s survey) listings(ctx context.Context) []compile.Check {
	var all []compile.Check
	seen := map[compile.BucketRef]bool{}
	for _, pair := range s.plan.Buckets {
		for _, x := range []struct {
			side         plan.Side
			name, prefix string
			account      runner.Opener
		}{
			{plan.Source, pair.Source, pair.Prefix, s.accounts.source},
			{plan.Destination, pair.Destination, pair.ToPrefix, s.accounts.destination},
		} {
			ref := compile.BucketRef{Side: x.side, Name: x.name}
			b := s.world.Buckets[ref]
			if seen[ref] || !b.Exists || b.Foreign {
				continue
			}
			seen[ref] = true
			at := compile.Location{Bucket: x.name, Region: b.Region, Account: s.plan.Accounts.Of(x.side).ID, RequesterPays: b.RequesterPays}
			check := runner.Listing(ctx, x.account, s.world.Identities[x.side].ARN, x.side, at, x.prefix)
			check.Pair = pair.ID()
			all = append(all, check)
		}
	}
	return all
}

// errNoProbe says that nothing can be tried without making a key.
var errNoProbe = errors.New("--probe signs in as the principal, and this plan's run would make its access key: without one there is nobody to sign in as; leave --probe out")

// probes sign in as the principal and try what only reads.
func (s survey) probes(ctx context.Context) ([]compile.Check, error) {
	if s.plan.Principal == nil || s.plan.Principal.Credentials == plan.AccessKey {
		return nil, &usageError{errNoProbe}
	}
	var login runner.Login
	var err error
	if s.plan.Principal.Credentials == plan.Profile {
		login, err = s.accounts.logins().Profile(ctx, s.plan.Principal.Profile)
	} else {
		login, err = s.accounts.logins().AssumeRole(ctx, s.plan.Principal.ARN)
	}
	if err != nil {
		return nil, err
	}
	var all []compile.Check
	for _, spec := range compile.ProbeSpecs(s.plan, s.world) {
		all = append(all, runner.Reading(ctx, login, spec)...)
	}
	return all, nil
}
