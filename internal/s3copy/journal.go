package s3copy

import (
	"context"
	"time"
)

// A Range is a key range and how far it is settled.
type Range struct {
	ID     uint64 // unique among the pair's ranges
	Bounds KeyRange
	Done   string // every key k with Bounds.After < k <= Done is settled; "" means none
	Ended  bool   // all of it is settled
}

// A Batch is what one commit makes durable, all or nothing.
type Batch struct {
	Ranges   []Range   // new or moved; each replaces what was recorded of it
	Dropped  []uint64  // ranges that are part of another one now
	Add      Tally     // what the counts change by: less than zero where a failure is healed
	Failures []Failure // new, or failed again
	Healed   []string  // keys that failed before and are settled now
}

// A Failure is an object that could not be copied or verified. It holds no secret.
// Size is what the tally's Failed holds for it: a healed failure takes it out again.
// With Phase "delete" it is a destination's extra object, named by the key that it
// would have at the source, and the tally's Failed does not hold it, nor one with Phase
// "attributes": that object was proven but for its tags or headers, and is to be copied again. With Phase
// "restore" the object is archived and its restore was asked for.
type Failure struct {
	Key    string    `json:"key"`
	Phase  string    `json:"phase"`
	Reason string    `json:"reason"`
	Size   Bytes     `json:"size"`
	At     time.Time `json:"at"`

	// Changed: the source was written to under every try, so that another one may do. No journal has to keep it.
	Changed bool `json:"-"`
}

// An Upload is a multipart upload that is ours. It is recorded without ID before it is
// created, with ID afterwards, and dropped when it is complete or aborted.
type Upload struct {
	Key     string // of the destination
	ID      string
	ETag    string // of the source it copies: another one means the upload is void
	Size    Bytes
	Part    Bytes // of its first part: another one means another layout, and the parts are void
	Started time.Time
}

// A PendingUpload is an upload as the server lists it.
type PendingUpload struct {
	Key, ID   string
	Initiated time.Time
	Initiator string // who began it, as the server says it: AWS gives an ARN
}

// Progress is what earlier runs of a job made durable.
type Progress struct {
	Ranges   []Range // empty: nothing was started
	Tally    Tally
	Failures []Failure
	Uploads  []Upload
}

// A Journal keeps a job's progress. A call that returned nil is durable. Safe for concurrent use.
type Journal interface {
	Load(ctx context.Context) (Progress, error)
	Commit(ctx context.Context, b Batch) error
	PutUpload(ctx context.Context, u Upload) error
	DropUpload(ctx context.Context, key string) error
}

// nowhere is the journal of a copy that nobody wants to resume.
type nowhere struct{}

func (nowhere) Load(context.Context) (Progress, error)   { return Progress{}, nil }
func (nowhere) Commit(context.Context, Batch) error      { return nil }
func (nowhere) PutUpload(context.Context, Upload) error  { return nil }
func (nowhere) DropUpload(context.Context, string) error { return nil }
