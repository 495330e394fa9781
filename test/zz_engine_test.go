package test

import (
	"context"
	"fmt"
	"testing"

	"xplan/internal/s3copy"
)

type memJournal struct{ p s3copy.Progress }

func (m *memJournal) Load(context.Context) (s3copy.Progress, error)  { return s3copy.Progress{}, nil }
func (m *memJournal) Commit(context.Context, s3copy.Batch) error     { return nil }
func (m *memJournal) PutUpload(context.Context, s3copy.Upload) error { return nil }
func (m *memJournal) DropUpload(context.Context, string) error       { return nil }

func TestZZEngine(t *testing.T) {
	onEach(t, []string{sandboxName, motoName, versitygwName}, func(t *testing.T, w *world) {
		for i, p := range w.pairings(t, "engine") {
			for k := range 25 {
				p.from.put(t, p.bucket, fmt.Sprintf("p/small/%02d", k), fmt.Sprint("body", k))
			}
			putDressed(t, p.from, p.bucket, "p/"+dressed, "0123456789")
			p.from.put(t, p.bucket, "p/dir/", "")
			p.from.put(t, p.bucket, "p/zero", "")
			p.from.put(t, p.bucket, "p/plus+ %20ü", "x")
			p.from.put(t, p.bucket, "p/large", partsBody)
			putByParts(t, p.from, p.bucket, "p/big")
			e, err := s3copy.New(s3copy.Limits{PartThreshold: 6 << 20, PartSize: 5 << 20, StreamPart: 5 << 20})
			if err != nil {
				t.Fatal(err)
			}
			for _, streaming := range []bool{false, true} {
				job := s3copy.Job{
					Mode: s3copy.Copy, Source: p.source, Destination: p.destination, Prefix: "p/", ToPrefix: fmt.Sprintf("to%t/", streaming),
					Streaming: streaming, Journal: &memJournal{}, Samples: 5,
					Rules: s3copy.Rules{Tags: true, StorageClass: "preserve"},
				}
				show := func(what string, s s3copy.Summary, err error) {
					y := s.Tally
					t.Logf("%s %d %s streaming=%t %s: listed %d copied %d same %d failed %d extra %d evidence %+v err %v", w.server, i, p.name, streaming, what,
						y.Listed.Objects, y.Copied.Objects, y.Same.Objects, y.Failed.Objects, y.Extra.Objects, y.Evidence, err)
					for _, f := range s.Failures {
						t.Logf("   %+v", f)
					}
					t.Logf("   %+v", s.Samples)
				}
				s, err := e.Run(t.Context(), job)
				show("first", s, err)
				if !streaming {
					id, err := p.destination.CreateUpload(t.Context(), s3copy.UploadRequest{Key: "dbg", ChecksumAlgo: "CRC32", ChecksumType: s3copy.Composite})
					h, _ := p.source.Head(t.Context(), s3copy.HeadRequest{Key: "p/big", Checksums: true})
					pt, err2 := p.destination.CopyPart(t.Context(), s3copy.PartRequest{SourceKey: "p/big", Key: "dbg", UploadID: id, IfMatch: h.ETag, Number: 1, First: 0, Last: 5242879})
					h1, _ := p.source.Head(t.Context(), s3copy.HeadRequest{Key: "p/big", Part: 1})
					t.Logf("DBG %s %+v %v %v head %+v %v part %+v %d %d", w.server, pt, err, err2, h.Checksums, h.Checksum, h1.ETag, h1.Parts, h1.PartSize)
				}
				s, err = e.Run(t.Context(), job)
				show("second", s, err)
				job.Mode, job.Journal, job.Rules.Level = s3copy.Verify, nil, "bytes"
				s, err = e.Run(t.Context(), job)
				show("verify", s, err)
				job.Mode = s3copy.Scan
				s, err = e.Run(t.Context(), job)
				show("scan", s, err)
			}
		}
	})
}
