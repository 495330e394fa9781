package sandbox

import (
	"encoding/xml"
	"net/http"
	"strings"
	"time"
)

// An objectLock is an object's retention and legal hold.
type objectLock struct {
	mode  string // "", GOVERNANCE or COMPLIANCE
	until time.Time
	hold  bool
}

// A lockDefault is a bucket's default retention.
type lockDefault struct {
	Mode        string
	Days, Years int
}

const (
	lockGovernance = "GOVERNANCE"
	lockCompliance = "COMPLIANCE"
)

// readLock reads the lock that a request asks for, else the bucket's default.
func (q *s3Call) readLock() (objectLock, error) {
	h, b := q.r.Header, q.bucket
	l := objectLock{mode: h.Get("X-Amz-Object-Lock-Mode"), hold: h.Get("X-Amz-Object-Lock-Legal-Hold") == "ON"}
	until := h.Get("X-Amz-Object-Lock-Retain-Until-Date")
	if (l.mode != "" || until != "" || l.hold) && !b.locked {
		return l, invalidRequest("Bucket is missing Object Lock Configuration")
	}
	if (l.mode == "") != (until == "") {
		return l, invalidArgument("x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied", "x-amz-object-lock-mode", l.mode)
	}
	if l.mode != "" {
		t, ok := headerTime(h, "X-Amz-Object-Lock-Retain-Until-Date")
		if !ok || (l.mode != lockGovernance && l.mode != lockCompliance) {
			return l, invalidArgument("Unknown wormMode directive.", "x-amz-object-lock-mode", l.mode)
		}
		if !t.After(q.now) {
			return l, invalidArgument("The retain until date must be in the future!", "x-amz-object-lock-retain-until-date", until)
		}
		l.until = t
		return l, nil
	}
	b.mu.RLock()
	d := b.lock
	b.mu.RUnlock()
	if d.Mode != "" {
		l.mode, l.until = d.Mode, q.now.AddDate(d.Years, 0, d.Days)
	}
	return l, nil
}

// lockHeaders tells the lock to those who may know it.
func (q *s3Call) lockHeaders(v *s3Version) {
	h := q.w.Header()
	if v.lock.mode != "" && q.permitObject(q.bucket, "s3:GetObjectRetention", q.target.Key, v, nil) == nil {
		h.Set("X-Amz-Object-Lock-Mode", v.lock.mode)
		h.Set("X-Amz-Object-Lock-Retain-Until-Date", v.lock.until.UTC().Format(timeFormat))
	}
	if v.lock.hold && q.permitObject(q.bucket, "s3:GetObjectLegalHold", q.target.Key, v, nil) == nil {
		h.Set("X-Amz-Object-Lock-Legal-Hold", "ON")
	}
}

// guards says whether the lock keeps a version from being deleted.
func (l objectLock) guards(now time.Time, bypass bool) bool {
	switch {
	case l.hold:
		return true
	case l.mode == "" || !now.Before(l.until):
		return false
	default:
		return l.mode == lockCompliance || !bypass
	}
}

// bypasses says whether the request may pass by governance.
func (q *s3Call) bypasses(key string) bool {
	return strings.EqualFold(q.r.Header.Get("X-Amz-Bypass-Governance-Retention"), "true") &&
		q.permitObject(q.bucket, "s3:BypassGovernanceRetention", key, nil, nil) == nil
}

