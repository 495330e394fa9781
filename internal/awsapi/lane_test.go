package awsapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"xplan/internal/bench/null"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// A wire keeps what would go out, and answers by a function.
type wire struct {
	mu     sync.Mutex
	seen   []*http.Request
	answer func(n int, r *http.Request) (*http.Response, error) // to the n-th request, from 0
}

// RoundTrip answers.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	n := len(w.seen)
	w.seen = append(w.seen, r)
	w.mu.Unlock()
	response, err := w.answer(n, r)
	if response != nil {
		response.Request = r
	}
	return response, err
}

// respond makes an answer.
func respond(status int, body string, headers ...string) *http.Response {
	h := http.Header{"X-Amz-Request-Id": {"REQ1"}}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return &http.Response{
		StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
}

// onWire opens the pair of buckets over a wire.
func onWire(a *Account, w *wire, plain bool) *bucket {
	o := a.options
	o.Plain, o.retries = plain, retries{first: time.Microsecond}
	cfg := a.cfg.Copy()
	cfg.HTTPClient = pooled{&http.Client{Transport: w, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	return (&Account{session: newSession(cfg, a.account, o)}).pair()
}

// both does the same by the SDK's client alone and by the lane.
func both(a *Account, answer func(n int, r *http.Request) (*http.Response, error), do func(b *bucket)) (plain, short *wire) {
	plain, short = &wire{answer: answer}, &wire{answer: answer}
	do(onWire(a, plain, true))
	do(onWire(a, short, false))
	return plain, short
}

// sent is what a request says, without what tells one attempt from another or who counts them.
func sent(r *http.Request) map[string]string {
	m := map[string]string{
		"method": r.Method, "scheme": r.URL.Scheme, "host": r.URL.Host, "path": r.URL.EscapedPath(), "length": fmt.Sprint(r.ContentLength),
	}
	for name, values := range r.URL.Query() {
		if name != "x-id" { // names the operation, and means nothing
			m["?"+name] = strings.Join(values, "|")
		}
	}
	for name, values := range r.Header {
		m[name] = strings.Join(values, "|")
	}
	for _, name := range []string{
		"Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "Accept-Encoding", "User-Agent", "Authorization", "X-Amz-Date",
	} {
		delete(m, name)
	}
	return m
}

// signedBy checks that a request is signed with all that it says.
func signedBy(t *rapid.T, r *http.Request) {
	authorization := r.Header.Get("Authorization")
	_, list, _ := strings.Cut(authorization, "SignedHeaders=")
	list, _, _ = strings.Cut(list, ",")
	signed := strings.Split(list, ";")
	for name := range r.Header {
		if name != "Authorization" && name != "User-Agent" && !slices.Contains(signed, strings.ToLower(name)) {
			t.Errorf("%s is not signed: %s", name, authorization)
		}
	}
	if !strings.HasPrefix(authorization, "AWS4-HMAC-SHA256 Credential="+testKeyID+"/") || !strings.Contains(authorization, "/us-west-2/s3/aws4_request, ") {
		t.Errorf("signed as %s", authorization)
	}
}

func accounts(t *testing.T) map[string]*Account {
	t.Helper()
	no := false
	m := map[string]*Account{
		"AWS":         openAccount(t, plan.Account{Provider: plan.AWS, ID: accountB, Region: "us-west-2"}),
		"an endpoint": openAccount(t, plan.Account{Provider: plan.AWS, ID: accountB, Region: "us-west-2", EndpointURL: "http://127.0.0.1:9/base/"}),
		"a server":    openAccount(t, plan.Account{Provider: plan.S3Compatible, Region: "us-west-2", EndpointURL: "https://s3.example.org:8443"}),
		"its host":    openAccount(t, plan.Account{Provider: plan.S3Compatible, Region: "us-west-2", EndpointURL: "https://s3.example.org", PathStyle: &no}),
	}
	t.Setenv("AWS_SESSION_TOKEN", "token")
	t.Setenv("AWS_USE_FIPS_ENDPOINT", "true")
	t.Setenv("AWS_USE_DUALSTACK_ENDPOINT", "true")
	a, err := Open(t.Context(), plan.Account{Provider: plan.AWS, ID: accountB, Region: "us-west-2"}, Options{FetchOwner: true, Requester: true})
	if err != nil {
		t.Fatal(err)
	}
	m["FIPS, with a token"] = a
	return m
}

func TestLaneAsksWhatTheSDKAsks(t *testing.T) {
	all := accounts(t)
	for name, a := range all {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				text := rapid.OneOf(rapid.StringN(1, 20, 60), rapid.SampledFrom([]string{
					"a b+c", "/lead", "d//e/../f", "./x", "ü", "q?x=1&y%20", "\x01\xff", "*", "a:b@c!$&'()*,;=", "http://x/y", "..",
				}))
				optional := rapid.OneOf(rapid.Just(""), rapid.SampledFrom([]string{"x", `a"b`, "a  b", "é/+= "}))
				d := drawn{
					key: text.Draw(t, "key"), source: text.Draw(t, "source"), etag: optional.Draw(t, "etag"), extra: optional.Draw(t, "extra"),
					n: rapid.IntRange(0, 3000).Draw(t, "n"), kind: rapid.IntRange(0, 3).Draw(t, "kind"), flag: rapid.Bool().Draw(t, "flag"),
				}
				refuse := func(int, *http.Request) (*http.Response, error) { return respond(403, ""), nil }
				plain, short := both(a, refuse, func(b *bucket) { askOne(t.Context(), b, d) })
				if len(plain.seen) == 0 || len(short.seen) == 0 {
					t.Fatalf("%d and %d requests", len(plain.seen), len(short.seen))
				}
				if d := cmp.Diff(sent(plain.seen[0]), sent(short.seen[0])); d != "" {
					t.Errorf("request (-SDK +lane):\n%s", d)
				}
				if short.seen[0].Header.Get("Amz-Sdk-Invocation-Id") != "" {
					t.Error("the lane was not used")
				}
				if short.seen[0].Host != plain.seen[0].URL.Host {
					t.Errorf("host %s, want %s", short.seen[0].Host, plain.seen[0].URL.Host)
				}
				signedBy(t, short.seen[0])
			})
		})
	}
}

