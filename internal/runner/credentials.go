package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/plan"
)

// credentials opens the principal's login. A minted key's intent holds the IDs that were
// there before, so that after a crash exactly one newer key is ours.
type credentials struct {
	logins Logins
	keys   AccessKeys
	notes  PolicyTags
	own    owner
	*session
}

func (r credentials) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	spec := *s.Spec.Credentials
	switch spec.Kind {
	case plan.AccessKey:
		return r.mint(ctx, spec)
	case plan.AssumeRole:
		return r.assume(ctx, spec)
	case plan.Profile:
		return r.profile(ctx, spec)
	default:
		r.set(r.logins.Own())
		return done("the destination account's own credentials copy"), nil
	}
}

func (r credentials) mint(ctx context.Context, spec compile.CredentialsSpec) (executor.Result, error) {
	before, err := r.keys.AccessKeys(ctx, spec.UserName)
	if err != nil {
		return executor.Result{}, err
	}
	if len(before) >= 2 {
		return executor.Result{}, fmt.Errorf("user %s holds two access keys already, and AWS allows no third: delete one that is not used", spec.UserName)
	}
	if err := r.settled(spec.UserName, before); err != nil {
		return executor.Result{}, err
	}
	x := compile.Owned{
		Kind: compile.KindCredentials, Side: plan.Destination, Parent: spec.UserName,
		Intent: true, Since: r.own.now().UTC(), Before: keyIDs(before),
	}
	if err := r.own.Intend(x); err != nil {
		return executor.Result{}, err
	}
	if err := r.note(ctx, spec, x); err != nil {
		return executor.Result{}, err
	}
	id, login, err := r.logins.MintKey(ctx, spec.UserName)
	if errors.Is(err, compile.ErrDenied) { // then none was made
		err = errors.Join(err, r.own.Disown(x))
	}
	if err != nil {
		return executor.Result{}, fmt.Errorf("make an access key of user %s: %w", spec.UserName, err)
	}
	made := x
	made.Intent, made.Subject, made.Before = false, id, nil
	if err := r.own.Own(made); err != nil {
		return executor.Result{}, err
	}
	if err := r.own.Disown(x); err != nil {
		return executor.Result{}, err
	}
	if err := r.note(ctx, spec, made); err != nil {
		return executor.Result{}, err
	}
	r.set(login)
	return done("key " + id + ", its secret only in memory"), nil
}

// settled refuses another key while one that an earlier run may have made is not accounted
// for: a new key's record would take the place of the only trace of it. IAM may have shown it
// too late for the clean-up that came before.
func (r credentials) settled(user string, there []compile.AccessKey) error {
	ours, err := r.own.find(compile.KindCredentials, "")
	if err != nil {
		return err
	}
	for _, x := range ours {
		if !x.Intent || x.Parent != user {
			continue
		}
		for _, k := range there {
			recorded := slices.ContainsFunc(ours, func(o compile.Owned) bool { return o.Subject == k.ID })
			if !recorded && !slices.Contains(x.Before, k.ID) {
				return fmt.Errorf("user %s: access key %s came after a run that died while making one: run again, and it is cleaned up first", user, k.ID)
			}
		}
	}
	return nil
}

// note writes on our policy what state says of the key: state can be lost with its machine.
func (r credentials) note(ctx context.Context, spec compile.CredentialsSpec, o compile.Owned) error {
	if spec.NoteOn == "" {
		return nil
	}
	return r.notes.TagPolicy(ctx, spec.NoteOn, map[string]string{compile.KeyTag: compile.KeyNote(o)})
}

func keyIDs(keys []compile.AccessKey) []string {
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	return ids
}

// assume waits for the trust policy of a role that was just made.
func (r credentials) assume(ctx context.Context, spec compile.CredentialsSpec) (executor.Result, error) {
	var login Login
	err := until(ctx, principalFor, func(ctx context.Context) error {
		var err error
		if login, err = r.logins.AssumeRole(ctx, spec.Principal); err != nil {
			return err
		}
		_, err = login.Identity(ctx) // the first call is what assumes it
		if errors.Is(err, compile.ErrDenied) || errors.Is(err, compile.ErrCredentials) {
			return fmt.Errorf("assume %s: %w (%w)", spec.Principal, errNotYet, err)
		}
		return err
	})
	if err != nil {
		return executor.Result{}, err
	}
	r.set(login)
	return done("assumed, refreshed before it expires"), nil
}

// profile loads a profile that must turn out to be the plan's principal.
func (r credentials) profile(ctx context.Context, spec compile.CredentialsSpec) (executor.Result, error) {
	login, err := r.logins.Profile(ctx, spec.Profile)
	if err != nil {
		return executor.Result{}, err
	}
	who, err := login.Identity(ctx)
	if err != nil {
		return executor.Result{}, fmt.Errorf("ask who profile %s is: %w", spec.Profile, err)
	}
	if !isPrincipal(who.ARN, spec.Principal) {
		return executor.Result{}, fmt.Errorf("profile %s is %s, and the plan's principal is %s: name another profile, or another principal",
			spec.Profile, who.ARN, spec.Principal)
	}
	r.set(login)
	return done("profile " + spec.Profile + " is " + who.ARN), nil
}