func noLock() *apiError {
	return newError(http.StatusNotFound, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration")
}

func (q *s3Call) lockable(action string) (*s3Version, error) {
	v, err := q.found(action)
	if err != nil {
		return nil, err
	}
	if !q.bucket.locked {
		return nil, invalidRequest("Bucket is missing Object Lock Configuration")
	}
	return v, nil
}

func (q *s3Call) getObjectRetention() error {
	v, err := q.lockable("s3:GetObjectRetention")
	if err != nil {
		return err
	}
	if v.lock.mode == "" {
		return noLock()
	}
	x := newXML(256)
	x.root("Retention")
	x.text("Mode", v.lock.mode)
	x.time("RetainUntilDate", v.lock.until)
	x.close("Retention")
	return q.answer(x)
}

func (q *s3Call) putObjectRetention() error {
	v, err := q.lockable("s3:PutObjectRetention")
	if err != nil {
		return err
	}
	var doc struct {
		XMLName         xml.Name `xml:"Retention"`
		Mode            string
		RetainUntilDate string
	}
	if err := q.readXML(&doc); err != nil {
		return err
	}
	changed := *v
	changed.lock.mode, changed.lock.until = doc.Mode, time.Time{}
	if doc.Mode != "" {
		if changed.lock.until, err = time.Parse(time.RFC3339, doc.RetainUntilDate); err != nil {
			return malformedXML()
		}
		if !changed.lock.until.After(q.now) {
			return invalidArgument("The retain until date must be in the future!", "RetainUntilDate", doc.RetainUntilDate)
		}
	}
	shortens := changed.lock.until.Before(v.lock.until) || v.lock.mode == lockCompliance && doc.Mode != lockCompliance
	if shortens && (objectLock{mode: v.lock.mode, until: v.lock.until}).guards(q.now, q.bypasses(q.target.Key)) {
		return denied("Access Denied because object protected by object lock.")
	}
	q.bucket.replace(q.target.Key, v, &changed)
	return q.empty(http.StatusOK)
}

func (q *s3Call) getObjectLegalHold() error {
	v, err := q.lockable("s3:GetObjectLegalHold")
	if err != nil {
		return err
	}
	x := newXML(256)
	x.root("LegalHold")
	if v.lock.hold {
		x.text("Status", "ON")
	} else {
		x.text("Status", "OFF")
	}
	x.close("LegalHold")
	return q.answer(x)
}

func (q *s3Call) putObjectLegalHold() error {
	v, err := q.lockable("s3:PutObjectLegalHold")
	if err != nil {
		return err
	}
	var doc struct {
		XMLName xml.Name `xml:"LegalHold"`
		Status  string
	}
	if err := q.readXML(&doc); err != nil {
		return err
	}
	if doc.Status != "ON" && doc.Status != "OFF" {
		return malformedXML()
	}
	changed := *v
	changed.lock.hold = doc.Status == "ON"
	q.bucket.replace(q.target.Key, v, &changed)
	return q.empty(http.StatusOK)
}

func (q *s3Call) getObjectLockConfiguration() error {
	if err := q.permitBucket("s3:GetBucketObjectLockConfiguration", nil); err != nil {
		return err
	}
	b := q.bucket
	if !b.locked {
		return newError(http.StatusNotFound, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")
	}
	b.mu.RLock()
	d := b.lock
	b.mu.RUnlock()
	x := newXML(256)
	x.root("ObjectLockConfiguration")
	x.text("ObjectLockEnabled", "Enabled")
	if d.Mode != "" {
		x.open("Rule")
		x.open("DefaultRetention")
		x.text("Mode", d.Mode)
		if d.Days > 0 {
			x.int("Days", int64(d.Days))
		}
		if d.Years > 0 {
			x.int("Years", int64(d.Years))
		}
		x.close("DefaultRetention")
		x.close("Rule")
	}
	x.close("ObjectLockConfiguration")
	return q.answer(x)
}

func (q *s3Call) putObjectLockConfiguration() error {
	if err := q.permitBucket("s3:PutBucketObjectLockConfiguration", nil); err != nil {
		return err
	}
	var doc struct {
		XMLName           xml.Name `xml:"ObjectLockConfiguration"`
		ObjectLockEnabled string
		Default           lockDefault `xml:"Rule>DefaultRetention"`
	}
	if err := q.readXML(&doc); err != nil {
		return err
	}
	b := q.bucket
	if !b.locked {
		return newError(http.StatusConflict, "InvalidBucketState", "Object Lock configuration cannot be enabled on existing buckets")
	}
	b.mu.Lock()
	b.lock = doc.Default
	b.mu.Unlock()
	return q.empty(http.StatusOK)
}
