package awsapi

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/internal/sandbox"
)

// versions opens a bucket of account B whose listings are of versions.
func (a *Account) versions(name string) *bucket {
	at := compile.Location{Bucket: name, Region: "us-west-2", Account: accountB, Versions: true}
	return a.engine(at, compile.Location{Bucket: "tommy", Region: "us-west-2", Account: accountA})
}

// toldChains lists a bucket page by page, in words: key, then the versions, the oldest first.
func toldChains(t *testing.T, b *bucket, r s3copy.PageRequest) (all []string, pages int) {
	t.Helper()
	for {
		p, err := b.ListPage(t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, o := range p.Objects {
			line := o.Key + ":"
			for i := range o.Chain.Versions {
				v := o.Chain.Versions[len(o.Chain.Versions)-1-i]
				if v.Key != o.Key || v.ID == "" {
					t.Errorf("version %+v of %q", v, o.Key)
				}
				line += fmt.Sprint(" ", v.Size)
				if v.Marker {
					line += "x"
				}
			}
			all = append(all, line)
		}
		if !p.More {
			return all, pages
		}
		r.Token = p.Token
	}
}

func TestPagesOfVersionsEndBetweenKeys(t *testing.T) {
	w := newWorld(t)
	if err := w.AddBucket(accountB, "kept", sandbox.BucketOptions{Versioning: "Enabled"}); err != nil {
		t.Fatal(err)
	}
	write := func(key string, sizes ...int) {
		for _, size := range sizes {
			var err error
			if size < 0 {
				err = w.DeleteObject("kept", key)
			} else {
				err = w.PutObject("kept", key, []byte(strings.Repeat("x", size)), sandbox.PutOptions{})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	write("a", 1)
	write("a\x01", 2, 3)
	write("b +%", 1, -1, 2, -1)
	write("c", -1)
	write("ü/", 4, 5, 6)
	var want []string
	for key, line := range map[string]string{"a": " 1", "a\x01": " 2 3", "b +%": " 1 0x 2 0x", "c": " 0x", "ü/": " 4 5 6"} {
		want = append(want, key+":"+line)
	}
	for _, most := range []int{0, 1, 2, 3} {
		got, pages := toldChains(t, w.b.versions("kept"), s3copy.PageRequest{Max: most})
		wantSet(t, got, want)
		if most == 1 && pages != 5 {
			t.Errorf("%d pages of one key", pages)
		}
	}
	got, _ := toldChains(t, w.b.versions("kept"), s3copy.PageRequest{After: "a\x01", Prefix: ""})
	if len(got) != 3 {
		t.Errorf("behind a key: %q", got)
	}
	got, _ = toldChains(t, w.b.versions("kept"), s3copy.PageRequest{Prefix: "b", Max: 1})
	wantSet(t, got, []string{"b +%: 1 0x 2 0x"})
}

func wantSet(t *testing.T, got, want []string) {
	t.Helper()
	have := map[string]bool{}
	for i, line := range got {
		if have[line] = true; i > 0 && keyOf(got[i-1]) >= keyOf(line) {
			t.Errorf("%q came after %q", line, got[i-1])
		}
	}
	for _, line := range want {
		if !have[line] {
			t.Errorf("%q is not listed, but %q", line, got)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d keys, want %d", len(got), len(want))
	}
}

func keyOf(line string) string {
	key, _, _ := strings.Cut(line, ":")
	return key
}

func TestAKeyOfManyVersionsIsOneKey(t *testing.T) {
	w := newWorld(t)
	if err := w.AddBucket(accountB, "kept", sandbox.BucketOptions{Versioning: "Enabled"}); err != nil {
		t.Fatal(err)
	}
	for i, key := range []string{"a", "k", "z"} {
		for range []int{3, 2500, 998}[i] {
			if err := w.PutObject("kept", key, nil, sandbox.PutOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, _ := toldChains(t, w.b.versions("kept"), s3copy.PageRequest{})
	if len(got) != 3 || strings.Count(got[0], " ") != 3 || strings.Count(got[1], " ") != 2500 || strings.Count(got[2], " ") != 998 {
		t.Errorf("%d keys", len(got))
	}
	if n := w.Count("ListObjectVersions"); n > 7 {
		t.Errorf("%d requests for 3,501 versions", n)
	}
}

// listedVersions is a page as S3 writes it: versions and markers in one order, with one date.
func listedVersions(entries ...string) string {
	var b strings.Builder
	b.WriteString(`<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>`)
	for i, e := range entries {
		kind, key, _ := strings.Cut(e, " ")
		fmt.Fprintf(&b, `<%s><Key>%s</Key><VersionId>%d</VersionId><LastModified>2026-01-01T00:00:00.000Z</LastModified></%s>`, kind, key, i, kind)
	}
	return b.String() + `</ListVersionsResult>`
}

func TestVersionsAndMarkersKeepTheirOrderWhateverTheirDates(t *testing.T) {
	s := serve(t, func(request) (int, string) {
		return 200, listedVersions("DeleteMarker k", "Version k", "DeleteMarker k", "DeleteMarker k", "Version k", "Version l")
	})
	p, err := account(t, s).versions("kept").ListPage(t.Context(), s3copy.PageRequest{}, nil)
	if err != nil || len(p.Objects) != 2 {
		t.Fatalf("%+v, %v", p, err)
	}
	got := ""
	for _, v := range p.Objects[0].Chain.Versions {
		got += fmt.Sprint(v.ID, v.Marker, " ")
	}
	if got != "0true 1false 2true 3true 4false " {
		t.Errorf("in the order %s", got)
	}
}

func TestAServerThatListsVersionsAndMarkersApartIsRefused(t *testing.T) {
	s := serve(t, func(request) (int, string) { return 200, listedVersions("Version k", "Version l", "DeleteMarker k") })
	_, err := account(t, s).versions("kept").ListPage(t.Context(), s3copy.PageRequest{}, nil)
	if !errors.Is(err, s3copy.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}

func TestADeletionThatMakesNoMarkerIsAnError(t *testing.T) {
	for name, header := range map[string]map[string]string{
		"nothing": nil, "a version alone": {"X-Amz-Version-Id": "v"}, "no": {"X-Amz-Delete-Marker": "false", "X-Amz-Version-Id": "v"},
	} {
		s := serveHTTP(t, func(w http.ResponseWriter, _ request) {
			for k, v := range header {
				w.Header().Set(k, v)
			}
			w.WriteHeader(http.StatusNoContent)
		})
		if id, err := account(t, s).pair().PutMarker(t.Context(), "k"); !errors.Is(err, s3copy.ErrUnversioned) {
			t.Errorf("%s: %q, %v", name, id, err)
		}
	}
}
