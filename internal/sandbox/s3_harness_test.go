package sandbox

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// An s3World is a started sandbox with a client of each account's admin.
type s3World struct {
	*Server
	t        *testing.T
	src, dst *s3.Client
}

func newS3World(t *testing.T, cfg Config) *s3World {
	t.Helper()
	srv := New(cfg)
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &s3World{Server: srv, t: t}
	w.src, w.dst = w.admin(SourceAccount), w.admin(DestinationAccount)
	return w
}

func (w *s3World) admin(account string) *s3.Client {
	id, secret := w.Admin(account)
	return w.client(id, secret)
}

// client is the real SDK, without retries, so that each answer shows.
func (w *s3World) client(id, secret string, opts ...func(*s3.Options)) *s3.Client {
	w.t.Helper()
	opts = append([]func(*s3.Options){func(o *s3.Options) {
		o.Region = defaultRegion
		o.Credentials = credentials.NewStaticCredentialsProvider(id, secret, "")
		o.BaseEndpoint = aws.String(w.URL())
		o.UsePathStyle = true
		o.RetryMaxAttempts = 1
		tr := &http.Transport{MaxIdleConnsPerHost: 64}
		w.t.Cleanup(tr.CloseIdleConnections)
		o.HTTPClient = &http.Client{Transport: tr}
	}}, opts...)
	return s3.New(s3.Options{}, opts...)
}

// user makes a user of an account with one inline policy.
func (w *s3World) user(account, name, policy string) (*s3.Client, string) {
	w.t.Helper()
	arn, err := w.AddUser(account, name)
	if err != nil {
		w.t.Fatal(err)
	}
	if policy != "" {
		if err := w.PutInlinePolicy(arn, "inline", policy); err != nil {
			w.t.Fatal(err)
		}
	}
	c, err := w.AddAccessKey(arn)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.client(c.AccessKeyID, c.Secret), arn
}

func (w *s3World) bucket(account, name string, o BucketOptions) {
	w.t.Helper()
	if err := w.AddBucket(account, name, o); err != nil {
		w.t.Fatal(err)
	}
}

// object puts an object into the bucket tommy.
func (w *s3World) object(key, body string, o PutOptions) {
	w.t.Helper()
	if err := w.PutObject("tommy", key, []byte(body), o); err != nil {
		w.t.Fatal(err)
	}
}

// wantAnswer checks the code of an error of the API; "" wants none.
func wantAnswer(t *testing.T, err error, want string) {
	t.Helper()
	got := errorCode(err)
	if got != want || (err == nil) != (want == "") {
		t.Errorf("error code %q, want %q (%v)", got, want, err)
	}
}

func put(t *testing.T, c *s3.Client, bucket, key, body string) *s3.PutObjectOutput {
	t.Helper()
	out, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)})
	if err != nil {
		t.Fatalf("put %q: %v", key, err)
	}
	return out
}

func get(t *testing.T, c *s3.Client, bucket, key string) string {
	t.Helper()
	out, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	defer func() { _ = out.Body.Close() }()
	var buf bytes.Buffer
	if _, err := io.Copy(&buf, out.Body); err != nil {
		t.Fatalf("read %q: %v", key, err)
	}
	return buf.String()
}

func allKeys(ctx context.Context, t *testing.T, c *s3.Client, in *s3.ListObjectsV2Input) []string {
	t.Helper()
	var keys []string
	in.EncodingType = types.EncodingTypeUrl
	p := s3.NewListObjectsV2Paginator(c, in)
	for p.HasMorePages() {
		page, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			keys = append(keys, listDecode(t, *o.Key))
		}
	}
	return keys
}
