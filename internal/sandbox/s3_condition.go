package sandbox

import (
	"net/http"
	"strings"
	"time"
)

func preconditionFailed(condition string) *apiError {
	e := newError(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	e.Fields = map[string]string{"Condition": condition}
	return e
}

// matchesETag compares a header of entity tags with an object's.
func matchesETag(header, etag string) bool {
	for want := range strings.SplitSeq(header, ",") {
		want = strings.TrimPrefix(strings.TrimSpace(want), "W/")
		if want == "*" || strings.Trim(want, `"`) == etag {
			return true
		}
	}
	return false
}

// checkRead applies a reading request's conditions.
func checkRead(h http.Header, v *s3Version) error {
	modified := v.modified.Truncate(time.Second)
	if match := h.Get("If-Match"); match != "" {
		if !matchesETag(match, v.etag) {
			return preconditionFailed("If-Match")
		}
	} else if t, ok := headerTime(h, "If-Unmodified-Since"); ok && modified.After(t) {
		return preconditionFailed("If-Unmodified-Since")
	}
	if none := h.Get("If-None-Match"); none != "" {
		if matchesETag(none, v.etag) {
			return newError(http.StatusNotModified, "NotModified", "Not Modified")
		}
	} else if t, ok := headerTime(h, "If-Modified-Since"); ok && !modified.After(t) {
		return newError(http.StatusNotModified, "NotModified", "Not Modified")
	}
	return nil
}

// checkCopySource applies a copy's conditions on its source.
func checkCopySource(h http.Header, v *s3Version) error {
	const prefix = "X-Amz-Copy-Source-"
	modified := v.modified.Truncate(time.Second)
	if match := h.Get(prefix + "If-Match"); match != "" {
		if !matchesETag(match, v.etag) {
			return preconditionFailed("x-amz-copy-source-If-Match")
		}
	} else if t, ok := headerTime(h, prefix+"If-Unmodified-Since"); ok && modified.After(t) {
		return preconditionFailed("x-amz-copy-source-If-Unmodified-Since")
	}
	if none := h.Get(prefix + "If-None-Match"); none != "" {
		if matchesETag(none, v.etag) {
			return preconditionFailed("x-amz-copy-source-If-None-Match")
		}
	} else if t, ok := headerTime(h, prefix+"If-Modified-Since"); ok && !modified.After(t) {
		return preconditionFailed("x-amz-copy-source-If-Modified-Since")
	}
	return nil
}

func headerTime(h http.Header, name string) (time.Time, bool) {
	v := h.Get(name)
	if v == "" {
		return time.Time{}, false
	}
	if t, err := http.ParseTime(v); err == nil {
		return t, true
	}
	t, err := time.Parse(time.RFC3339, v)
	return t, err == nil
}

// writeGuard makes the check of a conditional write, to be run where nobody
// can write between it and the write. It is nil where the request has none.
func (q *s3Call) writeGuard() (func(old *s3Version) error, error) {
	match, none := q.r.Header.Get("If-Match"), q.r.Header.Get("If-None-Match")
	switch {
	case match == "" && none == "":
		return nil, nil
	case match != "" && none != "", none != "" && none != "*":
		return nil, newError(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented")
	}
	if match != "" {
		// If-Match tells whether the object has that ETag, so it needs to be readable.
		old := q.bucket.version(q.target.Key, "")
		if err := q.permitObject(q.bucket, "s3:GetObject", q.target.Key, old, nil); err != nil {
			return nil, err
		}
	}
	return func(old *s3Version) error {
		switch {
		case none != "" && old != nil:
			return preconditionFailed("If-None-Match")
		case match != "" && old == nil:
			e := newError(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
			e.Fields = map[string]string{"Key": q.target.Key}
			return e
		case match != "" && !matchesETag(match, old.etag):
			return preconditionFailed("If-Match")
		default:
			return nil
		}
	}, nil
}
