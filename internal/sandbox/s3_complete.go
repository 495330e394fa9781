package sandbox

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
)

// A claimedPart is a part as CompleteMultipartUpload names it.
type claimedPart struct {
	PartNumber        int
	ETag              string
	ChecksumCRC32     string
	ChecksumCRC32C    string
	ChecksumCRC64NVME string
	ChecksumSHA1      string
	ChecksumSHA256    string
}

func (c claimedPart) sum(a checksumAlgorithm) string {
	switch a {
	case sumCRC32:
		return c.ChecksumCRC32
	case sumCRC32C:
		return c.ChecksumCRC32C
	case sumCRC64NVME:
		return c.ChecksumCRC64NVME
	case sumSHA1:
		return c.ChecksumSHA1
	case sumSHA256:
		return c.ChecksumSHA256
	default:
		return ""
	}
}

func (q *s3Call) completeMultipartUpload() error {
	if err := q.permitObject(q.bucket, "s3:PutObject", q.target.Key, nil, q.requestConditions(nil)); err != nil {
		return err
	}
	claimed, err := q.claimedParts()
	if err != nil {
		return err
	}
	u, err := q.upload()
	if err != nil {
		return err
	}
	v, err := q.assemble(u, claimed)
	if err != nil {
		return err
	}
	guard, err := q.writeGuard()
	if err != nil {
		return err
	}
	if err := q.finish(u, v, guard); err != nil {
		return err
	}
	q.versionHeader(v)
	writeEncryption(q.w.Header(), v.sse)
	x := newXML(512)
	x.root("CompleteMultipartUploadResult")
	x.text("Location", "http://"+q.r.Host+"/"+q.bucket.name+"/"+q.target.Key)
	x.text("Bucket", q.bucket.name)
	x.text("Key", q.target.Key)
	x.etag(v.etag)
	x.sum(v.sum)
	x.close("CompleteMultipartUploadResult")
	return q.answer(x)
}

func (q *s3Call) claimedParts() ([]claimedPart, error) {
	var doc struct {
		XMLName xml.Name      `xml:"CompleteMultipartUpload"`
		Parts   []claimedPart `xml:"Part"`
	}
	body, err := q.readBody(8 << 20)
	if err != nil {
		return nil, err
	}
	if err := unmarshalXML(body, &doc); err != nil {
		return nil, err
	}
	if len(doc.Parts) == 0 {
		return nil, malformedXML()
	}
	for i, p := range doc.Parts {
		if i > 0 && p.PartNumber <= doc.Parts[i-1].PartNumber {
			return nil, newError(http.StatusBadRequest, "InvalidPartOrder", "The list of parts was not in ascending order. The parts list must be specified in order by part number.")
		}
	}
	return doc.Parts, nil
}

// finish puts the object in place and forgets the upload, both or neither.
func (q *s3Call) finish(u *s3Upload, v *s3Version, guard func(*s3Version) error) error {
	b := q.bucket
	return b.put(u.key, v, func(old *s3Version) error {
		if b.uploads[u.id] != u {
			return noSuchUpload(u.id)
		}
		if guard != nil {
			if err := guard(old); err != nil {
				return err
			}
		}
		delete(b.uploads, u.id)
		return nil
	})
}

// assemble checks the claimed parts and joins them.
func (q *s3Call) assemble(u *s3Upload, claimed []claimedPart) (*s3Version, error) {
	parts, err := q.choose(u, claimed)
	if err != nil {
		return nil, err
	}
	v := *u.object
	v.modified = q.now
	etags := make([]byte, 0, md5.Size*len(parts))
	v.parts = make([]objectPart, 0, len(parts))
	var segments []bodySegment
	for _, p := range parts {
		raw, err := hex.DecodeString(p.etag)
		if err != nil {
			return nil, err
		}
		etags = append(etags, raw...)
		segments = append(segments, p.body.segments...)
		v.parts = append(v.parts, objectPart{number: p.number, size: p.body.size, sum: p.sum})
	}
	v.body = s3Body{}.append(joined(segments))
	v.etag = hexDigest(md5.Sum(etags)) + "-" + strconv.Itoa(len(parts))
	if v.sum, err = q.wholeSum(u, parts, v.body); err != nil {
		return nil, err
	}
	if want := q.r.Header.Get("X-Amz-Mp-Object-Size"); want != "" && want != strconv.FormatInt(v.body.size, 10) {
		return nil, invalidRequest("The provided 'x-amz-mp-object-size' header value " + want + " does not match what was computed: " + strconv.FormatInt(v.body.size, 10))
	}
	return &v, nil
}

