package awsapi

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"xplan/internal/s3copy"
)

// deletion is what DeleteObjects sends.
type deletion struct {
	Object []struct{ Key, ETag string }
}

func readDeletion(t *testing.T, r request) deletion {
	t.Helper()
	var d deletion
	if err := xml.Unmarshal([]byte(r.Body), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestEveryDeletionHasItsAnswer(t *testing.T) {
	s := serve(t, func(request) (int, string) {
		return 200, `<DeleteResult><Deleted><Key>gone</Key></Deleted>
<Error><Key>held</Key><Code>AccessDenied</Code><Message>no</Message></Error>
<Error><Key>other</Key><Code>PreconditionFailed</Code><Message>no</Message></Error>
<Error><Key>never</Key><Code>NoSuchKey</Code><Message>no</Message></Error></DeleteResult>`
	})
	got, err := account(t, s).pair().DeleteObjects(t.Context(), []s3copy.Deletion{
		{Key: "held"}, {Key: "gone", ETag: "e"}, {Key: "forgotten"}, {Key: "other", ETag: "e"}, {Key: "never"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{s3copy.ErrDenied, nil, s3copy.ErrEmptyAnswer, s3copy.ErrChanged, nil} {
		if !errors.Is(got[i], want) || want == nil && got[i] != nil {
			t.Errorf("object %d: got %v, want %v", i, got[i], want)
		}
	}
	if d := readDeletion(t, s.requests()[0]); len(d.Object) != 5 || d.Object[1].ETag != "e" {
		t.Errorf("asked for %+v, want 5 objects, the second with its ETag", d)
	}
}

func TestEmptyAnswerToADeletionDeletedNothing(t *testing.T) {
	s := serve(t, func(request) (int, string) { return 200, "" })
	got, err := account(t, s).pair().DeleteObjects(t.Context(), []s3copy.Deletion{{Key: "a"}, {Key: "b"}})
	if err != nil || !errors.Is(got[0], s3copy.ErrEmptyAnswer) || !errors.Is(got[1], s3copy.ErrEmptyAnswer) {
		t.Errorf("got %v, %v, want %v for both", got, err, s3copy.ErrEmptyAnswer)
	}
}

func TestADeletionAskedForOnceIsNotRepeatedWhereTheAnswerIsLost(t *testing.T) {
	for name, h := range map[string]func(http.ResponseWriter, request){
		"torn connection": func(w http.ResponseWriter, _ request) { tear(w) },
		"500":             func(w http.ResponseWriter, _ request) { w.WriteHeader(500) },
		"inside": func(w http.ResponseWriter, _ request) {
			_, _ = w.Write([]byte("<DeleteResult><Error><Key>a</Key><Code>InternalError</Code></Error></DeleteResult>"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveHTTP(t, h)
			for _, key := range []string{"a", "a\x01"} {
				before := len(s.requests())
				errs, err := account(t, s).pair().DeleteObjects(t.Context(), []s3copy.Deletion{{Key: key, ETag: "e", Once: true}})
				if n := len(s.requests()) - before; n != 1 || err != nil || key == "a" && errs[0] == nil {
					t.Errorf("%q: %v, %v after %d requests, want an error after one", key, errs, err, n)
				}
			}
		})
	}
}

func TestKeysThatXMLCannotCarryAreDeletedByThemselves(t *testing.T) {
	s := serve(t, func(r request) (int, string) {
		if r.Method == http.MethodDelete {
			return 204, ""
		}
		return 200, `<DeleteResult><Deleted><Key>plain</Key></Deleted></DeleteResult>`
	})
	got, err := account(t, s).pair().DeleteObjects(t.Context(), []s3copy.Deletion{{Key: "a\x01", ETag: "e"}, {Key: "plain"}, {Key: "b\xff"}})
	if err != nil || errors.Join(got...) != nil {
		t.Fatalf("got %v, %v, want no error", got, err)
	}
	seen := s.requests()
	if len(seen) != 3 || seen[1].Path != "/tommy-b/a%01" || seen[2].Path != "/tommy-b/b%FF" || seen[1].Header.Get("If-Match") != `"e"` {
		t.Errorf("requests %v, want the plain key together and a%%01 and b%%FF by themselves, on their ETag", seen)
	}
}

func TestServersWithoutConditionsDeleteOnlyWhatIsAskedForWithoutOne(t *testing.T) {
	s := serve(t, func(r request) (int, string) {
		switch {
		case r.Method == http.MethodPost:
			return 501, xmlError("NotImplemented", "A header or query you provided implies functionality that is not implemented")
		case r.Header.Get("If-Match") != "":
			return 501, xmlError("NotImplemented", "")
		}
		return 204, ""
	})
	got, err := compatible(t, s).pair().DeleteObjects(t.Context(), []s3copy.Deletion{{Key: "a", ETag: "e"}, {Key: "b"}})
	if err != nil || !errors.Is(got[0], s3copy.ErrUnsupported) || got[1] != nil {
		t.Errorf("got %v, %v, want a refused, and b deleted", got, err)
	}
	if first := s.requests()[0]; first.Header.Get("Content-Md5") == "" {
		t.Error("no Content-MD5: servers older than S3's checksums refuse")
	}
}

func TestThrottledDeletionsAreAskedForAgain(t *testing.T) {
	n := 0
	s := serve(t, func(r request) (int, string) {
		if n++; n == 1 {
			return 200, `<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>SlowDown</Code></Error></DeleteResult>`
		}
		if strings.Contains(r.Body, "<Key>a</Key>") {
			return 400, xmlError("Test", "a was deleted already")
		}
		return 200, `<DeleteResult><Deleted><Key>b</Key></Deleted></DeleteResult>`
	})
	got, err := account(t, s).pair().DeleteObjects(t.Context(), []s3copy.Deletion{{Key: "a"}, {Key: "b"}})
	if err != nil || errors.Join(got...) != nil || n != 2 {
		t.Errorf("got %v, %v after %d requests, want no error after 2", got, err, n)
	}
}

func TestADeletionOfAVersionIsAnsweredForThatVersion(t *testing.T) {
	answered := map[string]string{"/tommy-b/own%01": "v1", "/tommy-b/hidden%01": "a-new-marker"} // the last one has none
	s := serveHTTP(t, func(w http.ResponseWriter, r request) {
		if r.Method == http.MethodDelete {
			if id := answered[r.Path]; id != "" {
				w.Header().Set("X-Amz-Version-Id", id)
			}
			w.WriteHeader(http.StatusNoContent)
			return
		}
		_, _ = io.WriteString(w, `<DeleteResult><Deleted><Key>a</Key><VersionId>v1</VersionId></Deleted>
<Deleted><Key>m</Key><VersionId>v2</VersionId><DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>v2</DeleteMarkerVersionId></Deleted>
<Deleted><Key>other</Key><VersionId>v9</VersionId></Deleted><Deleted><Key>none</Key><DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>v3</DeleteMarkerVersionId></Deleted>
<Error><Key>held</Key><VersionId>v1</VersionId><Code>AccessDenied</Code></Error></DeleteResult>`)
	})
	var asked []s3copy.Deletion
	for _, d := range [][2]string{{"a", "v1"}, {"m", "v2"}, {"other", "v1"}, {"none", "v1"}, {"held", "v1"}, {"own\x01", "v1"}, {"hidden\x01", "v1"}, {"silent\x01", "v1"}} {
		asked = append(asked, s3copy.Deletion{Key: d[0], VersionID: d[1]})
	}
	got, err := account(t, s).pair().DeleteObjects(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{
		nil, nil, s3copy.ErrEmptyAnswer, s3copy.ErrEmptyAnswer, s3copy.ErrDenied, nil, s3copy.ErrEmptyAnswer, s3copy.ErrEmptyAnswer,
	} {
		if !errors.Is(got[i], want) || want == nil && got[i] != nil {
			t.Errorf("%+v: got %v, want %v", asked[i], got[i], want)
		}
	}
	if one := s.requests()[1]; !strings.Contains(one.Query, "versionId=v1") {
		t.Errorf("asked for %+v", one)
	}
}
