package s3copy

import (
	"strings"
	"testing"
)

const (
	md5A = "0123456789abcdef0123456789abcdef"
	md5B = "fedcba9876543210fedcba9876543210"
)

func TestListingsDecideOnlyWhatTheyProve(t *testing.T) {
	o := func(size Bytes, etag string) *Object { return &Object{Key: "k", Size: size, ETag: etag} }
	for _, c := range []struct {
		name     string
		src, dst *Object
		rule     string
		proof    proof
		differ   bool
	}{
		{"sizes differ", o(1, md5A), o(2, md5A), "auto", noProof, true},
		{"sizes differ, by size", o(1, md5A), o(2, md5A), "size", noProof, true},
		{"equal MD5s", o(1, md5A), o(1, md5A), "auto", byETag, false},
		{"equal multipart ETags", o(9, md5A+"-3"), o(9, md5A+"-3"), "auto", byETag, false},
		{"MD5s differ, and KMS may be the reason", o(1, md5A), o(1, md5B), "auto", noProof, false},
		{"plain and multipart", o(1, md5A), o(1, md5A+"-1"), "auto", noProof, false},
		{"no ETags", o(1, ""), o(1, ""), "auto", noProof, false},
		{"MD5s differ, by etag", o(1, md5A), o(1, md5B), "etag", noProof, true},
		{"MD5s differ, by size", o(1, md5A), o(1, md5B), "size", bySize, false},
		{"equal MD5s, by size", o(1, md5A), o(1, md5A), "size", byETag, false},
		{"equal MD5s, by checksum", o(1, md5A), o(1, md5A), "checksum", noProof, false},
		{"no bytes", o(0, md5A), o(0, md5B+"-1"), "auto", byBytes, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := compareListed(c.src, c.dst, c.rule)
			if f.proof != c.proof || (f.differ != "") != c.differ {
				t.Errorf("got %+v, want proof %d, differ %t", f, c.proof, c.differ)
			}
		})
	}
}

func TestHeadsDecideByChecksumsAndETags(t *testing.T) {
	d := func(etag, algo string, kind ChecksumType, sums ...string) *Details {
		out := &Details{Object: Object{Size: 5, ETag: etag, Checksum: kind}, Checksums: map[string]string{}}
		out.Encryption.Algorithm = algo
		for i := 0; i+1 < len(sums); i += 2 {
			out.Checksums[sums[i]] = sums[i+1]
		}
		return out
	}
	const kms = "aws:kms"
	for _, c := range []struct {
		name     string
		src, dst *Details
		proof    proof
		differ   bool
	}{
		{"MD5s differ", d(md5A, sseS3, ""), d(md5B, sseS3, ""), noProof, true},
		{"MD5s differ, which outweighs a CRC", d(md5A, sseS3, FullObject, "CRC32", "x"), d(md5B, sseS3, FullObject, "CRC32", "x"), noProof, true},
		{"MD5s differ, the encryption is not told", d(md5A, "", ""), d(md5B, "", ""), noProof, true},
		{"not told, but equal checksums", d(md5A, "", FullObject, "CRC32", "x"), d(md5B, "", FullObject, "CRC32", "x"), byChecksum, false},
		{"KMS there", d(md5A, sseS3, ""), d(md5B, kms, ""), noProof, false},
		{"KMS here", d(md5A, kms, ""), d(md5B, sseS3, ""), noProof, false},
		{"KMS, equal checksums", d(md5A, kms, FullObject, "CRC64NVME", "x"), d(md5B, kms, FullObject, "CRC64NVME", "x"), byChecksum, false},
		{"KMS, different checksums", d(md5A, kms, FullObject, "CRC64NVME", "x"), d(md5B, kms, FullObject, "CRC64NVME", "y"), noProof, true},
		{"KMS, other algorithms", d(md5A, kms, FullObject, "CRC64NVME", "x"), d(md5B, kms, FullObject, "SHA256", "x"), noProof, false},
		{"KMS, one of two algorithms", d(md5A, kms, FullObject, "SHA1", "q", "CRC32", "x"), d(md5B, kms, FullObject, "CRC32", "x"), byChecksum, false},
		{"equal composites", d(md5A+"-2", kms, Composite, "SHA256", "x-2"), d(md5B+"-2", kms, Composite, "SHA256", "x-2"), byChecksum, false},
		{"different composites", d(md5A+"-2", kms, Composite, "SHA256", "x-2"), d(md5B+"-3", kms, Composite, "SHA256", "y-3"), noProof, false},
		{"composite and full", d(md5A+"-2", kms, Composite, "CRC32", "x"), d(md5B, kms, FullObject, "CRC32", "x"), noProof, false},
		{"type not told, multipart", d(md5A+"-2", kms, "", "CRC32", "x"), d(md5B, kms, "", "CRC32", "y"), noProof, false},
		{"type not told, plain", d(md5A, kms, "", "CRC32", "x"), d(md5B, kms, "", "CRC32", "y"), noProof, true},
		{"multipart and plain", d(md5A+"-2", sseS3, ""), d(md5B, sseS3, ""), noProof, false},
		{"equal multipart ETags", d(md5A+"-2", sseS3, ""), d(md5A+"-2", sseS3, ""), byETag, false},
		{"ETags that are no MD5s", d("abc", sseS3, ""), d("def", sseS3, ""), noProof, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := compareDetails(c.src, c.dst)
			if f.proof != c.proof || (f.differ != "") != c.differ {
				t.Errorf("got %+v, want proof %d, differ %t", f, c.proof, c.differ)
			}
		})
	}
}

