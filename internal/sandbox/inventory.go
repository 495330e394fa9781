package sandbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Inventory says, a sorted line each, what stands in all accounts besides objects and administrators:
// users and roles with what hangs on them, policies, grants, instances, buckets with their settings,
// policies and unfinished uploads. Two worlds without a difference have the same lines.
func (s *Server) Inventory() []string {
	var lines []string
	for _, id := range slices.Sorted(maps.Keys(s.accounts)) {
		a := s.accounts[id]
		a.mu.RLock()
		for _, u := range a.users {
			if len(u.keys) == 1 && u.keys[0] == a.admin {
				continue
			}
			lines = append(lines, fmt.Sprintf("%s, access keys: %d%s", u.arn, len(u.keys), hangsOn(&u.identity)))
		}
		for _, r := range a.roles {
			lines = append(lines, r.arn+hangsOn(&r.identity))
		}
		for _, p := range a.policies {
			lines = append(lines, fmt.Sprintf("%s, tags %v: %s", p.arn, p.tags, p.inForce.latest().text))
		}
		for _, k := range a.keys {
			for _, g := range k.grants.latest() {
				lines = append(lines, fmt.Sprintf("grant %s of %s to %s: %v", g.name, k.arn, g.grantee, g.operations))
			}
		}
		for _, i := range a.instances {
			lines = append(lines, "instance "+i.id+" is "+i.state.Name)
		}
		a.mu.RUnlock()
		for _, name := range s.Buckets(id) {
			lines = append(lines, s.bucketLine(name))
		}
	}
	slices.Sort(lines)
	return lines
}

func hangsOn(i *identity) string {
	var names []string
	for _, p := range i.attached.latest() {
		names = append(names, p.arn)
	}
	for _, p := range i.inline.latest() {
		names = append(names, "inline "+p.name)
	}
	slices.Sort(names)
	return fmt.Sprintf(", tags %v, policies: %s", i.tags.latest(), strings.Join(names, " "))
}

func (s *Server) bucketLine(name string) string {
	b, err := s.s3.find(name)
	if err != nil {
		return "bucket " + name + " is gone"
	}
	text := s.BucketPolicy(name)
	b.mu.RLock()
	defer b.mu.RUnlock()
	return fmt.Sprintf("bucket %s of %s, access %v %+v, ownership %s, encryption %+v, versioning %q, tags %v, uploads %d, policy %s",
		name, b.owner, b.hasAccess, b.access.latest(), b.ownership, b.encryption, b.versioning, b.tags, len(b.uploads), text)
}
