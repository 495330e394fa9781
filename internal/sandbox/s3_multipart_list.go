package sandbox

import (
	"cmp"
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
	marker, _ := strconv.Atoi(q.query.Get("part-number-marker"))
	parts, more := q.bucket.partsAfter(u, marker, limit)
	x := newXML(512 + 256*len(parts))
	x.root("ListPartsResult")
	x.text("Bucket", q.bucket.name)
	x.text("Key", u.key)
	x.text("UploadId", u.id)
	q.parties(x, u)
	x.int("PartNumberMarker", int64(marker))
	next := marker
	if n := len(parts); n > 0 {
		next = parts[n-1].number
	}
	x.int("NextPartNumberMarker", int64(next))
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

// parties writes whose an upload is.
func (q *s3Call) parties(x *xmlWriter, u *s3Upload) {
	x.open("Initiator")
	x.text("ID", u.initiator.ARN)
	x.text("DisplayName", u.initiator.UserName)
	x.close("Initiator")
	q.owner(x, u.object.owner)
	x.text("StorageClass", u.object.storageClass())
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
		q.parties(x, u)
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
	for _, u := range b.uploadsBehind(l.prefix, marker, idMarker) {
		if len(page)+len(groups) >= l.limit {
			return page, groups, l.limit > 0
		}
		switch g := l.group(u.key); {
		case g == "":
			page = append(page, u)
		case len(groups) == 0 || groups[len(groups)-1] != g:
			groups = append(groups, g)
		}
	}
	return page, groups, false
}

// uploadsBehind returns the uploads behind a key, or behind one upload of it.
func (b *s3Bucket) uploadsBehind(prefix, marker, idMarker string) []*s3Upload {
	b.mu.RLock()
	all := make([]*s3Upload, 0, len(b.uploads))
	for _, u := range b.uploads {
		if strings.HasPrefix(u.key, prefix) && (u.key >= marker && idMarker != "" || u.key > marker || marker == "") {
			all = append(all, u)
		}
	}
	b.mu.RUnlock()
	slices.SortFunc(all, func(a, b *s3Upload) int {
		return cmp.Or(strings.Compare(a.key, b.key), a.started.Compare(b.started), strings.Compare(a.id, b.id))
	})
	i := slices.IndexFunc(all, func(u *s3Upload) bool { return u.key == marker && u.id == idMarker })
	return all[i+1:]
}