func TestVerdictsFollowTheRules(t *testing.T) {
	src := &Object{Key: "k", Size: 5, ETag: md5A}
	ice := &Object{Key: "k", Size: 5, ETag: md5A, StorageClass: "GLACIER"}
	thawed := &Object{Key: "k", Size: 5, ETag: md5A, StorageClass: "GLACIER", Restored: true}
	instant := &Object{Key: "k", Size: 5, ETag: md5A, StorageClass: "GLACIER_IR"}
	dst := &Object{Key: "k", Size: 5, ETag: md5B}
	same, weak, other := finding{proof: byETag}, finding{proof: bySize}, finding{differ: "size"}
	never, restore := Rules{NeverReplace: true, Level: "checksum"}, Rules{Restore: true, Level: "checksum"}
	plain, deep := Rules{Level: "checksum"}, Rules{Level: "bytes"}
	for _, c := range []struct {
		name     string
		mode     Mode
		rules    Rules
		src, dst *Object
		f        finding
		final    bool
		act      action
		state    state // where nothing is left to do
	}{
		{"new", Copy, plain, src, nil, finding{}, false, transfer, 0},
		{"new, scanned", Scan, plain, src, nil, finding{}, false, rest, isNew},
		{"new, verified", Verify, plain, src, nil, finding{}, false, rest, isFailed},
		{"new, never replaced", Copy, never, src, nil, finding{}, false, transfer, 0},
		{"same", Copy, plain, src, dst, same, false, rest, isSame},
		{"same, read again", Copy, deep, src, dst, same, false, prove, 0},
		{"same, read again only by copies", Scan, deep, src, dst, same, false, rest, isSame},
		{"same by size", Copy, plain, src, dst, weak, false, prove, 0},
		{"undecided", Copy, plain, src, dst, finding{}, false, examine, 0},
		{"undecided for good", Copy, plain, src, dst, finding{}, true, transfer, 0},
		{"undecided for good, scanned", Scan, plain, src, dst, finding{}, true, rest, isChanged},
		{"undecided for good, verified", Verify, plain, src, dst, finding{}, true, prove, 0},
		{"undecided for good, never replaced", Copy, never, src, dst, finding{}, true, rest, isKept},
		{"changed", Copy, plain, src, dst, other, false, transfer, 0},
		{"changed, scanned", Scan, plain, src, dst, other, false, rest, isChanged},
		{"changed, verified", Verify, plain, src, dst, other, false, rest, isFailed},
		{"changed, never replaced", Copy, never, src, dst, other, false, rest, isKept},
		{"changed, never replaced, verified", Verify, never, src, dst, other, false, rest, isKept},
		{"archived", Copy, plain, ice, nil, finding{}, false, rest, isArchived},
		{"archived, scanned", Scan, plain, ice, nil, finding{}, false, rest, isArchived},
		{"archived, verified", Verify, plain, ice, nil, finding{}, false, rest, isArchived},
		{"archived, but there already", Copy, plain, ice, dst, same, false, rest, isSame},
		{"archived and changed", Copy, plain, ice, dst, other, false, rest, isArchived},
		{"archived, to be restored", Copy, restore, ice, nil, finding{}, false, thaw, 0},
		{"archived, to be restored, scanned", Scan, restore, ice, nil, finding{}, false, rest, isNew},
		{"restored", Copy, plain, thawed, nil, finding{}, false, transfer, 0},
		{"instant retrieval", Copy, plain, instant, nil, finding{}, false, transfer, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := Job{Mode: c.mode, Rules: c.rules}
			act, out := j.judge(c.src, c.dst, c.f, c.final)
			if act != c.act || act == rest && out.state != c.state {
				t.Errorf("got action %d, state %d, want %d, %d", act, out.state, c.act, c.state)
			}
		})
	}
}