// drawn is what a request may ask for.
type drawn struct {
	kind                     int
	key, source, etag, extra string
	n                        int
	flag                     bool
}

func askOne(ctx context.Context, b *bucket, d drawn) {
	switch d.kind {
	case 0:
		_, _ = b.CopyObject(ctx, s3copy.CopyRequest{
			SourceKey: d.source, Key: d.key, IfMatch: d.etag, IfNoneMatch: d.flag, StorageClass: strings.TrimSpace(strings.ToValidUTF8(d.extra, "")), DropTags: d.flag, ACL: d.extra,
		})
	case 1:
		_, _ = b.CopyPart(ctx, s3copy.PartRequest{SourceKey: d.source, Key: d.key, UploadID: d.source, IfMatch: d.etag, Number: d.n, First: 1, Last: 99})
	case 2:
		_, _ = b.Head(ctx, s3copy.HeadRequest{Key: d.key, VersionID: d.extra, Part: d.n % 2, Checksums: d.flag})
	default:
		r := s3copy.PageRequest{Prefix: d.extra, After: d.key, Max: d.n}
		if d.flag {
			r.Token = d.source
		}
		_, _ = b.ListPage(ctx, r, nil)
	}
}

// A turn is one answer of a server, or none.
type turn struct {
	status  int
	body    string
	headers []string
	torn    bool  // the body ends too soon
	err     error // no answer comes
}

func (x turn) answer() (*http.Response, error) {
	if x.err != nil {
		return nil, x.err
	}
	r := respond(x.status, x.body, x.headers...)
	if x.torn {
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(x.body), broken{io.ErrUnexpectedEOF}))
		r.ContentLength++
	}
	return r, nil
}

const (
	goodPage = `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix></Prefix><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>` +
		`<Contents><Key>a+b%2B%C3%BC</Key><LastModified>2024-02-29T23:59:59.123Z</LastModified><ETag>&quot;e1&quot;</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumAlgorithm>SHA1</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType><Size>12</Size><StorageClass>STANDARD</StorageClass></Contents>` +
		`<Contents><Key>c</Key><LastModified>2024-01-01T00:00:00Z</LastModified><ETag>"e2"</ETag><Size>0</Size><Owner><ID>id</ID><DisplayName>n</DisplayName></Owner><StorageClass>GLACIER</StorageClass><RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>2026-12-01T00:00:00Z</RestoreExpiryDate></RestoreStatus></Contents>` +
		`<NextContinuationToken>t&amp;k</NextContinuationToken></ListBucketResult>`
	goodCopy = `<?xml version="1.0" encoding="UTF-8"?>
<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LastModified>2025-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag><ChecksumType>FULL_OBJECT</ChecksumType><ChecksumCRC64NVME>abc=</ChecksumCRC64NVME></CopyObjectResult>`
	goodPart = `<CopyPartResult><LastModified>2025-01-01T00:00:00.000Z</LastModified><ETag>"e"</ETag><ChecksumSHA256>abc=</ChecksumSHA256></CopyPartResult>`
)

