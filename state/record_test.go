package state

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A kind of record: encoded is what the bytes in testdata/NAME.v2.hex hold.
type kind struct {
	name    string
	encoded []byte
	value   any
	decode  func(b []byte) (any, error)
	encode  func(v any) []byte

	versions []string // whose bytes are kept; the last one is written
	newest   byte
}

func kindOf[T any](name string, value T, encode func(T) []byte, decode func([]byte) (T, error)) kind {
	return kind{
		name, encode(value), value,
		func(b []byte) (any, error) { return decode(b) },
		func(v any) []byte { return encode(v.(T)) },
		[]string{"v1", "v2"},
		recordV2,
	}
}

func kinds() []kind {
	var tally, ofVersions Tally
	for i, c := range ofVersions.counts() {
		*c = Count{Objects: int64(i) * 100, Bytes: -int64(i) << 33}
	}
	for i, c := range tally.counts()[:countsOfOne] {
		*c = *ofVersions.counts()[i]
	}
	plain := kindOf("tally", tally, encodeTally, decodeTally)
	versioned := kindOf("tally_versions", ofVersions, encodeTally, decodeTally)
	plain.newest, versioned.newest, versioned.versions = recordV3, recordV3, []string{"v3"}
	return []kind{
		plain, versioned,
		kindOf("run", Run{
			ID: "tommy-20231114T221320Z-abcd", PlanName: "tommy", PlanFile: "plans/tommy.yaml", PlanDigest: "sha256:9f2c",
			Approval: "sha256:41ab", Plan: []byte(`{"version":1}`), Version: "0.1.0", Started: at(0),
			Status: Interrupted, Resumed: 2, Updated: at(77), Exit: 130, Summary: []byte{0, 1, 2},
		}, encodeRun, decodeRun),
		kindOf("run_empty", Run{}, encodeRun, decodeRun),
		kindOf("step", StepRecord{
			ID: "copy/tommy→tommy-b", Kind: "copy", Outcome: "done", Message: "12 copied", Started: at(1), Ended: at(2), Detail: []byte("{}"),
		}, encodeStep, decodeStep),
		kindOf("owned", Owned{
			Kind: "credentials", Side: "destination", Subject: "AKIA0", Parent: "misterrodgers", Digest: "d",
			Intent: true, Before: []string{"AKIA1", ""}, Since: at(3),
		}, encodeOwned, decodeOwned),
		kindOf("range", Range{ID: 5, After: "a\x00", Through: "m\xff", Done: "b", Ended: true}, encodeRange,
			func(b []byte) (Range, error) { return decodeRange(5, b) }),
		kindOf("failure", Failure{Key: "k", Phase: "copy", Reason: "AccessDenied", Size: 1 << 40, At: at(4)}, encodeFailure,
			func(b []byte) (Failure, error) { return decodeFailure("k", b) }),
		kindOf("upload", Upload{Key: "k", ID: "upload id", ETag: "e-3", Size: 6 << 30, Part: 128 << 20, Started: at(5)}, encodeUpload,
			func(b []byte) (Upload, error) { return decodeUpload("k", b) }),
	}
}

// The bytes of a version never change: what was written by an old xplan is read by every later one.
func TestRecordsAreTheBytesInTestdata(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			for _, version := range k.versions {
				same(t, "decoded from "+version, decoded(t, k, version), k.value)
			}
			if want := golden(t, k, k.versions[len(k.versions)-1]); !bytes.Equal(k.encoded, want) {
				t.Errorf("encoded\n%x, want\n%x", k.encoded, want)
			}
		})
	}
}

func golden(t *testing.T, k kind, version string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", k.name+"."+version+".hex"))
	must(t, err)
	b, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	must(t, err)
	return b
}

func decoded(t *testing.T, k kind, version string) any {
	t.Helper()
	v, err := k.decode(golden(t, k, version))
	must(t, err)
	return v
}

func TestEveryFlippedBitOfARecordIsFound(t *testing.T) {
	for _, k := range kinds() {
		for bit := range 8 * len(k.encoded) {
			torn := bytes.Clone(k.encoded)
			torn[bit/8] ^= 1 << (bit % 8)
			if _, err := k.decode(torn); err == nil {
				t.Errorf("%s with bit %d flipped was read", k.name, bit)
			}
		}
	}
}

func TestEveryCutOfARecordIsRefused(t *testing.T) {
	for _, k := range kinds() {
		for n := range len(k.encoded) {
			_, err := k.decode(k.encoded[:n])
			if _, ok := errors.AsType[*DamagedError](err); !ok {
				t.Errorf("%s cut to %d of %d bytes: %v", k.name, n, len(k.encoded), err)
			}
		}
		_, err := k.decode(append(bytes.Clone(k.encoded), 0))
		if _, ok := errors.AsType[*DamagedError](err); !ok {
			t.Errorf("%s with a byte more: %v", k.name, err)
		}
		newer := bytes.Clone(k.encoded)
		newer[0] = k.newest + 1
		_, err = k.decode(newer)
		if v, ok := errors.AsType[*VersionError](err); !ok || v.Got != k.newest+1 {
			t.Errorf("%s of a newer version: %v", k.name, err)
		}
		newer[0] = 0
		if _, err := k.decode(newer); err == nil {
			t.Errorf("%s of version 0 was read", k.name)
		}
	}
}

func TestAnyOwnedComesBackAsItWas(t *testing.T) {
	bytesAsString := rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })
	rapid.Check(t, func(t *rapid.T) {
		o := Owned{
			Kind: bytesAsString.Draw(t, "kind"), Side: bytesAsString.Draw(t, "side"), Subject: bytesAsString.Draw(t, "subject"),
			Parent: bytesAsString.Draw(t, "parent"), Digest: bytesAsString.Draw(t, "digest"), Intent: rapid.Bool().Draw(t, "intent"),
			Since: time.Unix(0, rapid.Int64().Draw(t, "since")).UTC(),
		}
		if before := rapid.SliceOf(bytesAsString).Draw(t, "before"); len(before) > 0 {
			o.Before = before
		}
		got, err := decodeOwned(encodeOwned(o))
		if err != nil || !cmp.Equal(got, o) {
			t.Fatalf("%#v became %#v, %v", o, got, err)
		}
	})
}

// FuzzDecoders: no bytes make a decoder panic or take memory beyond a bound, and
// what a decoder accepts it also writes, with the same meaning.
func FuzzDecoders(f *testing.F) {
	for _, k := range kinds() {
		f.Add(k.encoded)
	}
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, k := range kinds() {
			v, err := k.decode(b)
			if err != nil {
				continue
			}
			again, err := k.decode(k.encode(v))
			if err != nil || !cmp.Equal(again, v) {
				t.Errorf("%s %x was read as %+v, then as %+v (%v)", k.name, b, v, again, err)
			}
		}
	})
}
