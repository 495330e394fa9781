package compile

import (
	"slices"
	"strings"

	"xplan/internal/policy"
	"xplan/plan"
)

// Of the administrators' own policies nothing is read: only what the policies of buckets, keys and roles say to them is judged.

// administrators is what stands in the way of setting up and cleaning up.
func (b *builder) administrators() findings {
	var all findings
	for _, s := range b.steps {
		for _, c := range b.adminCalls(s) {
			all = all.add(b.findings(c, b.administrator(c))...)
		}
	}
	return all
}

// adminCalls are the calls of a step on what has a policy of its own.
func (b *builder) adminCalls(s Step) []call {
	changes := s.Action == Create || s.Action == Update || s.Action == Delete
	switch {
	case s.Kind == KindBucketPolicy && changes:
		return []call{{leg: "let the principal in", side: plan.Source, action: "s3:PutBucketPolicy", where: b.bucketSite(s.Spec.Statement.Bucket)}}
	case s.Kind == KindCleanBucketPolicy && changes:
		action := "s3:PutBucketPolicy"
		if s.Spec.Statement.MadeWhole {
			action = "s3:DeleteBucketPolicy"
		}
		return []call{{leg: "clean up the bucket policy", side: plan.Source, action: action, where: b.bucketSite(s.Spec.Statement.Bucket)}}
	case s.Kind == KindFreeze && changes:
		return []call{{leg: "freeze the source", side: plan.Source, action: "s3:PutBucketPolicy", where: b.bucketSite(s.Spec.Freeze.Bucket)}}
	case s.Kind == KindCleanFreeze && changes:
		return []call{{leg: "lift the freeze", side: plan.Source, action: "s3:PutBucketPolicy", where: b.bucketSite(s.Spec.Freeze.Bucket)}}
	case s.Kind == KindGrant && changes:
		return []call{b.grantCall("let the principal decrypt", "kms:CreateGrant", *s.Spec.Grant)}
	case s.Kind == KindCleanGrant && changes:
		return []call{b.grantCall("clean up the grant", "kms:RevokeGrant", *s.Spec.Grant)}
	case s.Kind == KindCleanSourceObjects && changes:
		return b.deletionCalls(s)
	case s.Kind == KindCredentials && s.Spec.Credentials.Kind == plan.AssumeRole && b.w.Principal.Trust != "":
		return []call{{leg: "assume the role", side: plan.Destination, action: "sts:AssumeRole", where: site{
			resource: s.Spec.Credentials.Principal, account: b.p.Accounts.Destination.ID, role: s.Spec.Credentials.Principal,
		}}}
	}
	return nil
}

// deletionCalls are those on the source that goes, and on the copies whose tags are held against its own.
func (b *builder) deletionCalls(s Step) []call {
	pair := s.Spec.Copy.Pair
	br := branch{pair: pair, srcRegion: s.Spec.Copy.SourceRegion, dstRegion: s.Spec.Copy.DestRegion, src: b.w.Buckets[BucketRef{plan.Source, pair.Source}]}
	remove, tags := "s3:DeleteObject", "s3:GetObjectTagging"
	if br.purges() {
		remove, tags = "s3:DeleteObjectVersion", "s3:GetObjectVersionTagging"
	}
	bucket, objects := b.site(br, plan.Source)
	_, copies := b.site(br, plan.Destination)
	on := func(side plan.Side, action string, where site) call {
		return call{leg: "delete the source", pair: s.Pair, side: side, action: action, where: where, below: true, unknown: append(existingTags(), "s3:versionid")}
	}
	all := []call{
		{leg: "delete the source", pair: s.Pair, side: plan.Source, action: "s3:ListBucketMultipartUploads", where: bucket},
		on(plan.Source, remove, objects),
	}
	if pair.Copy.Tags {
		all = append(all, on(plan.Source, tags, objects), on(plan.Destination, tags, copies))
	}
	return all
}

