package sandbox

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

func unmarshalXML(body []byte, v any) error {
	if err := xml.Unmarshal(body, v); err != nil {
		return malformedXML()
	}
	return nil
}

// readMeta reads what a request says about an object.
func readMeta(h http.Header) (*objectMeta, error) {
	m := &objectMeta{
		contentType: h.Get("Content-Type"), contentEncoding: contentEncoding(h.Values("Content-Encoding")),
		contentDisposition: h.Get("Content-Disposition"), contentLanguage: h.Get("Content-Language"),
		cacheControl: h.Get("Cache-Control"), expires: h.Get("Expires"),
	}
	if m.contentType == "" {
		m.contentType = plainType
	}
	size := 0
	for key, values := range h {
		name, ok := strings.CutPrefix(key, "X-Amz-Meta-")
		if !ok {
			continue
		}
		p := metaPair{name: strings.ToLower(name), value: strings.Join(values, ",")}
		size += len(p.name) + len(p.value)
		m.user = append(m.user, p)
	}
	if size > maxMetadata {
		e := newError(http.StatusBadRequest, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
		e.Fields = map[string]string{"Size": strconv.Itoa(size), "MaxSizeAllowed": strconv.Itoa(maxMetadata)}
		return nil, e
	}
	slices.SortFunc(m.user, func(a, b metaPair) int { return strings.Compare(a.name, b.name) })
	return m, nil
}

// contentEncoding leaves out what only framed the request.
func contentEncoding(values []string) string {
	if len(values) == 0 {
		return ""
	}
	var kept []string
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if part = strings.TrimSpace(part); part != "" && !strings.EqualFold(part, "aws-chunked") {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, ",")
}

// write sets the headers that tell an object's metadata.
func (m *objectMeta) write(h http.Header) {
	set := func(name, value string) {
		if value != "" {
			h[name] = []string{value}
		}
	}
	set("Content-Type", m.contentType)
	set("Content-Encoding", m.contentEncoding)
	set("Content-Disposition", m.contentDisposition)
	set("Content-Language", m.contentLanguage)
	set("Cache-Control", m.cacheControl)
	set("Expires", m.expires)
	for _, p := range m.user {
		h["x-amz-meta-"+p.name] = []string{p.value}
	}
}

// readTags reads the tags of a header or of a query string's form.
func readTags(header string) ([]s3Tag, error) {
	if header == "" {
		return nil, nil
	}
	var tags []s3Tag
	for pair := range strings.SplitSeq(header, "&") {
		k, v, _ := strings.Cut(pair, "=")
		key, err1 := url.QueryUnescape(k)
		value, err2 := url.QueryUnescape(v)
		if err1 != nil || err2 != nil {
			return nil, invalidArgument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.", "x-amz-tagging", header)
		}
		tags = append(tags, s3Tag{key, value})
	}
	return tags, checkTags(tags, 10)
}

// checkTags applies the limits of tags.
func checkTags(tags []s3Tag, most int) error {
	if len(tags) > most {
		if most == 10 {
			return newError(http.StatusBadRequest, "BadRequest", "Object tags cannot be greater than 10")
		}
		return newError(http.StatusBadRequest, "BadRequest", "Bucket tag count cannot be greater than 50")
	}
	seen := map[string]bool{}
	for _, t := range tags {
		switch {
		case t.Key == "" || utf8.RuneCountInString(t.Key) > 128 || !tagCharacters(t.Key):
			return invalidTag("The TagKey you have provided is invalid", t)
		case utf8.RuneCountInString(t.Value) > 256 || !tagCharacters(t.Value):
			return invalidTag("The TagValue you have provided is invalid", t)
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return invalidTag("System tags cannot be added/updated by requester", t)
		case seen[t.Key]:
			return invalidTag("Cannot provide multiple Tags with the same key", t)
		}
		seen[t.Key] = true
	}
	return nil
}

// tagCharacters tells whether a tag has only what S3 allows: letters, numbers, spaces and a few signs.
func tagCharacters(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.N, unicode.Z) && !strings.ContainsRune("_.:/=+-@", r)
	}) < 0
}

func invalidTag(message string, t s3Tag) *apiError {
	e := newError(http.StatusBadRequest, "InvalidTag", message)
	e.Fields = map[string]string{"TagKey": t.Key, "TagValue": t.Value}
	return e
}

