package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// The headers of ExpectedBucketOwner and ExpectedSourceBucketOwner.
const (
	ownerHeader       = "X-Amz-Expected-Bucket-Owner"
	sourceOwnerHeader = "X-Amz-Source-Expected-Bucket-Owner"
	copySourceHeader  = "X-Amz-Copy-Source"
)

// errUnpinned stops a request that would reach a bucket whoever owns it.
var errUnpinned = errors.New("the request names no owner for its bucket")

// A pin holds the accounts that must own the buckets of a client's requests. S3 answers 403 where
// another one does. It is set below the operations, so none can forget it; at AWS a request without
// an owner is not sent. Held by TestEveryS3CallPinsItsOwner.
type pin struct {
	owner, source string
	required      bool // at AWS; servers without accounts have nothing to pin
}

func (p pin) add(stack *middleware.Stack) error {
	return stack.Build.Add(middleware.BuildMiddlewareFunc("xplanPinOwner", p.handle), middleware.After)
}

func (p pin) handle(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (
	middleware.BuildOutput, middleware.Metadata, error,
) {
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return middleware.BuildOutput{}, middleware.Metadata{}, fmt.Errorf("pin the owner: unknown request %T", in.Request)
	}
	if err := p.set(req.Header, awsmiddleware.GetOperationName(ctx)); err != nil {
		return middleware.BuildOutput{}, middleware.Metadata{}, err
	}
	return next.HandleBuild(ctx, in)
}

// set names the owners. It is the one place that does, for the SDK's requests and for the lane's.
func (p pin) set(header http.Header, operation string) error {
	if !takesOwner(operation) {
		return nil
	}
	copies := header.Get(copySourceHeader) != ""
	if p.required && (p.owner == "" || copies && p.source == "") {
		return fmt.Errorf("%s: %w", operation, errUnpinned)
	}
	if p.owner != "" {
		header.Set(ownerHeader, p.owner)
	}
	if copies && p.source != "" {
		header.Set(sourceOwnerHeader, p.source)
	}
	return nil
}

// takesOwner tells whether an S3 operation takes ExpectedBucketOwner. All that are about a bucket do, but its creation.
func takesOwner(operation string) bool {
	switch operation {
	case "CreateBucket", "ListBuckets":
		return false
	}
	return true
}
