package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xplan/internal/awsapi"
	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/internal/sandbox"
	"xplan/internal/view"
	"xplan/plan"
	"xplan/state"
)

func (a *app) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "The whole story on an embedded sandbox: no account, no network, under a minute",
		Args:  files(0),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			world, err := newDemoWorld()
			if err != nil {
				return fmt.Errorf("build the demo's world: %w", err)
			}
			defer func() { err = errors.Join(err, world.close()) }()
			self, err := os.Executable()
			if err != nil {
				return err
			}
			s := &story{app: a, world: world, self: self, began: time.Now()}
			return s.tell(cmd.Context())
		},
	}
}

// story runs this very program against the sandbox, as a person would, and checks what each
// step promised: a promise that is not kept fails the demo.
type story struct {
	app   *app
	world *demoWorld
	self  string
	began time.Time
	part  int
}

func (s *story) tell(ctx context.Context) error {
	s.prose("Two AWS accounts in this process, at %s: access is decided as AWS decides it,", s.world.server.URL())
	s.prose("and changes need two seconds to be known everywhere. Account A holds tommy: %d objects,", demoObjects)
	s.prose("with tags, parts, odd names, and a bucket policy of somebody else's.")
	for _, step := range []func(context.Context) error{
		s.review, s.deniedBefore, s.killHalfWay, s.resume, s.compare, s.leftClean, s.again,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	s.prose("")
	s.prose("That was the whole story, in %s. Your first plan: xplan validate examples/tommy.xplan.yaml", time.Since(s.began).Round(time.Second))
	return nil
}

func (s *story) title(text string) {
	s.part++
	s.prose("\n── %d. %s %s", s.part, text, strings.Repeat("─", max(0, 72-len(text))))
}

func (s *story) prose(format string, args ...any) { fmt.Fprintf(s.app.out, format+"\n", args...) }

func (s *story) kept(format string, args ...any) { s.prose("   ✓ "+format, args...) }

// command runs xplan in a process of its own.
func (s *story) command(ctx context.Context, out io.Writer, args ...string) *exec.Cmd {
	s.prose("$ xplan %s", strings.Join(args, " "))
	for i, a := range args {
		if a == filepath.Base(s.world.plan) {
			args[i] = s.world.plan
		}
	}
	cmd := exec.CommandContext(ctx, s.self, args...)
	cmd.Stdout, cmd.Stderr = out, s.app.err
	return cmd
}

func (s *story) planFile() string { return filepath.Base(s.world.plan) }

func (s *story) review(ctx context.Context) error {
	s.title("The review: what would change in both accounts")
	before := s.world.server.MutationCount()
	if err := s.command(ctx, s.app.out, "plan", s.planFile()).Run(); err != nil {
		return fmt.Errorf("xplan plan: %w", err)
	}
	if n := s.world.server.MutationCount() - before; n != 0 {
		return fmt.Errorf("the dry run made %d changes", n)
	}
	s.kept("the dry run changed nothing: %d requests, none of them a write", len(s.world.server.Requests()))
	return nil
}

// asUser lists the source with the user's own key.
func (s *story) asUser(ctx context.Context) error {
	account, err := awsapi.Open(ctx, plan.Account{
		Provider: plan.AWS, ID: sandbox.DestinationAccount, Profile: demoOwnKey, EndpointURL: s.world.server.URL(),
	}, awsapi.Options{})
	if err != nil {
		return err
	}
	_, err = account.OpenSource(compile.Location{Bucket: "tommy", Region: "us-west-2", Account: sandbox.SourceAccount}).
		ListPage(ctx, s3copy.PageRequest{Max: 1}, nil)
	return err
}

func (s *story) deniedBefore(ctx context.Context) error {
	s.title("Before: account A does not let him in")
	if err := s.asUser(ctx); !errors.Is(err, s3copy.ErrDenied) {
		return fmt.Errorf("%s should be denied before the run, and was not: %w", demoUser, err)
	}
	s.kept("%s lists tommy: AccessDenied", demoUser)
	return nil
}

// killHalfWay starts the copy and kills it without warning when half is settled.
func (s *story) killHalfWay(ctx context.Context) error {
	s.title("The run, killed half way (kill -9)")
	cmd := s.command(ctx, s.app.out, "apply", s.planFile(), "--yes")
	if err := cmd.Start(); err != nil {
		return err
	}
	allowed, err := s.watch(ctx, cmd)
	if err != nil {
		return errors.Join(err, cmd.Process.Kill(), ignore(cmd.Wait()))
	}
	if err := errors.Join(cmd.Process.Kill(), ignore(cmd.Wait())); err != nil {
		return err
	}
	if !allowed {
		return fmt.Errorf("%s was not let in while the copy ran", demoUser)
	}
	s.kept("%s lists tommy while the copy runs: allowed", demoUser)
	s.kept("killed: %d of %d objects are at the destination, its access key is an orphan now", len(s.world.server.Objects("tommy-b")), demoObjects)
	return nil
}

// ignore drops the exit status of a process that was killed on purpose.
func ignore(err error) error {
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil
	}
	return err
}