// readClass reads the storage class that a request asks for.
func readClass(h http.Header) (string, error) {
	switch class := h.Get("X-Amz-Storage-Class"); class {
	case "", classStandard:
		return "", nil
	case classGlacier, classDeepArchive, classIntelligent, "STANDARD_IA", "ONEZONE_IA", "REDUCED_REDUNDANCY", "GLACIER_IR":
		return class, nil
	default:
		e := newError(http.StatusBadRequest, "InvalidStorageClass", "The storage class you specified is not valid")
		e.Fields = map[string]string{"StorageClassRequested": class}
		return "", e
	}
}

// readRedirect reads the website redirect.
func readRedirect(h http.Header) (string, error) {
	to := h.Get("X-Amz-Website-Redirect-Location")
	if to == "" || strings.HasPrefix(to, "/") || strings.HasPrefix(to, "http://") || strings.HasPrefix(to, "https://") {
		return to, nil
	}
	return "", newError(http.StatusBadRequest, "InvalidRedirectLocation", "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.")
}

// checkDigests compares a body with what the request's headers, or its
// trailer, say about it.
func (q *s3Call) checkDigests(body s3Body) error {
	if want := q.r.Header.Get("Content-MD5"); want != "" {
		raw, err := base64.StdEncoding.DecodeString(want)
		if err != nil || len(raw) != md5.Size {
			return newError(http.StatusBadRequest, "InvalidDigest", "The Content-MD5 you specified was invalid.")
		}
		if got := body.md5(); string(raw) != string(got[:]) {
			e := newError(http.StatusBadRequest, "BadDigest", "The Content-MD5 you specified did not match what we received.")
			e.Fields = map[string]string{"ExpectedDigest": want, "CalculatedDigest": base64.StdEncoding.EncodeToString(got[:])}
			return e
		}
	}
	sum, err := q.sentSum()
	if err != nil || sum.algorithm == "" {
		return err
	}
	if q.s.sums.value(sum.algorithm, body) != sum.value {
		return newError(http.StatusBadRequest, "BadDigest", "The "+string(sum.algorithm)+" you specified did not match the calculated checksum.")
	}
	return nil
}

// sentSum is the checksum that a request carries, in a header or behind its
// body; none gives the zero objectSum.
func (q *s3Call) sentSum() (objectSum, error) {
	var sum objectSum
	for _, a := range checksumAlgorithms() {
		name := a.header()
		value := q.r.Header.Get(name)
		if value == "" && len(q.trailer) > 0 {
			value = q.trailer[strings.ToLower(name)]
		}
		if value == "" {
			continue
		}
		if sum.algorithm != "" {
			return objectSum{}, invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
		}
		raw, err := base64.StdEncoding.DecodeString(value)
		if err != nil || len(raw) != a.size() {
			return objectSum{}, invalidRequest("Value for " + strings.ToLower(name) + " header is invalid.")
		}
		sum = objectSum{algorithm: a, value: value}
	}
	return sum, nil
}

// size is the length of a raw checksum.
func (a checksumAlgorithm) size() int {
	switch a {
	case sumSHA1:
		return 20
	case sumSHA256:
		return 32
	case sumCRC64NVME:
		return 8
	default:
		return 4
	}
}

// askedSum is the algorithm that a request wants an object to have: that of
// the checksum it carries, else the one it names.
func (q *s3Call) askedSum() (checksumAlgorithm, error) {
	sent, err := q.sentSum()
	if err != nil || sent.algorithm != "" {
		return sent.algorithm, err
	}
	for _, name := range []string{"X-Amz-Checksum-Algorithm", "X-Amz-Sdk-Checksum-Algorithm"} {
		a, ok := parseChecksumAlgorithm(q.r.Header.Get(name))
		if !ok {
			return "", invalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
		}
		if a != "" {
			return a, nil
		}
	}
	return "", nil
}

// writeSum sets the header of a checksum.
func writeSum(h http.Header, sum objectSum) {
	if sum.algorithm == "" {
		return
	}
	h.Set(sum.algorithm.header(), sum.value)
	if sum.kind != "" {
		h.Set("X-Amz-Checksum-Type", sum.kind)
	}
}

// element writes a checksum as XML elements.
func (x *xmlWriter) sum(sum objectSum) {
	if sum.algorithm == "" {
		return
	}
	x.text(sum.algorithm.element(), sum.value)
	x.optional("ChecksumType", sum.kind)
}
