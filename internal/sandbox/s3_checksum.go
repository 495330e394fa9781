package sandbox

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"strings"
)

// A checksumAlgorithm is one of S3's additional checksums, as S3 spells it.
// The empty one means none.
type checksumAlgorithm string

const (
	sumCRC32     checksumAlgorithm = "CRC32"
	sumCRC32C    checksumAlgorithm = "CRC32C"
	sumSHA1      checksumAlgorithm = "SHA1"
	sumSHA256    checksumAlgorithm = "SHA256"
	sumCRC64NVME checksumAlgorithm = "CRC64NVME"
)

// The two ways in which a multipart object has a checksum.
const (
	sumComposite  = "COMPOSITE"
	sumFullObject = "FULL_OBJECT"
)

// crc64NVME is the polynomial, reflected as package hash/crc64 wants it.
const crc64NVME = 0x9a6c9329ac4bc9b5

// checksumAlgorithms lists them in the order in which S3's pages do.
func checksumAlgorithms() []checksumAlgorithm {
	return []checksumAlgorithm{sumCRC32, sumCRC32C, sumCRC64NVME, sumSHA1, sumSHA256}
}

// parseChecksumAlgorithm reads the value of a header, and says whether S3 knows it.
func parseChecksumAlgorithm(s string) (checksumAlgorithm, bool) {
	for _, a := range checksumAlgorithms() {
		if strings.EqualFold(s, string(a)) {
			return a, true
		}
	}
	return "", s == ""
}

// header is the name of the header that carries a value of the algorithm, as
// Go keys it.
func (a checksumAlgorithm) header() string {
	switch a {
	case sumCRC32:
		return "X-Amz-Checksum-Crc32"
	case sumCRC32C:
		return "X-Amz-Checksum-Crc32c"
	case sumCRC64NVME:
		return "X-Amz-Checksum-Crc64nvme"
	case sumSHA1:
		return "X-Amz-Checksum-Sha1"
	default:
		return "X-Amz-Checksum-Sha256"
	}
}

// element is the name of the XML element that carries it.
func (a checksumAlgorithm) element() string { return "Checksum" + string(a) }

// linear says whether checksums of parts can be combined into the whole's.
func (a checksumAlgorithm) linear() bool {
	return a == sumCRC32 || a == sumCRC32C || a == sumCRC64NVME
}

// An objectSum is the one additional checksum that an object or a part has.
type objectSum struct {
	algorithm checksumAlgorithm
	value     string // base64, with "-N" behind it in a composite one
	kind      string // FULL_OBJECT or COMPOSITE; empty for a part
}

// A summer computes checksums. It holds the tables that are dear to make and
// is safe for concurrent use.
type summer struct {
	castagnoli *crc32.Table
	nvme       *crc64.Table
	blank      []byte // zeros
}

func newSummer() *summer {
	return &summer{castagnoli: crc32.MakeTable(crc32.Castagnoli), nvme: crc64.MakeTable(crc64NVME), blank: make([]byte, 64<<10)}
}

// digest returns the raw checksum of a body.
func (s *summer) digest(a checksumAlgorithm, b s3Body) []byte {
	switch a {
	case sumSHA1:
		return hashBody(sha1.New(), b)
	case sumSHA256:
		return hashBody(sha256.New(), b)
	default:
		return a.pack(s.crc(a, b))
	}
}

// value returns the checksum of a body as headers carry it.
func (s *summer) value(a checksumAlgorithm, b s3Body) string {
	return base64.StdEncoding.EncodeToString(s.digest(a, b))
}

func hashBody(h hash.Hash, b s3Body) []byte {
	b.hashInto(h)
	return h.Sum(nil)
}

// crc computes one of the cyclic checksums; zeros cost nothing.
func (s *summer) crc(a checksumAlgorithm, b s3Body) uint64 {
	var sum uint64
	for _, g := range b.segments {
		if len(g.data) > 0 {
			sum = s.update(a, sum, g.data)
		}
		if g.zeros > 0 {
			sum = a.combine(sum, s.zeros(a, g.zeros), g.zeros)
		}
	}
	return sum
}

func (s *summer) update(a checksumAlgorithm, sum uint64, p []byte) uint64 {
	switch a {
	case sumCRC32:
		return uint64(crc32.Update(uint32(sum), crc32.IEEETable, p))
	case sumCRC32C:
		return uint64(crc32.Update(uint32(sum), s.castagnoli, p))
	default:
		return crc64.Update(sum, s.nvme, p)
	}
}

// zeros returns the checksum of n zeros, by doubling where they are many.
func (s *summer) zeros(a checksumAlgorithm, n int64) uint64 {
	if n <= int64(len(s.blank)) {
		return s.update(a, 0, s.blank[:n])
	}
	var sum uint64
	run, length := s.update(a, 0, []byte{0}), int64(1)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			sum = a.combine(sum, run, length)
		}
		run = a.combine(run, run, length)
		length <<= 1
	}
	return sum
}

// pack writes a cyclic checksum in the byte order of S3.
func (a checksumAlgorithm) pack(sum uint64) []byte {
	if a == sumCRC64NVME {
		return binary.BigEndian.AppendUint64(nil, sum)
	}
	return binary.BigEndian.AppendUint32(nil, uint32(sum))
}

// unpack is pack's inverse.
func (a checksumAlgorithm) unpack(b []byte) (sum uint64, ok bool) {
	switch {
	case a == sumCRC64NVME && len(b) == 8:
		return binary.BigEndian.Uint64(b), true
	case a != sumCRC64NVME && len(b) == 4:
		return uint64(binary.BigEndian.Uint32(b)), true
	default:
		return 0, false
	}
}

// polynomial is the reflected polynomial of a cyclic checksum.
func (a checksumAlgorithm) polynomial() uint64 {
	switch a {
	case sumCRC32:
		return crc32.IEEE
	case sumCRC32C:
		return crc32.Castagnoli
	default:
		return crc64NVME
	}
}

// A gfMatrix is a linear map over bits, by columns.
type gfMatrix [64]uint64

func (m *gfMatrix) times(v uint64) uint64 {
	var sum uint64
	for i := 0; v != 0; i, v = i+1, v>>1 {
		if v&1 == 1 {
			sum ^= m[i]
		}
	}
	return sum
}

func (m *gfMatrix) square() *gfMatrix {
	var out gfMatrix
	for i := range m {
		out[i] = m.times(m[i])
	}
	return &out
}

// combine returns the checksum of two pieces in a row, the second n bytes
// long, from the checksums of each: zlib's crc32_combine for any width.
func (a checksumAlgorithm) combine(first, second uint64, n int64) uint64 {
	if n == 0 {
		return first
	}
	bits := 32
	if a == sumCRC64NVME {
		bits = 64
	}
	op := &gfMatrix{a.polynomial()} // one zero bit
	for i := 1; i < bits; i++ {
		op[i] = 1 << (i - 1)
	}
	for range 3 { // eight of them: one zero byte
		op = op.square()
	}
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			first = op.times(first)
		}
		op = op.square()
	}
	return first ^ second
}