// watch waits until half of the objects are at the destination, and tells whether the user was let in meanwhile.
func (s *story) watch(ctx context.Context, cmd *exec.Cmd) (allowed bool, err error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		select {
		case <-ctx.Done():
			return allowed, ctx.Err()
		case <-tick.C:
		}
		n := s.world.server.Count("CopyObject")
		if n > 0 && !allowed {
			allowed = s.asUser(ctx) == nil
		}
		if n >= demoObjects/2 {
			return allowed, nil
		}
		if cmd.ProcessState != nil {
			return allowed, errors.New("the run ended before half was copied")
		}
	}
	return allowed, errors.New("half was not copied within a minute")
}

func (s *story) resume(ctx context.Context) error {
	s.title("The same command again goes on with it")
	copied := s.world.server.Count("CopyObject")
	there := len(s.world.server.Objects("tommy-b"))
	if err := s.command(ctx, s.app.out, "apply", s.planFile(), "--yes").Run(); err != nil {
		return fmt.Errorf("xplan apply, the second time: %w", err)
	}
	copied = s.world.server.Count("CopyObject") - copied
	missing := demoObjects - there
	if copied > missing {
		return fmt.Errorf("copied %d objects where %d were missing", copied, missing)
	}
	s.kept("%d objects were missing, and no more were copied: none twice", missing)
	return nil
}

// compare looks behind the servers' answers: both buckets must be equal in bytes, headers and tags.
func (s *story) compare(context.Context) error {
	s.title("Is it all there? Looking into both buckets, past the API")
	source, copied := s.world.server.Objects("tommy"), s.world.server.Objects("tommy-b")
	if len(source) != len(copied) {
		return fmt.Errorf("%d objects became %d", len(source), len(copied))
	}
	for i, o := range source {
		c := copied[i]
		c.LastModified, c.VersionID, c.Owner = o.LastModified, o.VersionID, o.Owner
		if fmt.Sprint(o) != fmt.Sprint(c) {
			return fmt.Errorf("%s differs:\n  %+v\n  %+v", view.Key(o.Key), o, c)
		}
	}
	s.kept("%d objects equal in bytes, ETag, metadata, tags, headers and storage class", len(source))
	return nil
}

// leftClean looks for what the run could have left, and for what it must have left alone.
func (s *story) leftClean(ctx context.Context) error {
	s.title("What is left behind?")
	time := time.NewTimer(2500 * time.Millisecond) // a removal needs its two seconds, too
	defer time.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.C:
	}
	if err := s.asUser(ctx); !errors.Is(err, s3copy.ErrDenied) {
		return fmt.Errorf("%s should be denied after the run, and was not: %w", demoUser, err)
	}
	s.kept("%s lists tommy: AccessDenied again", demoUser)
	account, err := awsapi.Open(ctx, plan.Account{
		Provider: plan.AWS, ID: sandbox.DestinationAccount, Profile: sandbox.DestinationProfile, EndpointURL: s.world.server.URL(),
	}, awsapi.Options{})
	if err != nil {
		return err
	}
	who, err := account.Principal(ctx, "arn:aws:iam::210987654321:user/"+demoUser)
	if err != nil {
		return err
	}
	if len(who.Keys) != 1 || len(who.Attached) != 0 {
		return fmt.Errorf("left behind: %d keys, policies %v", len(who.Keys), who.Attached)
	}
	s.kept("no policy, no attachment, no key but the one that was his before")
	var policy bytes.Buffer
	policy.WriteString(s.world.server.BucketPolicy("tommy"))
	if strings.Contains(policy.String(), "DelegateS3Access") || !strings.Contains(policy.String(), "DenyInsecureTransport") {
		return fmt.Errorf("the bucket policy of tommy is now %s", policy.String())
	}
	s.kept("our statement is gone from tommy's bucket policy, and the other one still stands")
	if n := s.world.server.Uploads("tommy-b"); n != 0 {
		return fmt.Errorf("%d multipart uploads were left", n)
	}
	owned, err := s.owned()
	if err != nil {
		return err
	}
	s.kept("the state agrees: it owns %s", owned)
	return nil
}

// owned says what the state knows to stand: nothing but the copy's own bucket.
func (s *story) owned() (string, error) {
	db, err := state.Open(filepath.Join(s.world.dir, ".xplan"), "tommy-to-b")
	if err != nil {
		return "", err
	}
	all, err := db.Owned()
	if err := errors.Join(err, db.Close()); err != nil {
		return "", err
	}
	for _, o := range all {
		if o.Kind != string(compile.KindBucket) {
			return "", fmt.Errorf("the state still owns %s %s", o.Kind, o.Subject)
		}
	}
	return "the bucket tommy-b, and nothing else", nil
}

func (s *story) again(ctx context.Context) error {
	s.title("And once more: nothing to do, and no key is made for it")
	keys := s.world.server.Count("CreateAccessKey")
	if err := s.command(ctx, s.app.out, "apply", s.planFile(), "--yes").Run(); err != nil {
		return fmt.Errorf("xplan apply, the third time: %w", err)
	}
	if n := s.world.server.Count("CreateAccessKey") - keys; n != 0 {
		return fmt.Errorf("%d keys were made for nothing", n)
	}
	s.kept("no change, no copy, no key")
	return nil
}
