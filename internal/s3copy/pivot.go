package s3copy

import (
	"math"
	"slices"
	"strings"
	"unicode"
)

// A guess is where a strand may be split, and how many keys are probably left of it.
// It is right about nothing: a bad one costs a request.
type guess struct {
	fresh bool
	pivot string // "" means nowhere
	left  float64
}

// An outlook is what a guess is made from.
type outlook struct {
	trail *trail
	hi    string  // where the side ends; "" means nobody knows
	ahead float64 // keys that will be listed before the split takes place
	far   float64 // keys that may be taken for granted where nobody knows the end
	least float64 // keys that must be left for a split
	empty bool    // the last probe found nothing
	end   string  // where all ends that begins like the latest keys
}

// deep bounds how far outwards of what is seen to change a key is read as a number.
const deep = 1e9

// guess extrapolates: it reads keys as numbers whose digits are the runes that were seen
// to stand in a place, takes the keys' density from the latest pages, and goes on from
// the last key by as many keys as are to be left. Where nobody knows how many these are,
// it goes by the jump that led to the strand, and farther.
func (o outlook) guess() guess {
	t := o.trail
	if t.done || t.last == "" {
		return guess{}
	}
	if o.empty {
		o.end = newScale(t.samples, t.since().key, o.hi).close(o.hi)
	}
	g, jump := o.from(t.since())
	if jump && t.origin != (mark{}) {
		g, _ = o.from(t.origin)
	}
	return g
}

// from extrapolates the stretch since a mark. jump tells that the end is out of sight.
func (o outlook) from(since mark) (g guess, jump bool) {
	t := o.trail
	scale := newScale(t.samples, since.key, o.hi)
	last := scale.value(t.last)
	step := (last - scale.value(since.key)) / float64(t.keys-since.keys)
	if step <= 0 || math.IsInf(step, 0) || math.IsNaN(step) {
		return g, false
	}
	end, known := 1.0, false
	if strings.HasPrefix(o.hi, scale.common) && o.hi != "" {
		end, known = scale.value(o.hi), true
	}
	left := (end-last)/step - o.ahead
	if left > 2*o.far || !known && (scale.from > 0 || left < o.least) {
		left, jump = 2*o.far, true
	}
	if left < o.least {
		return g, jump
	}
	pivot := scale.key(last+(o.ahead+left/2)*step, step*o.least/16)
	if o.empty && o.end != "" {
		pivot = o.end
	}
	if pivot > t.last && (o.hi == "" || pivot < o.hi) && legalStart(pivot) == pivot && len(pivot) <= maxKey {
		g.pivot, g.left = pivot, left
	}
	return g, jump
}

// lastRune is the greatest one that a StartAfter may hold.
const lastRune = '\U0010fffd'

// A scale reads keys that begin alike as numbers between 0 and 1.
type scale struct {
	common string // what the keys begin with
	from   int    // its length in runes
	word   int    // where the word begins that was seen to change
	model  []rune // the last sample
	digits [][]rune
	seen   [][]rune // by place, the runes that stand there in the samples
}

// newScale makes the scale for keys like the samples, from since on and up to hi.
func newScale(samples []string, since, hi string) *scale {
	s := &scale{model: []rune(samples[len(samples)-1])}
	s.look(samples)
	varies := common(s.model, []rune(since))
	outer := 0
	if hi != "" {
		outer = min(varies, common(s.model, []rune(hi)))
	}
	s.digits = make([][]rune, len(s.model))
	s.from = min(varies, len(s.model))
	for room := 1.0; s.from > outer && room < deep; {
		s.from--
		room *= float64(len(s.digit(s.from)))
	}
	s.common = string(s.model[:s.from])
	s.word, _ = s.around(min(varies, len(s.model)-1))
	return s
}

// look notes which runes stand at each place.
func (s *scale) look(samples []string) {
	s.seen = make([][]rune, len(s.model))
	for _, key := range samples {
		for i, r := range []rune(key) {
			if i < len(s.seen) && legalRune(string(r), r) && !slices.Contains(s.seen[i], r) {
				s.seen[i] = append(s.seen[i], r)
			}
		}
	}
}

