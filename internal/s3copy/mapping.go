package s3copy

import (
	"fmt"
	"sync"
)

// A Mapped is one version of the source, and what it is at the destination.
type Mapped struct {
	SourceVersion      string `json:"source_version"`
	DestinationVersion string `json:"destination_version,omitempty"` // "": it is not there, or not proven to be
	DeleteMarker       bool   `json:"delete_marker"`
	Size               Bytes  `json:"size"`
	ETag               string `json:"etag,omitempty"`     // of the source
	Evidence           string `json:"evidence,omitempty"` // etag, checksum, bytes, size_only; a delete marker has no bytes to prove
}

// A Mapping is told of every key that a verification of versions has compared, once: of all its versions, the oldest
// first. Keys come in no order, one at a time. An error ends the run.
type Mapping func(key, destination string, versions []Mapped) error

// mapper tells a mapping, one key at a time.
type mapper struct {
	mu  sync.Mutex
	err error
}

// mapChain tells what a key's versions are at the destination.
func (r *run) mapChain(t *task, a alignment) {
	if r.job.Mapping == nil || t.src.Chain == nil {
		return
	}
	beneath := t.dst.Chain.length() - a.held
	versions := make([]Mapped, t.src.Chain.length())
	for i := range versions {
		s := t.src.Chain.from(i)
		versions[i] = Mapped{SourceVersion: s.ID, DeleteMarker: s.Marker, Size: s.Size, ETag: s.ETag}
		if i < a.held {
			versions[i].DestinationVersion = t.dst.Chain.from(beneath + i).ID
			if !s.Marker {
				versions[i].Evidence = a.by[i].word()
			}
		}
	}
	r.mapper.mu.Lock()
	defer r.mapper.mu.Unlock()
	if r.mapper.err != nil {
		return
	}
	if err := r.job.Mapping(t.src.Key, r.job.place(t.src.Key), versions); err != nil {
		r.mapper.err = fmt.Errorf("tell the mapping of versions: %w", err)
		r.stop(r.mapper.err)
	}
}

// word names the proof as the tally does.
func (p proof) word() string {
	switch p {
	case byETag:
		return "etag"
	case byChecksum:
		return "checksum"
	case byBytes:
		return "bytes"
	case bySize, noProof:
	}
	return "size_only"
}
