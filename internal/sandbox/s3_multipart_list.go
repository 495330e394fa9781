package sandbox

import (
	"slices"
	"strconv"
	"strings"
)

func (q *s3Call) listParts() error {
	if err := q.permitObject(q.bucket, "s3:ListMultipartUploadParts", q.target.Key, nil, nil); err != nil {
		return err
	}
	u, err := q.upload()
	if err != nil {
		return err
	}
	limit, err := q.limit("max-parts", maxListKeys)
	if err != nil {
		return err
	}
	marker, err := q.limit("part-number-marker", maxParts)
	if err != nil {
		return err
	}
	if !q.query.Has("part-number-marker") {
		marker = 0
	}
	parts, more := q.bucket.partsAfter(u, marker, limit)
	x := newXML(512 + 256*len(parts))
	x.root("ListPartsResult")
	x.text("Bucket", q.bucket.name)
	x.text("Key", u.key)
	x.text("UploadId", u.id)
	x.open("Initiator")
	x.text("ID", u.initiator.ARN)
	x.text("DisplayName", u.initiator.UserName)
	x.close("Initiator")
	q.owner(x, "Owner", u.object.owner)
	x.text("StorageClass", u.object.storageClass())
	x.int("PartNumberMarker", int64(marker))
	if n := len(parts); n > 0 {
		x.int("NextPartNumberMarker", int64(parts[n-1].number))
	} else {
		x.int("NextPartNumberMarker", int64(marker))
	}
	x.int("MaxParts", int64(limit))
	x.bool("IsTruncated", more)
	if u.algorithm != "" {
		x.text("ChecksumAlgorithm", string(u.algorithm))
		x.text("ChecksumType", u.kind)
	}
	for _, p := range parts {
		x.open("Part")
		x.int("PartNumber", int64(p.number))
		x.time("LastModified", p.modified)
		x.etag(p.etag)
		x.int("Size", p.body.size)
		x.sum(p.sum)
		x.close("Part")
	}
	x.close("ListPartsResult")
	return q.answer(x)
}

// partsAfter returns up to limit parts behind a number, in order.
func (b *s3Bucket) partsAfter(u *s3Upload, marker, limit int) (parts []*uploadPart, more bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for n, p := range u.parts {
		if n > marker {
			parts = append(parts, p)
		}
	}
	slices.SortFunc(parts, func(a, b *uploadPart) int { return a.number - b.number })
	if len(parts) > limit {
		return parts[:limit], limit > 0
	}
	return parts, false
}

func (q *s3Call) listMultipartUploads() error {
	l, err := q.listQuery("s3:ListBucketMultipartUploads", "max-uploads")
	if err != nil {
		return err
	}
	marker, idMarker := q.query.Get("key-marker"), q.query.Get("upload-id-marker")
	uploads, groups, more := q.bucket.uploadsAfter(l, marker, idMarker)
	x := newXML(1024 + 400*len(uploads))
	x.root("ListMultipartUploadsResult")
	x.text("Bucket", q.bucket.name)
	x.text("KeyMarker", l.name(marker))
	x.text("UploadIdMarker", idMarker)
	if n := len(uploads); more && n > 0 {
		x.text("NextKeyMarker", l.name(uploads[n-1].key))
		x.text("NextUploadIdMarker", uploads[n-1].id)
	}
	x.text("Prefix", l.name(l.prefix))
	x.optional("Delimiter", l.name(l.delimiter))
	if l.encode {
		x.text("EncodingType", "url")
	}
	x.int("MaxUploads", int64(l.limit))
	x.bool("IsTruncated", more)
	for _, u := range uploads {
		x.open("Upload")
		x.text("Key", l.name(u.key))
		x.text("UploadId", u.id)
		x.open("Initiator")
		x.text("ID", u.initiator.ARN)
		x.text("DisplayName", u.initiator.UserName)
		x.close("Initiator")
		q.owner(x, "Owner", u.object.owner)
		x.text("StorageClass", u.object.storageClass())
		x.time("Initiated", u.started)
		if u.algorithm != "" {
			x.text("ChecksumAlgorithm", string(u.algorithm))
			x.text("ChecksumType", u.kind)
		}
		x.close("Upload")
	}
	for _, g := range groups {
		x.open("CommonPrefixes")
		x.text("Prefix", l.name(g))
		x.close("CommonPrefixes")
	}
	x.close("ListMultipartUploadsResult")
	return q.answer(x)
}

