package compile

import (
	"slices"
	"strings"
	"time"

	"xplan/internal/policy"
	"xplan/plan"
)

// freezeWrites is what changes an object or what is kept with it. PutObject is copies and uploads by parts as well, their
// completion included. Not denied are restores of archived objects, which the plan may ask for, and replication into the
// bucket: S3 does not try that again by itself.
func freezeWrites() []string {
	return []string{
		"s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging", "s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging",
		"s3:PutObjectAcl", "s3:PutObjectVersionAcl", "s3:PutObjectRetention", "s3:PutObjectLegalHold",
	}
}

func freezeDeletes() []string { return []string{"s3:DeleteObject", "s3:DeleteObjectVersion"} }

// freezeStatements deny writing to what the plan copies from the bucket. Deleting is a statement of its own where the plan
// deletes the source: from that, and from nothing else, the source's administrator is exempt.
func freezeStatements(p *plan.Plan, w World, bucket string) []policy.Statement {
	var prefixes []string
	deletes := false
	for _, pair := range p.Buckets {
		if pair.Source == bucket {
			prefixes = append(prefixes, pair.Prefix)
			deletes = deletes || pair.Cleanup.SourceObjects == plan.AfterVerify
		}
	}
	sids := plan.FreezeSids(p.CutOver.Statement)
	writes := freezing(p, bucket, sids[0], outermost(prefixes))
	writes.Action = freezeWrites()
	if !deletes {
		writes.Action = append(writes.Action, freezeDeletes()...)
		return []policy.Statement{writes}
	}
	deleting := freezing(p, bucket, sids[1], outermost(prefixes))
	deleting.Action = freezeDeletes()
	if id := w.Identities[plan.Source].UserID; id != "" {
		user, _, session := strings.Cut(id, ":")
		if session {
			user += ":*" // another session of the same role goes on after a crash
		}
		deleting.Condition = append(deleting.Condition, policy.Condition{Operator: "StringNotLike", Key: adminKey, Values: []string{user}})
	}
	// In this order: where the denial of writing shows, that of deleting was there before.
	return []policy.Statement{deleting, writes}
}

// adminKey tells the administrator by its unique ID: a session's ARN does not tell the path of its role.
const adminKey = "aws:userid"

func freezing(p *plan.Plan, bucket, sid string, prefixes []string) policy.Statement {
	arn := "arn:" + parseEntity(p.Principal.ARN).partition + ":s3:::" + bucket
	s := policy.Statement{Sid: sid, Effect: policy.Deny, Principal: policy.Principals{Everyone: true}}
	for _, prefix := range prefixes {
		s.Resource = append(s.Resource, arn+"/"+pattern(prefix))
	}
	if len(p.CutOver.Exempt) > 0 {
		s.Condition = policy.Conditions{{Operator: "ArnNotLike", Key: "aws:PrincipalArn", Values: p.CutOver.Exempt}}
	}
	return s
}

// impersonal leaves the administrator's exemption out: who goes on after a crash may be another one.
func impersonal(s policy.Statement) policy.Statement {
	s.Condition = slices.DeleteFunc(slices.Clone(s.Condition), func(c policy.Condition) bool { return c.Key == adminKey })
	return s
}

// A frost is what stands in a bucket's policy of our freeze.
type frost struct {
	ours  []policy.Statement
	other []string  // our Sids at which something else stands
	since time.Time // zero: nobody knows
}

// frozen finds the plan's freeze in a bucket's policy: by our record, or because it says what the plan would say.
func frozen(p *plan.Plan, w World, bucket string) frost {
	var f frost
	doc, err := policy.Parse([]byte(w.Buckets[BucketRef{plan.Source, bucket}].Policy))
	if err != nil {
		return f // said where our other statement is looked for
	}
	wanted := map[string]policy.Statement{}
	var sids []string
	if p.Freezes() && p.Principal != nil {
		sids = plan.FreezeSids(p.CutOver.Statement)
		for _, s := range freezeStatements(p, w, bucket) {
			wanted[s.Sid] = s
		}
	}
	for _, o := range w.Owned {
		if o.Kind == KindFreeze && o.Subject == bucket {
			sids = append(sids, o.Parent)
		}
	}
	for _, sid := range unique(sids) {
		have, there := doc.Find(sid)
		o, recorded := findOwned(w.Owned, KindFreeze, bucket, sid)
		want, known := wanted[sid]
		switch {
		case !there:
		case recorded && (o.Digest == have.Digest() || slices.Contains(o.Before, have.Digest())),
			known && impersonal(want).Digest() == impersonal(have).Digest():
			f.ours = append(f.ours, have)
			if recorded && (f.since.IsZero() || o.Since.Before(f.since)) {
				f.since = o.Since
			}
		default:
			f.other = append(f.other, sid)
		}
	}
	return f
}

// frozenBuckets are the freezes that state does not know of.
func frozenBuckets(p *plan.Plan, w World) []Owned {
	var found []Owned
	for _, name := range bucketNames(w, plan.Source) {
		for _, s := range frozen(p, w, name).ours {
			found = append(found, Owned{Kind: KindFreeze, Side: plan.Source, Subject: name, Parent: s.Sid, Digest: s.Digest()})
		}
	}
	return found
}

// Impersonal is the step without who the source's administrator is, whom a freeze lets delete: one role reviews a plan and
// another one applies it. What follows from that, the digests, is left out as well.
func (s Step) Impersonal() Step {
	if s.Spec.Freeze == nil || !slices.ContainsFunc(s.Spec.Freeze.Statements, func(one StatementSpec) bool { return strings.Contains(one.Statement, adminKey) }) {
		return s
	}
	spec := *s.Spec.Freeze
	spec.Statements = slices.Clone(spec.Statements)
	s.Change.Lines = slices.Clone(s.Change.Lines)
	for i, one := range spec.Statements {
		doc, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + one.Statement + `]}`))
		if err != nil || len(doc.Statements) != 1 {
			continue // of what stands no more there is no text
		}
		full := doc.Statements[0]
		bare := impersonal(full)
		for l := range s.Change.Lines {
			if s.Change.Lines[l].Text == sidText(full) {
				s.Change.Lines[l].Text = sidText(bare)
			}
		}
		spec.Statements[i].Statement, spec.Statements[i].Digest, spec.Statements[i].Reviewed = string(bare.JSON()), "", ""
	}
	s.Spec.Freeze = &spec
	return s
}
