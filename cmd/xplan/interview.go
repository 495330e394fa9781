package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"xplan/plan"
)

// A question asks a person for one answer of a starter plan.
type question struct {
	ask      string
	fallback string             // what an empty answer means; empty itself: an answer is needed
	take     func(string) error // tries an answer, and keeps it only where it is sound
}

// interview asks for what the flags left open. Each answer is judged at once by the rules of a plan
// file, and asked for again until it is sound.
func (a *app) interview(ctx context.Context, f *initFlags) error {
	fmt.Fprintln(a.err, "A starter plan: one bucket, copied into another account. Empty takes what stands in [brackets].")
	in := bufio.NewReader(a.in)
	for _, next := range []func() *question{
		func() *question { return f.askSide("Source", &f.starter.Source) },
		func() *question { return f.askSide("Destination", &f.starter.Destination) },
		func() *question { return f.askProfile(plan.Source, &f.starter.Source) },
		func() *question { return f.askProfile(plan.Destination, &f.starter.Destination) },
		func() *question { return f.askRegion(plan.Source, &f.starter.Source) },
		func() *question { return f.askRegion(plan.Destination, &f.starter.Destination) },
		f.askPrincipal, f.askName, f.askOutput,
	} {
		q := next() // late: what it offers hangs on the answers before it
		if q == nil {
			continue
		}
		if err := a.put(ctx, in, q); err != nil {
			return err
		}
	}
	return nil
}

// put asks until an answer is sound.
func (a *app) put(ctx context.Context, in *bufio.Reader, q *question) error {
	for {
		fmt.Fprint(a.err, q.ask)
		if q.fallback != "" {
			fmt.Fprintf(a.err, " [%s]", q.fallback)
		}
		fmt.Fprint(a.err, ": ")
		text, err := readAnswer(ctx, in)
		if err != nil {
			fmt.Fprintln(a.err)
			return err
		}
		if text == "" && q.fallback == "" {
			continue
		}
		if err := q.take(text); err != nil {
			fmt.Fprintln(a.err, "  "+strings.ReplaceAll(err.Error(), "\n", "\n  "))
			continue
		}
		return nil
	}
}

// readAnswer reads one line.
func readAnswer(ctx context.Context, in *bufio.Reader) (string, error) {
	type line struct {
		text string
		err  error
	}
	lines := make(chan line, 1)
	go func() { // nothing breaks off a read from a terminal: after a Ctrl-C it ends with the process
		text, err := in.ReadString('\n')
		lines <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", fmt.Errorf("nothing was written: %w", ctx.Err())
	case l := <-lines:
		if l.err != nil {
			return "", &usageError{errors.New("the answers ended before the questions: nothing was written")}
		}
		return strings.TrimSpace(l.text), nil
	}
}

func (f *initFlags) askSide(name string, side *plan.StarterSide) *question {
	if side.Bucket != "" {
		return nil
	}
	return &question{ask: name + ", as ACCOUNT/BUCKET", take: func(text string) error {
		given, err := plan.ParseStarterSide(text)
		if err != nil {
			return err
		}
		before := *side
		given.Profile, given.Region = side.Profile, side.Region
		return f.try(func() { *side = given }, func() { *side = before })
	}}
}

func (f *initFlags) askProfile(name plan.Side, side *plan.StarterSide) *question {
	if side.Profile != "" {
		return nil
	}
	return &question{
		ask: "Profile of the " + string(name) + "'s administrator", fallback: "the SDK's own chain: environment, SSO, OIDC",
		take: func(text string) error {
			return f.try(func() { side.Profile = text }, func() { side.Profile = "" })
		},
	}
}

func (f *initFlags) askRegion(name plan.Side, side *plan.StarterSide) *question {
	if side.Region != "" {
		return nil
	}
	return &question{
		ask: "Region of the " + string(name), fallback: "the profile's",
		take: func(text string) error {
			return f.try(func() { side.Region = text }, func() { side.Region = "" })
		},
	}
}

func (f *initFlags) askPrincipal() *question {
	if f.starter.Principal != "" {
		return nil
	}
	return &question{
		ask: "Who pulls, as user/NAME or role/NAME of account " + f.starter.Destination.Account,
		take: func(text string) error {
			return f.try(func() { f.starter.Principal = text }, func() { f.starter.Principal = "" })
		},
	}
}

func (f *initFlags) askName() *question {
	if f.starter.Name != "" {
		return nil
	}
	fallback := f.starter.DefaultName()
	return &question{ask: "Name of the plan", fallback: fallback, take: func(text string) error {
		return f.try(func() { f.starter.Name = cmp.Or(text, fallback) }, func() { f.starter.Name = "" })
	}}
}

func (f *initFlags) askOutput() *question {
	if f.output != "" {
		return nil
	}
	fallback := f.defaultOutput()
	return &question{ask: "File", fallback: fallback, take: func(text string) error {
		text = cmp.Or(text, fallback)
		if err := free(text); err != nil {
			return err
		}
		f.output = text
		return nil
	}}
}

// try makes a change, and takes it back where the plan would not be sound with it.
func (f *initFlags) try(change, back func()) error {
	change()
	if err := said(f.starter.Check()); err != nil {
		back()
		return err
	}
	return nil
}