// uploadsAfter returns one page of uploads by key, then by age, and the common
// prefixes among them.
func (b *s3Bucket) uploadsAfter(l *listQuery, marker, idMarker string) (page []*s3Upload, groups []string, more bool) {
	b.mu.RLock()
	all := make([]*s3Upload, 0, len(b.uploads))
	for _, u := range b.uploads {
		if strings.HasPrefix(u.key, l.prefix) {
			all = append(all, u)
		}
	}
	b.mu.RUnlock()
	slices.SortFunc(all, func(a, b *s3Upload) int {
		if c := strings.Compare(a.key, b.key); c != 0 {
			return c
		}
		if c := a.started.Compare(b.started); c != 0 {
			return c
		}
		return strings.Compare(a.id, b.id)
	})
	passed := idMarker == ""
	for _, u := range all {
		if u.key < marker || u.key == marker && marker != "" && idMarker == "" {
			continue
		}
		if u.key == marker && !passed {
			passed = u.id == idMarker
			continue
		}
		if len(page)+len(groups) >= l.limit {
			return page, groups, l.limit > 0
		}
		if g := l.group(u.key); g != "" {
			if len(groups) == 0 || groups[len(groups)-1] != g {
				groups = append(groups, g)
			}
			continue
		}
		page = append(page, u)
	}
	return page, groups, false
}

func (q *s3Call) getObjectAttributes() error {
	id := q.query.Get("versionId")
	v, err := q.found("s3:GetObjectAttributes")
	if err != nil {
		return err
	}
	if err := q.permitObject(q.bucket, versioned("s3:GetObject", id), q.target.Key, v, nil); err != nil {
		return err
	}
	if err := q.readable(q.bucket, q.target.Key, v, ssePrefix+"-customer-"); err != nil {
		return err
	}
	asked := map[string]bool{}
	for _, line := range q.r.Header.Values("x-amz-object-attributes") {
		for _, name := range strings.Split(line, ",") {
			asked[strings.TrimSpace(name)] = true
		}
	}
	if len(asked) == 0 {
		return invalidArgument("Missing required header for this request: x-amz-object-attributes", "x-amz-object-attributes", "null")
	}
	h := q.w.Header()
	h.Set("Last-Modified", v.modified.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	q.versionHeader(v)
	x := newXML(512)
	x.root("GetObjectAttributesResponse")
	if asked["ETag"] {
		x.text("ETag", v.etag)
	}
	if asked["Checksum"] && v.sum.algorithm != "" {
		x.open("Checksum")
		x.sum(v.sum)
		x.close("Checksum")
	}
	if asked["ObjectParts"] && len(v.parts) > 0 {
		if err := q.attributeParts(x, v); err != nil {
			return err
		}
	}
	if asked["StorageClass"] {
		x.text("StorageClass", v.storageClass())
	}
	if asked["ObjectSize"] {
		x.int("ObjectSize", v.body.size)
	}
	x.close("GetObjectAttributesResponse")
	return q.answer(x)
}

// attributeParts lists the parts; one by one only where they have checksums.
func (q *s3Call) attributeParts(x *xmlWriter, v *s3Version) error {
	x.open("ObjectParts")
	defer x.close("ObjectParts")
	if v.parts[0].sum.algorithm == "" {
		x.int("PartsCount", int64(len(v.parts)))
		return nil
	}
	limit, marker := maxListKeys, 0
	if n, err := strconv.Atoi(q.r.Header.Get("x-amz-max-parts")); err == nil && n >= 0 {
		limit = min(n, maxListKeys)
	}
	if n, err := strconv.Atoi(q.r.Header.Get("x-amz-part-number-marker")); err == nil {
		marker = n
	}
	rest := v.parts[min(max(marker, 0), len(v.parts)):]
	page := rest[:min(limit, len(rest))]
	x.bool("IsTruncated", len(page) < len(rest))
	x.int("MaxParts", int64(limit))
	x.int("NextPartNumberMarker", int64(marker+len(page)))
	x.int("PartNumberMarker", int64(marker))
	for i, p := range page {
		x.open("Part")
		x.text(p.sum.algorithm.element(), p.sum.value)
		x.int("PartNumber", int64(marker+i+1))
		x.int("Size", p.size)
		x.close("Part")
	}
	x.int("PartsCount", int64(len(v.parts)))
	return nil
}
