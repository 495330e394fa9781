package state

// The versions of every record. Their bytes are in testdata/*.vN.hex, for ever: a
// changed layout is a new version beside these.
const (
	recordV1 = 1 // fields
	recordV2 = 2 // the same fields, and a sum of all that is before it
	recordV3 = 3 // of a tally that counts versions: four counts more
)

func encodeRun(r Run) []byte {
	e := newRecord()
	e.string(r.ID)
	e.string(r.PlanName)
	e.string(r.PlanFile)
	e.string(r.PlanDigest)
	e.string(r.Approval)
	e.bytes(r.Plan)
	e.string(r.Version)
	e.time(r.Started)
	e.string(string(r.Status))
	e.int(int64(r.Resumed))
	e.time(r.Updated)
	e.int(int64(r.Exit))
	e.bytes(r.Summary)
	return e.sealed()
}

func decodeRun(b []byte) (Run, error) {
	d := openRecord("run", b)
	r := Run{
		ID:         d.string(),
		PlanName:   d.string(),
		PlanFile:   d.string(),
		PlanDigest: d.string(),
		Approval:   d.string(),
		Plan:       d.bytes(),
		Version:    d.string(),
		Started:    d.time(),
		Status:     RunStatus(d.string()),
		Resumed:    int(d.int()),
		Updated:    d.time(),
		Exit:       int(d.int()),
		Summary:    d.bytes(),
	}
	return r, d.end()
}

func encodeStep(s StepRecord) []byte {
	e := newRecord()
	e.string(s.ID)
	e.string(s.Kind)
	e.string(s.Outcome)
	e.string(s.Message)
	e.time(s.Started)
	e.time(s.Ended)
	e.bytes(s.Detail)
	return e.sealed()
}

func decodeStep(b []byte) (StepRecord, error) {
	d := openRecord("step", b)
	s := StepRecord{
		ID:      d.string(),
		Kind:    d.string(),
		Outcome: d.string(),
		Message: d.string(),
		Started: d.time(),
		Ended:   d.time(),
		Detail:  d.bytes(),
	}
	return s, d.end()
}

func encodeOwned(o Owned) []byte {
	e := newRecord()
	e.string(o.Kind)
	e.string(o.Side)
	e.string(o.Subject)
	e.string(o.Parent)
	e.string(o.Digest)
	e.bool(o.Intent)
	e.strings(o.Before)
	e.time(o.Since)
	return e.sealed()
}

func decodeOwned(b []byte) (Owned, error) {
	d := openRecord("ownership", b)
	o := Owned{
		Kind:    d.string(),
		Side:    d.string(),
		Subject: d.string(),
		Parent:  d.string(),
		Digest:  d.string(),
		Intent:  d.bool(),
		Before:  d.strings(),
		Since:   d.time(),
	}
	return o, d.end()
}

func encodeRange(r Range) []byte {
	e := newRecord()
	e.string(r.After)
	e.string(r.Through)
	e.string(r.Done)
	e.bool(r.Ended)
	return e.sealed()
}

func decodeRange(id uint64, b []byte) (Range, error) {
	d := openRecord("range", b)
	r := Range{ID: id, After: d.string(), Through: d.string(), Done: d.string(), Ended: d.bool()}
	return r, d.end()
}

func encodeFailure(f Failure) []byte {
	e := newRecord()
	e.string(f.Phase)
	e.string(f.Reason)
	e.int(f.Size)
	e.time(f.At)
	return e.sealed()
}

func decodeFailure(key string, b []byte) (Failure, error) {
	d := openRecord("failure", b)
	f := Failure{Key: key, Phase: d.string(), Reason: d.string(), Size: d.int(), At: d.time()}
	return f, d.end()
}

func encodeUpload(u Upload) []byte {
	e := newRecord()
	e.string(u.ID)
	e.string(u.ETag)
	e.int(u.Size)
	e.int(u.Part)
	e.time(u.Started)
	return e.sealed()
}

func decodeUpload(key string, b []byte) (Upload, error) {
	d := openRecord("upload", b)
	u := Upload{Key: key, ID: d.string(), ETag: d.string(), Size: d.int(), Part: d.int(), Started: d.time()}
	return u, d.end()
}

// encodeTally writes what counts no versions as ever, so that an older xplan reads it.
func encodeTally(t Tally) []byte {
	e, counts := newRecord(), t.counts()
	if t.versioned() {
		e.b[0] = recordV3
	} else {
		counts = counts[:countsOfOne]
	}
	for _, c := range counts {
		e.int(c.Objects)
		e.int(c.Bytes)
	}
	return e.sealed()
}

func decodeTally(b []byte) (Tally, error) {
	d := openRecordUpTo(recordV3, "tally", b)
	var t Tally
	counts := t.counts()
	if len(b) > 0 && b[0] < recordV3 {
		counts = counts[:countsOfOne]
	}
	for _, c := range counts {
		c.Objects, c.Bytes = d.int(), d.int()
	}
	return t, d.end()
}
