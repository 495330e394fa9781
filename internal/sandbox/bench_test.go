package sandbox

import (
	"io"
	"net/http"
	"testing"
)

// BenchmarkSignedRequest is what every request costs: HTTP, the signature, the
// decision and the log.
func BenchmarkSignedRequest(b *testing.B) {
	s := startServer(b, Config{})
	boss := admin(b, s, accountA)
	if _, err := boss.s3.CreateBucket(b.Context(), westBucket("bench")); err != nil {
		b.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	b.Cleanup(client.CloseIdleConnections)
	r := signedBy(b, s, http.MethodHead, "/bench")
	b.ReportAllocs()
	for b.Loop() {
		resp, err := client.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			b.Fatal(resp.Status)
		}
	}
}

// BenchmarkDecision is the part of it that is ours.
func BenchmarkDecision(b *testing.B) {
	s := startServer(b, Config{})
	r := signedBy(b, s, http.MethodHead, "/bench/key")
	r.RemoteAddr = "127.0.0.1:1234"
	b.ReportAllocs()
	for b.Loop() {
		c, err := s.newCall(&nothing{header: http.Header{}}, r)
		if err == nil {
			err = s.authenticate(c)
		}
		if err != nil {
			b.Fatal(err)
		}
		if v := s.authorize(c, "s3:GetObject", "arn:aws:s3:::bench/key", resourceAuth{Account: accountA}, nil); !v.Allowed {
			b.Fatal(v.Message)
		}
	}
}

// nothing is a ResponseWriter that keeps nothing.
type nothing struct{ header http.Header }

func (n *nothing) Header() http.Header         { return n.header }
func (n *nothing) Write(b []byte) (int, error) { return len(b), nil }
func (n *nothing) WriteHeader(int)             {}
