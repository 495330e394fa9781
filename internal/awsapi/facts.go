package awsapi

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
)

// Bucket reads all facts of one bucket, side by side. What is not configured is a zero value, what may not be
// read is unseen, a missing bucket does not exist, and one that another account owns is foreign.
func (s *session) Bucket(ctx context.Context, name string) (compile.Bucket, []compile.Unseen, error) {
	region, err := s.discover(ctx, name, s.account.ID)
	if err != nil {
		switch {
		case errors.Is(err, s3copy.ErrNoBucket):
			return compile.Bucket{}, nil, nil
		case errors.Is(err, compile.ErrDenied):
			return s.refusedBucket(ctx, name, region, err)
		case region == "" || region == s.cfg.Region:
			return compile.Bucket{}, nil, err
		}
	}
	s.remember(name, region)
	if err != nil { // it lives elsewhere: ask there
		if err := s.headBucket(ctx, name, region); err != nil {
			if errors.Is(err, compile.ErrDenied) {
				return s.refusedBucket(ctx, name, region, err)
			}
			return compile.Bucket{}, nil, err
		}
	}
	b, unseen, err := s.bucketFacts(ctx, name, region)
	return b, unseen, err
}

func (s *session) headBucket(ctx context.Context, name, region string) error {
	c := s.s3Client(clientKey{region: region, owner: s.account.ID})
	if _, err := c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &name}); err != nil {
		return because404(failed(err, "look at bucket %s", name), s3copy.ErrNoBucket)
	}
	return nil
}

// refusedBucket finds out what a 403 on a pinned HEAD means: another owner, or no s3:ListBucket. The
// account's own list of buckets tells; where it may not be read, nobody knows.
func (s *session) refusedBucket(ctx context.Context, name, region string, refusal error) (compile.Bucket, []compile.Unseen, error) {
	if !s.account.IsAWS() {
		return compile.Bucket{}, nil, refusal
	}
	ours, err := s.owns(ctx, name)
	switch {
	case err != nil && !errors.Is(err, compile.ErrDenied) && !errors.Is(err, compile.ErrUnsupported):
		return compile.Bucket{}, nil, err
	case err == nil && !ours:
		return compile.Bucket{Exists: true, Foreign: true, Region: region}, nil, nil
	}
	why := "s3:ListBucket denied"
	if err != nil {
		why += ", and s3:ListAllMyBuckets too: it may belong to another account"
	}
	return compile.Bucket{Exists: true, Region: region}, []compile.Unseen{{What: "bucket " + name, Why: why, About: compile.UnseenBucketPolicy(name)}}, nil
}

// owns looks the bucket up in the account's list.
func (s *session) owns(ctx context.Context, name string) (bool, error) {
	c := s.s3Client(clientKey{region: s.cfg.Region, owner: s.account.ID})
	in := &s3.ListBucketsInput{Prefix: &name, MaxBuckets: aws.Int32(1000)}
	for {
		out, err := c.ListBuckets(ctx, in)
		if err != nil {
			return false, failed(err, "list the buckets of account %s", nameOf(s.account))
		}
		for _, b := range out.Buckets {
			if aws.ToString(b.Name) == name {
				return true, nil
			}
		}
		if aws.ToString(out.ContinuationToken) == "" {
			return false, nil
		}
		in.ContinuationToken = out.ContinuationToken
	}
}

// CanonicalID is how S3 names the account as an owner of objects; "" where the server does not tell.
func (s *session) CanonicalID(ctx context.Context) (string, error) {
	c := s.s3Client(clientKey{region: s.cfg.Region, owner: s.account.ID})
	out, err := c.ListBuckets(ctx, &s3.ListBucketsInput{MaxBuckets: aws.Int32(1)})
	switch {
	case err != nil:
		return "", failed(err, "ask how S3 names account %s", nameOf(s.account))
	case out.Owner == nil:
		return "", nil
	}
	return aws.ToString(out.Owner.ID), nil
}

// A fact is one read of a bucket's settings.
type fact struct {
	what   string // for people
	action string // that may be denied
	unset  string // the code that says that nothing is configured
	read   func(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error
}

// about says for whom it matters that the fact could not be read.
func (f fact) about(bucket string) string {
	switch f.action {
	case "s3:GetBucketPolicy":
		return compile.UnseenBucketPolicy(bucket)
	case "s3:GetBucketObjectLockConfiguration":
		return compile.UnseenObjectLock(bucket)
	}
	return ""
}

// factsAtOnce bounds the connections that reading a bucket takes: both buckets of a pair are read side by side, also where
// few files may be open.
const factsAtOnce = 8

// bucketFacts reads the list of facts side by side; each fills a value of its own, merged in order.
func (s *session) bucketFacts(ctx context.Context, name, region string) (compile.Bucket, []compile.Unseen, error) {
	c := s.s3Client(clientKey{region: region, owner: s.account.ID})
	b := compile.Bucket{Exists: true, Region: region}
	list := facts()
	errs := make([]error, len(list))
	var mu sync.Mutex // of b
	var wg sync.WaitGroup
	room := make(chan struct{}, factsAtOnce)
	for i, f := range list {
		wg.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			var got compile.Bucket
			if errs[i] = f.read(ctx, c, &name, &got); errs[i] == nil {
				mu.Lock()
				defer mu.Unlock()
				merge(&b, got)
			}
		})
	}
	wg.Wait()

	var unseen []compile.Unseen
	for i, f := range list {
		err := errs[i]
		if err == nil || f.unset != "" && errorCode(err) == f.unset {
			continue
		}
		e := failed(err, "read %s of bucket %s", f.what, name)
		switch {
		case errors.Is(e, compile.ErrDenied):
			unseen = append(unseen, compile.Unseen{What: fmt.Sprintf("%s of bucket %s", f.what, name), Why: f.action + " denied", About: f.about(name)})
		case s.lacks(e):
			if s.account.IsAWS() {
				unseen = append(unseen, compile.Unseen{What: fmt.Sprintf("%s of bucket %s", f.what, name), Why: "not supported by the server", About: f.about(name)})
			}
		default:
			return compile.Bucket{}, nil, e
		}
	}
	return b, unseen, nil
}

// lacks tells whether the server does not know this kind of request. AWS's own servers know all of them;
// others also answer so with a 400, 404 or 405 of their own.
func (s *session) lacks(err error) bool {
	var e *RequestError
	if !errors.As(err, &e) {
		return false
	}
	if errors.Is(err, compile.ErrUnsupported) {
		return true
	}
	return !s.account.IsAWS() && (e.Status == 400 || e.Status == 404 || e.Status == 405) && e.Code != "NoSuchBucket"
}
