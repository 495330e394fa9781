package awsapi

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
)

// A lane is the short way to one bucket, for the calls that a run makes for every object. It signs and
// sends them as the SDK would, at the endpoint that the SDK chose, over the same connections, and
// reads no answer but a plain yes. All else (a refusal, a torn connection, an answer that looks odd) is handed
// to the SDK's client as the answer to its own first attempt: so what it means, and whether it
// is asked again, is decided there and nowhere else. Safe for concurrent use.
type lane struct {
	closed          bool // the SDK's client alone will do
	pin             pin
	scheme, host    string
	path, rawPath   string // of the bucket, with its last slash: a key follows
	agent           []string
	service, region string
	signer          *v4.Signer
	credentials     aws.CredentialsProvider
	transport       http.RoundTripper
	buffers         *buffers
	skew            atomic.Int64 // how far the server's clock is ahead, as the SDK measured it
}

// The empty body's hash.
const emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// errProbed ends the request that only shows what the SDK would send.
var errProbed = errors.New("not sent")

// A probe is an HTTP client that sends nothing.
type probe struct{ seen *http.Request }

// Do keeps the request.
func (p *probe) Do(r *http.Request) (*http.Response, error) {
	p.seen = r
	return nil, errProbed
}

// newLane asks the SDK's client to make one request of the bucket, and takes endpoint, region and user agent
// from it. It gives nil where the client made none, and a closed lane where it does what a lane cannot.
func (s *session) newLane(ctx context.Context, c *s3.Client, bucketName string, owners pin) *lane {
	var p probe
	key := "k"
	_, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucketName, Key: &key}, func(o *s3.Options) {
		o.HTTPClient, o.Retryer = &p, aws.NopRetryer{}
	})
	if err == nil || p.seen == nil {
		return nil
	}
	u := p.seen.URL
	service, region, ok := scopeOf(p.seen.Header.Get("Authorization"))
	rawPath, found := strings.CutSuffix(u.EscapedPath(), "/"+key)
	way := transport(s.cfg.HTTPClient)
	if !ok || !found || way == nil || u.RawQuery != "" || u.User != nil {
		return &lane{closed: true}
	}
	return &lane{
		pin: owners, scheme: u.Scheme, host: u.Host, path: strings.TrimSuffix(u.Path, key), rawPath: rawPath + "/",
		agent: p.seen.Header["User-Agent"], service: service, region: region,
		signer:      v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }),
		credentials: s.cfg.Credentials, transport: way, buffers: &s.buffers,
	}
}

// scopeOf reads what a request was signed for. Other ways to sign than version 4 are not the lane's.
func scopeOf(authorization string) (service, region string, ok bool) {
	rest, found := strings.CutPrefix(authorization, "AWS4-HMAC-SHA256 Credential=")
	scope, _, more := strings.Cut(rest, ", ")
	parts := strings.Split(scope, "/") // the key's ID may have slashes; behind it come date, region, service and an end
	n := len(parts)
	if !found || !more || n < 5 {
		return "", "", false
	}
	return parts[n-2], parts[n-3], true
}

// A question is one request of the lane.
type question struct {
	operation string // as the SDK calls it
	method    string
	key       string // "" is the bucket itself
	query     string
	header    http.Header
	values    []string // that the header's slices are cut from
}

func ask(operation, method, key string) question {
	const room = 16 // headers of the fullest copy
	return question{operation: operation, method: method, key: key, header: make(http.Header, room), values: make([]string, 0, room)}
}

// set adds a header, where there is something to say.
func (q *question) set(name, value string) {
	if value == "" {
		return
	}
	q.values = append(q.values, value)
	n := len(q.values)
	q.header[name] = q.values[n-1 : n : n]
}

// send asks. It gives nil where nothing was sent, or where what came back is best asked for again by the SDK.
func (l *lane) send(ctx context.Context, q *question) *reply {
	if l.pin.set(q.header, q.operation) != nil {
		return nil
	}
	who, err := l.credentials.Retrieve(ctx)
	if err != nil {
		return nil
	}
	q.set("X-Amz-Content-Sha256", emptySHA256)
	q.header["User-Agent"] = l.agent
	r := (&http.Request{
		Method: q.method, URL: l.address(q), Host: l.host, Header: q.header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	now := time.Now().Add(time.Duration(l.skew.Load()))
	if l.signer.SignHTTP(ctx, who, r, emptySHA256, l.service, l.region, now) != nil {
		return nil
	}
	response, err := l.transport.RoundTrip(r)
	if err != nil {
		return &reply{err: &url.Error{Op: q.method, URL: l.scheme + "://" + l.host, Err: err}}
	}
	return l.buffers.read(response)
}

func (l *lane) address(q *question) *url.URL {
	u := &url.URL{Scheme: l.scheme, Host: l.host, Path: l.path + q.key, RawQuery: q.query}
	if q.key == "" { // the SDK writes /bucket, and / for a bucket that the host names
		u.Path, u.RawPath = cmp.Or(strings.TrimSuffix(l.path, "/"), "/"), cmp.Or(strings.TrimSuffix(l.rawPath, "/"), "/")
		return u
	}
	if escaped := escapePath(q.key); escaped != q.key || l.path != l.rawPath {
		u.RawPath = l.rawPath + escaped
	}
	return u
}

// learn takes over how far the clocks are apart, after the SDK found out.
func (b *bucket) learn(m middleware.Metadata) {
	l := b.short.Load()
	if skew, ok := awsmiddleware.GetAttemptSkew(m); ok && l != nil {
		l.skew.Store(int64(skew))
	}
}

// lane gives the bucket's lane; nil where only the SDK's client will do.
func (b *bucket) lane(ctx context.Context, c *s3.Client) *lane {
	l := b.short.Load()
	if l == nil {
		if b.session.options.Plain {
			return nil
		}
		if l = b.session.newLane(ctx, c, b.at.Bucket, b.session.pin(b.key("", b.paced))); l == nil {
			return nil // it will be tried again
		}
		b.short.Store(l)
	}
	if l.closed {
		return nil
	}
	return l
}
