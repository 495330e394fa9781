package plan_test

import (
	"testing"

	"xplan/plan"
)

func TestTommyLoads(t *testing.T) {
	p, err := plan.Load("../examples/tommy.xplan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "tommy-to-b" || p.Buckets[0].Copy.Include[0] != "**" {
		t.Fatalf("loaded %+v", p)
	}
	_, err = plan.Parse("bad.yaml", []byte("version: 1\nnam: x\naccounts:\n  source: {id: 012345670123}\nbuckets:\n  - sorce: tommy\n\tx\n"))
	t.Log(err)
	_, err = plan.Parse("bad.yaml", []byte("version: 1\nnam: x\naccounts:\n  source: {id: 012345670123}\n  destination:\nbuckets:\n  - sorce: tommy\n    copy: {tags: yes, include: a, in_flight: x, overwrite: nevr}\n    cleanup: {source_objects: always, policy: keep, secret_key: abcdefgh}\n"))
	t.Log(err)
}
