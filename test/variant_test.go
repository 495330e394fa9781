package test

import (
	"errors"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"
)

// A variant is another plan for the same accounts: what is changed in the recipe's plan, and what must be true at the end.
var variants = []struct {
	name     string
	old, new string // in the plan
	check    func(r *recipe, before map[string]content)
	unfit    map[string]string // servers that cannot run it, and why
}{
	{
		"ARoleThatTheRunMakes",
		":user/USER\n  credentials: access-key", ":role/copiers/USER-role\n  credentials: assume-role\n  create: true\n  path: /copiers/",
		func(r *recipe, _ map[string]content) {
			r.endsWell("apply")
			r.isGone("role", r.user+"-role")
		},
		nil,
	},
	{
		"AUserWhomTheRunMakes",
		":user/USER\n  credentials: access-key", ":user/USER-new\n  credentials: access-key\n  create: true",
		func(r *recipe, _ map[string]content) {
			r.endsWell("apply")
			r.isGone("user", r.user+"-new")
		},
		nil,
	},
	{
		"AMoveWaitsForItsConfirmation",
		"copy:\n", "verify: {otherwise: bytes}\ncleanup: {source_objects: after-verify}\ncopy:\n",
		func(r *recipe, before map[string]content) {
			if r.differs(tagsAcross) != "" { // and so never moves what has tags
				r.replace("copy:\n", "copy:\n  tags: false\n")
			}
			got := r.run(r.t, "apply", r.plan, "--yes")
			if got.code != 4 || !strings.Contains(got.String(), "--confirm="+r.bucket) {
				r.t.Errorf("without a confirmation: %s", got)
			}
			r.isCopied(r.t)
			got = r.run(r.t, "apply", r.plan, "--yes", "--confirm="+r.bucket)
			if got.code != 0 {
				r.t.Fatalf("confirmed: %s", got)
			}
			if left := r.source.contents(r.t, r.bucket, false); len(left) != 0 {
				r.t.Errorf("%d objects are left at the source", len(left))
			}
			moved := r.destination.contents(r.t, r.copy, r.differs(tagsAcross) == "")
			if !maps.EqualFunc(moved, before, content.same) {
				r.t.Errorf("%d objects became %d others", len(before), len(moved))
			}
			r.isClean(r.t)
		},
		nil,
	},
	{
		"OnlyWhatIsBelowAPrefix",
		"    create: true\n", "    create: true\n    prefix: orders/03/\n    to_prefix: \"2026+ /\"\n",
		func(r *recipe, before map[string]content) {
			r.must(r.t, "apply", r.plan, "--yes")
			got := r.destination.contents(r.t, r.copy, r.differs(tagsAcross) == "")
			n := 0
			for key, want := range before {
				rest, below := strings.CutPrefix(key, "orders/03/")
				if !below {
					continue
				}
				n++
				if c, ok := got["2026+ /"+rest]; !ok || !c.same(want) {
					r.t.Errorf("%q is copied: %t", key, ok)
				}
			}
			if n == 0 || len(got) != n {
				r.t.Errorf("%d objects became %d", n, len(got))
			}
			r.isClean(r.t)
		},
		map[string]string{motoName: "with IAM on, it refuses the signature of a listing below a prefix with a slash"},
	},
	{
		"AnInstanceIsTerminatedInTheEnd",
		"copy:\n", "cleanup: {instances: [{id: INSTANCE, account: destination}]}\ncopy:\n",
		func(r *recipe, _ map[string]content) {
			r.endsWell("apply")
			out, err := r.destination.ec2.DescribeInstances(r.t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{r.instanceID}})
			if err != nil || len(out.Reservations) != 1 {
				r.t.Fatalf("%+v, %v", out, err)
			}
			if s := out.Reservations[0].Instances[0].State.Name; s != types.InstanceStateNameTerminated && s != types.InstanceStateNameShuttingDown {
				r.t.Errorf("the instance is %s", s)
			}
		},
		nil,
	},
}

func TestRecipeVariants(t *testing.T) {
	t.Parallel()
	onRecipeServers(t, func(w *world) {
		for _, v := range variants {
			if v.unfit[w.server] != "" {
				continue
			}
			w.t.Run(v.name, func(t *testing.T) {
				t.Parallel()
				r := newRecipe(t, w, 20)
				r.replace(v.old, v.new)
				v.check(r, r.source.contents(t, r.bucket, r.differs(tagsAcross) == ""))
			})
		}
	})
}

// replace changes the plan.
func (r *recipe) replace(old, with string) {
	r.t.Helper()
	text, err := os.ReadFile(r.plan)
	if err != nil {
		r.t.Fatal(err)
	}
	if strings.Contains(with, "INSTANCE") {
		r.instanceID = r.instance(r.t, false)
	}
	fill := strings.NewReplacer("USER", r.user, "INSTANCE", r.instanceID)
	changed := strings.Replace(string(text), fill.Replace(old), fill.Replace(with), 1)
	if changed == string(text) {
		r.t.Fatalf("the plan has no %q:\n%s", old, text)
	}
	if err := os.WriteFile(r.plan, []byte(changed), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// endsWell runs a command that copies everything and leaves nothing.
func (r *recipe) endsWell(command string) {
	r.t.Helper()
	r.must(r.t, command, r.plan, "--yes")
	r.isCopied(r.t)
	r.isClean(r.t)
}

// isGone looks for a user or role of the destination's account.
func (r *recipe) isGone(kind, name string) {
	r.t.Helper()
	var err error
	if kind == "role" {
		_, err = r.destination.iam.GetRole(r.t.Context(), &iam.GetRoleInput{RoleName: &name})
	} else {
		_, err = r.destination.iam.GetUser(r.t.Context(), &iam.GetUserInput{UserName: &name})
	}
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "NoSuchEntity" {
		r.t.Errorf("the %s %s: %v", kind, name, err)
	}
}
