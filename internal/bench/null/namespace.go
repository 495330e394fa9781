package null

import (
	"sort"
	"strconv"
)

// A Namespace is keys that are computed, not stored: key i is the i-th in byte order.
// Safe for concurrent use.
type Namespace struct {
	n        int
	appendTo func(b []byte, i int) []byte // must ascend with i
	sizes    Sizes
}

// Sizes are the sizes of a namespace's objects. The zero value makes all of them empty.
type Sizes struct {
	Small, Large int64
	LargeEvery   int // each so-many-th object is large; 0 means none
}

// Len is the number of keys.
func (s Namespace) Len() int { return s.n }

// Append appends key i to b, 0 <= i < Len.
func (s Namespace) Append(b []byte, i int) []byte { return s.appendTo(b, i) }

// Key is key i.
func (s Namespace) Key(i int) string { return string(s.appendTo(nil, i)) }

// Search is the least i whose key is not less than the given one; Len where there is none.
func (s Namespace) Search(key []byte) int {
	var buf [maxKey]byte
	return sort.Search(s.n, func(i int) bool { return string(s.appendTo(buf[:0], i)) >= string(key) })
}

// Find is the index of a key, or -1.
func (s Namespace) Find(key []byte) int {
	var buf [maxKey]byte
	i := s.Search(key)
	if i < s.n && string(s.appendTo(buf[:0], i)) == string(key) {
		return i
	}
	return -1
}

// Size is the size of object i.
func (s Namespace) Size(i int) int64 {
	if s.sizes.LargeEvery > 0 && i%s.sizes.LargeEvery == s.sizes.LargeEvery/2 {
		return s.sizes.Large
	}
	return s.sizes.Small
}

// maxKey is the longest key that S3 takes.
const maxKey = 1024

// mix is a good hash of a number.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// appendHex appends the lowest digits of x.
func appendHex(b []byte, x uint64, digits int) []byte {
	const hex = "0123456789abcdef"
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		b = append(b, hex[x>>shift&15])
	}
	return b
}

// appendETag appends the ETag of object i, without quotes.
func appendETag(b []byte, i int) []byte {
	return appendHex(appendHex(b, mix(uint64(i)), 16), mix(^uint64(i)), 16)
}

// appendSum appends the CRC64NVME of object i, as base64 shows it.
func appendSum(b []byte, i int) []byte {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	x := mix(uint64(i) ^ 0x5555)
	for range 10 {
		b = append(b, digits[x&63])
		x >>= 6
	}
	return append(b, 'A', '=')
}

// appendPadded appends a number with leading zeros.
func appendPadded(b []byte, x, width int) []byte {
	start := len(b)
	for range width {
		b = append(b, '0')
	}
	if x >= pow(10, width) {
		return strconv.AppendInt(b[:start], int64(x), 10)
	}
	for i := len(b) - 1; x > 0; i-- {
		b[i] = byte('0' + x%10)
		x /= 10
	}
	return b
}

func pow(base, exponent int) int {
	p := 1
	for range exponent {
		p *= base
	}
	return p
}