// common counts the runes that two keys begin with alike.
func common(a, b []rune) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// digit gives the runes that may stand at a place, in order: those seen there, and those
// seen elsewhere in the same word where these are of the same kind, or of mixed ones.
func (s *scale) digit(i int) []rune {
	if s.digits[i] != nil {
		return s.digits[i]
	}
	set := slices.Clone(s.seen[i])
	if len(set) == 0 {
		set = append(set, s.model[i])
	}
	if own := kinds(set); own&inWord != 0 {
		lo, hi := s.around(i)
		for j := lo; j < hi; j++ {
			if k := kinds(s.seen[j]); k == own || k&(k-1) != 0 {
				set = append(set, s.seen[j]...)
			}
		}
		set = fill(set)
	}
	slices.Sort(set)
	s.digits[i] = slices.Compact(set)
	return s.digits[i]
}

// around gives the bounds of the model's word around a place.
func (s *scale) around(i int) (lo, hi int) {
	lo, hi = i, i
	for lo > 0 && kind(s.model[lo-1])&inWord != 0 {
		lo--
	}
	for hi < len(s.model) && kind(s.model[hi])&inWord != 0 {
		hi++
	}
	return lo, max(hi, i+1)
}

// The kinds of runes.
const (
	isDigit = 1 << iota
	isLower
	isUpper
	isForeign
	isMark

	inWord = isDigit | isLower | isUpper | isForeign
)

func kind(r rune) int {
	switch {
	case r >= '0' && r <= '9':
		return isDigit
	case r >= 'a' && r <= 'z':
		return isLower
	case r >= 'A' && r <= 'Z':
		return isUpper
	case r > unicode.MaxASCII:
		return isForeign
	default:
		return isMark
	}
}

func kinds(set []rune) (k int) {
	for _, r := range set {
		k |= kind(r)
	}
	return k
}

// fill completes the kinds of runes that a set has some of: letters up to f are taken
// for hexadecimal digits until others are seen.
func fill(set []rune) []rune {
	for _, c := range [][3]rune{{'0', '9', '9'}, {'A', 'F', 'Z'}, {'a', 'f', 'z'}} {
		top := rune(-1)
		for _, r := range set {
			if r >= c[0] && r <= c[2] {
				top = max(top, r)
			}
		}
		if top > c[1] {
			c[1] = c[2]
		}
		for r := c[0]; top >= 0 && r <= c[1]; r++ {
			set = append(set, r)
		}
	}
	return set
}

// value reads a key that begins like the others as a number.
func (s *scale) value(key string) float64 {
	v, weight := 0.0, 1.0
	for i, r := range []rune(key) {
		if i >= len(s.model) || weight < 1e-18 {
			break
		}
		if i < s.from {
			continue
		}
		digit := s.digit(i)
		weight /= float64(len(digit))
		at, found := slices.BinarySearch(digit, r)
		v += float64(at) * weight
		if !found {
			break
		}
	}
	return v
}

// key gives a key that reads as about v, with no more runes than the precision asks for.
// Where that would change more than the word that was seen to change, it gives the place
// behind all such words instead: there either another kind of runes begins, or all that
// begins alike ends.
func (s *scale) key(v, precision float64) string {
	if v >= 1 {
		return s.leap()
	}
	key, weight := []rune(s.common), 1.0
	for i := s.from; i < len(s.model) && weight > precision; i++ {
		digit := s.digit(i)
		n := float64(len(digit))
		weight /= n
		at := min(math.Floor(v*n), n-1)
		v = v*n - at
		key = append(key, digit[int(at)])
	}
	if i := common(s.model, key); i < s.word {
		if lo, hi := s.around(i); !s.counts(lo, hi) {
			return s.leap()
		}
	}
	return string(key)
}

// close gives the place behind all that begins with the outermost word in which the
// keys could still change, if that is not the one that does, and no number. A probe
// there tells whether the other words are worth looking for.
func (s *scale) close(hi string) string {
	i := common(s.model, []rune(hi))
	if hi == "" || i >= s.word {
		return ""
	}
	lo, end := s.around(i)
	if end >= len(s.model) || s.counts(lo, end) {
		return ""
	}
	return string(s.model[:end]) + string(s.model[end]+1)
}

// counts tells whether a word looks like a number.
func (s *scale) counts(lo, hi int) bool {
	for i := lo; i < hi; i++ {
		if kinds(s.seen[i])&isDigit != 0 {
			return true
		}
	}
	return false
}

// leap gives the next place where another kind of runes begins.
func (s *scale) leap() string {
	top := s.digit(s.word)
	for _, r := range []rune{':', 'G', '[', 'g', '{', '\u00a0', '\u0400', '\u3000', '\uac00', '\uf000', '\U00010000'} {
		if r > top[len(top)-1] {
			return string(s.model[:s.word]) + string(r)
		}
	}
	return string(s.model[:s.word]) + string(lastRune)
}
