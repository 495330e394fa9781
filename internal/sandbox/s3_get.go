package sandbox

import (
	"net/http"
	"strconv"
	"strings"
)

// A span is a part of an object's bytes.
type span struct {
	off, n  int64
	partial bool
}

func (q *s3Call) getObject() error  { return q.read(true) }
func (q *s3Call) headObject() error { return q.read(false) }

// read serves GetObject and HeadObject, which differ in the body alone.
func (q *s3Call) read(withBody bool) error {
	v, err := q.found("s3:GetObject")
	if err != nil {
		return err
	}
	if withBody && v.frozen(q.s.restoreTime(q.now)) {
		return frozenError(v, "The operation is not valid for the object's storage class")
	}
	wantsSum := strings.EqualFold(q.r.Header.Get("X-Amz-Checksum-Mode"), "ENABLED")
	if withBody || wantsSum { // a HEAD decrypts only for the checksum
		err = q.readable(q.bucket, q.target.Key, v, ssePrefix+"-Customer-")
	} else {
		err = q.keyFits(v, ssePrefix+"-Customer-")
	}
	if err != nil {
		return err
	}
	h := q.w.Header()
	if err := checkRead(q.r.Header, v); err != nil {
		h.Set("ETag", `"`+v.etag+`"`)
		h.Set("Last-Modified", v.modified.UTC().Format(http.TimeFormat))
		return err
	}
	where, err := q.readSpan(v)
	if err != nil {
		return err
	}
	q.objectHeaders(v)
	if wantsSum {
		q.readSum(v, where)
	}
	q.overrides()
	h["Content-Length"] = []string{strconv.FormatInt(where.n, 10)}
	status := http.StatusOK
	if where.partial {
		status = http.StatusPartialContent
		h.Set("Content-Range", "bytes "+strconv.FormatInt(where.off, 10)+"-"+strconv.FormatInt(where.off+where.n-1, 10)+"/"+strconv.FormatInt(v.body.size, 10))
	}
	q.w.WriteHeader(status)
	if withBody {
		_, _ = v.body.slice(where.off, where.n).WriteTo(q.w)
	}
	return nil
}

// objectHeaders tells everything about an object.
func (q *s3Call) objectHeaders(v *s3Version) {
	h := q.w.Header()
	h["Last-Modified"] = []string{v.modified.UTC().Format(http.TimeFormat)}
	h["Etag"] = []string{`"` + v.etag + `"`}
	h["Accept-Ranges"] = []string{"bytes"}
	v.meta.write(h)
	q.versionHeader(v)
	writeEncryption(h, v.sse)
	if v.class != "" {
		h.Set("X-Amz-Storage-Class", v.class)
	}
	if v.redirect != "" {
		h.Set("X-Amz-Website-Redirect-Location", v.redirect)
	}
	if len(v.tags) > 0 && q.mayCountTags(v) {
		h.Set("X-Amz-Tagging-Count", strconv.Itoa(len(v.tags)))
	}
	if v.archived != "" && v.frozen(q.s.restoreTime(q.now)) {
		h.Set("X-Amz-Archive-Status", v.archived)
	}
	if now, r := q.s.restoreTime(q.now), v.restore; r != nil && !r.past(now) && (!r.expires.IsZero() || now.Before(r.ready)) {
		h.Set("X-Amz-Restore", r.header(now))
	}
	q.lockHeaders(v)
}

// mayCountTags: the number of tags shows to those who may read them.
func (q *s3Call) mayCountTags(v *s3Version) bool {
	action := versioned("s3:GetObjectTagging", q.query.Get("versionId"))
	return q.permitObject(q.bucket, action, q.target.Key, v, nil) == nil
}

// readSum tells the checksum of the whole object, or of the part asked for.
func (q *s3Call) readSum(v *s3Version, where span) {
	if n, _ := strconv.Atoi(q.query.Get("partNumber")); n > 0 && n <= len(v.parts) {
		if sum := v.parts[n-1].sum; sum.algorithm != "" {
			writeSum(q.w.Header(), objectSum{algorithm: sum.algorithm, value: sum.value, kind: v.sum.kind})
		}
		return
	}
	if !where.partial {
		writeSum(q.w.Header(), v.sum)
	}
}

