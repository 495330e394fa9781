package s3copy

// watermark tells how far a range is settled: pages finish in any order, the cursor
// covers a finished prefix only. Held by TestWatermarkWaitsForGaps.
type watermark struct {
	next int
	done map[int]*page
}

// finish notes a settled page and gives the pages that the cursor moves over, in order.
func (w *watermark) finish(p *page) (passed []*page) {
	if w.done == nil {
		w.done = make(map[int]*page)
	}
	w.done[p.seq] = p
	for {
		q, ok := w.done[w.next]
		if !ok {
			return passed
		}
		delete(w.done, w.next)
		w.next++
		passed = append(passed, q)
	}
}
