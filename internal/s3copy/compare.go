package s3copy

import (
	"fmt"
	"strings"
)

// The rules of comparing, as plans name them.
const (
	compareAuto     = "auto"
	compareETag     = "etag"
	compareSize     = "size"
	compareChecksum = "checksum"
)

// The levels of verification, and what to do with objects that have no evidence.
const (
	levelSize     = "size"
	levelChecksum = "checksum"
	levelBytes    = "bytes"

	otherwiseAccept = "accept"
	otherwiseBytes  = "bytes"
	otherwiseFail   = "fail"
)

// proof is by what an object is known to equal its source, weakest first.
type proof uint8

const (
	noProof proof = iota
	bySize
	byETag
	byChecksum
	byBytes
)

// enough tells whether the proof satisfies a level of verification.
func (p proof) enough(level string) bool {
	switch level {
	case levelBytes:
		return p >= byBytes
	case levelChecksum:
		return p >= byETag
	default:
		return p >= bySize
	}
}

// finding is what comparing two objects says: equal by a proof, different for a
// reason, or neither (undecided).
type finding struct {
	proof  proof  // of equality
	differ Reason // "" unless the objects are proven, or ruled, to differ
}

func (f finding) decided() bool { return f.proof != noProof || f.differ != "" }

// compareListed compares what two listings tell. It cannot know of KMS or SSE-C,
// so that it leaves different ETags undecided unless the rule is to go by them.
func compareListed(src, dst *Object, rule string) finding {
	switch {
	case src.Size != dst.Size:
		return finding{differ: sizeReason(src.Size, dst.Size)}
	case src.Size == 0:
		return finding{proof: byBytes} // there are no bytes that could differ
	case rule == compareChecksum:
		return finding{}
	case src.ETag != "" && src.ETag == dst.ETag:
		return finding{proof: byETag}
	case rule == compareSize:
		return finding{proof: bySize}
	case rule == compareETag:
		return finding{differ: Reason(fmt.Sprintf("etag %s here, %s there", src.ETag, dst.ETag))}
	}
	return finding{}
}

func sizeReason(src, dst Bytes) Reason {
	return Reason(fmt.Sprintf("size %d here, %d there", src, dst))
}

// compareDetails compares what two HEADs with checksums tell.
func compareDetails(src, dst *Details) finding {
	if src.Size != dst.Size {
		return finding{differ: sizeReason(src.Size, dst.Size)}
	}
	if src.Size == 0 {
		return finding{proof: byBytes}
	}
	etags := compareETags(src, dst)
	if etags.differ != "" && src.Encryption.Algorithm == sseS3 && dst.Encryption.Algorithm == sseS3 {
		return etags // AWS says that both are MD5s: nothing outweighs that
	}
	if f := compareChecksums(src, dst); f.decided() {
		return f
	}
	return etags
}

const sseS3 = "AES256"

// compareETags takes different ETags as a proof only where both are MD5s.
func compareETags(src, dst *Details) finding {
	switch {
	case src.ETag != "" && src.ETag == dst.ETag:
		return finding{proof: byETag}
	case digestETag(src) && digestETag(dst):
		return finding{differ: "the MD5 differs"}
	}
	return finding{}
}

// digestETag tells whether the object's ETag is the MD5 of its bytes.
func digestETag(d *Details) bool {
	e := d.Encryption
	return isMD5(d.ETag) && !e.Customer && (e.Algorithm == "" || e.Algorithm == sseS3)
}

func isMD5(etag string) bool {
	if len(etag) != 32 {
		return false
	}
	for _, c := range []byte(etag) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// compareChecksums decides by an algorithm that both objects carry. A composite
// checksum covers the parts' checksums: equal ones are a proof, different ones are none.
func compareChecksums(src, dst *Details) finding {
	var f finding
	for algo, a := range src.Checksums {
		b, ok := dst.Checksums[algo]
		if !ok || a == "" || b == "" {
			continue
		}
		full := fullChecksum(src, a)
		switch {
		case full != fullChecksum(dst, b):
		case a == b:
			f.proof = byChecksum
		case full:
			return finding{differ: Reason("the " + algo + " checksum differs")}
		}
	}
	return f
}

// fullChecksum tells whether the value covers the whole object, by the server's
// word or, where that is missing, by the form of the value.
func fullChecksum(d *Details, value string) bool {
	switch d.Checksum {
	case FullObject:
		return true
	case Composite:
		return false
	default:
		return !strings.Contains(value, "-") && partsOf(d.ETag) == 0
	}
}

// tiered is the class whose objects may be in an archive without the listing telling.
const tiered = "INTELLIGENT_TIERING"

// archivedNow tells whether the listing says that the object's bytes cannot be read.
func archivedNow(o *Object) bool {
	switch o.StorageClass {
	case "GLACIER", "DEEP_ARCHIVE":
		return !o.Restored
	case tiered:
		return o.Archived
	default:
		return false
	}
}
