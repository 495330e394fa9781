package main

import (
	"context"
	"crypto/md5"
	"fmt"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"xplan/internal/compile"
	"xplan/internal/sandbox"
)

// hold OPERATION SKIP [NAME] keeps requests waiting after the first few; held waits until one is.
func (w *world) hold(ts *testscript.TestScript, args []string) {
	want(ts, args, 2, "hold OPERATION SKIP [NAME]")
	name := ""
	if len(args) > 2 {
		name = args[2]
	}
	gate, reached := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.mu.Lock()
	if w.gates == nil {
		w.gates = map[string]chan struct{}{}
	}
	w.gates[name], w.reached = gate, reached
	w.mu.Unlock()
	w.faults = append(w.faults, w.server.Inject(sandbox.Fault{
		Operation: args[0], Skip: number(ts, args[1]), Do: sandbox.FaultDelay,
		Call: func() {
			once.Do(func() { close(reached) })
			<-gate
		},
	}))
}

func (w *world) held(ts *testscript.TestScript, _ []string) {
	select {
	case <-w.reached:
	case <-time.After(30 * time.Second):
		ts.Fatalf("nothing was held within 30 s")
	}
}

// release [NAME] lets what a hold of that name, or any, keeps waiting go on.
func (w *world) release(_ *testscript.TestScript, args []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, gate := range w.gates {
		if len(args) == 0 || name == args[0] {
			close(gate)
			delete(w.gates, name)
		}
	}
}

// lapse POLICY makes the lease on a policy of account B one that nobody has renewed for an hour.
func (w *world) lapse(ts *testscript.TestScript, args []string) {
	want(ts, args, 1, "lapse POLICY")
	ctx, b := context.Background(), w.admin(ts, sandbox.DestinationAccount)
	arn := "arn:aws:iam::" + sandbox.DestinationAccount + ":policy/" + args[0]
	p, err := b.PolicyTags(ctx, arn)
	ts.Check(err)
	l, there := compile.ReadLease(p.Tags[compile.LeaseTag], p.At)
	if !there {
		ts.Fatalf("%s has no lease", args[0])
	}
	l.Renewed = l.Renewed.Add(-time.Hour)
	ts.Check(b.TagPolicy(ctx, arn, map[string]string{compile.LeaseTag: l.Note()}))
}

// holds BUCKET KEY BODY wants that the object's bytes are these.
func (w *world) holds(ts *testscript.TestScript, args []string) {
	want(ts, args, 3, "holds BUCKET KEY BODY")
	for _, o := range w.of(args[0]).Objects(args[0]) {
		if o.Key == args[1] && o.MD5 == fmt.Sprintf("%x", md5.Sum([]byte(args[2]))) {
			return
		}
	}
	ts.Fatalf("%s does not hold %s as %q", args[0], args[1], args[2])
}
