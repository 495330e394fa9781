package test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// TestARunThatDiesAfterItAskedForARestoreAsksForNoneTwice kills a run while its request for a restore takes effect, before it can be on record:
// whatever it goes on by finds it under way, since a second request would be paid for as well, and copies it once it is ready.
func TestARunThatDiesAfterItAskedForARestoreAsksForNoneTwice(t *testing.T) {
	t.Parallel()
	for _, s := range among(sandboxName) {
		for name, c := range map[string]struct {
			m  moment
			on []string
		}{
			"the first, by resume": {moment{action: http.MethodPost, path: "/vault/0", reaches: true}, []string{"resume"}},
			"the last, by apply":   {moment{action: http.MethodPost, path: "/vault/5", reaches: true}, []string{"apply", "PLAN", "--yes"}},
			"before it is asked":   {moment{action: http.MethodPost, path: "/vault/3"}, []string{"resume"}},
			"without state":        {moment{action: http.MethodPost, path: "/vault/3", reaches: true}, []string{"apply", "PLAN", "--yes", "--take-over", "--state", "elsewhere"}},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := s.start(t)
				w.box.SetRestore(5 * time.Hour)
				r := newRecipe(t, w, 4)
				r.replace("copy:\n", "copy:\n  archived: restore\n  storage_class: STANDARD\n")
				for i := range 6 {
					r.source.put(t, r.bucket, fmt.Sprintf("vault/%d", i), "cold", func(in *s3.PutObjectInput) { in.StorageClass = types.StorageClassGlacier })
				}
				r.killed(t, c.m)
				words := slices.Clone(c.on)
				if i := slices.Index(words, "PLAN"); i >= 0 {
					words[i] = r.plan
				}
				if got := r.run(t, words...); got.code != 4 || !strings.Contains(got.out, "are being restored") {
					t.Errorf("it goes on: %s", got)
				}
				asked := map[string]int{}
				seen, _ := r.witness.requests(0)
				for _, q := range seen {
					if q.action == http.MethodPost && strings.Contains(q.path, "/vault/") && q.status/100 == 2 {
						asked[q.path]++
					}
				}
				if again := slices.DeleteFunc(slices.Sorted(maps.Keys(asked)), func(k string) bool { return asked[k] == 1 }); len(asked) != 6 || len(again) > 0 {
					t.Errorf("%d restores were asked for, and these again: %q", len(asked), again)
				}
				w.box.PassRestores(6 * time.Hour)
				r.must(t, words...)
				a, b := r.source.contents(t, r.bucket, true), r.destination.contents(t, r.copy, true)
				if len(a) != len(b) {
					t.Errorf("%d objects became %d", len(a), len(b))
				}
				r.isClean(t)
			})
		}
	}
}
