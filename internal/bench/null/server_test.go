package null

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"xplan/internal/awsapi"
	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

func namespace(t *testing.T, shape string, n int) Namespace {
	t.Helper()
	s, err := NewNamespace(shape, n, Sizes{Small: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func start(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := Start(t.Context(), "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// open gives both buckets as the engine sees them.
func open(t *testing.T, s *Server) (s3copy.Source, s3copy.Destination) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "null")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "null")
	a, err := awsapi.Open(t.Context(), plan.Account{Provider: plan.S3Compatible, EndpointURL: s.URL(), Region: "us-east-1"}, awsapi.Options{})
	if err != nil {
		t.Fatal(err)
	}
	src := compile.Location{Bucket: Source, Region: "us-east-1"}
	return a.OpenSource(src), a.OpenDestination(compile.Location{Bucket: Destination, Region: "us-east-1"}, src)
}

func TestListingsHoldEveryKeyOnce(t *testing.T) {
	for _, shape := range Shapes() {
		t.Run(shape, func(t *testing.T) {
			keys := namespace(t, shape, 5500)
			src, dst := open(t, start(t, Config{Keys: keys}))
			i := 0
			for r := (s3copy.PageRequest{Max: 999}); ; {
				page, err := src.ListPage(t.Context(), r, nil)
				if err != nil {
					t.Fatal(err)
				}
				for _, o := range page.Objects {
					if o.Key != keys.Key(i) || o.Size != 1000 || len(o.ETag) != 32 {
						t.Fatalf("object %d is %+v, want key %q", i, o, keys.Key(i))
					}
					i++
				}
				if r.Token = page.Token; !page.More {
					break
				}
			}
			if i != keys.Len() {
				t.Errorf("%d keys of %d are listed", i, keys.Len())
			}
			if page, err := dst.ListPage(t.Context(), s3copy.PageRequest{}, nil); err != nil || len(page.Objects) > 0 || page.More {
				t.Errorf("the empty destination lists %v, %v", page, err)
			}
		})
	}
}

func TestAListingBeginsBehindAnyLegalKey(t *testing.T) {
	keys := namespace(t, Unicode, 3000)
	src, _ := open(t, start(t, Config{Keys: keys}))
	for i := 0; i < keys.Len(); i += 271 {
		for _, after := range []string{keys.Key(i), keys.Key(i) + "0"} {
			page, err := src.ListPage(t.Context(), s3copy.PageRequest{After: after, Max: 1}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if i+1 < keys.Len() && (len(page.Objects) != 1 || page.Objects[0].Key != keys.Key(i+1)) {
				t.Errorf("behind %q comes %v, not %q", after, page.Objects, keys.Key(i+1))
			}
		}
	}
	if _, err := src.ListPage(t.Context(), s3copy.PageRequest{After: "a\x01"}, nil); err == nil {
		t.Error("a start behind a control character is taken, and S3 refuses it")
	}
}

type listed struct {
	Contents       []struct{ Key string }
	CommonPrefixes []struct{ Prefix string }
	IsTruncated    bool
	NextMarker     string
	Token          string `xml:"NextContinuationToken"`
}

func get(t *testing.T, address string) listed {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var l listed
	if err := xml.Unmarshal(b, &l); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return l
}

func TestDelimitersFoldKeysIntoPrefixes(t *testing.T) {
	keys := namespace(t, Dated, 9000)
	s := start(t, Config{Keys: keys})
	for _, prefix := range []string{"", "logs/", "logs/2024/0", "logs/2024/02/1", "nothing"} {
		var want []string
		for i := range keys.Len() {
			if rest, ok := strings.CutPrefix(keys.Key(i), prefix); ok {
				if head, _, folded := strings.Cut(rest, "/"); folded {
					rest = head + "/"
				}
				want = append(want, prefix+rest)
			}
		}
		want = slices.Compact(want)
		for _, version := range []string{"list-type=2&", ""} {
			var got []string
			for next := ""; ; {
				l := get(t, s.URL()+"/"+Source+"?"+version+"delimiter=%2F&max-keys=7&prefix="+url.QueryEscape(prefix)+next)
				for _, c := range l.Contents {
					got = append(got, c.Key)
				}
				for _, p := range l.CommonPrefixes {
					got = append(got, p.Prefix)
				}
				if !l.IsTruncated {
					break
				}
				if next = "&continuation-token=" + l.Token; version == "" {
					next = "&marker=" + url.QueryEscape(l.NextMarker)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("below %q with %q: %d entries, want %d", prefix, version, len(got), len(want))
			}
		}
	}
}

func TestCopiesAreAccountedFor(t *testing.T) {
	keys := namespace(t, Hostile, 0)
	s := start(t, Config{Keys: keys})
	src, dst := open(t, s)
	page, err := src.ListPage(t.Context(), s3copy.PageRequest{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range append(page.Objects, page.Objects[0]) {
		c, err := dst.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: o.Key, Key: o.Key, IfMatch: o.ETag})
		if err != nil || c.ETag != o.ETag {
			t.Fatalf("copy %d of %q: %v, %v", i, o.Key, c, err)
		}
	}
	if _, err := dst.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "absent", Key: "absent"}); !errors.Is(err, s3copy.ErrNotFound) {
		t.Errorf("a missing key is copied: %v", err)
	}
	if _, err := dst.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: keys.Key(3), Key: keys.Key(3), IfMatch: "other"}); !errors.Is(err, s3copy.ErrChanged) {
		t.Errorf("another ETag is copied: %v", err)
	}
	n := int64(keys.Len())
	if got := s.Stats(); got.Present != n || got.Writes != n+1 || got.Doubled != 1 || got.Strangers != 1 {
		t.Errorf("of %d keys: %+v", n, got)
	}
}

