package compile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"xplan/internal/policy"
	"xplan/plan"
)

// The documents are least privilege for what the plan asks. They cover every pair
// of the plan, whether there is something to copy or not, so that they do not change from one run to the next.
//
// Of versions something is granted only where all of them are copied: else every copy is of the current version, held by
// If-Match. RestoreObject is not: the source's administrator asks for restores.

// pairAccess is what one pair asks of one bucket.
type pairAccess struct {
	bucket  string
	prefix  string
	actions []string
}

func sourceAccess(p plan.Pair) pairAccess {
	actions := []string{"s3:ListBucket", "s3:GetObject"}
	if p.Copy.Tags {
		actions = append(actions, "s3:GetObjectTagging")
	}
	if p.Copy.AllVersions() {
		actions = append(actions, "s3:ListBucketVersions", "s3:GetObjectVersion")
		if p.Copy.Tags {
			actions = append(actions, "s3:GetObjectVersionTagging")
		}
	}
	return pairAccess{p.Source, p.Prefix, append(actions, lockActions(p, plan.Source)...)}
}

// destinationAccess: GetObject is for HEAD (with checksums) and for If-Match. PutObject covers the creation,
// the parts and the completion of a multipart upload; going on with one and aborting it are apart. In a bucket that keeps
// versions DeleteObject makes delete markers, and deletes nothing.
func destinationAccess(p plan.Pair) pairAccess {
	actions := []string{"s3:ListBucket", "s3:GetObject", "s3:PutObject"}
	if p.Copy.Tags {
		actions = append(actions, "s3:PutObjectTagging")
	}
	actions = append(actions, "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:ListBucketMultipartUploads")
	if p.Copy.ACL != "" && p.Copy.ACL != "none" {
		actions = append(actions, "s3:PutObjectAcl")
	}
	if p.Copy.AllVersions() {
		actions = append(actions, "s3:ListBucketVersions", "s3:GetObjectVersion")
	}
	if p.Copy.DeleteExtra || p.Copy.AllVersions() {
		actions = append(actions, "s3:DeleteObject")
	}
	return pairAccess{p.Destination, p.ToPrefix, append(actions, lockActions(p, plan.Destination)...)}
}

// grouped merges the accesses of one bucket that ask for the same actions.
func grouped(all []pairAccess) []bucketAccess {
	groups := make(map[string]*bucketAccess)
	for _, a := range all {
		key := a.bucket + " " + strings.Join(a.actions, " ")
		if groups[key] == nil {
			groups[key] = &bucketAccess{bucket: a.bucket, actions: a.actions}
		}
		groups[key].prefixes = append(groups[key].prefixes, a.prefix)
	}
	merged := make([]bucketAccess, 0, len(groups))
	for _, g := range groups {
		g.prefixes = outermost(g.prefixes)
		merged = append(merged, *g)
	}
	slices.SortFunc(merged, func(a, b bucketAccess) int {
		return cmp.Or(cmp.Compare(a.bucket, b.bucket), slices.Compare(a.actions, b.actions))
	})
	return merged
}

// united merges all accesses of one bucket into one, as its policy's one statement has to.
func united(bucket string, all []pairAccess) bucketAccess {
	u := bucketAccess{bucket: bucket}
	for _, a := range all {
		if a.bucket == bucket {
			u.prefixes = append(u.prefixes, a.prefix)
			u.actions = append(u.actions, a.actions...)
		}
	}
	u.actions = unique(u.actions)
	u.prefixes = outermost(u.prefixes)
	return u
}

// outermost sorts prefixes and drops those below another.
func outermost(prefixes []string) []string {
	sorted := slices.Sorted(slices.Values(prefixes))
	var all []string
	for _, p := range sorted {
		if len(all) == 0 || !strings.HasPrefix(p, all[len(all)-1]) {
			all = append(all, p)
		}
	}
	return all
}

// bucketAccess is what some pairs ask of one bucket. No prefixes but "" mean all of it.
type bucketAccess struct {
	bucket   string
	prefixes []string
	actions  []string
}

// statement allows the access. Actions on the bucket and on its objects share a statement, as
// an action matches only the kind of resource that it is about.
func (a bucketAccess) statement(partition, sid string) policy.Statement {
	arn := "arn:" + partition + ":s3:::" + a.bucket
	s := policy.Statement{Sid: sid, Effect: policy.Allow, Action: a.actions, Resource: []string{arn}}
	for _, prefix := range a.prefixes {
		s.Resource = append(s.Resource, arn+"/"+pattern(prefix))
	}
	return s
}