// isPrincipal tells whether the caller is the user, or a session of the role.
func isPrincipal(caller, principal string) bool {
	if caller == principal {
		return true
	}
	// arn:aws:iam::A:role/path/NAME is seen as arn:aws:sts::A:assumed-role/NAME/SESSION.
	p := strings.SplitN(principal, ":", 6)
	c := strings.SplitN(caller, ":", 6)
	if len(p) != 6 || len(c) != 6 || p[4] != c[4] || p[1] != c[1] {
		return false
	}
	role, isRole := strings.CutPrefix(p[5], "role/")
	session, isSession := strings.CutPrefix(c[5], "assumed-role/")
	name, _, _ := strings.Cut(session, "/")
	return isRole && isSession && role[strings.LastIndex(role, "/")+1:] == name
}

// cleanKey deletes the access keys that the plan's runs made: the recorded ones, and what an
// intent without a fact left behind.
type cleanKey struct {
	keys  AccessKeys
	held  Attachments
	notes PolicyTags
	own   owner
	lease *Lease
}

func (r cleanKey) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	if err := r.lease.Lost(); err != nil && s.Spec.Credentials.KeyID != "" {
		return executor.Result{}, err // what looks left over is in use elsewhere
	}
	ours, err := r.own.find(compile.KindCredentials, "")
	if err != nil {
		return executor.Result{}, err
	}
	var gone []string
	// Facts before intents: a key that is recorded must not look like the intent's unknown one.
	slices.SortStableFunc(ours, func(a, b compile.Owned) int { return boolToInt(a.Intent) - boolToInt(b.Intent) })
	for _, x := range ours {
		if user := s.Spec.Credentials.UserName; user != "" && x.Parent != user {
			continue
		}
		ids := []string{x.Subject}
		if x.Intent {
			if ids, err = r.orphan(ctx, x, r.others(ctx, *s.Spec.Credentials)); err != nil {
				return executor.Result{}, err
			}
		}
		err := r.own.unmake(x, func() error { return r.deleteAll(ctx, x.Parent, ids) })
		if err != nil {
			return executor.Result{}, err
		}
		gone = append(gone, ids...)
	}
	if on := s.Spec.Credentials.NoteOn; on != "" && r.lease.Check(ctx) == nil {
		if err := r.notes.UntagPolicy(ctx, on, []string{compile.KeyTag}); err != nil {
			return executor.Result{}, err
		}
	}
	if len(gone) == 0 {
		return held("no key of ours is left"), nil
	}
	return done(strings.Join(gone, ", ") + " gone, and read back as gone"), nil
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// orphanWindow bounds how long after the intent our call can have made the key: one
// attempt, its timeout, and a clock that is off. A later key is somebody else's.
const orphanWindow = 10 * time.Minute

// shownFor is how long IAM may take to list a key that was made: before that, an answer without
// one settles nothing.
const shownFor = 10 * time.Second

// others are the keys of which other policies of the user tell: another plan has made them for the same user meanwhile.
// What cannot be read tells nothing.
func (r cleanKey) others(ctx context.Context, spec compile.CredentialsSpec) (ids []string) {
	if spec.Principal == "" {
		return nil
	}
	attached, _ := r.held.Attached(ctx, spec.Principal)
	for _, arn := range attached {
		if arn == spec.NoteOn {
			continue
		}
		if p, err := r.notes.PolicyTags(ctx, arn); err == nil {
			ids = append(ids, compile.MadeKey(p.Tags[compile.KeyTag]))
		}
	}
	return ids
}

// orphan finds the one key that a crash left between the call and the record, and that is not one of others.
func (r cleanKey) orphan(ctx context.Context, x compile.Owned, others []string) ([]string, error) {
	x.Before = slices.Concat(x.Before, others)
	newer, late, err := r.since(ctx, x)
	start := r.own.now()
	for err == nil && len(newer) == 0 && r.own.now().Before(x.Since.Add(shownFor)) && r.own.now().Before(start.Add(shownFor)) {
		if err = pauseFor(ctx, time.Second); err == nil {
			newer, late, err = r.since(ctx, x)
		}
	}
	if err != nil {
		return nil, err
	}
	if len(newer) > 1 || late {
		return nil, &ConflictError{
			Subject: "user " + x.Parent, Why: "a run died while making one key, and what came since need not be it: " + strings.Join(newer, ", "),
			Fix: "delete the one that nobody uses (aws iam get-access-key-last-used), then run xplan cleanup",
		}
	}
	return newer, nil
}

// since lists the keys that came after the intent, and tells whether one came too late to be ours.
func (r cleanKey) since(ctx context.Context, x compile.Owned) (newer []string, late bool, err error) {
	all, err := r.keys.AccessKeys(ctx, x.Parent)
	for _, k := range all {
		if !slices.Contains(x.Before, k.ID) {
			newer = append(newer, k.ID)
			late = late || k.Created.After(x.Since.Add(orphanWindow))
		}
	}
	return newer, late, err
}

func (r cleanKey) deleteAll(ctx context.Context, user string, ids []string) error {
	for _, id := range ids {
		if err := r.keys.DeleteAccessKey(ctx, user, id); err != nil {
			return fmt.Errorf("delete access key %s of user %s: %w", id, user, err)
		}
	}
	return until(ctx, readBackFor, func(ctx context.Context) error {
		left, err := r.keys.AccessKeys(ctx, user)
		if err != nil {
			return err
		}
		for _, k := range left {
			if slices.Contains(ids, k.ID) {
				return fmt.Errorf("access key %s is still there: %w", k.ID, errNotYet)
			}
		}
		return nil
	})
}
