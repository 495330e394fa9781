package sandbox

import (
	"net/http"
	"strconv"
	"strings"
)

func (q *s3Call) getObjectAttributes() error {
	id := q.query.Get("versionId")
	v, err := q.found("s3:GetObjectAttributes")
	if err != nil {
		return err
	}
	if err := q.permitObject(q.bucket, versioned("s3:GetObject", id), q.target.Key, v, nil); err != nil {
		return err
	}
	if err := q.readable(q.bucket, q.target.Key, v, ssePrefix+"-Customer-"); err != nil {
		return err
	}
	asked := map[string]bool{}
	for _, line := range q.r.Header.Values("X-Amz-Object-Attributes") {
		for name := range strings.SplitSeq(line, ",") {
			asked[strings.TrimSpace(name)] = true
		}
	}
	if len(asked) == 0 {
		return invalidArgument("Missing required header for this request: x-amz-object-attributes", "x-amz-object-attributes", "null")
	}
	h := q.w.Header()
	h.Set("Last-Modified", v.modified.UTC().Format(http.TimeFormat))
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
	if n, err := strconv.Atoi(q.r.Header.Get("X-Amz-Max-Parts")); err == nil && n >= 0 {
		limit = min(n, maxListKeys)
	}
	if n, err := strconv.Atoi(q.r.Header.Get("X-Amz-Part-Number-Marker")); err == nil {
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
