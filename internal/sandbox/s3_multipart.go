package sandbox

import (
	"crypto/md5"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// An s3Upload is a multipart upload that is neither complete nor aborted. Its
// bucket's lock guards parts; the rest never changes.
type s3Upload struct {
	id, key   string
	started   time.Time
	initiator caller
	object    *s3Version // all but the body: what Create said
	algorithm checksumAlgorithm
	kind      string // of its checksum
	parts     map[int]*uploadPart
}

// An uploadPart is a part that was uploaded. It is never changed.
type uploadPart struct {
	number   int
	etag     string
	body     s3Body
	sum      objectSum
	modified time.Time
}

func (q *s3Call) createMultipartUpload() error {
	h := q.r.Header
	tags, err := readTags(h.Get("X-Amz-Tagging"))
	if err != nil {
		return err
	}
	u := &s3Upload{key: q.target.Key, started: q.now, initiator: q.caller, parts: map[int]*uploadPart{}}
	if u.object, err = q.newVersion(tags); err != nil {
		return err
	}
	if u.object.meta, err = readMeta(h); err != nil {
		return err
	}
	if err := q.uploadSum(u); err != nil {
		return err
	}
	q.bucket.begin(u)
	if u.algorithm != "" {
		q.w.Header().Set("X-Amz-Checksum-Algorithm", string(u.algorithm))
		q.w.Header().Set("X-Amz-Checksum-Type", u.kind)
	}
	writeEncryption(q.w.Header(), u.object.sse)
	x := newXML(512)
	x.root("InitiateMultipartUploadResult")
	x.text("Bucket", q.bucket.name)
	x.text("Key", u.key)
	x.text("UploadId", u.id)
	x.close("InitiateMultipartUploadResult")
	return q.answer(x)
}

// begin registers an upload and gives it its ID.
func (b *s3Bucket) begin(u *s3Upload) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.serial++
	sum := md5.Sum([]byte("upload " + b.name + strconv.FormatUint(b.serial, 10)))
	u.id = hexDigest(sum) + strconv.FormatUint(b.serial, 36)
	b.uploads[u.id] = u
}

// uploadSum reads which checksum the finished object is to have.
func (q *s3Call) uploadSum(u *s3Upload) error {
	var ok bool
	if u.algorithm, ok = parseChecksumAlgorithm(q.r.Header.Get("X-Amz-Checksum-Algorithm")); !ok {
		return invalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
	}
	u.kind = strings.ToUpper(q.r.Header.Get("X-Amz-Checksum-Type"))
	if u.kind != "" && u.algorithm == "" {
		return invalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
	}
	if u.kind == "" {
		u.kind = sumComposite
		if u.algorithm == sumCRC64NVME || u.algorithm == "" {
			u.kind = sumFullObject
		}
	}
	composite := u.kind == sumComposite && u.algorithm == sumCRC64NVME
	whole := u.kind == sumFullObject && u.algorithm != "" && !u.algorithm.linear()
	if composite || whole || u.kind != sumComposite && u.kind != sumFullObject {
		return invalidRequest("The " + u.kind + " checksum type cannot be used with the " + strings.ToLower(string(u.algorithm)) + " checksum algorithm.")
	}
	return nil
}

// upload finds the upload that a request names, and the number of the part.
func (q *s3Call) upload() (*s3Upload, error) {
	id := q.query.Get("uploadId")
	q.bucket.mu.RLock()
	u := q.bucket.uploads[id]
	q.bucket.mu.RUnlock()
	if u == nil || u.key != q.target.Key {
		return nil, noSuchUpload(id)
	}
	return u, nil
}

