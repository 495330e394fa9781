package s3copy

import (
	"errors"
	"fmt"
	"slices"
)

// action is what is left to do about a key once its objects are compared.
type action uint8

const (
	rest     action = iota // nothing: the outcome stands
	examine                // ask both sides for checksums, and judge again
	transfer               // copy
	prove                  // equal, but not yet proven at the level asked
	thaw                   // ask for the archived object's restore
	ask                    // a HEAD tells whether it is archived
	bind                   // equal and proven: compare the locks
)

// state is what a key counts as.
type state uint8

const (
	isCopied state = iota
	isSame
	isNew
	isChanged
	isFiltered
	isArchived
	isKept
	isUnreadable
	isFailed
	isGone // not at the source any more: counts as nothing
)

// outcome is how a key is settled.
type outcome struct {
	state  state
	proof  proof
	size   Bytes  // of the source, as it was copied or seen last
	phase  string // of a failure
	reason string // of a failure or a verdict
	why    string // of an unreadable object: see Summary.UnreadableBy; of a failure keepsChanging, or nothing
	kept   bool   // a failure that stands as it was: its restore is under way still
	thawed bool   // a scan's object is being restored: there is nothing to do for it yet
	weaker bool   // a scan's same object whose lock at the destination is to be raised

	history History // of a key with its versions: all of them
	grown   History // of these, what the destination had not when they were compared
}

func failed(size Bytes, phase, reason string) outcome {
	return outcome{state: isFailed, size: size, phase: phase, reason: reason}
}

// maxKey is the longest key that S3 takes.
const maxKey = 1024

// judge decides about one source object and the one in its place, if any, from what
// is known of them. Pure; f is the finding where dst is given, and final says that
// there is nothing left to ask for.
func (j *Job) judge(src, dst *Object, f finding, final bool) (action, outcome) {
	if dst != nil {
		f = j.remembered(src, dst, f, final)
	}
	out := outcome{size: src.Size, proof: f.proof, reason: string(f.differ)}
	switch {
	case dst != nil && f.proof != noProof:
		out.state = isSame
		if j.Mode == Scan || f.proof.enough(j.Rules.Level) {
			return rest, out
		}
		return prove, out
	case dst != nil && f.differ == "" && !final:
		return examine, out
	case dst != nil && f.differ == "":
		out.reason = "nothing comparable but the size"
	}
	if j.Mode == Verify {
		return j.judgeMissing(src, dst, f, out)
	}
	switch {
	case dst != nil && j.Rules.NeverReplace:
		out.state = isKept
		return rest, out
	case archivedNow(src) && !j.Rules.Restore:
		out.state = isArchived
		return rest, out
	case j.Mode == Scan && j.foreign(src):
		out.state, out.reason, out.why = isUnreadable, "another account owns it, which the bucket's policy does not speak for", foreignOwner
		return rest, out
	case j.Mode == Scan:
		out.state = isNew
		if dst != nil {
			out.state = isChanged
		}
		out.thawed = archivedNow(src) && src.Restoring
		if !final && src.StorageClass == tiered && j.passedOver(src) {
			return ask, out
		}
		return rest, out
	case archivedNow(src):
		return thaw, out
	}
	return transfer, out
}

// remembered adds to a finding what earlier runs know of the two objects.
func (j *Job) remembered(src, dst *Object, f finding, final bool) finding {
	switch {
	case j.marked[src.Key]:
		return finding{differ: unlike}
	case final && !f.decided() && j.Mode != Verify && j.madeEarlier(src, dst):
		f.proof = bySize
	}
	return f
}

// foreign tells whether another account owns the object.
func (j *Job) foreign(src *Object) bool {
	return len(j.Owners) > 0 && src.Owner != "" && !slices.Contains(j.Owners, src.Owner)
}

// passedOver tells whether a finished run of the very same job has met the object as it is. If it is not at the destination
// all the same, it was in an archive, and may be still: that is worth a HEAD, where a copy would cost a login.
func (j *Job) passedOver(src *Object) bool {
	return slices.ContainsFunc(j.Earlier, func(w Window) bool { return !w.Begun.IsZero() && src.Modified.Before(w.Begun) })
}

// madeEarlier tells whether a finished run of the very same job made dst from src.
func (j *Job) madeEarlier(src, dst *Object) bool {
	return slices.ContainsFunc(j.Earlier, func(w Window) bool { return w.Covers(src, dst) })
}

// judgeMissing decides about an object that a verification does not find equal.
func (j *Job) judgeMissing(src, dst *Object, f finding, out outcome) (action, outcome) {
	switch {
	case dst == nil && archivedNow(src) && !j.Rules.Restore:
		out.state = isArchived
		return rest, out
	case dst == nil:
		return rest, failed(src.Size, phaseVerify, "missing at the destination")
	case j.Rules.NeverReplace:
		out.state = isKept
		return rest, out
	case f.differ == "":
		return prove, out
	}
	return rest, failed(src.Size, phaseVerify, "differs: "+string(f.differ))
}

// rule is how listings are compared: a verification goes by its level.
func (j *Job) rule() string {
	switch {
	case j.Mode != Verify:
		return j.Rules.Compare
	case j.Rules.Level == levelSize:
		return compareSize
	default:
		return compareAuto
	}
}

// place gives the key's place at the destination.
func (j *Job) place(key string) string { return j.ToPrefix + key[len(j.Prefix):] }

// placeable tells why a key cannot have a place at the destination.
func (j *Job) placeable(key string) error {
	switch n := len(j.ToPrefix) + len(key) - len(j.Prefix); {
	case n == 0:
		return errors.New("the new prefix leaves no name")
	case n > maxKey && j.Prefix != j.ToPrefix:
		return fmt.Errorf("the new prefix makes the key %d bytes long, and S3 takes %d", n, maxKey)
	}
	return nil
}
