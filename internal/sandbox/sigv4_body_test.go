package sandbox

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// chunks frames the 66,560 letters of AWS's examples with the given signatures.
func chunks(first, second, last, trailer string) string {
	frame := func(n int, sig string) string {
		return fmt.Sprintf("%x;chunk-signature=%s\r\n%s", n, sig, strings.Repeat("a", n))
	}
	return frame(65536, first) + "\r\n" + frame(1024, second) + "\r\n" + frame(0, last) + trailer + "\r\n"
}

// exampleCall is the request of AWS's examples, with its seed signature.
func exampleCall(body, seed string) *call {
	return &call{
		r: &http.Request{
			Header: http.Header{"X-Amz-Decoded-Content-Length": {"66560"}},
			Body:   io.NopCloser(iotest.HalfReader(strings.NewReader(body))),
		},
		target: target{Service: serviceS3},
		sig: &signature{
			date: "20130524", region: "us-east-1", service: "s3", amzDate: "20130524T000000Z", value: seed,
		},
	}
}

// TestChunkSignaturesOfAWSExamples holds the framing to the two examples of the
// S3 API reference, sigv4-streaming.html and sigv4-streaming-trailers.html.
func TestChunkSignaturesOfAWSExamples(t *testing.T) {
	key := signingKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", "us-east-1", "s3")
	plain := chunks("ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
		"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
		"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", "")
	trailing := chunks("b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
		"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
		"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
		"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n")
	const plainSeed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
	const trailingSeed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
	read := func(t *testing.T, body, seed, mode string) (*call, int, error) {
		t.Helper()
		c := exampleCall(body, seed)
		if err := c.prepareChunks(key, mode); err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(c.body)
		return c, len(b), err
	}
	if _, n, err := read(t, plain, plainSeed, streamSigned); err != nil || n != 66560 {
		t.Errorf("the plain example gives %d bytes, %v", n, err)
	}
	c, n, err := read(t, trailing, trailingSeed, streamSignedTrailer)
	if err != nil || n != 66560 || c.trailer["x-amz-checksum-crc32c"] != "sOO8/Q==" {
		t.Errorf("the example with a trailer gives %d bytes, %v, trailer %v", n, err, c.trailer)
	}
	for what, spoiled := range map[string]string{
		"data":    strings.Replace(trailing, "aaa", "aba", 1),
		"trailer": strings.Replace(trailing, "sOO8", "tOO8", 1),
		"end":     trailing[:len(trailing)-200],
	} {
		_, _, err := read(t, spoiled, trailingSeed, streamSignedTrailer)
		if _, refused := errors.AsType[*apiError](err); !refused {
			t.Errorf("with its %s spoiled the example is read without an error", what)
		}
	}
}

func TestUnsignedTrailerIsUnframed(t *testing.T) {
	s := startServer(t, Config{})
	a := admin(t, s, accountA)
	if _, err := a.s3.CreateBucket(t.Context(), westBucket("framed")); err != nil {
		t.Fatal(err)
	}
	const body = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"
	put := func(length int) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL()+"/framed/key", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Content-Sha256", streamUnsignedTrailer)
		r.Header.Set("X-Amz-Decoded-Content-Length", strconv.Itoa(length))
		r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
		r.Header.Set("Content-Encoding", "aws-chunked")
		id, secret := s.Admin(accountA)
		err = v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}, r, streamUnsignedTrailer, "s3", defaultRegion, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return send(t, r)
	}
	if status, text := put(7); status != http.StatusBadRequest || !strings.Contains(text, "IncompleteBody") {
		t.Errorf("a wrong length answers %d %s", status, text)
	}
	if status, text := put(5); status != http.StatusOK {
		t.Fatalf("the upload answers %d %s", status, text)
	}
	got, err := a.s3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("framed"), Key: aws.String("key")})
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if b, err := io.ReadAll(got.Body); string(b) != "hello" || err != nil {
		t.Errorf("the object holds %q, %v", b, err)
	}
	if got.ContentEncoding != nil && *got.ContentEncoding != "" {
		t.Errorf("aws-chunked stayed in Content-Encoding: %q", *got.ContentEncoding)
	}
}

func TestUnsignedPayloadPasses(t *testing.T) {
	s := startServer(t, Config{})
	a := admin(t, s, accountA)
	if _, err := a.s3.CreateBucket(t.Context(), westBucket("loose")); err != nil {
		t.Fatal(err)
	}
	_, err := a.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("loose"), Key: aws.String("k"), Body: strings.NewReader("x")},
		s3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware))
	if err != nil {
		t.Error(err)
	}
}
