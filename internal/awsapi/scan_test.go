package awsapi

import (
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	smithytime "github.com/aws/smithy-go/time"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"xplan/internal/s3copy"
	"xplan/plan"
)

// bySDK opens the pair of buckets by the SDK's client, and has every request answered by the body set last.
func bySDK(tb testing.TB) (*bucket, *atomic.Pointer[string]) {
	tb.Helper()
	settle(tb)
	a, err := Open(tb.Context(), plan.Account{Provider: plan.AWS, ID: accountB, Region: "us-west-2"}, Options{})
	if err != nil {
		tb.Fatal(err)
	}
	var body atomic.Pointer[string]
	w := forgetful(func() *http.Response { return respond(200, *body.Load()) })
	cfg := a.cfg.Copy()
	cfg.HTTPClient = pooled{&http.Client{Transport: w}}
	o := a.options
	o.Plain, o.retries = true, retries{first: time.Nanosecond}
	return (&Account{session: newSession(cfg, a.account, o)}).pair(), &body
}

type forgetful func() *http.Response

// RoundTrip answers.
func (f forgetful) RoundTrip(r *http.Request) (*http.Response, error) {
	response := f()
	response.Request = r
	return response, nil
}

// mutated is an answer of a server after some edits: of elements, their texts, and bytes.
func mutated(good string) *rapid.Generator[string] {
	pieces := rapid.SampledFrom([]string{
		"<", ">", "/", "&", ";", "&amp;", "&#65;", "&#x41;", "&#0;", "&#233;", "&quot", "<Key>", "</Key>", "<Key/>", "<Size/>", "<key>x</key>", "<Contents>", "</Contents>",
		"<Contents></Contents>", "<ETag>", "</ETag>", "<!---->", "<![CDATA[x]]>", "]]>", "<?x?>", " a='b'", "x:", "\r", "\n", "\x00", "\x7f", "é", "\xff", "%", "%41", "+", "-1",
		"9999999999999999999", "true", "", " ", "\"", "<IsTruncated>1</IsTruncated>", "<EncodingType>url</EncodingType>", "<EncodingType></EncodingType>", "STANDARD", "<Owner/>",
		"<RestoreStatus/>", "<RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>", "<Owner><ID>i</ID></Owner>", "<StorageClass/>", "<ChecksumAlgorithm/>", "<ChecksumType/>", "<ChecksumCRC32/>", "<ChecksumCRC32>x</ChecksumCRC32>",
	})
	leaf := regexp.MustCompile("<([A-Za-z0-9]+)>[^<]*</[A-Za-z0-9]+>")
	leaves := leaf.FindAllString(good, -1)
	texts := rapid.OneOf(pieces, rapid.SampledFrom([]string{"a+b%2Bc", "%zz", "&lt;&#x7e;&apos;", "2024-01-31T00:00:00Z", "2023-02-29T00:00:00Z", "\"e\"", "e-3", "url", "007", "False", "false"}))
	return rapid.Custom(func(t *rapid.T) string {
		text := good
		for range rapid.IntRange(1, 4).Draw(t, "edits") {
			if rapid.IntRange(0, 3).Draw(t, "kind") > 0 { // an element
				old, other := rapid.SampledFrom(leaves).Draw(t, "old"), rapid.SampledFrom(leaves).Draw(t, "other")
				name := leaf.FindStringSubmatch(old)[1]
				with := rapid.SampledFrom([]string{"", other, old + other, other + old, "<" + name + ">" + texts.Draw(t, "text") + "</" + name + ">"}).Draw(t, "with")
				text = strings.Replace(text, old, with, 1)
				continue
			}
			from := rapid.IntRange(0, len(text)).Draw(t, "from")
			to := min(len(text), from+rapid.OneOf(rapid.Just(0), rapid.IntRange(0, 3), rapid.IntRange(0, 200)).Draw(t, "length"))
			text = text[:from] + pieces.Draw(t, "with") + text[to:]
		}
		return text
	})
}

