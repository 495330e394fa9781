package main

import (
	"errors"
	"strings"
	"testing"

	"xplan/internal/sandbox"
)

// grantVersions copies a history, verifies it, and asks for the checksums of its versions.
func grantVersions(t *testing.T, s *site) {
	t.Helper()
	s.user(t)
	s.bucket(t, sandbox.SourceAccount, "tommy", sandbox.BucketOptions{Versioning: "Enabled"})
	s.fill(t, 3, sandbox.PutOptions{Tags: map[string]string{"team": "red"}})
	s.fill(t, 2, sandbox.PutOptions{Tags: map[string]string{"team": "blue"}, PartSize: 1 << 20})
	if err := s.server.DeleteObject("tommy", s.server.Objects("tommy")[0].Key); err != nil {
		t.Fatal(err)
	}
	s.write(t, "plan.yaml", docsByUser+docsPair+"copy: {versions: all, compare: checksum}\n")
	if review := s.xplan(t, 0, "plan", "plan.yaml"); strings.Contains(review, "not previewed") {
		t.Errorf("the documents leave something unseen:\n%s", review)
	}
	s.xplan(t, 0, "apply", "plan.yaml", "--yes")
	s.xplan(t, 0, "verify", "plan.yaml", "--mapping", "mapping.jsonl")
	s.xplan(t, 0, "apply", "plan.yaml", "--yes")
	if made := len(s.server.Versions("tommy-b")); made != 6 {
		t.Errorf("%d versions and markers at the destination, want 6", made)
	}
}

// grantMoveOfVersions deletes a history by its version IDs, that of a key that XML cannot hold as well, and the bucket.
func grantMoveOfVersions(t *testing.T, s *site) {
	t.Helper()
	s.user(t)
	s.bucket(t, sandbox.SourceAccount, "tommy", sandbox.BucketOptions{Versioning: "Enabled"})
	s.fill(t, 3, sandbox.PutOptions{Tags: map[string]string{"team": "red"}})
	s.fill(t, 2, sandbox.PutOptions{Tags: map[string]string{"team": "blue"}, PartSize: 1 << 20})
	if err := errors.Join(s.server.DeleteObject("tommy", s.server.Objects("tommy")[0].Key),
		s.server.PutObject("tommy", "odd\x01", []byte("x"), sandbox.PutOptions{})); err != nil {
		t.Fatal(err)
	}
	s.write(t, "plan.yaml", docsByUser+docsPair+"copy: {versions: all}\ncleanup: {source_objects: after-verify, source_bucket: after-verify}\n")
	s.xplan(t, 0, "apply", "plan.yaml", "--yes", "--confirm=tommy")
	if left := s.server.Buckets(sandbox.SourceAccount); len(left) != 0 {
		t.Errorf("left in account A: %v", left)
	}
}