// joined is the body of segments in a row.
func joined(segments []bodySegment) s3Body {
	b := s3Body{segments: segments}
	for _, g := range segments {
		b.size += g.len()
	}
	return b
}

// choose finds the parts that the client names.
func (q *s3Call) choose(u *s3Upload, claimed []claimedPart) ([]*uploadPart, error) {
	q.bucket.mu.RLock()
	defer q.bucket.mu.RUnlock()
	parts := make([]*uploadPart, 0, len(claimed))
	for i, c := range claimed {
		p := u.parts[c.PartNumber]
		if p == nil || strings.Trim(c.ETag, `"`) != p.etag {
			return nil, invalidPart(u, c)
		}
		if u.algorithm != "" {
			sent := c.sum(u.algorithm)
			if sent == "" && u.kind == sumComposite {
				return nil, invalidRequest("The upload was created using a " + strings.ToLower(string(u.algorithm)) +
					" checksum. The complete request must include the checksum for each part. It was missing for part " + strconv.Itoa(c.PartNumber) + " in the request.")
			}
			if sent != "" && sent != p.sum.value {
				return nil, invalidPart(u, c)
			}
		}
		if i < len(claimed)-1 && p.body.size < q.s.cfg.MinPart {
			e := newError(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
			e.Fields = map[string]string{
				"ProposedSize": strconv.FormatInt(p.body.size, 10), "MinSizeAllowed": strconv.FormatInt(q.s.cfg.MinPart, 10),
				"PartNumber": strconv.Itoa(c.PartNumber), "ETag": p.etag,
			}
			return nil, e
		}
		parts = append(parts, p)
	}
	return parts, nil
}

func invalidPart(u *s3Upload, c claimedPart) *apiError {
	e := newError(http.StatusBadRequest, "InvalidPart",
		"One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
	e.Fields = map[string]string{"UploadId": u.id, "PartNumber": strconv.Itoa(c.PartNumber), "ETag": strings.Trim(c.ETag, `"`)}
	return e
}

// wholeSum computes the object's checksum and compares it with the one that
// the client expects.
func (q *s3Call) wholeSum(u *s3Upload, parts []*uploadPart, body s3Body) (objectSum, error) {
	algorithm := u.algorithm
	if algorithm == "" {
		algorithm = sumCRC64NVME
	}
	sum := objectSum{algorithm: algorithm, kind: u.kind}
	if u.kind == sumComposite {
		var raw []byte
		for _, p := range parts {
			b, err := base64.StdEncoding.DecodeString(p.sum.value)
			if err != nil {
				return sum, err
			}
			raw = append(raw, b...)
		}
		sum.value = q.s.sums.value(algorithm, bodyOf(raw)) + "-" + strconv.Itoa(len(parts))
	} else {
		sum.value = q.s.fullSum(algorithm, parts, body)
	}
	h := q.r.Header
	if kind := h.Get("X-Amz-Checksum-Type"); kind != "" && !strings.EqualFold(kind, u.kind) {
		return sum, invalidRequest("The checksum type specified in the complete request does not match the one of the upload.")
	}
	want := h.Get(algorithm.header())
	if want != "" && want != sum.value && want+"-"+strconv.Itoa(len(parts)) != sum.value {
		return sum, newError(http.StatusBadRequest, "BadDigest", "The "+strings.ToLower(string(algorithm))+" you specified did not match the calculated checksum.")
	}
	return sum, nil
}

// fullSum is the checksum of the whole object: combined from those of its
// parts where they have them, else computed.
func (s *s3Service) fullSum(a checksumAlgorithm, parts []*uploadPart, body s3Body) string {
	var sum uint64
	for _, p := range parts {
		raw, err := base64.StdEncoding.DecodeString(p.sum.value)
		part, ok := a.unpack(raw)
		if err != nil || !ok || p.sum.algorithm != a {
			return s.sums.value(a, body)
		}
		sum = a.combine(sum, part, p.body.size)
	}
	return base64.StdEncoding.EncodeToString(a.pack(sum))
}
