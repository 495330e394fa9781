package s3copy

import (
	"context"
	"io"
)

// A PageRequest asks for one page of a listing.
type PageRequest struct {
	Prefix string // of the bucket's keys
	After  string // keys behind this one; used when Token is empty
	Token  string // goes on where the page that gave it ended
	Max    int    // 0 means 1,000 (with versions: of these, in as many keys as they make)
}

// A Page is one page of a listing, in byte order. More without a Token is never given. Of a listing of versions
// it holds whole chains only.
type Page struct {
	Objects []Object
	Token   string
	More    bool
}

// A Lister reads pages of a bucket. The page may reuse buf. Safe for concurrent use.
type Lister interface {
	ListPage(ctx context.Context, r PageRequest, buf []Object) (Page, error)
}

// A HeadRequest asks for one object's details.
type HeadRequest struct {
	Key       string
	VersionID string
	Part      int  // 0: the object; 1: also tells the number of parts and the first one's size
	Checksums bool // ask for stored checksums (on KMS objects that needs kms:Decrypt)
}

// A Header reads one object's details. A missing object is ErrNotFound.
type Header interface {
	Head(ctx context.Context, r HeadRequest) (Details, error)
}

// A TagReader reads an object's tags: those of the current version, where no version is named.
type TagReader interface {
	Tags(ctx context.Context, key, versionID string) ([]Tag, error)
}

// An OpenRequest asks for bytes of one object. Length 0 means all from Offset on.
type OpenRequest struct {
	Key       string
	VersionID string // "" is the current one
	IfMatch   string // ETag; a changed object is ErrChanged
	Offset    Bytes
	Length    Bytes
}

// An Opener streams an object's bytes. A stream that ends early is an error of Read.
type Opener interface {
	Open(ctx context.Context, r OpenRequest) (io.ReadCloser, error)
}

// A LockReader reads an object's lock outright: who may not is ErrDenied, where a HEAD just keeps silent.
type LockReader interface {
	ReadLock(ctx context.Context, key string) (Lock, error)
}

// A Locker sets an object's retention, where the lock has one, and its legal hold, where it has one. It takes nothing away.
type Locker interface {
	SetLock(ctx context.Context, key, versionID string, l Lock) error
}

// A Source is the bucket that is read.
type Source interface {
	Lister
	Header
	TagReader
	LockReader
	Opener
}

// A CopyRequest copies one object of at most 5 GB on the server's side. Metadata,
// tags and Content-* headers are the source's. The answer without an ETag is an error.
type CopyRequest struct {
	SourceKey, Key string
	SourceVersion  string // "" is the current one
	IfMatch        string // the source's ETag as listed: always sent
	IfNoneMatch    bool   // the destination must not exist
	StorageClass   string // "" leaves the server's default
	ACL            string // "" sends none
	DropTags       bool   // do not copy tags
	ChecksumAlgo   string // ask the server for this checksum; "" leaves its default
	Once           bool   // a second try would make a second version: only one that was refused is repeated
	Lock           Lock   // of the copy: the source's is not carried over by the server

	WebsiteRedirect string // the one header that a copy does not take along by itself; "" sends none
}

// Copied is the server's answer to a copy.
type Copied struct {
	ETag      string // without quotes, never empty
	VersionID string
	Checksums map[string]string
	Type      ChecksumType
}

// A Copier copies an object within the server.
type Copier interface {
	CopyObject(ctx context.Context, r CopyRequest) (Copied, error)
}

// An UploadRequest starts a multipart upload, which keeps nothing by itself.
type UploadRequest struct {
	Key          string
	Headers      Headers
	Tags         []Tag
	StorageClass string
	ACL          string
	ChecksumAlgo string
	ChecksumType ChecksumType // of ChecksumAlgo, for uploads by parts; "" leaves the server's default
	Once         bool         // as of a CopyRequest; for bytes written in one piece
	Lock         Lock
}

// A PartRequest copies the closed byte range [First, Last] of the source as one part.
type PartRequest struct {
	SourceKey, Key, UploadID string
	SourceVersion            string // "" is the current one
	IfMatch                  string // the source's ETag: always sent
	Number                   int    // from 1
	First, Last              Bytes
}

// A Part is a part that stands at the server.
type Part struct {
	Number    int
	Size      Bytes
	ETag      string
	Checksums map[string]string
}

// A CompleteRequest ends an upload with the parts in order.
type CompleteRequest struct {
	Key, UploadID string
	Parts         []Part
	IfNoneMatch   bool
}

// A Multipart copies or writes an object by parts.
type Multipart interface {
	CreateUpload(ctx context.Context, r UploadRequest) (uploadID string, err error)
	CopyPart(ctx context.Context, r PartRequest) (Part, error)
	CompleteUpload(ctx context.Context, r CompleteRequest) (Copied, error)
	AbortUpload(ctx context.Context, key, uploadID string) error
}

// A PartLister tells what stands of an upload, and which uploads stand: the truth after a crash.
type PartLister interface {
	ListParts(ctx context.Context, key, uploadID string) ([]Part, error)
	ListUploads(ctx context.Context, prefix string) ([]PendingUpload, error)
}

// A Putter writes bytes that came through this process: only between servers that cannot see each other.
type Putter interface {
	PutObject(ctx context.Context, r UploadRequest, body []byte) (Copied, error)
	PutPart(ctx context.Context, key, uploadID string, number int, body []byte) (Part, error)
}

// A Marker makes a delete marker in front of a key's versions, at most one, and gives its version ID. An
// answer that does not say that it made one is an error.
type Marker interface {
	PutMarker(ctx context.Context, key string) (versionID string, err error)
}

// A Destination is the bucket that is written.
type Destination interface {
	Lister
	Header
	TagReader
	LockReader
	Locker
	Opener
	Copier
	Multipart
	PartLister
	Putter
	Marker
}

// A Deletion asks for one object, conditional on its ETag where the server supports that.
type Deletion struct {
	Key, VersionID, ETag string
	Size                 Bytes // for the account only
	Once                 bool  // an answer that is lost is an error, and no second request
}

// A Deleter deletes at most 1,000 objects and answers for every one of them: the
// result has one error (or nil) per request, in the same order. All of them are asked for once, or none. A single object is
// deleted by a request that carries no XML: so keys that XML cannot hold come alone.
type Deleter interface {
	DeleteObjects(ctx context.Context, objects []Deletion) ([]error, error)
}

// A RestoreRequest asks for an archived object's temporary copy, for the given number of days: the current
// version's, where none is named.
type RestoreRequest struct {
	Key, VersionID string
	Days           int
	Tier           string // Standard, Bulk or Expedited; "" leaves it to the server
}

// A Restorer asks for archived objects. A restore that is under way already is no error.
type Restorer interface {
	Restore(ctx context.Context, r RestoreRequest) error
}
