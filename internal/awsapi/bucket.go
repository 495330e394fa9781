package awsapi

import (
	"context"
	"sync/atomic"

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
	sums    uploadSums
	paced   bool // the engine asks, and wants to hear of throttling at once
	short   atomic.Pointer[lane]
}

var (
	_ s3copy.Source      = (*bucket)(nil)
	_ s3copy.Destination = (*bucket)(nil)
	_ s3copy.Deleter     = (*bucket)(nil)
	_ s3copy.Restorer    = (*bucket)(nil)
)

// OpenSource reads the bucket. Throttled requests are not repeated: that is the engine's to do.
func (s *session) OpenSource(b compile.Location) s3copy.Source {
	return s.engine(b, compile.Location{})
}

// OpenDestination writes b; copies come from the source bucket. Throttled requests are not repeated, but for
// those that clean up.
func (s *session) OpenDestination(b, source compile.Location) s3copy.Destination {
	return s.engine(b, source)
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

func (s *session) engine(b, source compile.Location) *bucket {
	opened := s.open(b, source)
	opened.paced = true
	return opened
}

// client gives the client of the bucket's own region, pinned to its owner and to its source's.
func (b *bucket) client(ctx context.Context) (*s3.Client, error) { return b.clientFor(ctx, b.paced) }

// patient is a client that sits throttling out, for what has nobody to ask again.
func (b *bucket) patient(ctx context.Context) (*s3.Client, error) { return b.clientFor(ctx, false) }

func (b *bucket) clientFor(ctx context.Context, paced bool) (*s3.Client, error) {
	region, err := b.session.home(ctx, b.at.Bucket, b.at.Account, b.at.Region)
	if err != nil {
		return nil, err
	}
	return b.session.s3Client(b.key(region, paced)), nil
}

func (b *bucket) key(region string, paced bool) clientKey {
	return clientKey{region: region, owner: b.at.Account, source: b.source.Account, paced: paced}
}

// payer accepts to pay where the bucket, or the one that copies come from, wants that.
func (b *bucket) payer() types.RequestPayer {
	if b.session.options.Requester || b.at.RequesterPays || b.source.RequesterPays {
		return types.RequestPayerRequester
	}
	return ""
}
