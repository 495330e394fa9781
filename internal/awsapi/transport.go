package awsapi

import (
	"crypto/tls"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

const (
	leastIdleConnections = 512
	idleTimeout          = 90 * time.Second
	// answerTimeout bounds the wait for an answer's first byte: a server may work on a part copy of
	// 5 GB for minutes, and a dead one must not hold the run for ever.
	answerTimeout = 10 * time.Minute
)

// newTransport is the SDK's own client, since AWS_CA_BUNDLE works with no other, tuned for very many
// small requests to one host: a kept connection each (Go keeps 2), and HTTP/1.1, where requests do not
// queue behind each other on one connection.
func newTransport(inFlight int) *awshttp.BuildableClient {
	idle := max(2*inFlight, leastIdleConnections)
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns = 0
		t.MaxIdleConnsPerHost = idle
		t.MaxConnsPerHost = 0
		t.IdleConnTimeout = idleTimeout
		t.ResponseHeaderTimeout = answerTimeout
		t.ForceAttemptHTTP2 = false
		t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
		t.DisableCompression = true
	})
}

// freeze fixes the client as it is, so that who asks and who sends by himself share one pool.
func freeze(c aws.HTTPClient) aws.HTTPClient {
	if b, ok := c.(*awshttp.BuildableClient); ok {
		return b.Freeze()
	}
	return c
}

// pooled hides the client's type: each service client would copy a buildable one, and with it make a
// connection pool of its own.
type pooled struct{ client aws.HTTPClient }

// Do sends a request over the shared pool.
func (p pooled) Do(r *http.Request) (*http.Response, error) { return p.client.Do(r) }

// transport is what sends the client's requests, without what net/http's client does around it: it copies all
// headers for redirections. It is nil where the client is of another kind.
func transport(c aws.HTTPClient) http.RoundTripper {
	if p, ok := c.(pooled); ok {
		c = p.client
	}
	if h, ok := c.(*http.Client); ok {
		return h.Transport
	}
	return nil
}
