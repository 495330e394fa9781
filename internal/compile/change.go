package compile

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"xplan/internal/policy"
	"xplan/plan"
)

// bucketLines are the settings of a bucket that will be made.
func bucketLines(spec BucketSpec) []Line {
	var all []Line
	add := func(name, value string) { all = append(all, Line{"+", name + " = " + value}) }
	if spec.Account != "" {
		add("public_access_block", "all")
		add("ownership", "BucketOwnerEnforced")
	}
	if spec.Settings.Encryption.Algorithm != "" {
		add("encryption", encryptionText(spec.Settings.Encryption))
	}
	if spec.Settings.Versioning || spec.Settings.ObjectLock {
		add("versioning", "Enabled")
	}
	if spec.Settings.ObjectLock {
		add("object_lock", "Enabled, for ever")
	}
	if spec.Region != "" {
		add("region", spec.Region)
	}
	for _, key := range slices.Sorted(maps.Keys(spec.Settings.Tags)) {
		add("tag "+key, spec.Settings.Tags[key])
	}
	return all
}

func encryptionText(e plan.Encryption) string {
	s := e.Algorithm
	if e.KMSKeyID != "" {
		s += " " + e.KMSKeyID
	}
	if e.BucketKey {
		s += " with a bucket key"
	}
	return s
}

// missingLines are the settings that a half-made bucket lacks.
func missingLines(spec BucketSpec, have Bucket) []Line {
	var all []Line
	add := func(name, value string) { all = append(all, Line{"+", name + " = " + value}) }
	if spec.Account == "" {
		return nil
	}
	if !have.PublicAccess.All() {
		add("public_access_block", "all")
	}
	if have.Ownership != "BucketOwnerEnforced" {
		add("ownership", "BucketOwnerEnforced")
	}
	if !encrypted(spec.Settings.Encryption, have.Encryption) {
		add("encryption", encryptionText(spec.Settings.Encryption))
	}
	if spec.Settings.Versioning && have.Versioning != "Enabled" {
		add("versioning", "Enabled")
	}
	tags := maps.Clone(spec.Tags) // by which it is found again
	if tags == nil {
		tags = map[string]string{}
	}
	maps.Copy(tags, spec.Settings.Tags)
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if have.Tags[key] != tags[key] {
			add("tag "+key, tags[key])
		}
	}
	return all
}

// encrypted tells whether the default is the one asked for. S3 encrypts with AES256 where nothing is set, and may
// show a key by its ARN that was set by its ID.
func encrypted(want, have plan.Encryption) bool {
	algorithm := first(have.Algorithm, "AES256")
	if want.Algorithm != "" && want.Algorithm != algorithm {
		return false
	}
	return want.KMSKeyID == "" || have.KMSKeyID == want.KMSKeyID || strings.HasSuffix(have.KMSKeyID, ":key/"+want.KMSKeyID)
}

func principalLines(spec PrincipalSpec) []Line {
	all := []Line{{"+", spec.ARN}}
	if spec.Boundary != "" {
		all = append(all, Line{"+", "permissions_boundary = " + spec.Boundary})
	}
	if spec.Trust == "" {
		return all
	}
	doc, err := policy.Parse([]byte(spec.Trust))
	if err != nil {
		return all
	}
	for _, s := range doc.Statements {
		words := []string{"trust", principalText(s.Principal)}
		for _, c := range s.Condition {
			words = append(words, "where", conditionText(c))
		}
		all = append(all, Line{"+", strings.Join(words, " ")})
	}
	return all
}

func documentLines(sign string, d policy.Document) []Line {
	all := make([]Line, 0, len(d.Statements))
	for _, s := range d.Statements {
		all = append(all, Line{sign, statementText(s)})
	}
	return all
}

