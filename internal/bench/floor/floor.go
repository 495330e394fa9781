// Package floor is the least that a copy or a comparison over net/http costs: a bare loop that is told
// the keys, signs each request by the SDK's signer, and looks at the answer. It has no retries, no
// state and no listing of its own, and gives up at the first error. What xplan costs above it is the price of all that.
package floor

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"golang.org/x/sync/errgroup"
)

// Keys is the key space that the floor is told.
type Keys interface {
	Len() int
	Key(i int) string
}

// A Client sends signed requests to one endpoint. Safe for concurrent use.
type Client struct {
	Endpoint string // such as http://127.0.0.1:9000
	Source   string // bucket
	Dest     string // bucket
	InFlight int
	Unsigned bool // sends no signature: what is left is HTTP alone
	http     *http.Client
	signer   *v4.Signer
	pages    sync.Pool
}

// New makes a client with a connection for each request in flight.
func New(endpoint, source, dest string, inFlight int) *Client {
	t := &http.Transport{
		MaxIdleConnsPerHost: 2 * inFlight, DisableCompression: true, Proxy: nil,
	}
	return &Client{
		Endpoint: endpoint, Source: source, Dest: dest, InFlight: inFlight, http: &http.Client{Transport: t},
		signer: v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }),
		pages:  sync.Pool{New: func() any { return &bytes.Buffer{} }},
	}
}

const (
	emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	region      = "us-east-1"
)

// Copy copies every key once.
func (c *Client) Copy(ctx context.Context, keys Keys) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range c.InFlight {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= keys.Len() {
					return nil
				}
				if err := c.CopyOne(ctx, keys.Key(i)); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// CopyOne copies one key.
func (c *Client) CopyOne(ctx context.Context, key string) error {
	escaped := escape(key)
	r, err := c.request(ctx, http.MethodPut, c.Dest, key, escaped, "x-id=CopyObject")
	if err != nil {
		return err
	}
	r.Header["X-Amz-Copy-Source"] = []string{c.Source + "/" + escaped}
	page, err := c.do(ctx, r)
	if err != nil {
		return fmt.Errorf("copy %q: %w", key, err)
	}
	defer c.pages.Put(page)
	if !bytes.Contains(page.Bytes(), []byte("<ETag>")) {
		return fmt.Errorf("copy %q: no ETag", key)
	}
	return nil
}

func (c *Client) request(ctx context.Context, method, bucket, key, escaped, query string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.Endpoint, http.NoBody)
	if err != nil {
		return nil, err
	}
	r.URL = &url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host, Path: "/" + bucket + "/" + key, RawPath: "/" + bucket + "/" + escaped, RawQuery: query}
	return r, nil
}

// do sends a request and gives the answer's body.
func (c *Client) do(ctx context.Context, r *http.Request) (*bytes.Buffer, error) {
	if !c.Unsigned {
		r.Header["X-Amz-Content-Sha256"] = []string{emptySHA256}
		who := aws.Credentials{AccessKeyID: "null", SecretAccessKey: "null"}
		if err := c.signer.SignHTTP(ctx, who, r, emptySHA256, "s3", region, time.Now()); err != nil {
			return nil, err
		}
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	page, _ := c.pages.Get().(*bytes.Buffer)
	page.Reset()
	if _, err := io.Copy(page, resp.Body); err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %s", resp.Status)
	}
	return page, nil
}

// Compare lists both buckets in ranges side by side and compares names and ETags as they come: both
// sides must be equal. It gives the number of keys.
func (c *Client) Compare(ctx context.Context, keys Keys) (int64, error) {
	const pageKeys = 1000
	var total atomic.Int64
	n := keys.Len()
	ranges := max(1, min(c.InFlight/2, (n+pageKeys-1)/pageKeys))
	perRange := (n/ranges + pageKeys) / pageKeys * pageKeys // whole pages
	g, ctx := errgroup.WithContext(ctx)
	for from := 0; from < n; from += perRange {
		g.Go(func() error {
			for i := from; i < min(from+perRange, n); i += pageKeys {
				after := ""
				if i > 0 {
					after = keys.Key(i - 1)
				}
				found, err := c.comparePage(ctx, after)
				if err != nil {
					return err
				}
				total.Add(int64(found))
			}
			return nil
		})
	}
	err := g.Wait()
	return total.Load(), err
}

// comparePage asks both sides for the page behind a key.
func (c *Client) comparePage(ctx context.Context, after string) (int, error) {
	var right *bytes.Buffer
	var err error
	var other sync.WaitGroup
	other.Go(func() { right, err = c.list(ctx, c.Dest, after) })
	left, leftErr := c.list(ctx, c.Source, after)
	other.Wait()
	if leftErr != nil || err != nil {
		return 0, fmt.Errorf("list behind %q: %w", after, firstOf(leftErr, err))
	}
	defer c.pages.Put(left)
	defer c.pages.Put(right)
	a, b, count := left.Bytes(), right.Bytes(), 0
	for {
		var x, y [2][]byte
		x[0], a = element(a, "<Key>")
		y[0], b = element(b, "<Key>")
		if x[0] == nil && y[0] == nil {
			return count, nil
		}
		x[1], a = element(a, "<ETag>")
		y[1], b = element(b, "<ETag>")
		if !bytes.Equal(x[0], y[0]) || !bytes.Equal(x[1], y[1]) {
			return count, fmt.Errorf("%q and %q differ", x[0], y[0])
		}
		count++
	}
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func (c *Client) list(ctx context.Context, bucket, after string) (*bytes.Buffer, error) {
	query := "encoding-type=url&list-type=2&max-keys=1000"
	if after != "" {
		query += "&start-after=" + url.QueryEscape(after)
	}
	r, err := c.request(ctx, http.MethodGet, bucket, "", "", query)
	if err != nil {
		return nil, err
	}
	return c.do(ctx, r)
}

// element cuts the next element's text out of a page, and gives the rest.
func element(page []byte, tag string) (text, rest []byte) {
	i := bytes.Index(page, []byte(tag))
	if i < 0 {
		return nil, nil
	}
	page = page[i+len(tag):]
	end := bytes.IndexByte(page, '<')
	if end < 0 {
		return nil, nil
	}
	return page[:end], page[end:]
}

// escape writes a key for a path and for the copy source header.
func escape(key string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(key) + 16)
	for i := range len(key) {
		switch c := key[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '/', c == '-', c == '_', c == '.', c == '~':
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}