func turns() map[string]turn {
	return map[string]turn{
		"page": {status: 200, body: goodPage}, "copied": {status: 200, body: goodCopy, headers: []string{"X-Amz-Version-Id", "v"}},
		"part":              {status: 200, body: goodPart},
		"page with é":       {status: 200, body: strings.Replace(goodPage, "<Key>c<", "<Key>é&#233;<", 1)},
		"page with a group": {status: 200, body: strings.Replace(goodPage, "<Name>", "<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes><Name>", 1)},
		"page late to say":  {status: 200, body: strings.Replace(strings.Replace(goodPage, urlEncoded, "", 1), "</ListB", urlEncoded+"</ListB", 1)},
		"page not encoded":  {status: 200, body: strings.Replace(goodPage, urlEncoded, "", 1)},
		"page badly coded":  {status: 200, body: strings.Replace(goodPage, "a+b%2B", "a+b%2", 1)},
		"page cut":          {status: 200, body: goodPage[:700]}, "page torn": {status: 200, body: goodPage[:700], torn: true},
		"page without a token": {status: 200, body: strings.Replace(goodPage, "t&amp;k", "", 1)},
		"page of a bad date":   {status: 200, body: strings.Replace(goodPage, "02-29", "02-30", 1)},
		"page of a bad size":   {status: 200, body: strings.Replace(goodPage, ">12<", ">x<", 1)},
		"page with a comment":  {status: 200, body: strings.Replace(goodPage, "<Name>", "<!-- --><Name>", 1)},
		"page with a letter":   {status: 200, body: strings.Replace(goodPage, "<Name>", "x<Name>", 1)},
		"page in capitals":     {status: 200, body: strings.ToUpper(goodPage)},
		"copied and cut":       {status: 200, body: goodCopy[:200]}, "copied and torn": {status: 200, body: goodCopy[:200], torn: true},
		"copied without an ETag": {status: 200, body: strings.Replace(goodCopy, "&quot;e&quot;", "", 1)},
		"nothing":                {status: 200}, "spaces": {status: 200, body: " \n"}, "HTML": {status: 200, body: "<html><br></html>"},
		"error in a 200":     {status: 200, body: xmlError("InternalError", "We encountered an internal error.")},
		"slow down in a 200": {status: 200, body: xmlError("SlowDown", "x")},
		"created":            {status: 201, body: goodCopy}, "no content": {status: 204},
		"moved":  {status: 301, body: xmlError("PermanentRedirect", "elsewhere"), headers: []string{"X-Amz-Bucket-Region", "eu-west-1"}},
		"turned": {status: 307, body: xmlError("TemporaryRedirect", "elsewhere"), headers: []string{"Location", "https://elsewhere.example.org/"}},
		"bad":    {status: 400, body: xmlError("AuthorizationHeaderMalformed", "the region 'us-west-2' is wrong; expecting 'eu-west-1'")},
		"none":   {status: 400}, "expired": {status: 400, body: xmlError("ExpiredToken", "The provided token has expired.")},
		"customer's key": {status: 400, body: xmlError("InvalidRequest", "The object was stored using a form of Server Side Encryption.")},
		"denied":         {status: 403, body: xmlError("AccessDenied", "no")}, "forbidden": {status: 403},
		"signature": {status: 403, body: xmlError("SignatureDoesNotMatch", "The request signature. x-amz-security-token: secret")},
		"archived":  {status: 403, body: xmlError("InvalidObjectState", "no")},
		"no key":    {status: 404, body: xmlError("NoSuchKey", "no")}, "no bucket": {status: 404, body: xmlError("NoSuchBucket", "no")}, "404": {status: 404},
		"conflict": {status: 409, body: xmlError("OperationAborted", "again")}, "condition": {status: 412, body: xmlError("PreconditionFailed", "no")},
		"too many": {status: 429}, "500": {status: 500, body: xmlError("InternalError", "x")}, "502 of a proxy": {status: 502, body: "<html>"},
		"slow down": {status: 503, body: xmlError("SlowDown", "x")}, "not there": {status: 501, body: xmlError("NotImplemented", "x")},
		"reset": {err: io.ErrUnexpectedEOF}, "refused": {err: &url.Error{Op: "Put", URL: "u", Err: io.EOF}},
		"details": {status: 200, headers: []string{
			"ETag", `"e"`, "Content-Length", "17", "Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT", "Content-Type", "text/x", "X-Amz-Meta-A-B", " ü ",
			"Content-Encoding", "gzip", "Content-Disposition", "inline", "Content-Language", "de", "Cache-Control", "no-store", "Expires", "0", "X-Amz-Meta-", "x",
			"X-Amz-Website-Redirect-Location", "/there", "X-Amz-Checksum-Crc64nvme", "abc", "X-Amz-Checksum-Type", "FULL_OBJECT", "X-Amz-Version-Id", "v",
			"X-Amz-Storage-Class", "DEEP_ARCHIVE", "X-Amz-Restore", `ongoing-request="false", expiry-date="x"`,
		}},
		"details of a part": {status: 206, headers: []string{
			"ETag", `"e-2"`, "Content-Length", "5", "Content-Range", "bytes 0-4/17", "X-Amz-Mp-Parts-Count", "2", "X-Amz-Checksum-Sha1", "s", "X-Amz-Checksum-Type", "COMPOSITE",
			"X-Amz-Server-Side-Encryption", "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", "k", "X-Amz-Server-Side-Encryption-Customer-Algorithm", "AES256",
			"X-Amz-Object-Lock-Mode", "GOVERNANCE", "X-Amz-Object-Lock-Retain-Until-Date", "2030-01-01T00:00:00Z", "X-Amz-Object-Lock-Legal-Hold", "ON",
		}},
		"details of a bad date": {status: 200, headers: []string{"ETag", `"e"`, "Last-Modified", "yesterday"}},
		"details of bad parts":  {status: 200, headers: []string{"ETag", `"e"`, "X-Amz-Mp-Parts-Count", "many"}},
		"details of a bad lock": {status: 200, headers: []string{"ETag", `"e"`, "X-Amz-Object-Lock-Retain-Until-Date", "never"}},
	}
}

