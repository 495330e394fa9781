package awsapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"xplan/internal/s3copy"
)

// wantBody takes a success without a body, or with an error's in it, for a failure, where what would be read out of it does
// harm: the SDK makes an empty listing of it, with an end, and a bucket without a policy, without versions, without a lock.
// It is repeated as far as the request may be. Held by TestASuccessWithoutABodyIsNone and TestEveryCallSurvivesEveryFault.
func wantBody(atAWS bool) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("xplanWantBody", bodyWanted{atAWS}.handle), middleware.After)
	}
}

type bodyWanted struct{ atAWS bool }

// firstBytes are enough to see what a document is.
const firstBytes = 512

func (b bodyWanted) handle(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	out middleware.DeserializeOutput, md middleware.Metadata, err error,
) {
	out, md, err = next.HandleDeserialize(ctx, in)
	resp, ok := out.RawResponse.(*smithyhttp.Response)
	operation := awsmiddleware.GetOperationName(ctx)
	if err != nil || !ok || resp.StatusCode != http.StatusOK || !b.has(awsmiddleware.GetServiceID(ctx), operation) {
		return out, md, err
	}
	most := firstBytes
	if operation == "GetBucketPolicy" {
		most = longestPolicy
	}
	first, err := readFirst(resp.Body, most)
	ended := errors.Is(err, io.EOF)
	if ended && (len(first) == 0 || operation == "GetBucketPolicy" && !json.Valid(first)) || isError(first) {
		return out, md, errors.Join(&bodilessError{}, resp.Body.Close())
	}
	rest := io.Reader(resp.Body)
	if err != nil && !ended { // what broke off is for the reader of the body
		rest = broken{err}
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(first), rest), resp.Body}
	return out, md, nil
}

// longestPolicy is longer than a bucket's policy can be.
const longestPolicy = 64 << 10

// readFirst reads at most so many bytes, and gives the error that came behind them: io.EOF is the body's own end.
func readFirst(body io.Reader, most int) (first []byte, err error) {
	first = make([]byte, 0, most)
	for err == nil && len(first) < most {
		var n int
		n, err = body.Read(first[len(first):most])
		first = first[:len(first)+n]
	}
	return first, err
}

// isError tells of a body that is an error's, of any of the services.
func isError(first []byte) bool {
	first = bytes.TrimSpace(first)
	switch {
	case bytes.HasPrefix(first, []byte("<")):
		return bytes.Contains(first, []byte("<Error>")) || bytes.Contains(first, []byte("<Errors>")) || bytes.Contains(first, []byte("<ErrorResponse"))
	}
	return bytes.HasPrefix(first, []byte(`{"__type"`))
}

// has tells whether a success of the operation always has a body. Of S3 these are the lists and the settings on which
// writes and deletions rest, and at AWS all that is read; other servers answer some of the rest with nothing. IAM, STS and EC2
// answer even a deletion with XML.
func (b bodyWanted) has(service, operation string) bool {
	switch service {
	case "IAM", "STS", "EC2":
		return true
	case "KMS":
		return operation != "RevokeGrant"
	case "S3":
		switch operation {
		case "GetObject":
			return false
		case "ListObjectsV2", "ListObjectVersions", "ListBuckets", "ListMultipartUploads", "ListParts", "GetBucketPolicy", "GetBucketVersioning",
			"GetObjectLockConfiguration", "GetBucketReplication", "GetBucketEncryption", "GetBucketTagging", "GetObjectTagging":
			return true
		}
		return b.atAWS && strings.HasPrefix(operation, "Get")
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
