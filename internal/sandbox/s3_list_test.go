package sandbox

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"pgregory.net/rapid"
)

// hostileKeys are keys that clients and servers stumble over.
func hostileKeys() []string {
	return []string{
		"plain", "a b", "a+b", "a%20b", "a%2Fb", "100%", "q?versionId=x", "h#ash", "a&b<c>\"d'", "semi;colon:@$,=!*()~",
		"/lead", "//two", "a//b", "dir/", "./x", "../x", "a/../b", "a/./b", "..", ".",
		"new\nline", "tab\tkey", "ctrl\x01key", "del\x7fkey", "cr\rkey", "back\\slash",
		"e\u0301 NFD", "\u00e9 NFC", "日本語/キー", "🙂", "\ufffd", "\uffff", "nbsp\u00a0", "\u0085",
		strings.Repeat("k", 1024),
	}
}

func TestHostileKeysAreListedInByteOrder(t *testing.T) {
	w := newS3World(t, Config{})
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	for _, key := range hostileKeys() {
		put(t, w.src, "tommy", key, key)
	}
	want := hostileKeys()
	slices.Sort(want)
	for _, size := range []int32{1, 3, 1000} {
		got := allKeys(t.Context(), t, w.src, &s3.ListObjectsV2Input{Bucket: aws.String("tommy"), MaxKeys: &size})
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d: %q, want %q", size, got, want)
		}
	}
	for _, key := range want {
		if got := get(t, w.src, "tommy", key); got != key {
			t.Errorf("key %q holds %q", key, got)
		}
	}
	_, err := w.src.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("tommy")})
	if err == nil {
		t.Error("a control character came through XML")
	}
}

func TestDelimitersGroupKeys(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b := t.Context(), aws.String("tommy")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	for _, key := range []string{"a", "b/1", "b/2", "b/c/3", "c/", "d", "e/1"} {
		w.object(key, "x", PutOptions{})
	}
	for _, size := range []int32{1, 2, 1000} {
		var got []string
		p := s3.NewListObjectsV2Paginator(w.src, &s3.ListObjectsV2Input{Bucket: b, Delimiter: aws.String("/"), MaxKeys: &size})
		for p.HasMorePages() {
			page, err := p.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(page.Contents) + len(page.CommonPrefixes); n != int(*page.KeyCount) || n > int(size) {
				t.Errorf("KeyCount %d for %d entries of at most %d", *page.KeyCount, n, size)
			}
			for _, o := range page.Contents {
				got = append(got, *o.Key)
			}
			for _, c := range page.CommonPrefixes {
				got = append(got, *c.Prefix)
			}
		}
		slices.Sort(got)
		if want := []string{"a", "b/", "c/", "d", "e/"}; !slices.Equal(got, want) {
			t.Errorf("pages of %d: %q, want %q", size, got, want)
		}
	}
	// V1 goes on from a prefix by its name.
	var got []string
	var marker *string
	for {
		page, err := w.src.ListObjects(ctx, &s3.ListObjectsInput{Bucket: b, Delimiter: aws.String("/"), MaxKeys: aws.Int32(1), Marker: marker})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			got = append(got, *o.Key)
		}
		for _, c := range page.CommonPrefixes {
			got = append(got, *c.Prefix)
		}
		if !*page.IsTruncated {
			break
		}
		marker = page.NextMarker
	}
	if want := []string{"a", "b/", "c/", "d", "e/"}; !slices.Equal(got, want) {
		t.Errorf("V1: %q, want %q", got, want)
	}
}

func TestListingsStartAndStopWhereAsked(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b := t.Context(), aws.String("tommy")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	for i := range 10 {
		w.object(fmt.Sprintf("p/%d", i), "x", PutOptions{})
	}
	got := allKeys(ctx, t, w.src, &s3.ListObjectsV2Input{Bucket: b, Prefix: aws.String("p/"), StartAfter: aws.String("p/7")})
	if want := []string{"p/8", "p/9"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	got = allKeys(ctx, t, w.src, &s3.ListObjectsV2Input{Bucket: b, StartAfter: aws.String("p/5"), MaxKeys: aws.Int32(2)})
	if want := []string{"p/6", "p/7", "p/8", "p/9"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	_, err := w.src.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b, ContinuationToken: aws.String("rubbish!")})
	wantAnswer(t, err, "InvalidArgument")
	_, err = w.src.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b, StartAfter: aws.String("a\x01")})
	wantAnswer(t, err, "InvalidArgument")
	_, err = w.src.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b, MaxKeys: aws.Int32(-1)})
	wantAnswer(t, err, "InvalidArgument")
	none, err := w.src.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b, MaxKeys: aws.Int32(0)})
	wantAnswer(t, err, "")
	if len(none.Contents) != 0 || *none.IsTruncated {
		t.Errorf("max-keys=0 answers %d keys, truncated %v", len(none.Contents), *none.IsTruncated)
	}
	page, err := w.src.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b, MaxKeys: aws.Int32(1)})
	wantAnswer(t, err, "")
	if o := page.Contents[0]; o.ChecksumType != types.ChecksumTypeFullObject || o.ChecksumAlgorithm[0] != types.ChecksumAlgorithmCrc64nvme || o.Owner != nil {
		t.Errorf("entry %+v", o)
	}
}

func TestListEncodingKeepsEveryByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "key")
		got, err := url.QueryUnescape(listEncode(s))
		if err != nil || got != s {
			t.Fatalf("%q comes back as %q (%v)", s, got, err)
		}
	})
}

func TestAnIndexIsASortedSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, want := &keyIndex{}, map[string]bool{}
		// Few distinct keys collide, and runs of them fill pages.
		for range rapid.IntRange(1, 20).Draw(t, "rounds") {
			start, n := rapid.IntRange(0, 3000).Draw(t, "start"), rapid.IntRange(1, 700).Draw(t, "n")
			drop := rapid.Bool().Draw(t, "drop")
			for i := start; i < start+n; i++ {
				key := fmt.Sprintf("%05d", i*7%4000)
				if drop {
					x.remove(key)
					delete(want, key)
				} else {
					x.ensure(key)
					want[key] = true
				}
			}
		}
		var sorted []string
		for k := range want {
			sorted = append(sorted, k)
		}
		slices.Sort(sorted)
		var got []string
		x.ascend("", false, func(k *s3Key) bool { got = append(got, k.name); return true })
		if !slices.Equal(got, sorted) || x.size != len(sorted) {
			t.Fatalf("%d keys (size %d), want %d", len(got), x.size, len(sorted))
		}
		from := fmt.Sprintf("%05d", rapid.IntRange(0, 4000).Draw(t, "from"))
		i, found := slices.BinarySearch(sorted, from)
		var next []string
		x.ascend(from, true, func(k *s3Key) bool { next = append(next, k.name); return len(next) < 3 })
		if found {
			i++
		}
		if rest := sorted[i:min(i+3, len(sorted))]; !slices.Equal(next, rest) {
			t.Fatalf("behind %s: %q, want %q", from, next, rest)
		}
		if (x.get(from) != nil) != found {
			t.Fatalf("get %s: %v, want %v", from, x.get(from) != nil, found)
		}
	})
}