// listing binds the listing to the prefixes, by s3:prefix with IfExists. S3 asks for ListBucket in a second
// case: whether the answer about a missing key may be 404 rather than 403. That request has no
// s3:prefix, so StringLike alone would turn every object that vanished since it was listed into a
// denial. The price is that a listing without any prefix is let through: names, not contents.
//
// This is for identity policies only. S3 refuses a bucket's policy with a condition that does not
// apply to every action of its statement ("Conditions do not apply to combination of actions and
// resources"), and ours is one statement. Both sides have to allow, so the bound holds all the same.
func (a bucketAccess) listing() policy.Conditions {
	var patterns []string
	for _, prefix := range a.prefixes {
		if prefix == "" {
			return nil
		}
		patterns = append(patterns, pattern(prefix))
	}
	return policy.Conditions{{Operator: "StringLikeIfExists", Key: "s3:prefix", Values: patterns}}
}

// pattern matches every key below the prefix. What means something in a policy (*, ?, $) becomes ?,
// which is right in either version of the language; what IAM does not take (beyond U+00FF, controls)
// becomes *. Such a pattern is a little wider than the prefix, never narrower.
func pattern(prefix string) string {
	var b strings.Builder
	for _, r := range prefix {
		switch {
		case r == '*' || r == '?' || r == '$':
			b.WriteByte('?')
		case r < 0x20 || r == 0x7f || r > 0xff:
			b.WriteByte('*')
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('*')
	return collapsed(b.String())
}

func collapsed(pattern string) string {
	for strings.Contains(pattern, "**") {
		pattern = strings.ReplaceAll(pattern, "**", "*")
	}
	return pattern
}

// A docs is what the plan's permissions say.
type docs struct {
	identity   []policy.Document           // the managed policies, in the order of their names
	statements map[string]policy.Statement // by source bucket
}

// documents compiles the plan's permissions. Keys are ARNs, sorted.
func documents(p *plan.Plan, sourceKeys, destinationKeys []string) (docs, error) {
	partition := parseEntity(p.Principal.ARN).partition
	var sources, destinations []pairAccess
	for _, pair := range p.Buckets {
		sources = append(sources, sourceAccess(pair))
		destinations = append(destinations, destinationAccess(pair))
	}
	whole := policy.Document{Version: policy.Version2012}
	sids := make(sidNames)
	add := func(verb string, all []bucketAccess) {
		for _, g := range all {
			s := g.statement(partition, sids.name(verb, g.bucket))
			s.Condition = g.listing()
			whole.Statements = append(whole.Statements, s)
		}
	}
	add("Read", grouped(sources))
	add("Write", grouped(destinations))
	whole.Statements = append(whole.Statements, keyStatement("DecryptSource", sourceKeys, "kms:Decrypt")...)
	// A multipart upload's parts are read again when it is completed: hence Decrypt.
	whole.Statements = append(whole.Statements, keyStatement("EncryptDestination", destinationKeys, "kms:GenerateDataKey", "kms:Decrypt")...)

	d := docs{statements: make(map[string]policy.Statement)}
	for _, pair := range p.Buckets {
		s := united(pair.Source, sources).statement(partition, p.Permissions.Statement)
		s.Principal = policy.Principals{AWS: []string{p.Principal.ARN}}
		d.statements[pair.Source] = s
	}
	var err error
	if d.identity, err = policy.Split(whole, policy.ManagedPolicyLimit); err != nil {
		return d, fmt.Errorf("compile the principal's policy: %w", err)
	}
	return d, nil
}

func keyStatement(sid string, keys []string, actions ...string) []policy.Statement {
	if len(keys) == 0 {
		return nil
	}
	return []policy.Statement{{Sid: sid, Effect: policy.Allow, Action: actions, Resource: keys}}
}

// sidNames makes Sids that tell the bucket, of letters and digits only, each once.
type sidNames map[string]bool

func (n sidNames) name(verb, bucket string) string {
	words := strings.FieldsFunc(bucket, func(r rune) bool { return !isAlphanumeric(r) })
	var b strings.Builder
	b.WriteString(verb)
	for _, w := range words {
		b.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	sid := b.String()
	for i := 2; n[sid]; i++ {
		sid = fmt.Sprintf("%sx%d", b.String(), i)
	}
	n[sid] = true
	return sid
}

func isAlphanumeric(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}
