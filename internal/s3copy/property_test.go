package s3copy

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

// drawKey gives keys that are near each other, and hostile ones among them.
func drawKey() *rapid.Generator[string] {
	piece := rapid.SampledFrom([]string{"a", "b", "z", "/", "//", ".", "0", "9", "ä", "\x01", "\x7f", "\U0010ffff", "e\u0301", "~", " ", "+"})
	return rapid.Map(rapid.SliceOfN(piece, 1, 5), func(p []string) string { return strings.Join(p, "") })
}

// world is a drawn pair of buckets, with what a job over them has to come to.
type world struct {
	src, dst *bucket
	job      Job
	want     Tally
}

// drawWorld draws buckets below drawn prefixes.
func drawWorld(t *rapid.T) world {
	src, dst, job := pair()
	prefixes := rapid.SampledFrom([]string{"", "a", "a/", "\x01"})
	job.Prefix, job.ToPrefix = prefixes.Draw(t, "prefix"), prefixes.Draw(t, "to_prefix")
	job.Rules.Match = func(key string) bool { return !strings.HasSuffix(key, "9") }
	w := world{src: src, dst: dst, job: job}
	for _, key := range rapid.SliceOfDistinct(drawKey(), func(k string) string { return k }).Draw(t, "keys") {
		if !strings.HasPrefix(key, job.Prefix) || job.placeable(key) != nil {
			src.objects["0"+key] = nil // below another prefix, or none
			delete(src.objects, "0"+key)
			continue
		}
		w.add(t, key)
	}
	for _, key := range rapid.SliceOfDistinct(drawKey(), func(k string) string { return k }).Draw(t, "extras") {
		if dst.objects[key] != nil || src.objects[job.Prefix+strings.TrimPrefix(key, job.ToPrefix)] != nil {
			continue
		}
		dst.put(key, "extra")
		if strings.HasPrefix(key, job.ToPrefix) && job.Rules.Match(job.origin(key)) {
			w.want.Extra.Add(5)
		}
	}
	var mu sync.Mutex
	dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	sizes := func() int {
		mu.Lock()
		defer mu.Unlock()
		return dice.IntN(5) // 0 is an empty page that is truncated
	}
	src.page, dst.page = sizes, sizes
	return w
}

// add puts a key at the source and draws what stands in its place.
func (w *world) add(t *rapid.T, key string) {
	body := "body of " + key
	o, to, size := w.src.put(key, body), w.job.place(key), Bytes(len(body))
	if rapid.Bool().Draw(t, "by parts") {
		o = w.src.putParts(key, body[:2], body[2:])
	}
	there := rapid.SampledFrom([]string{"none", "same", "other", "shorter"}).Draw(t, "there")
	switch there {
	case "same":
		w.dst.store(to, []byte(body), o.parts, UploadRequest{})
	case "other":
		w.dst.put(to, strings.ToUpper(body))
	case "shorter":
		w.dst.put(to, body[1:])
	}
	w.want.Listed.Add(size)
	switch {
	case !w.job.Rules.Match(key):
		w.want.Filtered.Add(size)
		w.want.Skipped.Add(size)
	case there == "same":
		w.want.Same.Add(size)
	default:
		w.want.Copied.Add(size)
	}
}

// check compares the counts with the drawn ones.
func (w *world) check(t *rapid.T, got Tally) {
	got.Evidence = Evidence{}
	if got != w.want {
		t.Fatalf("got  %+v\nwant %+v", got, w.want)
	}
	for key, o := range w.src.objects {
		if !strings.HasPrefix(key, w.job.Prefix) || !w.job.Rules.Match(key) {
			continue
		}
		d := w.dst.objects[w.job.place(key)]
		if d == nil || string(d.body) != string(o.body) {
			t.Fatalf("%q did not arrive", key)
		}
	}
}

func TestEveryKeyIsSettledExactlyOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt)
		var mu sync.Mutex
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "faults"), 2))
		torn := make(map[string]bool)
		w.dst.fault = func(op, key string) error { // everything fails now and then, no key twice
			mu.Lock()
			defer mu.Unlock()
			if op == "list" && dice.IntN(16) == 0 {
				return ErrThrottled
			}
			if op != "list" && !torn[key] && dice.IntN(4) == 0 {
				torn[key] = true
				return errTorn
			}
			return nil
		}
		var s Summary
		var err error
		synctest.Test(t, func(t *testing.T) {
			e, _ := New(tiny())
			s, err = e.Run(t.Context(), w.job)
		})
		if err != nil {
			rt.Fatal(err)
		}
		w.check(rt, s.Tally)
	})
}

func TestAnyCrashAndResumeEndsLikeAWholeRun(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt)
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 12), 0, 4).Draw(rt, "crashes") {
			crash(t, tiny(), w.job, n, w.src, w.dst)
		}
		e, _ := New(tiny())
		s, err := e.Run(rt.Context(), w.job)
		if err != nil {
			rt.Fatal(err)
		}
		// What stood at a crash is found the same, no matter who copied it.
		s.Tally.Copied.Plus(s.Tally.Same)
		w.want.Copied.Plus(w.want.Same)
		s.Tally.Same, w.want.Same = Count{}, Count{}
		w.check(rt, s.Tally)
		if len(w.dst.uploads) != 0 || len(w.job.Journal.(*journal).p.Uploads) != 0 {
			rt.Fatalf("uploads are left: %v", w.dst.uploads)
		}
		for key, n := range w.dst.copies {
			if n != 1 {
				rt.Fatalf("%q was copied %d times", key, n)
			}
		}
	})
}

func TestScanSaysWhatTheCopyWillDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		scan := w.job
		scan.Mode, scan.Journal = Scan, nil
		e, _ := New(tiny())
		s, err := e.Run(t.Context(), scan)
		if err != nil {
			t.Fatal(err)
		}
		got := s.Tally.New
		got.Plus(s.Tally.Changed)
		if got != w.want.Copied || s.Tally.Same != w.want.Same || s.Tally.Extra != w.want.Extra {
			t.Fatalf("scanned %+v, want %+v", s.Tally, w.want)
		}
	})
}

func TestSettledPagesCostNoMemoryPerKey(t *testing.T) {
	src, dst, job := pair()
	for i := range 1000 {
		key := fmt.Sprintf("k%04d", i)
		src.put(key, "x")
		dst.put(key, "x")
	}
	e, _ := New(Limits{InFlight: 1})
	r, err := e.start(t.Context(), job, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := &merger{run: r, page: &page{}}
	objects := make([]Object, 0, 1000)
	p, _ := src.ListPage(t.Context(), PageRequest{}, objects)
	perPage := testing.AllocsPerRun(20, func() {
		for i := range p.Objects {
			if err := m.key(t.Context(), &p.Objects[i], &p.Objects[i]); err != nil {
				t.Fatal(err)
			}
		}
	})
	if perPage > 0 {
		t.Errorf("%v allocations for a page of %d keys", perPage, len(p.Objects))
	}
}
