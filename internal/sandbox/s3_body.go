package sandbox

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
)

// An s3Body is the content of an object or of a part: slices that are shared
// by every copy, and runs of zeros that nobody stores. It is never changed.
type s3Body struct {
	segments []bodySegment
	size     int64
}

// A bodySegment is data, or as many zeros as it says.
type bodySegment struct {
	data  []byte
	zeros int64
}

func (g bodySegment) len() int64 { return int64(len(g.data)) + g.zeros }

// bodyOf takes the bytes over; the caller no longer writes to them.
func bodyOf(data []byte) s3Body {
	if len(data) == 0 {
		return s3Body{}
	}
	return s3Body{segments: []bodySegment{{data: data}}, size: int64(len(data))}
}

// zeroBody is a body of n zeros.
func zeroBody(n int64) s3Body {
	if n <= 0 {
		return s3Body{}
	}
	return s3Body{segments: []bodySegment{{zeros: n}}, size: n}
}

// slice returns n bytes from off on, without copying any.
func (b s3Body) slice(off, n int64) s3Body {
	var out s3Body
	for _, g := range b.segments {
		if n <= 0 {
			break
		}
		if off >= g.len() {
			off -= g.len()
			continue
		}
		take := min(n, g.len()-off)
		if g.zeros > 0 {
			out = out.append(zeroBody(take))
		} else {
			out = out.append(bodyOf(g.data[off : off+take]))
		}
		off, n = 0, n-take
	}
	return out
}

// append joins two bodies without copying bytes. Runs of zeros that meet
// become one, so that equal bodies of zeros look equal however they were made.
func (b s3Body) append(c s3Body) s3Body {
	out := s3Body{segments: append([]bodySegment(nil), b.segments...), size: b.size + c.size}
	for _, g := range c.segments {
		if last := len(out.segments) - 1; g.zeros > 0 && last >= 0 && out.segments[last].zeros > 0 {
			out.segments[last].zeros += g.zeros
			continue
		}
		out.segments = append(out.segments, g)
	}
	return out
}

// WriteTo writes the bytes, zeros included.
func (b s3Body) WriteTo(w io.Writer) (int64, error) {
	var (
		done  int64
		blank []byte
	)
	for _, g := range b.segments {
		n, err := w.Write(g.data)
		done += int64(n)
		if err != nil {
			return done, fmt.Errorf("write body: %w", err)
		}
		for left := g.zeros; left > 0; {
			if blank == nil {
				blank = make([]byte, min(left, 64<<10))
			}
			n, err = w.Write(blank[:min(left, int64(len(blank)))])
			done, left = done+int64(n), left-int64(n)
			if err != nil {
				return done, fmt.Errorf("write body: %w", err)
			}
		}
	}
	return done, nil
}

// md5 returns the digest that ETags are made of. A run of zeros of more than
// hashedZeros counts by its length: terabytes must not be hashed, and equal
// bodies still have equal ETags.
func (b s3Body) md5() [md5.Size]byte {
	if len(b.segments) == 1 && b.segments[0].zeros == 0 {
		return md5.Sum(b.segments[0].data)
	}
	var sum [md5.Size]byte
	h := md5.New()
	b.hashInto(h)
	h.Sum(sum[:0])
	return sum
}

const hashedZeros = 8 << 20

func (b s3Body) hashInto(h hash.Hash) {
	for _, g := range b.segments {
		h.Write(g.data)
		if g.zeros > hashedZeros {
			fmt.Fprintf(h, "zeros:%d;", g.zeros)
			continue
		}
		h.Write(make([]byte, g.zeros))
	}
}

// hexDigest writes a digest as ETags do.
func hexDigest(sum [md5.Size]byte) string { return hex.EncodeToString(sum[:]) }