func (b *builder) bucketSite(bucket string) site {
	return site{
		resource: "arn:" + parseEntity(b.p.Principal.ARN).partition + ":s3:::" + bucket, account: b.p.Accounts.Source.ID,
		bucket: bucket, region: first(b.w.Buckets[BucketRef{plan.Source, bucket}].Region, b.p.Accounts.Source.Region),
	}
}

func (b *builder) grantCall(leg, action string, g GrantSpec) call {
	return call{leg: leg, side: plan.Source, action: action, keys: map[string][]string{
		"kms:GranteePrincipal": {g.Principal}, "kms:GrantOperations": g.Operations, "kms:GrantIsForAWSResource": {"false"},
	}, where: site{resource: g.KeyARN, account: first(accountOf(g.KeyARN), b.p.Accounts.Source.ID), key: g.KeyARN, region: g.Region}}
}

// administrator is who makes a setting-up call. A session's ARN does not tell the path of its role: what hangs on that is unknown.
func (b *builder) administrator(c call) caller {
	id := b.w.Identities[c.side]
	e := parseEntity(id.ARN)
	who := caller{
		arn: id.ARN, label: e.label(), admin: true, unread: []policy.Leg{policy.LegIdentity, policy.LegBoundary},
		principal: policy.Principal{Account: id.Account, ARN: id.ARN, UserID: id.UserID},
		unknown: []string{
			"aws:multifactorauthpresent", "aws:multifactorauthage", "aws:principaltag/", "aws:tokenissuetime",
			"aws:federatedprovider", "aws:sourceidentity", "aws:calledvia", "aws:viaawsservice",
		},
	}
	if e.kind == "assumed-role" {
		name := strings.Trim(e.path, "/")
		who.arn = "arn:" + e.partition + ":iam::" + e.account + ":role/" + name
		doc, _ := b.resourcePolicy(c, who)
		who.arn = roleNamed(doc, who.arn)
		who.label, who.principal.Issuer = "role/"+name, who.arn
		who.unknown = append(who.unknown, "aws:principalarn", "aws:rolesessionname")
	}
	return who
}

// roleNamed is how the document names the role, path included; else as given, without a path.
func roleNamed(doc policy.Document, arn string) string {
	for _, s := range doc.Statements {
		for _, name := range s.Principal.AWS {
			if same(name, arn) {
				return name
			}
		}
	}
	return arn
}

// asSeenBy leaves out what cannot be true of the administrator: a statement that would have denied the reading of this very policy,
// and it was read. One that spares the listed is open for a session, whose role is not known by its path.
func asSeenBy(who caller, doc policy.Document, c call) policy.Document {
	out := policy.Document{Version: doc.Version, ID: doc.ID}
	for _, s := range doc.Statements {
		if s.Effect == policy.Deny && deniesReading(s, c) {
			continue
		}
		if s.Principal.Not && who.principal.Issuer != "" {
			s.Condition = append(slices.Clone(s.Condition), policy.Condition{Operator: "ArnLike", Key: "aws:PrincipalArn", Values: []string{"*"}})
		}
		out.Statements = append(out.Statements, s)
	}
	return out
}

// deniesReading tells whether the statement is about the reading of the policy, for whomever it is about.
func deniesReading(s policy.Statement, c call) bool {
	if c.where.bucket == "" {
		return false
	}
	s.Principal, s.Condition = policy.Principals{Everyone: true}, nil
	doc := policy.Document{Version: policy.Version2012, Statements: []policy.Statement{s}}
	bucket, _, _ := strings.Cut(c.where.resource, "/")
	return policy.Evaluate(policy.Request{
		Principal: policy.Principal{Account: c.where.account, ARN: "arn:aws:iam::" + c.where.account + ":user/any"},
		Action:    "s3:GetBucketPolicy", Resource: bucket, ResourceAccount: c.where.account, ResourcePolicy: &doc,
	}).Reason == policy.ExplicitDeny
}
