package sandbox

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// A copySource is the object that a copy reads.
type copySource struct {
	bucket  *s3Bucket
	key, id string
	version *s3Version
}

const customerSource = "X-Amz-Copy-Source-Server-Side-Encryption-Customer-"

// copySource finds the source of a copy, asks whether the caller may read it,
// and applies the conditions that the request puts on it.
func (q *s3Call) copySource() (copySource, error) {
	var src copySource
	name, key, id, err := parseCopySource(q.r.Header.Get("X-Amz-Copy-Source"))
	if err != nil {
		return src, err
	}
	src.key, src.id = key, id
	if err := checkKey(key); err != nil {
		return src, err
	}
	if src.bucket, err = q.s.find(name); err != nil {
		return src, err
	}
	if err := expectOwner(q.r.Header.Get("X-Amz-Source-Expected-Bucket-Owner"), src.bucket); err != nil {
		return src, err
	}
	src.version, err = q.foundIn(src.bucket, key, id, "s3:GetObject", nil)
	if err != nil {
		return src, sourceError(err)
	}
	v := src.version
	if err := checkCopySource(q.r.Header, v); err != nil {
		return src, err
	}
	if v.frozen(q.s.restoreTime(q.now)) {
		return src, frozenError(v, "Operation is not valid for the source object's storage class")
	}
	return src, q.readable(src.bucket, key, v, customerSource)
}

// sourceError: a delete marker named as a source is a bad request.
func sourceError(err error) error {
	if e := (*apiError)(nil); errors.As(err, &e) && e.Code == "MethodNotAllowed" {
		return invalidRequest("The source of a copy request may not specifically refer to a delete marker by version id.")
	}
	return err
}

// parseCopySource reads the header: bucket/key?versionId=…, as a form encodes,
// so that a plus is a space.
func parseCopySource(header string) (bucket, key, id string, err error) {
	path, query, _ := strings.Cut(header, "?")
	if query != "" {
		values, err := url.ParseQuery(query)
		if err != nil {
			return "", "", "", invalidArgument("Invalid copy source encoding.", "x-amz-copy-source", header)
		}
		id = values.Get("versionId")
		if id == "" {
			return "", "", "", invalidArgument("Version id cannot be the empty string", "x-amz-copy-source", header)
		}
	}
	path, err = url.QueryUnescape(path)
	if err != nil {
		return "", "", "", invalidArgument("Invalid copy source encoding.", "x-amz-copy-source", header)
	}
	bucket, key, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !ok || bucket == "" || key == "" {
		return "", "", "", invalidArgument("Invalid copy source object key", "x-amz-copy-source", header)
	}
	return bucket, key, id, nil
}

// directive reads one of the COPY or REPLACE headers.
func directive(h http.Header, name, kind string) (replace bool, err error) {
	switch v := h.Get(name); v {
	case "", "COPY":
		return false, nil
	case "REPLACE":
		return true, nil
	default:
		return false, invalidArgument("Unknown "+kind+" directive.", name, v)
	}
}

func (q *s3Call) copyObject() error {
	src, err := q.copySource()
	if err != nil {
		return err
	}
	if src.version.body.size > q.s.cfg.MaxCopy {
		return invalidRequest("The specified copy source is larger than the maximum allowable size for a copy source: 5368709120")
	}
	v, err := q.copiedVersion(src)
	if err != nil {
		return err
	}
	guard, err := q.writeGuard()
	if err != nil {
		return err
	}
	if err := q.bucket.put(q.target.Key, v, guard); err != nil {
		return err
	}
	h := q.w.Header()
	q.versionHeader(v)
	writeEncryption(h, v.sse)
	if src.version.id != nullVersion || src.bucket.hasVersions() {
		h.Set("X-Amz-Copy-Source-Version-Id", src.version.id)
	}
	x := newXML(384)
	x.root("CopyObjectResult")
	x.time("LastModified", v.modified)
	x.etag(v.etag)
	x.sum(v.sum)
	x.close("CopyObjectResult")
	return q.answer(x)
}

// copiedVersion makes the object that a copy writes.
func (q *s3Call) copiedVersion(src copySource) (*s3Version, error) {
	h := q.r.Header
	replaceMeta, err := directive(h, "X-Amz-Metadata-Directive", "metadata")
	if err != nil {
		return nil, err
	}
	tags, err := q.copiedTags(src)
	if err != nil {
		return nil, err
	}
	v, err := q.newVersion(tags)
	if err != nil {
		return nil, err
	}
	if v.annotations, err = q.copiedAnnotations(src); err != nil {
		return nil, err
	}
	if v.meta = src.version.meta; replaceMeta {
		if v.meta, err = readMeta(h); err != nil {
			return nil, err
		}
	}
	if src.bucket == q.bucket && src.key == q.target.Key && src.id == "" && !replaceMeta && !q.changesSelf(src.version, v) {
		return nil, invalidRequest("This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	return v, q.copyContent(v, src.version)
}

// changesSelf says whether a copy of an object onto itself changes anything
// that S3 counts.
func (q *s3Call) changesSelf(old, v *s3Version) bool {
	h := q.r.Header
	return h.Get("X-Amz-Storage-Class") != "" && v.storageClass() != old.storageClass() ||
		v.redirect != old.redirect || h.Get(ssePrefix) != "" || v.sse != nil && v.sse.customer != "" ||
		h.Get("X-Amz-Checksum-Algorithm") != ""
}

// copiedTags finds the tags of a copy, and asks for the permission to read
// them where the source has any.
func (q *s3Call) copiedTags(src copySource) ([]s3Tag, error) {
	replace, err := directive(q.r.Header, "X-Amz-Tagging-Directive", "tagging")
	if err != nil {
		return nil, err
	}
	if replace {
		return readTags(q.r.Header.Get("X-Amz-Tagging"))
	}
	if len(src.version.tags) == 0 {
		return nil, nil
	}
	action := versioned("s3:GetObjectTagging", src.id)
	return src.version.tags, q.permitObject(src.bucket, action, src.key, src.version, nil)
}

// copyContent shares the source's bytes with v: one part, whatever the source
// was uploaded in, and the source's kind of checksum over the whole.
func (q *s3Call) copyContent(v, old *s3Version) error {
	algorithm, ok := parseChecksumAlgorithm(q.r.Header.Get("X-Amz-Checksum-Algorithm"))
	if !ok {
		return invalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
	}
	v.body, v.sum = old.body, old.sum
	if algorithm == "" {
		if algorithm = old.sum.algorithm; algorithm == "" {
			algorithm = sumCRC64NVME
		}
	}
	if old.sum.algorithm != algorithm || old.sum.kind != sumFullObject {
		v.sum = objectSum{algorithm: algorithm, value: q.s.sums.value(algorithm, v.body), kind: sumFullObject}
	}
	v.etag = old.contentMD5()
	q.seal(v)
	return nil
}
