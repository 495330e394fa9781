package sandbox

import (
	"encoding/xml"
	"net/http"
	"time"
)

func (q *s3Call) restoreObject() error {
	v, err := q.found("s3:RestoreObject")
	if err != nil {
		return err
	}
	var doc struct {
		XMLName xml.Name `xml:"RestoreRequest"`
		Days    int
	}
	if err := q.readXML(&doc); err != nil {
		return err
	}
	if v.class != classGlacier && v.class != classDeepArchive && v.archived == "" {
		return frozenError(v, "Restore is not allowed for the object's current storage class")
	}
	if v.archived == "" && doc.Days < 1 {
		return malformedXML()
	}
	changed, status := *v, http.StatusAccepted
	switch r := v.restore; {
	case r != nil && q.now.Before(r.ready):
		return newError(http.StatusConflict, "RestoreAlreadyInProgress", "Object restore is already in progress")
	case r != nil && !v.frozen(q.now):
		changed.restore, status = &restoreState{ready: r.ready, expires: restoreExpiry(q.now, doc.Days)}, http.StatusOK
	default:
		ready := q.now.Add(q.s.cfg.Restore)
		changed.restore = &restoreState{ready: ready, expires: restoreExpiry(ready, doc.Days)}
	}
	q.bucket.replace(q.target.Key, v, &changed)
	return q.empty(status)
}

// restoreExpiry is the midnight (UTC) after the days have passed.
func restoreExpiry(from time.Time, days int) time.Time {
	return from.UTC().AddDate(0, 0, days+1).Truncate(24 * time.Hour)
}
