package s3copy

// A Count is a number of objects and their bytes.
type Count struct {
	Objects int64 `json:"objects"`
	Bytes   Bytes `json:"bytes"`
}

// Add adds one object of the given size.
func (c *Count) Add(size Bytes) { c.Objects++; c.Bytes += size }

// Plus adds another count.
func (c *Count) Plus(o Count) { c.Objects += o.Objects; c.Bytes += o.Bytes }

// A Tally accounts for every key of the source:
//
//	Listed = Copied + Same + Skipped + Failed              (a copy or a verification)
//	Listed = New + Changed + Same + Skipped + Unreadable   (a scan)
//
// Evidence accounts for every object that is Copied or Same.
type Tally struct {
	Listed  Count `json:"listed"`
	Copied  Count `json:"copied"`
	New     Count `json:"new"`
	Changed Count `json:"changed"`
	Same    Count `json:"same"`
	Skipped Count `json:"skipped"` // by a rule of the plan: the sum of the three below
	Failed  Count `json:"failed"`

	Filtered   Count `json:"filtered"`   // left out by include and exclude
	Archived   Count `json:"archived"`   // cannot be read now, and the plan says report
	Kept       Count `json:"kept"`       // differs at the destination, and the plan never overwrites
	Unreadable Count `json:"unreadable"` // would fail: SSE-C and the like

	Extra   Count `json:"extra"`   // at the destination only; not part of Listed
	Deleted Count `json:"deleted"` // extra objects, or source objects, that were deleted

	Evidence Evidence `json:"evidence"`
}

// Evidence says by what the objects at the destination are known to equal the source's.
type Evidence struct {
	ETag     Count `json:"etag"`      // equal ETags that mean equal bytes
	Checksum Count `json:"checksum"`  // equal checksums of one algorithm
	Bytes    Count `json:"bytes"`     // read again on both sides
	SizeOnly Count `json:"size_only"` // nothing comparable but the size
}

// A Reason says why a key is seen as changed.
type Reason string

// A Sample is one key of a verdict, for the review.
type Sample struct {
	Key    string `json:"key"`
	Size   Bytes  `json:"size"`
	Reason string `json:"reason,omitempty"`
}
