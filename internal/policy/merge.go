package policy

import (
	"fmt"
	"slices"
)

// Found says what stood at the Sid of our statement.
type Found int

// What Merge may find.
const (
	FoundNone  Found = iota // no statement has the Sid
	FoundSame               // one does, and it means what ours means
	FoundOther              // one does, and it means something else
)

// A ConflictError is a statement of our Sid that is not the one we know.
type ConflictError struct {
	Sid  string
	Want string // the digest that was expected
	Got  string // the digest of what stands there
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("statement %s is not the one we made: its digest is %.8s…, ours %.8s…", e.Sid, e.Got, e.Want)
}

// Merge returns doc with our statement in it and every other one untouched: added
// at the end, left as it stands, or put in the place of the other one that has its Sid. Whether to accept
// FoundOther is the caller's to decide: the statement may be somebody's own.
func Merge(doc Document, ours Statement) (Document, Found, error) {
	if ours.Sid == "" {
		return Document{}, FoundNone, fmt.Errorf("merge a statement into a policy: it has no Sid")
	}
	if doc.Empty() {
		if doc.Version == "" {
			doc.Version = Version2012
		}
	}
	if ours.usesVariables() && doc.version() != Version2012 {
		return Document{}, FoundNone, fmt.Errorf("merge statement %s: it uses policy variables, and the policy's version %s has none", ours.Sid, doc.version())
	}
	at := doc.index(ours.Sid)
	if at < 0 {
		doc.Statements = append(slices.Clip(slices.Clone(doc.Statements)), ours)
		return doc, FoundNone, nil
	}
	if doc.Statements[at].Digest() == ours.Digest() {
		return doc, FoundSame, nil
	}
	doc.Statements = slices.Clone(doc.Statements)
	doc.Statements[at] = ours
	return doc, FoundOther, nil
}

// Remove returns doc without the statement of the Sid, and whether there was
// one. It removes only what has the digest; anything else is a *ConflictError.
func Remove(doc Document, sid, digest string) (Document, bool, error) {
	at := doc.index(sid)
	if at < 0 {
		return doc, false, nil
	}
	if got := doc.Statements[at].Digest(); got != digest {
		return doc, false, &ConflictError{Sid: sid, Want: digest, Got: got}
	}
	doc.Statements = slices.Delete(slices.Clone(doc.Statements), at, at+1)
	return doc, true, nil
}
