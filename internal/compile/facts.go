package compile

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"xplan/internal/policy"
	"xplan/plan"
)

// Facts are those of a program that is compiled of this world; also where none can be.
func Facts(p *plan.Plan, w World) []Fact { return facts(p, w) }

// facts are what the steps depend on: accounts, the buckets' settings, policies by meaning, keys, what is owned.
// Two worlds with equal facts compile the same plan to the same changes, but for the counts of objects.
func facts(p *plan.Plan, w World) []Fact {
	var f factList
	for side, who := range w.Identities {
		f.add("account "+string(side), who.Account)
	}
	for ref, b := range w.Buckets {
		f.bucket(string(ref.Side)+" bucket "+ref.Name, b, w)
	}
	if p.Principal != nil && w.Principal.ARN != "" {
		f.principal(w.Principal)
	}
	for _, m := range w.Policies {
		f.add("policy "+m.Name, exists(m.Exists))
		if m.Exists {
			f.add("policy "+m.Name+" document", documentDigest(m.Document))
			f.list("policy "+m.Name+" attached to", m.Attached)
			f.add("policy "+m.Name+" plan", m.Tags[PlanTag])
		}
	}
	for ref, k := range w.Keys {
		f.add("key "+ref, first(k.ARN, "not read")+" "+k.State)
		f.add("key "+ref+" grant", fmt.Sprint(standingGrant(p, w, k)))
	}
	for id, i := range w.Instances {
		f.add("instance "+id, exists(i.Exists)+" "+i.State)
	}
	for _, o := range w.Owned {
		f.add(strings.TrimSpace("owned "+string(o.Kind)+" "+o.Subject+" "+o.Parent), ownedValue(o))
	}
	slices.SortFunc(f, func(a, b Fact) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value)) })
	return slices.Compact(f)
}

type factList []Fact

func (f *factList) add(name, value string) { *f = append(*f, Fact{name, value}) }

func (f *factList) list(name string, values []string) {
	f.add(name, strings.Join(slices.Sorted(slices.Values(values)), ", "))
}

func (f *factList) bucket(name string, b Bucket, w World) {
	f.add(name, exists(b.Exists))
	if b.Foreign {
		f.add(name+" owner", "another account")
	}
	if !b.Exists {
		return
	}
	f.add(name+" region", b.Region)
	f.add(name+" versioning", b.Versioning)
	f.add(name+" mfa delete", fmt.Sprint(b.MFADelete))
	f.add(name+" ownership", b.Ownership)
	f.add(name+" encryption", strings.TrimSpace(b.Encryption.Algorithm+" "+b.Encryption.KMSKeyID))
	f.add(name+" public access block", publicAccessText(b.PublicAccess))
	f.add(name+" requester pays", fmt.Sprint(b.RequesterPays))
	f.add(name+" object lock", fmt.Sprint(b.ObjectLock))
	if b.Retention != (Retention{}) {
		f.add(name+" default retention", b.Retention.String())
	}
	f.add(name+" replication", fmt.Sprint(b.Replication))
	f.list(name+" configured", b.Configured)
	f.add(name+" policy", bucketPolicyDigest(b.Policy, w))
}

func (f *factList) principal(p PrincipalFacts) {
	name := "principal " + p.ARN
	f.add(name, exists(p.Exists))
	if !p.Exists {
		return
	}
	f.add(name+" unique ID", p.UserID)
	f.add(name+" boundary", p.Boundary)
	f.add(name+" trust", documentDigest(p.Trust))
	f.list(name+" policies", p.Attached)
	ids := make([]string, 0, len(p.Keys))
	for _, k := range p.Keys {
		ids = append(ids, k.ID)
	}
	f.list(name+" access keys", ids)
}

func exists(there bool) string {
	if there {
		return "exists"
	}
	return "missing"
}

func publicAccessText(p *PublicAccess) string {
	switch {
	case p == nil:
		return "none"
	case p.All():
		return "all"
	}
	return fmt.Sprintf("acls %t %t, policies %t %t", p.BlockACLs, p.IgnoreACLs, p.BlockPolicy, p.RestrictBuckets)
}

func bucketPolicyDigest(text string, w World) string {
	if d, err := policy.Parse([]byte(text)); err == nil {
		return PolicyDigest(d.WithPrincipals(live(w)))
	}
	return documentDigest(text)
}

func ownedValue(o Owned) string {
	if o.Intent {
		return strings.TrimSpace("intended " + o.Digest + " " + strings.Join(o.Before, " "))
	}
	return strings.TrimSpace("made " + o.Digest)
}

func factsDigest(all []Fact) string {
	h := sha256.New()
	e := json.NewEncoder(h)
	for _, f := range all {
		_ = e.Encode(f) // two strings into a hash: neither fails
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// A Drift is a fact that differs between two looks at the world. An empty value means that the fact is not there.
type Drift struct {
	Name        string `json:"name"`
	Before, Now string
}

// DiffFacts names what differs between the reviewed facts and today's, sorted by name.
func DiffFacts(reviewed, now []Fact) []Drift {
	before, after := values(reviewed), values(now)
	names := slices.Sorted(maps.Keys(after))
	for name := range before {
		if _, ok := after[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var all []Drift
	for _, name := range names {
		if before[name] != after[name] {
			all = append(all, Drift{name, before[name], after[name]})
		}
	}
	return all
}

// values joins the facts of one name: several records may be about one thing.
func values(all []Fact) map[string]string {
	m := make(map[string]string, len(all))
	for _, f := range all {
		if have, ok := m[f.Name]; ok {
			m[f.Name] = have + "; " + f.Value
			continue
		}
		m[f.Name] = f.Value
	}
	return m
}
