package awsapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"xplan/internal/s3copy"
)

// copyOnLane copies by the lane. Where that is not all there is to do, it gives the reply for the SDK to judge.
func (b *bucket) copyOnLane(ctx context.Context, c *s3.Client, r s3copy.CopyRequest) (s3copy.Copied, *reply, bool) {
	l := b.lane(ctx, c)
	if l == nil || r.Key == "" {
		return s3copy.Copied{}, nil, false
	}
	q := ask("CopyObject", http.MethodPut, r.Key)
	q.set(copySourceHeader, copySource(b.source.Bucket, r.SourceKey, r.SourceVersion))
	q.set("X-Amz-Copy-Source-If-Match", quoted(r.IfMatch))
	q.set("X-Amz-Storage-Class", r.StorageClass)
	q.set("X-Amz-Acl", r.ACL)
	q.set("X-Amz-Checksum-Algorithm", r.ChecksumAlgo)
	q.set("X-Amz-Website-Redirect-Location", r.WebsiteRedirect)
	q.set("X-Amz-Request-Payer", string(b.payer()))
	setLock(&q, r.Lock)
	if r.IfNoneMatch {
		q.set("If-None-Match", "*")
	}
	if r.DropTags {
		q.set("X-Amz-Tagging-Directive", string(types.TaggingDirectiveReplace))
	}
	if b.session.account.IsAWS() {
		q.set("X-Amz-Object-Annotation-Directive", string(types.AnnotationDirectiveExclude))
	}
	answer := l.send(ctx, &q)
	if !answer.yes() {
		return s3copy.Copied{}, answer, false
	}
	copied, ok := readCopied(answer.body, "CopyObjectResult")
	copied.VersionID = answer.header("X-Amz-Version-Id")
	return copied, answer, ok
}

// partOnLane copies a part by the lane.
func (b *bucket) partOnLane(ctx context.Context, c *s3.Client, r s3copy.PartRequest) (s3copy.Part, *reply, bool) {
	l := b.lane(ctx, c)
	if l == nil || r.Key == "" {
		return s3copy.Part{}, nil, false
	}
	q := ask("UploadPartCopy", http.MethodPut, r.Key)
	q.query = "partNumber=" + strconv.Itoa(r.Number) + "&uploadId=" + url.QueryEscape(r.UploadID)
	q.set(copySourceHeader, copySource(b.source.Bucket, r.SourceKey, r.SourceVersion))
	q.set("X-Amz-Copy-Source-If-Match", quoted(r.IfMatch))
	q.set("X-Amz-Copy-Source-Range", fmt.Sprintf("bytes=%d-%d", r.First, r.Last))
	q.set("X-Amz-Request-Payer", string(b.payer()))
	answer := l.send(ctx, &q)
	if !answer.yes() {
		return s3copy.Part{}, answer, false
	}
	copied, ok := readCopied(answer.body, "CopyPartResult")
	return s3copy.Part{Number: r.Number, Size: r.Last - r.First + 1, ETag: copied.ETag, Checksums: copied.Checksums}, answer, ok
}

// readCopied reads what a copy answers. An answer without an ETag is not read.
func readCopied(body []byte, root string) (s3copy.Copied, bool) {
	var copied s3copy.Copied
	s := scanner{b: body}
	s.root(root)
	for name := s.child(root); name != nil; name = s.child(root) {
		switch string(name) {
		case "ETag":
			copied.ETag = string(unquoted(s.text(name)))
		case "LastModified":
			s.moment(name)
		case "ChecksumType":
			copied.Type = s3copy.ChecksumType(s.text(name))
		default:
			s.sum(name, &copied.Checksums)
		}
	}
	return copied, s.end() && copied.ETag != ""
}

// sum reads a checksum's element.
func (s *scanner) sum(name []byte, into *map[string]string) {
	for _, algorithm := range sumNames() {
		if len(name) != len("Checksum")+len(algorithm) || string(name[:len("Checksum")]) != "Checksum" || string(name[len("Checksum"):]) != algorithm {
			continue
		}
		value := s.text(name)
		if _, twice := (*into)[algorithm]; twice || len(value) == 0 {
			break
		}
		if *into == nil {
			*into = make(map[string]string, 1)
		}
		(*into)[algorithm] = string(value)
		return
	}
	s.odd = true
}

// quoted puts an ETag's quotes on; no ETag gives "".
func quoted(etag string) string {
	if etag == "" {
		return ""
	}
	return `"` + etag + `"`
}

// unquoted takes them off.
func unquoted(etag []byte) []byte {
	for len(etag) > 0 && etag[0] == '"' {
		etag = etag[1:]
	}
	for len(etag) > 0 && etag[len(etag)-1] == '"' {
		etag = etag[:len(etag)-1]
	}
	return etag
}
