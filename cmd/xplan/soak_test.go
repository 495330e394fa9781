package main

import (
	"strings"
	"testing"

	"xplan/internal/sandbox"
)

const soakPlan = docsByUser + `buckets: [{source: tommy, destination: tommy-b}]
copy: {delete_extra: true, in_flight: 8}
`

func newSoak(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	s.user(t)
	s.bucket(t, sandbox.SourceAccount, "tommy", sandbox.BucketOptions{})
	for profile, account := range map[string]string{sandbox.SourceProfile: sandbox.SourceAccount, sandbox.DestinationProfile: sandbox.DestinationAccount} {
		id, secret := s.server.Admin(account)
		s.login(t, profile, id, secret)
	}
	s.write(t, "plan.yaml", soakPlan)
	return s
}

// sameObjects wants the same keys, bytes and tags in two buckets.
func sameObjects(t *testing.T, server *sandbox.Server, a, b string) {
	t.Helper()
	from, to := server.Objects(a), server.Objects(b)
	if missing := lacking(from, to); len(missing) > 0 || len(from) != len(to) {
		t.Errorf("%s has %d objects, %s %d; not there, or otherwise: %.5q", a, len(from), b, len(to), missing)
	}
}

// nothingLeft wants no key, policy, statement or upload of a run.
func nothingLeft(t *testing.T, server *sandbox.Server) {
	t.Helper()
	for _, line := range server.Inventory() {
		if strings.Contains(line, ":policy/") || strings.Contains(line, "access keys: ") && !strings.Contains(line, "access keys: 0") ||
			strings.Contains(line, "DelegateS3Access") || strings.Contains(line, "upload ") {
			t.Errorf("left: %s", line)
		}
	}
	for _, bucket := range server.Buckets(sandbox.DestinationAccount) {
		if n := server.Uploads(bucket); n > 0 {
			t.Errorf("%d uploads stand in %s", n, bucket)
		}
	}
}
