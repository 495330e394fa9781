package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// A record is its version in one byte, then its fields in order: byte strings
// behind their length, numbers as varints, times as a presence and nanoseconds
// since 1970, lists behind their length; then the sum of all that. Version 1 had no sum.

type encoder struct{ b []byte }

func newRecord() *encoder { return &encoder{b: []byte{recordV2}} }

// sealed ends the record with its sum.
func (e *encoder) sealed() []byte {
	return binary.LittleEndian.AppendUint32(e.b, sum(e.b))
}

// sumSize is the length of a record's sum: CRC-32C, which finds every flipped bit and every torn run of 32.
const sumSize = 4

func sum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func (e *encoder) bytes(v []byte) {
	e.b = binary.AppendUvarint(e.b, uint64(len(v)))
	e.b = append(e.b, v...)
}

func (e *encoder) string(v string) {
	e.b = binary.AppendUvarint(e.b, uint64(len(v)))
	e.b = append(e.b, v...)
}

func (e *encoder) int(v int64) { e.b = binary.AppendVarint(e.b, v) }

func (e *encoder) bool(v bool) {
	if v {
		e.b = append(e.b, 1)
	} else {
		e.b = append(e.b, 0)
	}
}

// time keeps the instant, not the zone. The zero time stays the zero time.
func (e *encoder) time(v time.Time) {
	e.bool(!v.IsZero())
	if !v.IsZero() {
		e.int(v.UnixNano())
	}
}

func (e *encoder) strings(v []string) {
	e.b = binary.AppendUvarint(e.b, uint64(len(v)))
	for _, s := range v {
		e.string(s)
	}
}

// A decoder reads the fields of one record. After the first error it returns zero values.
type decoder struct {
	kind string
	b    []byte
	err  error
}

// openRecord reads the version. It copies the record: bbolt owns what it hands out.
func openRecord(kind string, record []byte) *decoder { return openRecordUpTo(recordV2, kind, record) }

func openRecordUpTo(newest byte, kind string, record []byte) *decoder {
	d := &decoder{kind: kind, b: append([]byte(nil), record...)}
	switch {
	case len(d.b) == 0:
		d.fail("it is empty")
	case d.b[0] == 0:
		d.fail("it has version 0")
	case d.b[0] > newest:
		d.err = &VersionError{What: kind + " record", Got: d.b[0], Newest: newest}
	case d.b[0] == recordV1:
		d.b = d.b[1:]
	case len(d.b) <= sumSize:
		d.fail("it is cut short")
	default:
		end := len(d.b) - sumSize
		if sum(d.b[:end]) != binary.LittleEndian.Uint32(d.b[end:]) {
			d.fail("its sum is another")
		}
		d.b = d.b[1:end]
	}
	return d
}

func (d *decoder) fail(why string) {
	if d.err == nil {
		d.err = &DamagedError{What: d.kind + " record", Err: errors.New(why)}
	}
}

// end says whether the record was read without error, and to its end.
func (d *decoder) end() error {
	if d.err == nil && len(d.b) > 0 {
		d.fail(fmt.Sprintf("%d bytes follow its end", len(d.b)))
	}
	return d.err
}

func (d *decoder) length() int {
	n, size := binary.Uvarint(d.b)
	if d.err != nil || size <= 0 || n > uint64(len(d.b)-size) {
		d.fail("a length runs past its end")
		return 0
	}
	d.b = d.b[size:]
	return int(n)
}

func (d *decoder) string() string {
	n := d.length()
	if d.err != nil {
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

// bytes returns nil for none.
func (d *decoder) bytes() []byte {
	if s := d.string(); s != "" {
		return []byte(s)
	}
	return nil
}

func (d *decoder) int() int64 {
	n, size := binary.Varint(d.b)
	if d.err != nil || size <= 0 {
		d.fail("a number is cut off or too large")
		return 0
	}
	d.b = d.b[size:]
	return n
}

func (d *decoder) bool() bool {
	if d.err != nil || len(d.b) == 0 || d.b[0] > 1 {
		d.fail("a truth value is neither")
		return false
	}
	v := d.b[0] == 1
	d.b = d.b[1:]
	return v
}

func (d *decoder) time() time.Time {
	if !d.bool() {
		return time.Time{}
	}
	n := d.int()
	if d.err != nil {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// strings returns nil for none. Every entry takes a byte, so a length beyond the record is refused.
func (d *decoder) strings() []string {
	n := d.length()
	if d.err != nil || n == 0 {
		return nil
	}
	v := make([]string, 0, n)
	for range n {
		v = append(v, d.string())
	}
	return v
}
