package compile

import (
	"maps"
	"slices"
	"strings"
	"time"

	"xplan/internal/policy"
	"xplan/plan"
)

// clockSkew is how far a server's clock may be off ours.
const clockSkew = 5 * time.Minute

// owned finds a record; an empty parent matches any. Facts come before intents.
func (b *builder) owned(kind Kind, subject, parent string) (Owned, bool) {
	return findOwned(b.w.Owned, kind, subject, parent)
}

func findOwned(all []Owned, kind Kind, subject, parent string) (Owned, bool) {
	var intent *Owned
	for _, o := range all {
		if o.Kind != kind || o.Subject != subject || (parent != "" && o.Parent != parent) {
			continue
		}
		if !o.Intent {
			return o, true
		}
		intent = &o
	}
	if intent != nil {
		return *intent, true
	}
	return Owned{}, false
}

// idMark stands before the unique IDs among the words of Owned.Before.
const idMark = "id:"

// UniqueID is how a record's Before holds the unique ID that IAM gave to what was made; nil for "".
func UniqueID(id string) []string {
	if id == "" {
		return nil
	}
	return []string{idMark + id}
}

// KnownBy tells whether the record can be of what has this unique ID: what was deleted and made again under its name
// has another one, and is somebody else's. A record without an ID tells by the name alone.
func (o Owned) KnownBy(id string) bool {
	none := true
	for _, word := range o.Before {
		if known, ok := strings.CutPrefix(word, idMark); ok {
			if known == id {
				return true
			}
			none = false
		}
	}
	return none
}

// policyOurs: state says so, or the tags do, as IAM sets them in the call that creates the policy. An intent
// counts where the document is the one that was meant.
func policyOurs(owned []Owned, planName string, m ManagedPolicy) bool {
	if !m.Exists {
		return false
	}
	if m.Tags[PlanTag] == planName {
		return true
	}
	o, ok := findOwned(owned, KindPolicy, m.ARN, "")
	return ok && o.KnownBy(m.ID) && (!o.Intent || o.Digest == documentDigest(m.Document))
}

// principalOurs tells whether a run of this plan made the principal.
func principalOurs(owned []Owned, planName string, f PrincipalFacts) bool {
	if !f.Exists {
		return false
	}
	o, ok := findOwned(owned, KindPrincipal, f.ARN, "")
	return f.Tags[PlanTag] == planName || (ok && !o.Intent && o.KnownBy(f.UserID))
}

// A standing is what stands at our Sid in a bucket's policy.
type standing struct {
	doc       policy.Document // principals as ARNs
	unread    error
	statement policy.Statement
	there     bool
	ours      bool
}

// stands reads a source bucket's policy.
//
// It is ours where a record has its digest, before or after the change that was meant, or where one of our policies has.
func stands(p *plan.Plan, w World, name string) standing {
	return standsAs(p, w, name, p.Permissions.Statement)
}

// standsAs is stands for a Sid that an earlier form of the plan may have used.
func standsAs(p *plan.Plan, w World, name, sid string) standing {
	bucket := w.Buckets[BucketRef{plan.Source, name}]
	var s standing
	if bucket.Policy == "" {
		return s
	}
	doc, err := policy.Parse([]byte(bucket.Policy))
	if err != nil {
		s.unread = err
		return s
	}
	s.doc = doc.WithPrincipals(live(w))
	s.statement, s.there = s.doc.Find(sid)
	if s.there {
		digest := s.statement.Digest()
		o, ok := findOwned(w.Owned, KindBucketPolicy, name, sid)
		s.ours = (ok && (o.Digest == digest || slices.Contains(o.Before, digest))) || slices.Contains(ourDigests(p, w), digest)
	}
	return s
}

// live maps the principal's unique ID to its ARN: S3 shows IDs in place of principals now and then.
func live(w World) map[string]string {
	if w.Principal.UserID == "" || w.Principal.ARN == "" {
		return nil
	}
	return map[string]string{w.Principal.UserID: w.Principal.ARN}
}