func TestPartsGrowSoThatTenThousandSuffice(t *testing.T) {
	for _, c := range []struct{ size, part, first Bytes }{
		{1, 128 << 20, 1},
		{300 << 20, 128 << 20, 128 << 20},
		{5 << 40, 128 << 20, 525 << 20},
		{48 << 40, 128 << 20, 5034 << 20},
	} {
		parts := evenParts(c.size, c.part)
		var sum Bytes
		for _, p := range parts {
			sum += p
		}
		want := min(c.first, 5<<30)
		if sum != c.size || len(parts) > partsMax || parts[0] != want {
			t.Errorf("%d bytes: %d parts of %d, sum %d, want parts of %d", c.size, len(parts), parts[0], sum, want)
		}
	}
}

func TestPartsGrowWithTheObjectOnceTheyKeepItMoving(t *testing.T) {
	l := Limits{}.withDefaults()
	for size, want := range map[Bytes]int{
		300 << 20: 3, 4 << 30: 32, 5 << 30: 20, 12 << 30: 32, 100 << 30: 32, 5 << 40: 1024,
	} {
		parts := evenParts(size, l.partSize(size))
		if len(parts) != want || parts[0] > partSizeMax {
			t.Errorf("%d bytes by %d parts of %d bytes, want %d parts", size, len(parts), parts[0], want)
		}
	}
}

func TestOnlyMultipartETagsHaveParts(t *testing.T) {
	for etag, want := range map[string]int{
		"": 0, md5A: 0, md5A + "-1": 1, md5A + "-10000": 10000, md5A + "-10001": 0, md5A + "-0": 0, md5A + "-x": 0, "abc-2": 0,
	} {
		if got := partsOf(etag); got != want {
			t.Errorf("%q: %d parts, want %d", etag, got, want)
		}
	}
}

func TestStartAfterIsCutBeforeWhatServersRefuse(t *testing.T) {
	for key, want := range map[string]string{
		"plain": "plain", "a\x01b": "a", "\n": "", "a\x7fb": "a", "ü\u0085x": "ü", "e\u0301": "e\u0301",
		"bad\xff": "bad", "ok\ufffd": "ok\ufffd", "x\ufffe": "x", "x\U0010ffffy": "x", "😀": "😀",
	} {
		if got := legalStart(key); got != want {
			t.Errorf("%q: got %q, want %q", key, got, want)
		}
	}
}

func TestBoundsTranslateWithThePrefix(t *testing.T) {
	for _, c := range []struct {
		bound, prefix, to, want string
		ok                      bool
	}{
		{"", "", "", "", true},
		{"a/k", "a/", "b/", "b/k", true},
		{"a/", "a/", "b/", "b/", true},
		{"A", "a/", "b/", "", true},
		{"b", "a/", "b/", "", false},
		{"k", "", "x/", "x/k", true},
		{"", "", "x/", "", true},
	} {
		got, ok := translate(c.bound, c.prefix, c.to)
		if got != c.want || ok != c.ok {
			t.Errorf("%+v: got %q, %t", c, got, ok)
		}
	}
}

func TestLongReasonsAreClipped(t *testing.T) {
	if got := clip(strings.Repeat("ü", 600)); len(got) > mostReason+len("…") {
		t.Errorf("%d bytes", len(got))
	}
}

func TestUnbalancedTallyIsAnError(t *testing.T) {
	good := Tally{}
	good.add(outcome{state: isCopied, size: 3, proof: byETag})
	good.add(outcome{state: isArchived, size: 2})
	good.add(outcome{state: isFailed, size: 1})
	if err := good.Check(Copy); err != nil {
		t.Error(err)
	}
	for i := range good.counts() {
		bad := good
		bad.counts()[i].Objects++
		free := map[int]bool{2: true, 3: true, 10: true, 11: true, 12: true} // no part of a copy's sums
		if err := bad.Check(Copy); (err == nil) != free[i] {
			t.Errorf("count %d: %v", i, err)
		}
	}
}
