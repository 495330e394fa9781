package main

import (
	"strings"
	"testing"
	"time"

	"xplan/internal/sandbox"
)

// grantLocks makes a bucket with Object Lock, carries locks to it, and compares them.
func grantLocks(t *testing.T, s *site) {
	t.Helper()
	s.user(t)
	s.bucket(t, sandbox.SourceAccount, "tommy", sandbox.BucketOptions{ObjectLock: true})
	until := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	s.fill(t, 5, sandbox.PutOptions{Tags: map[string]string{"team": "red"}, RetainUntil: until})
	s.write(t, "plan.yaml", docsByUser+"copy: {object_lock: preserve}\nbuckets: [{source: tommy, destination: tommy-b, settings: {object_lock: true}}]\n")
	if review := s.xplan(t, 0, "plan", "plan.yaml"); strings.Contains(review, "not previewed") {
		t.Errorf("the documents leave something unseen:\n%s", review)
	}
	s.xplan(t, 0, "apply", "plan.yaml", "--yes")
	for _, o := range s.server.Objects("tommy-b") {
		if o.Retention != "GOVERNANCE" || !o.RetainUntil.Equal(until) {
			t.Errorf("%s is under %q until %s, want GOVERNANCE until %s", o.Key, o.Retention, o.RetainUntil, until)
		}
	}
	s.xplan(t, 0, "verify", "plan.yaml")
	s.xplan(t, 0, "apply", "plan.yaml", "--yes")
}