// An outcome is what a caller gets, in words.
func outcome(result any, err error) string {
	text := fmt.Sprintf("%+v, %v", result, err)
	for _, meaning := range []error{
		s3copy.ErrDenied, s3copy.ErrNotFound, s3copy.ErrNoBucket, s3copy.ErrChanged, s3copy.ErrExists, s3copy.ErrArchived, s3copy.ErrThrottled,
		s3copy.ErrUnsupported, s3copy.ErrCredentials, s3copy.ErrEmptyAnswer, s3copy.ErrCustomerKey, context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, meaning) {
			text += "; means " + meaning.Error()
		}
	}
	if e, ok := errors.AsType[*RequestError](err); ok {
		text += fmt.Sprintf("; %d %s %s", e.Status, e.Code, e.RequestID)
	}
	return text
}

// laneCalls are the lane's four calls, each with its outcome in words.
func laneCalls() map[string]func(ctx context.Context, b *bucket) string {
	return map[string]func(ctx context.Context, b *bucket) string{
		"copy": func(ctx context.Context, b *bucket) string {
			return outcome(b.CopyObject(ctx, s3copy.CopyRequest{SourceKey: "k", Key: "k", IfMatch: "e"}))
		},
		"part": func(ctx context.Context, b *bucket) string {
			return outcome(b.CopyPart(ctx, s3copy.PartRequest{SourceKey: "k", Key: "k", UploadID: "u", Number: 1, Last: 9}))
		},
		"head": func(ctx context.Context, b *bucket) string {
			return outcome(b.Head(ctx, s3copy.HeadRequest{Key: "k", Part: 1, Checksums: true}))
		},
		"list": func(ctx context.Context, b *bucket) string {
			return outcome(b.ListPage(ctx, s3copy.PageRequest{}, make([]s3copy.Object, 3, 10)))
		},
	}
}