// digestTags are the tags by which the statements are found again when state is lost: the
// policy in B carries the digests of what stands in A. A policy holds at most 50 tags.
func digestTags(d docs) map[string]string {
	const room = 47 // beside PlanTag, KeyTag and LeaseTag
	tags := make(map[string]string)
	buckets := make([]string, 0, len(d.statements))
	for bucket := range d.statements {
		buckets = append(buckets, bucket)
	}
	slices.Sort(buckets)
	for _, bucket := range buckets[:min(len(buckets), room)] {
		key := DigestTag
		if len(buckets) > 1 {
			key += ":" + bucket
		}
		tags[key] = d.statements[bucket].Digest()
	}
	return tags
}

// tagged are the digests that tags carry.
func tagged(tags map[string]string) []string {
	var all []string
	for key, value := range tags {
		if key == DigestTag || strings.HasPrefix(key, DigestTag+":") {
			all = append(all, value)
		}
	}
	slices.Sort(all)
	return all
}

// ourDigests are the digests of statements that the tags of our policies carry.
func ourDigests(p *plan.Plan, w World) []string {
	var all []string
	for _, m := range w.Policies {
		if m.Exists && m.Tags[PlanTag] == p.Name {
			all = append(all, tagged(m.Tags)...)
		}
	}
	return all
}

// byTags finds what is ours although state does not say so: state was lost, or kept elsewhere.
func byTags(p *plan.Plan, w World) []Owned {
	found := slices.Concat(taggedIAM(p, w), taggedKeys(p, w), taggedBuckets(p, w), frozenBuckets(p, w))
	for _, ref := range slices.Sorted(maps.Keys(w.Keys)) {
		if k := w.Keys[ref]; standingGrant(p, w, k) {
			found = append(found, Owned{Kind: KindGrant, Side: plan.Source, Subject: grantName(p), Parent: k.ARN})
		}
	}
	return slices.DeleteFunc(found, func(o Owned) bool {
		_, known := findOwned(w.Owned, o.Kind, o.Subject, o.Parent)
		return known
	})
}

func taggedIAM(p *plan.Plan, w World) []Owned {
	var found []Owned
	for _, m := range w.Policies {
		if !m.Exists || m.Tags[PlanTag] != p.Name {
			continue
		}
		found = append(found, Owned{Kind: KindPolicy, Side: plan.Destination, Subject: m.ARN, Digest: documentDigest(m.Document), Before: UniqueID(m.ID)})
		if w.Principal.Exists && attached(w.Principal, m) {
			found = append(found, Owned{Kind: KindAttachment, Side: plan.Destination, Subject: m.ARN, Parent: w.Principal.ARN})
		}
	}
	if w.Principal.Exists && w.Principal.Tags[PlanTag] == p.Name {
		found = append(found, Owned{Kind: KindPrincipal, Side: plan.Destination, Subject: w.Principal.ARN, Before: UniqueID(w.Principal.UserID)})
	}
	return found
}

// taggedBuckets are the buckets that carry our tag, and those whose policy holds our statement.
func taggedBuckets(p *plan.Plan, w World) []Owned {
	var found []Owned
	for _, name := range bucketNames(w, plan.Source) {
		if s := stands(p, w, name); s.there && s.ours {
			found = append(found, Owned{
				Kind: KindBucketPolicy, Side: plan.Source, Subject: name, Parent: p.Permissions.Statement, Digest: s.statement.Digest(),
			})
		}
	}
	for _, name := range bucketNames(w, plan.Destination) {
		if b := w.Buckets[BucketRef{plan.Destination, name}]; b.Exists && b.Tags[PlanTag] == p.Name {
			found = append(found, Owned{Kind: KindBucket, Side: plan.Destination, Subject: name})
		}
	}
	return found
}

func bucketNames(w World, side plan.Side) []string {
	var all []string
	for ref := range w.Buckets {
		if ref.Side == side {
			all = append(all, ref.Name)
		}
	}
	slices.Sort(all)
	return all
}
