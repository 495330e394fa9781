package awsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
)

// A bucket is one bucket as the engine sees it, with somebody's credentials. Safe for concurrent use.
type bucket struct {
	sealed
	session *session
	at      compile.Location
	source  compile.Location // where copies come from; only at destinations
}

var (
	_ s3copy.Source      = (*bucket)(nil)
	_ s3copy.Destination = (*bucket)(nil)
	_ s3copy.Deleter     = (*bucket)(nil)
	_ s3copy.Restorer    = (*bucket)(nil)
)

// OpenSource reads the bucket.
func (s *session) OpenSource(b compile.Location) s3copy.Source { return s.open(b, compile.Location{}) }

// OpenDestination writes b; copies come from the source bucket.
func (s *session) OpenDestination(b, source compile.Location) s3copy.Destination {
	return s.open(b, source)
}

// OpenDeleter deletes objects of the bucket.
func (s *session) OpenDeleter(b compile.Location) s3copy.Deleter {
	return s.open(b, compile.Location{})
}

// OpenRestorer asks for archived objects.
func (s *session) OpenRestorer(b compile.Location) s3copy.Restorer {
	return s.open(b, compile.Location{})
}

func (s *session) open(b, source compile.Location) *bucket {
	return &bucket{sealed: sealed{"bucket " + b.Bucket}, session: s, at: b, source: source}
}

// client gives the client of the bucket's own region, pinned to its owner.
func (b *bucket) client(ctx context.Context) (*s3.Client, error) {
	region, err := b.session.home(ctx, b.at.Bucket, b.at.Account, b.at.Region)
	if err != nil {
		return nil, err
	}
	return b.session.s3Client(clientKey{region: region, owner: b.at.Account}), nil
}

// copier gives the client for copies, pinned to both owners.
func (b *bucket) copier(ctx context.Context) (*s3.Client, error) {
	region, err := b.session.home(ctx, b.at.Bucket, b.at.Account, b.at.Region)
	if err != nil {
		return nil, err
	}
	return b.session.s3Client(clientKey{region: region, owner: b.at.Account, source: b.source.Account, copies: true}), nil
}

func (b *bucket) payer() types.RequestPayer {
	if b.session.options.Requester {
		return types.RequestPayerRequester
	}
	return ""
}
