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
			for j, h := range hostile {
				if _, err := p.from.tryPut(t, p.bucket, "h/"+h.key, fmt.Sprint("b", j)); err != nil {
					t.Logf("put %q: %v", h.key, err)
				}
			}
			for _, pre := range []string{"h/", "p/"} {
				job := s3copy.Job{
					Mode: s3copy.Copy, Source: p.source, Destination: p.destination, Prefix: pre, ToPrefix: "to/" + pre,
					Rules: s3copy.Rules{Tags: true, StorageClass: "preserve"},
				}
				sum, err := e.Run(t.Context(), job)
				t.Logf("%s %s %q copy: %+v %v", w.server, p.name, pre, sum.Tally.Copied, err)
				for _, f := range sum.Failures {
					t.Logf("   %+v", f)
				}
				var del s3copy.Deleter
				if i == 0 || true {
					del = p.from.admin(t).OpenDeleter(p.from.at(p.bucket))
				}
				tally, err := e.DeleteSource(t.Context(), job, del)
				t.Logf("%s %s %q delete: %+v %+v %+v %v", w.server, p.name, pre, tally.Listed, tally.Deleted, tally.Failed, err)
				tally, err = e.DeleteSource(t.Context(), job, del)
				t.Logf("%s %s %q again: %+v %v", w.server, p.name, pre, tally.Listed, err)
			}
		}
	})
}