func TestMutatedPagesAreReadAsTheSDKReadsThem(t *testing.T) {
	b, body := bySDK(t)
	rapid.Check(t, func(t *rapid.T) {
		text := mutated(goodPage).Draw(t, "text")
		got, ok := readPage([]byte(text), nil)
		if !ok || got.More && got.Token == "" {
			return // the SDK reads it
		}
		body.Store(&text)
		want, err := b.ListPage(t.Context(), s3copy.PageRequest{}, nil)
		if err != nil {
			t.Fatalf("the SDK does not read what the lane read as %+v: %v", got, err)
		}
		if len(got.Objects) == 0 && len(want.Objects) == 0 {
			got.Objects, want.Objects = nil, nil
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("page (-SDK +lane):\n%s", d)
		}
	})
}

func TestMutatedCopiesAreReadAsTheSDKReadsThem(t *testing.T) {
	b, body := bySDK(t)
	rapid.Check(t, func(t *rapid.T) {
		text := mutated(goodCopy).Draw(t, "text")
		got, ok := readCopied([]byte(text), "CopyObjectResult")
		if !ok {
			return // the SDK reads it
		}
		body.Store(&text)
		want, err := b.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k"})
		if err != nil {
			t.Fatalf("the SDK does not read what the lane read as %+v: %v", got, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("copied (-SDK +lane):\n%s", d)
		}
	})
}

func TestWhatServersAnswerIsReadOnTheLane(t *testing.T) {
	for _, name := range []string{"page", "page late to say", "page not encoded", "page without a token"} {
		if _, ok := readPage([]byte(turns()[name].body), nil); !ok {
			t.Errorf("%s was left to the SDK", name)
		}
	}
	for name, root := range map[string]string{"copied": "CopyObjectResult", "part": "CopyPartResult"} {
		if _, ok := readCopied([]byte(turns()[name].body), root); !ok {
			t.Errorf("%s was left to the SDK", name)
		}
	}
}

func TestPagesAreReadWhateverTheirKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 1, 200), 1, 50).Draw(t, "keys")
		var b strings.Builder
		b.WriteString("<ListBucketResult>" + urlEncoded + "<IsTruncated>false</IsTruncated>")
		for _, key := range keys {
			encoded := strings.ReplaceAll(copySource("", string(key), "")[1:], "%20", "+")
			b.WriteString("<Contents><Key>" + encoded + "</Key><Size>1</Size></Contents>")
		}
		b.WriteString("</ListBucketResult>")
		page, ok := readPage([]byte(b.String()), nil)
		if !ok || len(page.Objects) != len(keys) {
			t.Fatalf("read: %v, %d of %d keys", ok, len(page.Objects), len(keys))
		}
		for i, key := range keys {
			if page.Objects[i].Key != string(key) {
				t.Errorf("key %d is %q, want %q", i, page.Objects[i].Key, key)
			}
		}
	})
}

func TestMomentsAreThoseOfTheSDK(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.StringMatching(`[0-9]{4}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,10})?Z`),
			rapid.StringMatching(`2024-0[1-3]-[0-3][0-9]T23:59:[0-6][0-9](\.|[0-9]|Z|\+01:00)*Z?`),
		).Draw(t, "text")
		got, ok := momentOf([]byte(text))
		want, err := smithytime.ParseDateTime(text)
		if ok && (err != nil || !got.Equal(want)) {
			t.Errorf("%s is %s, %v, want %s", text, got, err, want)
		}
	})
}

func TestStringsOfAPageHoldNoMoreThanTheirBlock(t *testing.T) {
	var a strand
	long := strings.Repeat("x", 3*strandBlock)
	for _, text := range []string{"", "a", long, "b", strings.Repeat("y", strandBlock-1), "c"} {
		if got := a.keep([]byte(text)); got != text {
			t.Errorf("kept %d bytes of %d", len(got), len(text))
		}
		if a.block.Cap() > len(long)+strandBlock {
			t.Errorf("a block of %d bytes", a.block.Cap())
		}
	}
}
