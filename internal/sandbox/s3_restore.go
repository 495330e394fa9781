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
		Tier    string `xml:"GlacierJobParameters>Tier"`
	}
	if err := q.readXML(&doc); err != nil {
		return err
	}
	if v.class != classGlacier && v.class != classDeepArchive && v.archived == "" {
		return frozenError(v, "Restore is not allowed for the object's current storage class")
	}
	if doc.Tier == "Expedited" && (v.class == classDeepArchive || v.archived == "DEEP_ARCHIVE_ACCESS") {
		return invalidArgument("Retrieval option is not supported by this storage class", "Tier", doc.Tier)
	}
	if v.archived == "" && doc.Days < 1 {
		return malformedXML()
	}
	now := q.s.restoreTime(q.now)
	changed, status := *v, http.StatusAccepted
	switch r := v.restore; {
	case r != nil && now.Before(r.ready):
		return newError(http.StatusConflict, "RestoreAlreadyInProgress", "Object restore is already in progress")
	case r != nil && !v.frozen(now):
		changed.restore, status = &restoreState{ready: r.ready, expires: restoreExpiry(now, doc.Days)}, http.StatusOK
	default:
		ready := now.Add(q.s.cfg.Restore + time.Duration(q.s.restoring.Load()))
		changed.restore = &restoreState{ready: ready, expires: restoreExpiry(ready, doc.Days)}
		if v.archived != "" { // back in the frequent tier, for good
			changed.restore.expires = time.Time{}
		}
	}
	q.bucket.replace(q.target.Key, v, &changed)
	return q.empty(status)
}

// PassRestores lets time go by for restores alone: what is under way becomes ready, and what is restored runs out.
func (s *Server) PassRestores(d time.Duration) { s.s3.ahead.Add(int64(d)) }

// SetRestore says how much longer than configured restores take that are asked for from now on.
func (s *Server) SetRestore(d time.Duration) { s.s3.restoring.Store(int64(d)) }

// restoreTime is what restores take for the time.
func (s *s3Service) restoreTime(now time.Time) time.Time {
	return now.Add(time.Duration(s.ahead.Load()))
}

// restoreExpiry is the midnight (UTC) after the days have passed.
func restoreExpiry(from time.Time, days int) time.Time {
	return from.UTC().AddDate(0, 0, days+1).Truncate(24 * time.Hour)
}
