package compile

import (
	"crypto/sha256"
	"encoding/hex"

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