func noSuchUpload(id string) *apiError {
	e := newError(http.StatusNotFound, "NoSuchUpload",
		"The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
	e.Fields = map[string]string{"UploadId": id}
	return e
}

func (q *s3Call) partNumber() (int, error) {
	v := q.query.Get("partNumber")
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > maxParts {
		return 0, invalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", v)
	}
	return n, nil
}

// partOf asks for what both ways of writing a part need.
func (q *s3Call) partOf() (u *s3Upload, number int, err error) {
	if err := q.permitObject(q.bucket, "s3:PutObject", q.target.Key, nil, q.requestConditions(nil)); err != nil {
		return nil, 0, err
	}
	if number, err = q.partNumber(); err != nil {
		return nil, 0, err
	}
	if u, err = q.upload(); err != nil {
		return nil, 0, err
	}
	e := u.object.sse
	if e == nil {
		return u, number, nil
	}
	if e.customer != "" {
		sum, err := customerKey(q.r.Header, ssePrefix+"-Customer-")
		if err == nil && sum != e.customer {
			err = invalidRequest("The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.")
		}
		return u, number, err
	}
	if err := q.s.server.kmsAllowed(q.call, "kms:Decrypt", e.key, e.kmsContext(q.bucket, q.target.Key)); err != nil {
		return nil, 0, err
	}
	return u, number, nil
}

func (q *s3Call) uploadPart() error {
	u, number, err := q.partOf()
	if err != nil {
		return err
	}
	if q.size < 0 {
		return newError(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	data, err := q.readBody(q.s.cfg.MaxPart)
	if err != nil {
		return err
	}
	body := bodyOf(data)
	if err := q.checkDigests(body); err != nil {
		return err
	}
	sent, err := q.sentSum()
	if err != nil {
		return err
	}
	if u.algorithm != "" && sent.algorithm != "" && sent.algorithm != u.algorithm {
		return invalidRequest("Checksum Type mismatch occurred, expected checksum Type: " + strings.ToLower(string(u.algorithm)) +
			", actual checksum Type: " + strings.ToLower(string(sent.algorithm)))
	}
	p, err := q.addPart(u, number, body, sent)
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("ETag", `"`+p.etag+`"`)
	writeSum(h, p.sum)
	writeEncryption(h, u.object.sse)
	return q.empty(http.StatusOK)
}

// addPart stores a part, with the checksum that the upload wants.
func (q *s3Call) addPart(u *s3Upload, number int, body s3Body, sum objectSum) (*uploadPart, error) {
	if sum.algorithm == "" && u.algorithm != "" {
		sum = objectSum{algorithm: u.algorithm, value: q.s.sums.value(u.algorithm, body)}
	}
	p := &uploadPart{number: number, body: body, sum: sum, modified: q.now, etag: hexDigest(body.md5())}
	if u.object.sse != nil {
		p.etag = sealETag(p.etag, u.id+strconv.Itoa(number))
	}
	q.bucket.mu.Lock()
	defer q.bucket.mu.Unlock()
	if q.bucket.uploads[u.id] != u {
		return nil, noSuchUpload(u.id)
	}
	u.parts[number] = p
	return p, nil
}

func (q *s3Call) uploadPartCopy() error {
	src, err := q.copySource()
	if err != nil {
		return err
	}
	body, err := q.sourceRange(src.version.body)
	if err != nil {
		return err
	}
	u, number, err := q.partOf()
	if err != nil {
		return err
	}
	p, err := q.addPart(u, number, body, objectSum{})
	if err != nil {
		return err
	}
	if src.version.id != nullVersion || src.bucket.hasVersions() {
		q.w.Header().Set("X-Amz-Copy-Source-Version-Id", src.version.id)
	}
	writeEncryption(q.w.Header(), u.object.sse)
	x := newXML(384)
	x.root("CopyPartResult")
	x.time("LastModified", p.modified)
	x.etag(p.etag)
	x.sum(p.sum)
	x.close("CopyPartResult")
	return q.answer(x)
}

// sourceRange finds the bytes that a part copies.
func (q *s3Call) sourceRange(body s3Body) (s3Body, error) {
	const name = "X-Amz-Copy-Source-Range"
	header := q.r.Header.Get(name)
	if header == "" {
		if body.size > q.s.cfg.MaxPart {
			return body, invalidRequest("The specified copy source is larger than the maximum allowable size for a copy source: 5368709120")
		}
		return body, nil
	}
	spec, ok := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	from, err1 := strconv.ParseInt(first, 10, 64)
	to, err2 := strconv.ParseInt(last, 10, 64)
	switch {
	case !ok || !dash || err1 != nil || err2 != nil || from < 0 || to < from:
		return body, invalidArgument("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy", name, header)
	case to >= body.size:
		return body, invalidArgument("Range specified is not valid for source object of size: "+strconv.FormatInt(body.size, 10), name, header)
	case body.size <= q.s.cfg.MinPart:
		return body, invalidRequest("The specified copy source is not supported as a byte-range copy source")
	case to-from+1 > q.s.cfg.MaxPart:
		return body, entityTooLarge(to-from+1, q.s.cfg.MaxPart)
	}
	return body.slice(from, to-from+1), nil
}

func (q *s3Call) abortMultipartUpload() error {
	if err := q.permitObject(q.bucket, "s3:AbortMultipartUpload", q.target.Key, nil, nil); err != nil {
		return err
	}
	u, err := q.upload()
	if err != nil {
		return err
	}
	q.bucket.mu.Lock()
	delete(q.bucket.uploads, u.id)
	q.bucket.mu.Unlock()
	return q.empty(http.StatusNoContent)
}
