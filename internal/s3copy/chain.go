package s3copy

import (
	"errors"
	"fmt"
)

// A Chain is all that a bucket holds of one key: object versions and delete markers, the
// newest first, as S3 lists them.
type Chain struct{ Versions []Version }

// A Version is one of a key's versions. A delete marker has no bytes and no ETag.
type Version struct {
	Object
	ID     string
	Marker bool
}

// length is how many versions there are; nil has none.
func (c *Chain) length() int {
	if c == nil {
		return 0
	}
	return len(c.Versions)
}

// newest gives the n newest, or all there are.
func (c *Chain) newest(n int) []Version { return c.Versions[:min(n, len(c.Versions))] }

// entries is how many versions and delete markers a key has; 0 where its listing is of current versions.
func (o *Object) entries() int {
	if o == nil {
		return 0
	}
	return o.Chain.length()
}

// is tells whether two listings mean one and the same version.
func (v *Version) is(o *Version) bool {
	return v.ID == o.ID && v.Marker == o.Marker && v.ETag == o.ETag && v.Size == o.Size && v.Modified.Equal(o.Modified)
}

// from gives the i-th version, the oldest first.
func (c *Chain) from(i int) *Version { return &c.Versions[len(c.Versions)-1-i] }

// newer counts what there is in front of the k oldest.
func (c *Chain) newer(k int) History { return historyOf(c.Versions[:len(c.Versions)-k]) }

// Bytes sums the sizes of the versions up.
func (c *Chain) Bytes() Bytes { return c.newer(0).Versions.Bytes }

func historyOf(versions []Version) History {
	var h History
	for i := range versions {
		if v := &versions[i]; v.Marker {
			h.Markers.Add(0)
		} else {
			h.Versions.Add(v.Size)
		}
	}
	return h
}

// errUndecided says that two versions are neither proven to be equal nor to differ.
var errUndecided = errors.New("nothing comparable but the size")

// A same compares two versions of which neither is a delete marker. noProof means that they differ.
type same func(src, dst *Version) (proof, error)

// alignment is what a destination's chain has of a source's.
type alignment struct {
	held int     // so many of the source's oldest versions stand at the end of the destination's chain, in order
	by   []proof // of each, the oldest first
}

// weakest gives the proof that holds for all of them. No bytes are proven.
func weakest(proofs []proof) proof {
	least := byBytes
	for _, p := range proofs {
		least = min(least, p)
	}
	return least
}

// align finds the most of the source's oldest versions that the destination's newest ones equal: what is below these,
// and what the destination has lost of its oldest, is nobody's business here. A finished copy holds all of them.
// What is copied next belongs behind them, so that a copy that was broken off goes on where it stood, a source
// that lost its oldest versions needs nothing, and a history that is another's lies beneath.
func align(src, dst *Chain, eq same) (alignment, error) {
	for k := min(src.length(), dst.length()); k > 0; k-- {
		by, err := tail(src, dst, k, eq)
		if err != nil || by != nil {
			return alignment{held: k, by: by}, err
		}
	}
	return alignment{}, nil
}

// tail compares the source's k oldest versions with the destination's k newest; nil: they differ.
func tail(src, dst *Chain, k int, eq same) ([]proof, error) {
	beneath := dst.length() - k
	by := make([]proof, k)
	var open error
	for i := k - 1; i >= 0; i-- {
		s, d := src.from(i), dst.from(beneath+i)
		switch {
		case s.Marker != d.Marker:
			return nil, nil
		case s.Marker:
			by[i] = byBytes
			continue
		}
		p, err := eq(s, d)
		switch {
		case errors.Is(err, errUndecided): // perhaps another one differs
			open = err
		case err != nil:
			return nil, err
		case p == noProof:
			return nil, nil
		}
		by[i] = p
	}
	return by, open
}

// sameListed compares what two listings tell.
func (j *Job) sameListed(src, dst *Version) (proof, error) {
	f := compareListed(&src.Object, &dst.Object, j.rule())
	if !f.decided() {
		return noProof, errUndecided
	}
	return f.proof, nil
}

// versionsStand ends the reason of a key that has fewer versions at the destination.
const versionsStand = " versions stand at the destination"

// judgeChain decides about a key with all its versions, as judge does about one object. Pure; dst is nil where the
// destination has nothing of the key.
func (j *Job) judgeChain(src, dst *Object, a alignment) (action, outcome) {
	n := src.Chain.length()
	out := outcome{size: src.Size, proof: weakest(a.by), history: src.Chain.newer(0), grown: src.Chain.newer(a.held)}
	if a.held == n {
		out.state = isSame
		if j.Mode == Scan || out.proof.enough(j.Rules.Level) {
			return rest, out
		}
		return prove, out
	}
	out.proof = noProof
	if dst != nil {
		out.reason = fmt.Sprintf("%d of %d%s", a.held, n, versionsStand)
	}
	frozen := frozenVersion(src.Chain, a.held)
	switch {
	case frozen != nil && !j.Rules.Restore && (j.Mode != Verify || dst == nil):
		out.state, out.reason = isArchived, frozen.StorageClass+", version "+frozen.ID
	case dst != nil && j.Rules.NeverReplace && a.held == 0:
		out.state = isKept
	case j.Mode == Verify && dst == nil:
		return rest, failed(src.Size, phaseVerify, "missing at the destination")
	case j.Mode == Verify:
		return rest, failed(src.Size, phaseVerify, "differs: "+out.reason+", in order and as the newest")
	case j.Mode == Scan && j.foreignVersion(src.Chain, a.held):
		out.state, out.reason, out.why = isUnreadable, "another account owns a version of it, which the bucket's policy does not speak for", foreignOwner
	case j.Mode == Scan:
		out.state = isNew
		if dst != nil {
			out.state = isChanged
		}
		out.history.Plus(out.grown.made())
	case frozen != nil:
		return thaw, out
	default:
		return transfer, out
	}
	return rest, out
}

// frozenVersion gives the oldest version that is to be copied and cannot be read, as far as its listing tells. nil: none.
// What is newer must not be copied before it.
func frozenVersion(c *Chain, held int) *Version {
	for i := held; i < c.length(); i++ {
		if v := c.from(i); !v.Marker && archivedNow(&v.Object) {
			return v
		}
	}
	return nil
}

func (j *Job) foreignVersion(c *Chain, held int) bool {
	for i := held; i < c.length(); i++ {
		if v := c.from(i); !v.Marker && j.foreign(&v.Object) {
			return true
		}
	}
	return false
}
