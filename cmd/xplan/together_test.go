package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"xplan/internal/sandbox"
)

// neighbour is a plan that shares the source, the destination's bucket and the principal with the other ones.
func neighbour(n int) string {
	return strings.Replace(docsByUser, "name: tommy-to-b", fmt.Sprintf("name: neighbour-%d", n), 1) + fmt.Sprintf(`permissions: {policy: pull-%d, statement: Pull%d}
buckets: [{source: tommy, destination: tommy-b, prefix: orders/, to_prefix: of-%d/}]
`, n, n, n)
}

// TestTwoPlansAtOnceLeaveEachOtherWhatTheyMade runs plans that share a source, a destination's bucket and a principal side
// by side: the source's policy is one document without a condition on its writes.
func TestTwoPlansAtOnceLeaveEachOtherWhatTheyMade(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.user(t)
	s.tommy(t)
	s.bucket(t, sandbox.DestinationAccount, "tommy-b", sandbox.BucketOptions{})
	for profile, account := range map[string]string{sandbox.SourceProfile: sandbox.SourceAccount, sandbox.DestinationProfile: sandbox.DestinationAccount} {
		id, secret := s.server.Admin(account)
		s.login(t, profile, id, secret)
	}
	must(t, s.server.SetBucketPolicy("tommy", `{"Version":"2012-10-17","Statement":[{"Sid":"Others","Effect":"Deny","Principal":"*","Action":"s3:DeleteBucket","Resource":"arn:aws:s3:::tommy"}]}`))
	for round := range 6 {
		must(t, s.server.PutObject("tommy", fmt.Sprintf("orders/round-%d", round), []byte("new"), sandbox.PutOptions{}))
		var both sync.WaitGroup
		for n := range 2 {
			s.write(t, fmt.Sprintf("plan-%d.yaml", n), neighbour(n))
			both.Go(func() {
				code, said := ends(t, s.command(t, "apply", fmt.Sprintf("plan-%d.yaml", n), "--yes"))
				if code != exitDone {
					t.Errorf("round %d, plan %d: exit status %d\n%s", round, n, code, said)
				}
			})
		}
		both.Wait()
		nothingLeft(t, s.server)
		if text := s.server.BucketPolicy("tommy"); !strings.Contains(text, "Others") || strings.Contains(text, "Pull") {
			t.Errorf("the source's policy in the end: %s", text)
		}
	}
}
