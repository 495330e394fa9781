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
}

// deep bounds how far outwards of what is seen to change a key is read as a number.
const deep = 1e9

// guess extrapolates: it reads keys as numbers whose digits are the runes that were seen
// to stand in a place, takes the keys' density from the latest pages, and goes on from
// the last key by as many keys as are to be left.
func (o outlook) guess() guess {
	g := guess{fresh: true}
	t := o.trail
	since := t.since()
	if t.done || since.keys == 0 || t.keys <= since.keys {
		return g
	}
	scale := newScale(t.samples, since.key, o.hi)
	last := scale.value(t.last)
	step := (last - scale.value(since.key)) / float64(t.keys-since.keys)
	if step <= 0 {
		return g
	}
	end, known := 1.0, false
	if strings.HasPrefix(o.hi, scale.common) && o.hi != "" {
		end, known = scale.value(o.hi), true
	}
	left := (end-last)/step - o.ahead
	if !known && (scale.from > 0 || left > 2*o.far || left < o.least) {
		left = 2 * o.far
	}
	if left < o.least {
		return g
	}
	at := last + (o.ahead+left/2)*step
	switch {
	case at < 1:
		g.pivot = scale.key(at, step*o.least/16)
	case scale.from > 0:
		g.pivot = scale.common + string(lastRune)
	default:
		g.pivot = scale.leap()
	}
	if g.pivot <= t.last || o.hi != "" && g.pivot >= o.hi || legalStart(g.pivot) != g.pivot || len(g.pivot) > maxKey {
		g.pivot = ""
		return g
	}
	g.left = left
	return g
}

// lastRune is the greatest one that a StartAfter may hold.
const lastRune = '\U0010fffd'

// A scale reads keys that begin alike as numbers between 0 and 1.
type scale struct {
	common string // what the keys begin with
	from   int    // its length in runes
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
		lo, hi := s.word(i)
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

// word gives the bounds of the model's word around a place.
func (s *scale) word(i int) (lo, hi int) {
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

// fill completes the kinds of runes that a set has some of.
func fill(set []rune) []rune {
	k, lower, upper := kinds(set), 'z', 'Z'
	if top := slices.Max(set); k == isDigit|isLower && top <= 'f' {
		lower = 'f'
	} else if k == isDigit|isUpper && top <= 'F' {
		upper = 'F'
	}
	for _, c := range []struct {
		kind     int
		from, to rune
	}{{isDigit, '0', '9'}, {isLower, 'a', lower}, {isUpper, 'A', upper}} {
		for r := c.from; k&c.kind != 0 && r <= c.to; r++ {
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
func (s *scale) key(v, precision float64) string {
	key, weight := []rune(s.common), 1.0
	for i := s.from; i < len(s.model) && weight > precision; i++ {
		digit := s.digit(i)
		n := float64(len(digit))
		weight /= n
		at := min(math.Floor(v*n), n-1)
		v = v*n - at
		key = append(key, digit[int(at)])
	}
	return string(key)
}

// leap gives the next place where another kind of runes begins.
func (s *scale) leap() string {
	top := s.digit(0)
	for _, r := range []rune{':', '[', '{', '\u00a0', '\u0400', '\u3000', '\uac00', '\uf000', '\U00010000'} {
		if r > top[len(top)-1] {
			return string(r)
		}
	}
	return string(lastRune)
}
