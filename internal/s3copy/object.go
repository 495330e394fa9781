package s3copy

import "time"

// Bytes counts bytes. The zero value means zero, never "unlimited".
type Bytes int64

// A KeyRange holds the keys k with After < k <= Through, by byte order.
// An empty Through means no upper bound.
type KeyRange struct{ After, Through string }

// Holds tells whether the key lies in the range.
func (r KeyRange) Holds(key string) bool {
	return key > r.After && (r.Through == "" || key <= r.Through)
}

// An Object is one entry of a listing: a key's current version, or with a Chain the key with all it has, whose
// Size is the sum of its versions' sizes and which has no ETag.
type Object struct {
	Key          string // as the server has it: bytes of UTF-8, decoded, never normalised
	Size         Bytes
	ETag         string // without quotes
	StorageClass string // "" means STANDARD
	Modified     time.Time
	Checksum     ChecksumType // of the checksum that the object carries, where the listing tells
	Algorithm    string       // CRC64NVME, CRC32, …; "" where the listing does not tell
	Restored     bool         // archived, but a restored copy can be read
	Restoring    bool         // archived, and a restore is under way
	Archived     bool         // in an archive tier of Intelligent-Tiering: only a HEAD tells, never a listing
	Owner        string       // canonical ID, where the listing tells
	Chain        *Chain       // nil: the listing is of current versions
}

// ChecksumType says what a checksum covers.
type ChecksumType string

// The checksum types of S3.
const (
	FullObject ChecksumType = "FULL_OBJECT" // comparable between objects of any part layout
	Composite  ChecksumType = "COMPOSITE"   // comparable only between equal part layouts
)

// Details is what a HEAD tells of one object.
type Details struct {
	Object
	VersionID  string
	Checksums  map[string]string // algorithm → base64 value; only where it was asked for
	Parts      int               // of a multipart object, when a part was asked for; else 0
	PartSize   Bytes             // size of the part that was asked for
	Headers    Headers
	Encryption Encryption
	Lock       Lock
}

// Headers are what a copy has to carry along when the server does not.
type Headers struct {
	ContentType, ContentEncoding, ContentDisposition, ContentLanguage string
	CacheControl, Expires, WebsiteRedirect                            string
	Metadata                                                          map[string]string
}

// Encryption is how an object is encrypted at rest.
type Encryption struct {
	Algorithm string // "", AES256, aws:kms, aws:kms:dsse
	KMSKeyID  string
	Customer  bool // SSE-C: the key is the caller's, and nobody else can copy it
}

// Lock is an object's Object Lock state.
type Lock struct {
	Mode      string // GOVERNANCE, COMPLIANCE or empty
	Until     time.Time
	LegalHold bool
}

// A Tag is one tag of an object.
type Tag struct{ Key, Value string }