func TestLaneAnswersWhatTheSDKAnswers(t *testing.T) {
	a := openAccount(t, plan.Account{Provider: plan.AWS, ID: accountB, Region: "us-west-2"})
	all := turns()
	good := map[string]string{"copy": "copied", "part": "part", "head": "details", "list": "page"}
	for name, first := range all {
		for what, call := range laneCalls() {
			for _, second := range []string{"", good[what]} {
				answer := func(n int, r *http.Request) (*http.Response, error) {
					x := first
					if n > 0 && second != "" {
						x = all[second]
					}
					if r.Method == http.MethodHead {
						x.body, x.torn = "", false
					}
					return x.answer()
				}
				var said []string
				plain, short := both(a, answer, func(b *bucket) { said = append(said, call(t.Context(), b)) })
				extra := 0
				if first.status == http.StatusTemporaryRedirect {
					extra = 1 // where a bucket is for a while, the SDK asks for itself
				}
				if said[0] != said[1] && (extra == 0 || second == "") {
					t.Errorf("%s, answered with %s and then %s:\nSDK  %s\nlane %s", what, name, second, said[0], said[1])
				}
				if len(short.seen) != len(plain.seen)+extra {
					t.Errorf("%s, answered with %s: %d requests by the lane, %d by the SDK", what, name, len(short.seen), len(plain.seen))
				}
			}
		}
	}
}

func TestEndedContextEndsTheLane(t *testing.T) {
	a := openAccount(t, plan.Account{Provider: plan.AWS, ID: accountB, Region: "us-west-2"})
	for what, call := range laneCalls() {
		ctx, cancel := context.WithCancel(t.Context())
		var said []string
		_, short := both(a, func(_ int, r *http.Request) (*http.Response, error) {
			cancel()
			return nil, r.Context().Err()
		}, func(b *bucket) { said = append(said, call(ctx, b)) })
		if !strings.Contains(said[1], "means context canceled") || len(short.seen) > 1 {
			t.Errorf("%s: %s after %d requests", what, said[1], len(short.seen))
		}
	}
}

func TestSkewedClockIsLearnedFromTheSDK(t *testing.T) {
	a := openAccount(t, plan.Account{Provider: plan.AWS, ID: accountB, Region: "us-west-2"})
	ahead := time.Now().Add(3 * time.Hour).UTC()
	w := &wire{answer: func(_ int, r *http.Request) (*http.Response, error) {
		date := []string{"Date", ahead.Format(http.TimeFormat)}
		const form = "20060102T1504"
		if got := r.Header.Get("X-Amz-Date"); got < ahead.Add(-15*time.Minute).Format(form) || got > ahead.Add(15*time.Minute).Format(form) {
			return respond(403, xmlError("RequestTimeTooSkewed", "The difference between the request time and the current time is too large."), date...), nil
		}
		return respond(200, goodCopy, date...), nil
	}}
	b := onWire(a, w, false)
	for range 3 {
		if _, err := b.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k"}); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.seen) != 4 {
		t.Errorf("%d requests for 3 copies, want one more that showed the skew", len(w.seen))
	}
}

func TestRenewedCredentialsSignTheNextCall(t *testing.T) {
	a := openAccount(t, plan.Account{Provider: plan.AWS, ID: accountB, Region: "us-west-2"})
	n := 0
	a.cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		n++
		return aws.Credentials{AccessKeyID: fmt.Sprintf("AKIA/%d", n), SecretAccessKey: "s", SessionToken: "t"}, nil
	})
	w := &wire{answer: func(int, *http.Request) (*http.Response, error) { return respond(200, goodCopy), nil }}
	b := onWire(a, w, false)
	for range 3 {
		if _, err := b.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k"}); err != nil {
			t.Fatal(err)
		}
	}
	first, last := w.seen[0].Header.Get("Authorization"), w.seen[2].Header.Get("Authorization")
	if !strings.Contains(first, "Credential=AKIA/2/") || !strings.Contains(last, "Credential=AKIA/4/") || w.seen[2].Header.Get("X-Amz-Security-Token") != "t" {
		t.Errorf("signed by %s and %s, want the keys as they come", first, last)
	}
}

