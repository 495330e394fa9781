package awsapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"xplan/internal/s3copy"
)

// Open streams an object's bytes. The caller closes the stream.
func (b *bucket) Open(ctx context.Context, r s3copy.OpenRequest) (io.ReadCloser, error) {
	c, err := b.client(ctx)
	if err != nil {
		return nil, err
	}
	doing := fmt.Sprintf("read object %q of %s", r.Key, b.at.Bucket)
	in := &s3.GetObjectInput{
		Bucket: &b.at.Bucket, Key: &r.Key, VersionId: optional(r.VersionID), IfMatch: quote(r.IfMatch), Range: rangeOf(r), RequestPayer: b.payer(),
	}
	out, err := c.GetObject(ctx, in)
	if err != nil {
		e := explain(err, doing)
		if e.Status == http.StatusPreconditionFailed {
			return nil, because(e, s3copy.ErrChanged)
		}
		return nil, e
	}
	if unquote(out.ETag) == "" { // an error's document, or nothing at all: of no object
		return nil, errors.Join(emptyAnswer("%s", doing), out.Body.Close())
	}
	if in.Range != nil && aws.ToString(out.ContentRange) == "" {
		return nil, errors.Join(fmt.Errorf("%s: the server ignored the range", doing), out.Body.Close())
	}
	return &stream{doing: doing, body: out.Body, left: aws.ToInt64(out.ContentLength), known: out.ContentLength != nil}, nil
}

// rangeOf writes the bytes asked for; nil is all.
func rangeOf(r s3copy.OpenRequest) *string {
	switch {
	case r.Length > 0:
		return aws.String(fmt.Sprintf("bytes=%d-%d", r.Offset, r.Offset+r.Length-1))
	case r.Offset > 0:
		return aws.String(fmt.Sprintf("bytes=%d-", r.Offset))
	}
	return nil
}

// A stream refuses to end before all bytes that were announced have come.
type stream struct {
	doing string
	body  io.ReadCloser
	left  int64
	known bool
}

// Read reads on. A stream that ends early is io.ErrUnexpectedEOF.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	s.left -= int64(n)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF) && (!s.known || s.left <= 0):
		return n, io.EOF
	case errors.Is(err, io.EOF):
		return n, fmt.Errorf("%s: %d bytes are missing: %w", s.doing, s.left, io.ErrUnexpectedEOF)
	}
	return n, fmt.Errorf("%s: %w", s.doing, err)
}

// Close ends the stream.
func (s *stream) Close() error { return s.body.Close() }