// diffLines shows a change statement by statement, and what stays.
func diffLines(before, after policy.Document) (lines []Line, preserved []string) {
	d := policy.Diff(before, after)
	for _, s := range d.Removed {
		lines = append(lines, Line{"-", statementText(s)})
	}
	for _, c := range d.Changed {
		lines = append(lines, Line{"-", statementText(c.Before)}, Line{"+", statementText(c.After)})
	}
	for _, s := range d.Added {
		lines = append(lines, Line{"+", statementText(s)})
	}
	if d.Version {
		lines = append(lines, Line{"~", "Version " + after.Version + ": what stays reads ${…} otherwise"})
	}
	if d.Broader {
		lines = append(lines, Line{"!", broader})
	}
	for _, s := range d.Preserved {
		preserved = append(preserved, s.Label())
	}
	return lines, preserved
}

// broader flags a policy that is changed; what is new is seen to let in.
const broader = "lets in more than before"

// statementLines shows our statement, beside the one that stands at its Sid.
func statementLines(have standing, ours policy.Statement) []Line {
	if !have.there {
		return []Line{{"+", sidText(ours)}}
	}
	all := []Line{{"-", sidText(have.statement)}, {"+", sidText(ours)}}
	before, after := policy.Document{Version: have.doc.Version}, policy.Document{Version: have.doc.Version}
	before.Statements, after.Statements = []policy.Statement{have.statement}, []policy.Statement{ours}
	if policy.Broader(before, after) {
		all = append(all, Line{"!", broader})
	}
	return all
}

func sidText(s policy.Statement) string { return "Sid " + s.Sid + "   " + statementText(s) }

// others are the labels of the statements that are not ours.
func others(d policy.Document, sid string) []string {
	var all []string
	for _, s := range d.Statements {
		if s.Sid != sid {
			all = append(all, s.Label())
		}
	}
	return all
}

// statementText says a statement in a line: "Allow s3:ListBucket, s3:GetObject on tommy".
func statementText(s policy.Statement) string {
	words := []string{string(s.Effect)}
	if !s.Principal.IsZero() {
		words = append(words, principalText(s.Principal))
	}
	if len(s.NotAction) > 0 {
		words = append(words, "all but "+strings.Join(s.NotAction, ", "))
	} else {
		words = append(words, strings.Join(s.Action, ", "))
	}
	switch {
	case len(s.NotResource) > 0:
		words = append(words, "on all but "+resourceText(s.NotResource))
	case len(s.Resource) > 0:
		words = append(words, "on "+resourceText(s.Resource))
	}
	for _, c := range s.Condition {
		words = append(words, "where "+conditionText(c))
	}
	return strings.Join(words, " ")
}

func principalText(p policy.Principals) string {
	who := slices.Concat(p.AWS, p.Service, p.Federated, p.CanonicalUser)
	if p.Everyone {
		who = []string{"everyone"}
	}
	text := strings.Join(who, ", ")
	if p.Not {
		return "all but " + text
	}
	return text
}

func conditionText(c policy.Condition) string {
	return c.Key + " " + c.Operator + " " + strings.Join(c.Values, ", ")
}

// resourceText names buckets by their names; a bucket together with all its objects is one word.
func resourceText(resources []string) string {
	all := make(map[string]bool, len(resources))
	for _, r := range resources {
		all[r] = true
	}
	var words []string
	for _, r := range resources {
		if bucket, ok := strings.CutSuffix(r, "/*"); ok && all[bucket] {
			continue
		}
		words = append(words, withoutARN(r))
	}
	return strings.Join(words, ", ")
}

func withoutARN(resource string) string {
	if _, name, ok := strings.Cut(resource, ":s3:::"); ok && strings.HasPrefix(resource, "arn:") {
		return name
	}
	return resource
}

// thousands writes a count as people read it: 1,500,000.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	var parts []string
	for len(s) > 3 && s[len(s)-4] != '-' {
		parts = append([]string{s[len(s)-3:]}, parts...)
		s = s[:len(s)-3]
	}
	return strings.Join(append([]string{s}, parts...), ",")
}

// place names a bucket, or the part of it below a prefix.
func place(bucket, prefix string) string {
	if prefix == "" {
		return bucket
	}
	return bucket + "/" + prefix
}

func objects(n int64) string {
	if n == 1 {
		return "1 object"
	}
	return fmt.Sprintf("%s objects", thousands(n))
}
