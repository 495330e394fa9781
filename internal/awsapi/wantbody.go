package awsapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"xplan/internal/s3copy"
)

// wantBody takes a success without a body for a failure, where what would be read out of it does harm: the SDK makes an
// empty listing of it, with an end, and a bucket without a policy, without versions, without a lock. It is repeated as
// far as the request may be. Held by TestASuccessWithoutABodyIsNone.
func wantBody(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("xplanWantBody", handleBody), middleware.After)
}

func handleBody(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	out middleware.DeserializeOutput, md middleware.Metadata, err error,
) {
	out, md, err = next.HandleDeserialize(ctx, in)
	resp, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok || resp.StatusCode != http.StatusOK || !hasBody(awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx)) {
		return out, md, err
	}
	var first [1]byte
	n, err := io.ReadFull(resp.Body, first[:])
	if errors.Is(err, io.EOF) {
		return out, md, errors.Join(&bodilessError{}, resp.Body.Close())
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(first[:n]), resp.Body), resp.Body}
	return out, md, nil // what broke off is for the reader of the body
}

// hasBody tells whether a success of the operation always has a body. Of S3 these are the lists and the settings on which
// writes and deletions rest; other servers answer some of the rest with nothing. IAM and STS answer even a deletion with XML.
func hasBody(service, operation string) bool {
	switch service {
	case "IAM", "STS":
		return true
	case "S3":
		switch operation {
		case "ListObjectsV2", "ListBuckets", "ListMultipartUploads", "ListParts", "GetBucketPolicy", "GetBucketVersioning",
			"GetObjectLockConfiguration", "GetBucketReplication", "GetBucketEncryption", "GetBucketTagging", "GetObjectTagging":
			return true
		}
	}
	return false
}

// A bodilessError is a success that told nothing.
type bodilessError struct{}

// Error says so.
func (*bodilessError) Error() string { return s3copy.ErrEmptyAnswer.Error() }

// Unwrap gives its meaning.
func (*bodilessError) Unwrap() error { return s3copy.ErrEmptyAnswer }

// RetryableError tells the SDK that asking again may help.
func (*bodilessError) RetryableError() bool { return true }
