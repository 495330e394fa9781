package compile

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"xplan/internal/policy"
)

// A Fact is one fact of the world that the steps depend on. No object data is among them.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// PolicyDigest is the digest of a whole bucket policy by meaning; "" for an empty one.
func PolicyDigest(d policy.Document) string {
	if d.Empty() {
		return ""
	}
	sum := sha256.Sum256(append([]byte("xplan bucket policy v1\n"), policy.Canonical(d).JSON()...))
	return hex.EncodeToString(sum[:])
}

// StandingDigest is PolicyDigest without the delegations: the statements that let one user or role read, as those of every
// plan do. Several plans may copy from one bucket, and theirs come and go while ours is merged; what is not of that shape
// does not change unseen.
func StandingDigest(d policy.Document) string {
	d.Statements = slices.DeleteFunc(slices.Clone(d.Statements), Delegates)
	return PolicyDigest(d)
}

// Delegates tells whether the statement lets one user or role read, and does nothing else.
func Delegates(s policy.Statement) bool {
	p := s.Principal
	one := len(p.AWS) == 1 && !p.Not && !p.Everyone && len(p.Service)+len(p.Federated)+len(p.CanonicalUser) == 0
	reads := []string{
		"s3:ListBucket", "s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion", "s3:GetObjectVersionTagging", "s3:ListBucketVersions",
		"s3:GetObjectRetention", "s3:GetObjectLegalHold",
	}
	return s.Effect == policy.Allow && s.Sid != "" && one && !strings.Contains(p.AWS[0], "*") && !strings.HasSuffix(p.AWS[0], ":root") &&
		len(s.NotAction) == 0 && len(s.NotResource) == 0 && len(s.Action) > 0 &&
		!slices.ContainsFunc(s.Action, func(a string) bool { return !slices.Contains(reads, a) })
}

// documentDigest is PolicyDigest of a text; what cannot be read has the digest of the text.
func documentDigest(text string) string {
	if text == "" {
		return ""
	}
	d, err := policy.Parse([]byte(text))
	if err != nil {
		sum := sha256.Sum256([]byte(text))
		return "unread " + hex.EncodeToString(sum[:])
	}
	return PolicyDigest(d)
}