func TestCredentialsThatFailAreTheSDKsToTell(t *testing.T) {
	a := openAccount(t, plan.Account{Provider: plan.AWS, ID: accountB, Region: "us-west-2"})
	works := true
	a.cfg.Credentials = told{hint: "log in", provider: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		if !works {
			return aws.Credentials{}, errors.New("the session is over")
		}
		return aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "s"}, nil
	})}
	w := &wire{answer: func(int, *http.Request) (*http.Response, error) { return respond(200, goodCopy), nil }}
	b := onWire(a, w, false)
	for _, works = range []bool{false, true, false} {
		_, err := b.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k"})
		if works && err != nil || !works && (!errors.Is(err, s3copy.ErrCredentials) || !strings.Contains(err.Error(), "log in")) {
			t.Errorf("credentials work: %v, got %v", works, err)
		}
	}
	if len(w.seen) != 1 {
		t.Errorf("%d requests were sent, want the one that could be signed", len(w.seen))
	}
}

func TestUnsignedAccountHasNoLane(t *testing.T) {
	a := openAccount(t, plan.Account{Provider: plan.S3Compatible, EndpointURL: "http://127.0.0.1:9"})
	a.cfg.Credentials = aws.AnonymousCredentials{}
	w := &wire{answer: func(int, *http.Request) (*http.Response, error) { return respond(200, goodCopy), nil }}
	if _, err := onWire(a, w, false).CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k"}); err != nil {
		t.Fatal(err)
	}
	if r := w.seen[0]; r.Header.Get("Authorization") != "" || r.Header.Get("Amz-Sdk-Invocation-Id") == "" {
		t.Errorf("sent %v, want the SDK's unsigned request", r.Header)
	}
}

func TestHotCallsStayWithinTheirAllocations(t *testing.T) {
	a := openAccount(t, plan.Account{Provider: plan.AWS, ID: accountB, Region: "us-west-2"})
	page := strings.Builder{}
	page.WriteString(`<ListBucketResult>` + urlEncoded + `<IsTruncated>false</IsTruncated>`)
	for i := range 1000 {
		fmt.Fprintf(&page, `<Contents><Key>logs/2024/01/02/%010d.gz</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>&quot;%032x&quot;</ETag><Size>7</Size><StorageClass>STANDARD</StorageClass></Contents>`, i, i)
	}
	page.WriteString(`</ListBucketResult>`)
	body := goodCopy
	b := onWire(a, &wire{}, false)
	b.session.cfg.HTTPClient = pooled{&http.Client{Transport: forgetful(func() *http.Response { return respond(200, body) })}}
	perCopy := testing.AllocsPerRun(100, func() {
		if _, err := b.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "a/b", Key: "a/b", IfMatch: "e"}); err != nil {
			t.Fatal(err)
		}
	})
	body = page.String()
	buf := make([]s3copy.Object, 0, 1000)
	perPage := testing.AllocsPerRun(20, func() {
		got, err := b.ListPage(t.Context(), s3copy.PageRequest{}, buf)
		if err != nil || len(got.Objects) != 1000 {
			t.Fatalf("%d keys, %v", len(got.Objects), err)
		}
	})
	t.Logf("%.0f allocations a copy, %.3f a key", perCopy, perPage/1000)
	if perCopy > 85 { // without net/http's own; the SDK's client makes 500
		t.Errorf("%.0f allocations a copy", perCopy)
	}
	if perPage > 200 { // one for ten keys, and those of a request; the SDK's client makes 74 a key
		t.Errorf("%.0f allocations for a page of 1,000 keys", perPage)
	}
}

func TestConnectionsAreKeptUnderLoad(t *testing.T) {
	keys, err := null.NewNamespace(null.Hex, 20_000, null.Sizes{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := null.Start(t.Context(), "127.0.0.1:0", null.Config{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	const inFlight = 64
	b := openNull(t, s.URL(), Options{InFlight: inFlight})
	var next atomic.Int64
	var all sync.WaitGroup
	for range inFlight {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < keys.Len(); i = int(next.Add(1)) - 1 {
				if _, err := b.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: keys.Key(i), Key: keys.Key(i)}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if got := s.Stats(); got.Connections*100 > got.Total || got.Present != got.Keys || got.Doubled != 0 {
		t.Errorf("%d connections for %d requests; %d of %d keys copied, %d twice", got.Connections, got.Total, got.Present, got.Keys, got.Doubled)
	}
}
