package s3copy

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// pages is a lister that answers with given pages.
type pages struct {
	pages []Page
	asked []PageRequest
}

func (p *pages) ListPage(_ context.Context, r PageRequest, _ []Object) (Page, error) {
	p.asked = append(p.asked, r)
	if len(p.pages) == 0 {
		return Page{}, errors.New("asked for a page too many")
	}
	page := p.pages[0]
	p.pages = p.pages[1:]
	return page, nil
}

func some(keys ...string) []Object {
	var out []Object
	for _, k := range keys {
		out = append(out, Object{Key: k})
	}
	return out
}

// readAll lists a side to its end.
func readAll(t *testing.T, s side) ([]string, error) {
	t.Helper()
	r := newRun(small(), newBudget(small()), Job{}, Progress{Ranges: []Range{{ID: 1}}}, nil)
	out := make(chan batch)
	go s.read(t.Context(), r, out)
	var keys []string
	for b := range out {
		if b.err != nil {
			return keys, b.err
		}
		for _, o := range b.objects {
			keys = append(keys, o.Key)
		}
	}
	return keys, nil
}

func TestListingSurvivesLegalOddities(t *testing.T) {
	for _, c := range []struct {
		name string
		side side
		give []Page
		want string
	}{
		{"short and empty pages", side{}, []Page{
			{Objects: some("a"), Token: "1", More: true},
			{Token: "2", More: true},
			{Objects: some("b", "c"), Token: "3", More: true},
			{},
		}, "a b c"},
		{"a cut start repeats keys", side{after: "k\x01"}, []Page{
			{Objects: some("k"), Token: "1", More: true},
			{Objects: some("k\x01", "k\x02", "l")},
		}, "k\x02 l"},
		{"keys past the range end it", side{through: "b"}, []Page{
			{Objects: some("a", "b", "c"), Token: "1", More: true},
		}, "a b"},
		{"nothing", side{}, []Page{{}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.side.lister = &pages{pages: c.give}
			keys, err := readAll(t, c.side)
			if got := strings.Join(keys, " "); err != nil || got != c.want {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestListingThatCannotBeTrustedIsAnError(t *testing.T) {
	for _, c := range []struct {
		name string
		side side
		give []Page
		want string
	}{
		{"truncated without progress", side{}, []Page{
			{Objects: some("a"), Token: "1", More: true},
			{Token: "1", More: true},
		}, "does not move on"},
		{"out of order", side{}, []Page{{Objects: some("b", "a")}}, "not in byte order"},
		{"a key twice", side{}, []Page{
			{Objects: some("a"), Token: "1", More: true},
			{Objects: some("a")},
		}, "not in byte order"},
		{"another prefix", side{prefix: "x/"}, []Page{{Objects: some("y")}}, "not asked for"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.side.lister, c.side.name = &pages{pages: c.give}, "source"
			_, err := readAll(t, c.side)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "list the source") {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestTokenPagesInsideALiveRange(t *testing.T) {
	l := &pages{pages: []Page{{Objects: some("p/\x01"), Token: "T", More: true}, {Objects: some("p/z")}}}
	if _, err := readAll(t, side{lister: l, prefix: "p/", after: "p/\x00"}); err != nil {
		t.Fatal(err)
	}
	want := []PageRequest{{Prefix: "p/", After: "p/"}, {Prefix: "p/", After: "p/", Token: "T"}}
	if !slices.Equal(l.asked, want) {
		t.Errorf("asked %+v, want %+v", l.asked, want)
	}
}

func TestWatermarkWaitsForGaps(t *testing.T) {
	var w watermark
	pages := []*page{{seq: 0}, {seq: 1}, {seq: 2}, {seq: 3}}
	for _, c := range []struct{ finish, passed int }{{1, 0}, {3, 0}, {0, 2}, {2, 2}} {
		if got := len(w.finish(pages[c.finish])); got != c.passed {
			t.Errorf("page %d let %d pages pass, want %d", c.finish, got, c.passed)
		}
	}
	if len(w.done) != 0 {
		t.Errorf("%d pages are still held", len(w.done))
	}
}

func TestListingGoesOnByKeyWhereItsTokenIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(nil)
		for _, k := range []string{"a", "b\x01", "c", "d", "e"} {
			b.put(k, "x")
		}
		b.page = func() int { return 2 }
		asked := 0
		b.fault = func(op, _ string) error {
			if asked++; asked == 2 || asked == 3 {
				return errTorn
			}
			return nil
		}
		keys, err := readAll(t, side{lister: b, name: "source"})
		if got := strings.Join(keys, " "); err != nil || got != "a b\x01 c d e" {
			t.Errorf("got %q, %v", got, err)
		}
	})
}
