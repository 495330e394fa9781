package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// An annotation is a named text that hangs on an object (June 2026).
type annotation struct {
	name     string
	body     s3Body
	modified time.Time
}

const maxAnnotation = 1 << 20

func (q *s3Call) listObjectAnnotations() error {
	v, err := q.found("s3:ListObjectAnnotations")
	if err != nil {
		return err
	}
	limit, err := q.limit("max-annotation-results", maxListKeys)
	if err != nil {
		return err
	}
	prefix, after := q.query.Get("annotation-prefix"), q.query.Get("continuation-token")
	var page []annotation
	more := false
	for _, a := range v.annotations {
		if !strings.HasPrefix(a.name, prefix) || a.name <= after {
			continue
		}
		if more = len(page) >= limit; more {
			break
		}
		page = append(page, a)
	}
	x := newXML(512)
	x.root("ListObjectAnnotationsResult")
	x.text("Bucket", q.bucket.name)
	x.text("Key", q.target.Key)
	x.text("AnnotationPrefix", prefix)
	x.int("AnnotationCount", int64(len(page)))
	x.int("MaxAnnotationResults", int64(limit))
	if more && len(page) > 0 {
		x.text("NextContinuationToken", page[len(page)-1].name)
	}
	x.open("Annotations")
	for _, a := range page {
		x.open("AnnotationEntry")
		x.text("AnnotationName", a.name)
		x.etag(hexDigest(a.body.md5()))
		x.time("LastModified", a.modified)
		x.int("Size", a.body.size)
		x.close("AnnotationEntry")
	}
	x.close("Annotations")
	x.close("ListObjectAnnotationsResult")
	return q.answer(x)
}

// annotation finds the annotation that a request names; -1 where there is none.
func (q *s3Call) annotation(v *s3Version) int {
	name := q.query.Get("annotationName")
	return slices.IndexFunc(v.annotations, func(a annotation) bool { return a.name == name })
}

func (q *s3Call) getObjectAnnotation() error {
	v, err := q.found("s3:GetObjectAnnotation")
	if err != nil {
		return err
	}
	i := q.annotation(v)
	if i < 0 {
		return newError(http.StatusNotFound, "NoSuchAnnotation", "The specified annotation does not exist.")
	}
	a := v.annotations[i]
	h := q.w.Header()
	h.Set("ETag", `"`+hexDigest(a.body.md5())+`"`)
	h.Set("Last-Modified", a.modified.UTC().Format(http.TimeFormat))
	h.Set("Content-Length", strconv.FormatInt(a.body.size, 10))
	q.w.WriteHeader(http.StatusOK)
	_, _ = a.body.WriteTo(q.w)
	return nil
}

func (q *s3Call) putObjectAnnotation() error {
	v, err := q.found("s3:PutObjectAnnotation")
	if err != nil {
		return err
	}
	data, err := q.readBody(maxAnnotation)
	if err != nil {
		return err
	}
	if err := q.checkDigests(bodyOf(data)); err != nil {
		return err
	}
	name := q.query.Get("annotationName")
	if name == "" || len(name) > 512 || len(data) == 0 {
		return invalidArgument("The annotation is invalid", "annotationName", name)
	}
	if !utf8.Valid(data) {
		return newError(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The annotation must be valid UTF-8.")
	}
	a := annotation{name: name, body: bodyOf(data), modified: q.now}
	changed := *v
	changed.annotations = slices.DeleteFunc(slices.Clone(v.annotations), func(old annotation) bool { return old.name == name })
	changed.annotations = append(changed.annotations, a)
	slices.SortFunc(changed.annotations, func(a, b annotation) int { return strings.Compare(a.name, b.name) })
	q.bucket.replace(q.target.Key, v, &changed)
	q.w.Header().Set("ETag", `"`+hexDigest(a.body.md5())+`"`)
	return q.empty(http.StatusOK)
}

func (q *s3Call) deleteObjectAnnotation() error {
	v, err := q.found("s3:DeleteObjectAnnotation")
	if err != nil {
		return err
	}
	if i := q.annotation(v); i >= 0 {
		changed := *v
		changed.annotations = slices.Delete(slices.Clone(v.annotations), i, i+1)
		q.bucket.replace(q.target.Key, v, &changed)
	}
	return q.empty(http.StatusNoContent)
}

// copiedAnnotations finds the annotations of a copy, and asks for what copying
// them needs. A source without any needs nothing.
func (q *s3Call) copiedAnnotations(src copySource) ([]annotation, error) {
	switch v := q.r.Header.Get("X-Amz-Object-Annotation-Directive"); v {
	case "", "COPY":
	case "EXCLUDE":
		return nil, nil
	default:
		return nil, invalidArgument("Unknown annotation directive.", "x-amz-object-annotation-directive", v)
	}
	if len(src.version.annotations) == 0 {
		return nil, nil
	}
	if err := q.permitObject(src.bucket, versioned("s3:GetObjectAnnotation", src.id), src.key, src.version, nil); err != nil {
		return nil, err
	}
	return src.version.annotations, q.permitObject(q.bucket, "s3:PutObjectAnnotation", q.target.Key, nil, nil)
}