// overrides applies the response-… parameters.
func (q *s3Call) overrides() {
	for _, name := range []string{"content-type", "content-language", "expires", "cache-control", "content-disposition", "content-encoding"} {
		if v := q.query.Get("response-" + name); v != "" {
			q.w.Header().Set(name, v)
		}
	}
}

// readSpan finds the bytes that a request asks for.
func (q *s3Call) readSpan(v *s3Version) (span, error) {
	whole := span{n: v.body.size}
	header := q.r.Header.Get("Range")
	if part := q.query.Get("partNumber"); part != "" {
		if header != "" {
			return span{}, invalidRequest("Cannot specify both Range header and partNumber query parameter")
		}
		return q.partSpan(v, part)
	}
	if header == "" {
		return whole, nil
	}
	off, last, ok := parseRange(header, v.body.size)
	if !ok {
		return whole, nil // S3 ignores what it does not understand
	}
	if off >= v.body.size || last < off {
		e := newError(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
		e.Fields = map[string]string{"RangeRequested": header, "ActualObjectSize": strconv.FormatInt(v.body.size, 10)}
		q.w.Header().Set("Content-Range", "bytes */"+strconv.FormatInt(v.body.size, 10))
		return span{}, e
	}
	return span{off: off, n: last - off + 1, partial: true}, nil
}

// partSpan finds the bytes of one part; what was not uploaded in parts has one.
func (q *s3Call) partSpan(v *s3Version, part string) (span, error) {
	n, err := strconv.Atoi(part)
	if err != nil || n < 1 || n > maxParts {
		return span{}, invalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", part)
	}
	if len(v.parts) == 0 {
		if n > 1 {
			return span{}, invalidPartNumber(part, 1)
		}
		// An empty object has no range to tell.
		return span{n: v.body.size, partial: v.body.size > 0}, nil
	}
	if n > len(v.parts) {
		return span{}, invalidPartNumber(part, len(v.parts))
	}
	var off int64
	for _, p := range v.parts[:n-1] {
		off += p.size
	}
	q.w.Header().Set("X-Amz-Mp-Parts-Count", strconv.Itoa(len(v.parts)))
	return span{off: off, n: v.parts[n-1].size, partial: true}, nil
}

func invalidPartNumber(part string, count int) *apiError {
	e := newError(http.StatusRequestedRangeNotSatisfiable, "InvalidPartNumber", "The requested partnumber is not satisfiable")
	e.Fields = map[string]string{"PartNumberRequested": part, "ActualPartCount": strconv.Itoa(count)}
	return e
}

// parseRange reads a Range header of one range. ok is false for what S3
// ignores; an unsatisfiable range comes back as it is.
func parseRange(header string, size int64) (off, last int64, ok bool) {
	spec, found := strings.CutPrefix(header, "bytes=")
	first, second, dash := strings.Cut(spec, "-")
	if !found || !dash || strings.Contains(spec, ",") {
		return 0, 0, false
	}
	if first == "" {
		n, err := strconv.ParseInt(second, 10, 64)
		if err != nil {
			return 0, 0, false
		}
		if n == 0 {
			return size, size - 1, true
		}
		return max(0, size-n), size - 1, true
	}
	off, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return 0, 0, false
	}
	if second == "" {
		return off, size - 1, true
	}
	last, err = strconv.ParseInt(second, 10, 64)
	if err != nil || last < off {
		return 0, 0, false
	}
	return off, min(last, size-1), true
}

// frozenError is the answer for an archived object.
func frozenError(v *s3Version, message string) *apiError {
	e := newError(http.StatusForbidden, "InvalidObjectState", message)
	e.Fields = map[string]string{"StorageClass": v.storageClass()}
	if v.archived != "" {
		e.Fields["AccessTier"] = v.archived
	}
	return e
}