func TestAnUploadByPartsBecomesAnObject(t *testing.T) {
	keys, err := NewNamespace(Hex, 10, Sizes{Small: 1, Large: 12 << 30, LargeEvery: 10})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Config{Keys: keys})
	_, dst := open(t, s)
	key := keys.Key(5)
	id, err := dst.CreateUpload(t.Context(), s3copy.UploadRequest{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	var parts []s3copy.Part
	for i := range 3 {
		first := s3copy.Bytes(i) * 4 << 30
		p, err := dst.CopyPart(t.Context(), s3copy.PartRequest{SourceKey: key, Key: key, UploadID: id, Number: i + 1, First: first, Last: first + 4<<30 - 1})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, p)
	}
	if stand, err := dst.ListParts(t.Context(), key, id); err != nil || len(stand) != 3 || stand[2].Size != 4<<30 {
		t.Errorf("the parts stand as %v, %v", stand, err)
	}
	if _, err := dst.CompleteUpload(t.Context(), s3copy.CompleteRequest{Key: key, UploadID: id, Parts: parts}); err != nil {
		t.Fatal(err)
	}
	if d, err := dst.Head(t.Context(), s3copy.HeadRequest{Key: key, Checksums: true}); err != nil || d.Size != 12<<30 || len(d.Checksums) != 1 {
		t.Errorf("the object is %+v, %v", d, err)
	}
}

// copyAll asks for the copies of all keys once, some at a time, and counts the errors.
func copyAll(ctx context.Context, keys Namespace, dst s3copy.Destination) (throttled, others int) {
	var mu sync.Mutex
	var group sync.WaitGroup
	for w := range 8 {
		group.Go(func() {
			for i := w; i < keys.Len(); i += 8 {
				_, err := dst.CopyObject(ctx, s3copy.CopyRequest{SourceKey: keys.Key(i), Key: keys.Key(i)})
				mu.Lock()
				switch {
				case errors.Is(err, s3copy.ErrThrottled):
					throttled++
				case err != nil:
					others++
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return throttled, others
}

func TestARateIsHeld(t *testing.T) {
	keys := namespace(t, Hex, 400)
	s := start(t, Config{Keys: keys, CopyRate: 100})
	_, dst := open(t, s)
	begun := time.Now()
	throttled, others := copyAll(t.Context(), keys, dst)
	st := s.Stats()
	most := 10 + int64(100*time.Since(begun).Seconds()) + 1
	if others > 0 || int64(throttled)+st.Writes != 400 || st.Throttled != int64(throttled) || st.Writes > most {
		t.Errorf("%d throttled, %d other errors, %d written of at most %d: %+v", throttled, others, st.Writes, most, st)
	}
}

func TestFaultsComeInTheirShare(t *testing.T) {
	keys := namespace(t, Hex, 2000)
	s := start(t, Config{Keys: keys, Faults: Faults{Internal: 0.05, Torn: 0.05, Seed: 7}})
	_, dst := open(t, s)
	if _, others := copyAll(t.Context(), keys, dst); others > 0 {
		t.Errorf("%d copies failed for good", others)
	}
	st := s.Stats()
	if st.Present != 2000 || st.Failed < 50 || st.Torn < 50 || st.Writes == st.Present {
		t.Errorf("of 2,000 copies with 5 %% faults of either kind: %+v", st)
	}
}
