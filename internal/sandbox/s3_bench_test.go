package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// A sink is a ResponseWriter that forgets.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }

// benchRequest makes a request that the admin of the destination signed.
func benchRequest(b *testing.B, srv *Server, method, target string, header map[string]string) *http.Request {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, "http://127.0.0.1"+target, nil)
	if err != nil {
		b.Fatal(err)
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	const none = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	r.Header.Set("x-amz-content-sha256", none)
	id, secret := srv.Admin(DestinationAccount)
	err = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).SignHTTP(
		context.Background(), aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}, r, none, "s3", defaultRegion, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	r.RequestURI = target
	r.Body = http.NoBody
	return r
}

func serveBench(b *testing.B, srv *Server, requests []*http.Request) {
	b.Helper()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		w := &sink{header: http.Header{}}
		srv.ServeHTTP(w, requests[i%len(requests)])
		if w.status != http.StatusOK {
			b.Fatalf("status %d", w.status)
		}
		i++
	}
}

func BenchmarkCopyAcrossAccounts(b *testing.B) {
	srv := New(Config{})
	for _, err := range []error{
		srv.AddSyntheticBucket(SourceAccount, "src", HexKeys("", 1<<20, 1000)),
		srv.AddBucket(DestinationAccount, "dst", BucketOptions{}),
		srv.SetBucketPolicy("src", bucketPolicy(`{"AWS":"210987654321"}`, `["s3:ListBucket","s3:GetObject"]`, `["arn:aws:s3:::src","arn:aws:s3:::src/*"]`, "")),
	} {
		if err != nil {
			b.Fatal(err)
		}
	}
	requests := make([]*http.Request, 2000)
	ns := HexKeys("", 1<<20, 1000)
	for i := range requests {
		key := ns.Key(i * 37)
		requests[i] = benchRequest(b, srv, http.MethodPut, "/dst/"+key+"?x-id=CopyObject", map[string]string{
			"x-amz-copy-source": "src/" + key, "x-amz-expected-bucket-owner": DestinationAccount, "x-amz-source-expected-bucket-owner": SourceAccount,
		})
	}
	serveBench(b, srv, requests)
}

func BenchmarkListPage(b *testing.B) {
	for name, fill := range map[string]func(*Server) error{
		"stored": func(srv *Server) error {
			if err := srv.AddBucket(DestinationAccount, "dst", BucketOptions{}); err != nil {
				return err
			}
			for i := range 100_000 {
				if err := srv.PutObject("dst", fmt.Sprintf("%08d", i), nil, PutOptions{Checksum: "none"}); err != nil {
					return err
				}
			}
			return nil
		},
		"synthetic": func(srv *Server) error {
			return srv.AddSyntheticBucket(DestinationAccount, "dst", HexKeys("", 100_000, 1000))
		},
	} {
		b.Run(name, func(b *testing.B) {
			srv := New(Config{})
			if err := fill(srv); err != nil {
				b.Fatal(err)
			}
			serveBench(b, srv, []*http.Request{benchRequest(b, srv, http.MethodGet, "/dst?encoding-type=url&list-type=2&start-after=00050000", nil)})
		})
	}
}
