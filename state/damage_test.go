package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// A victim is a sound state file, and a place where damaged copies of it are used.
type victim struct {
	t       *testing.T
	content []byte
	page    int // bytes of one
	dir     string

	tried, found int
	begun        time.Time
}

func newVictim(t *testing.T) *victim {
	t.Helper()
	v := &victim{t: t, content: lived(t), page: os.Getpagesize(), dir: t.TempDir(), begun: time.Now()}
	must(t, os.Mkdir(filepath.Join(v.dir, "tommy"), 0o700))
	return v
}

// suffer has a damaged copy used. Whatever goes wrong is an error that says what is wrong and what to do, and what
// `state check` calls sound is used without one.
func (v *victim) suffer(what string, damage func(b []byte) []byte) (found bool) {
	v.t.Helper()
	v.tried++
	path := filepath.Join(v.dir, "tommy", fileDatabase)
	// Another file in its place: the lock of the one before may still be held, where bbolt panicked while it opened.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		v.t.Fatal(err)
	}
	must(v.t, os.WriteFile(path, damage(append([]byte(nil), v.content...)), 0o600))
	checked, exported := v.told(what, check(path)), v.told(what, export(path))
	used := v.told(what, use(v.dir))
	if !checked && (exported || used) {
		v.t.Errorf("%s: the check calls it sound, but export found %v, and a run %v", what, exported, used)
	}
	if used {
		v.found++
	}
	return used
}

// told wants an error that says what is wrong and what to do, if there is one.
func (v *victim) told(what string, err error) bool {
	v.t.Helper()
	if err == nil {
		return false
	}
	_, damaged := errors.AsType[*DamagedError](err)
	_, newer := errors.AsType[*VersionError](err)
	if !damaged && !newer || !strings.Contains(err.Error(), "move the file away") && !newer {
		v.t.Errorf("%s: %v", what, err)
	}
	return true
}

func (v *victim) log(what string) {
	v.t.Helper()
	if v.found == 0 {
		v.t.Error("nothing was found")
	}
	v.t.Logf("%d %s, %d of them found by what a run does, no panic, in %v", v.tried, what, v.found, time.Since(v.begun).Round(time.Second))
}

// use does what a run does.
func use(dir string) error {
	db, err := Open(dir, "tommy")
	if err != nil {
		return err
	}
	_, errRuns := db.Runs()
	_, errSteps := db.Steps("r")
	_, errOwned := db.Owned()
	_, errUploads := db.Uploads()
	_, errProgress := db.Progress("job")
	errWrite := db.Commit("job", Batch{Failures: []Failure{{Key: "new"}}, Add: Tally{Listed: Count{1, 1}}})
	return errors.Join(errRuns, errSteps, errOwned, errUploads, errProgress, errWrite, db.Close())
}

func check(path string) error {
	db, err := ReadFile(path)
	if err != nil {
		return err
	}
	if found := db.Check(); len(found) > 0 { // as the command sums them up
		err = &DamagedError{Path: path, Err: errors.Join(found...)}
	}
	if err == nil {
		err = asBboltDoes(path)
	}
	return errors.Join(err, db.Close())
}

// asBboltDoes asks bbolt's own check of a file that is sound.
func asBboltDoes(path string) error {
	b, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("xplan can read what bbolt cannot: %w", err)
	}
	var found []error
	err = b.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			found = append(found, fmt.Errorf("found by bbolt alone: %w", err))
		}
		return nil
	})
	return errors.Join(errors.Join(found...), err, b.Close())
}

func export(path string) error {
	db, err := ReadFile(path)
	if err != nil {
		return err
	}
	return errors.Join(db.Export(io.Discard), db.Close())
}

// A number is one that the file's structure is made of.
type number struct {
	what      string
	at, width int
}

func (n number) get(b []byte) uint64 {
	var eight [8]byte
	copy(eight[:], b[n.at:n.at+n.width])
	return binary.LittleEndian.Uint64(eight[:])
}

// set puts a value in a number's place, and mends the sums of the meta pages: it is as if it had been written so.
func (n number) set(b []byte, value uint64, page int) []byte {
	var eight [8]byte
	binary.LittleEndian.PutUint64(eight[:], value)
	copy(b[n.at:n.at+n.width], eight[:])
	for at := 0; at <= page; at += page {
		sum := fnv.New64a()
		_, _ = sum.Write(b[at+pageHeader : at+pageHeader+metaBytes-8])
		binary.LittleEndian.PutUint64(b[at+pageHeader+metaBytes-8:], sum.Sum64())
	}
	return b
}

// numbers lists them: of both meta pages, and of each page's header, entries, free pages, and buckets.
func (v *victim) numbers() []number {
	var all []number
	add := func(at, width int, what string, page int) {
		all = append(all, number{fmt.Sprintf("%s of page %d", what, page), at, width})
	}
	for page := range len(v.content) / v.page {
		at := page * v.page
		if page < 2 {
			add(at+pageHeader+8, 4, "page size", page)
			for i, what := range []string{"root", "sequence", "free list", "pages", "transaction"} {
				add(at+pageHeader+16+8*i, 8, what, page)
			}
			continue
		}
		v.pageNumbers(at, page, v.content[at:at+v.page], add)
	}
	return all
}

func (v *victim) pageNumbers(at, page int, b []byte, add func(at, width int, what string, page int)) {
	s := spanOf(b)
	add(at, 8, "number", page)
	add(at+8, 2, "flags", page)
	add(at+10, 2, "count", page)
	add(at+12, 4, "overflow", page)
	for i := range s.count {
		e := at + pageHeader + i*element
		switch s.flags {
		case flagFreelist:
			add(at+pageHeader+8*i, 8, fmt.Sprintf("free page %d", i), page)
		case flagBranch:
			add(e, 4, fmt.Sprintf("place %d", i), page)
			add(e+4, 4, fmt.Sprintf("key's length %d", i), page)
			add(e+8, 8, fmt.Sprintf("child %d", i), page)
		case flagLeaf:
			for j, what := range []string{"kind", "place", "key's length", "value's length"} {
				add(e+4*j, 4, fmt.Sprintf("%s %d", what, i), page)
			}
			if binary.LittleEndian.Uint32(b[pageHeader+i*element:])&flagBucket != 0 {
				value := e + int(binary.LittleEndian.Uint32(b[pageHeader+i*element+4:])+binary.LittleEndian.Uint32(b[pageHeader+i*element+8:]))
				add(value, 8, fmt.Sprintf("bucket %d", i), page)
			}
		}
	}
}

// TestNoNumberOfAPageIsMoreThanAnError has every number of the file's structure lead back, in a circle, to each other
// page, past the end, and anywhere.
func TestNoNumberOfAPageIsMoreThanAnError(t *testing.T) {
	v := newVictim(t)
	pages := uint64(len(v.content) / v.page)
	values := []uint64{1<<16 - 1, 1 << 24, 1<<31 - 1, 1<<32 - 1, 1 << 40, 1<<63 - 1, 1 << 63, 1<<64 - 1, pages, pages + 1}
	for id := range pages {
		values = append(values, id)
	}
	numbers := v.numbers()
	step, n := max(1, len(numbers)*len(values)/sweeps()), 0
	for _, number := range numbers {
		for _, value := range values {
			if n++; n%step == 0 && value != number.get(v.content) {
				v.suffer(fmt.Sprintf("%s is %#x", number.what, value), func(b []byte) []byte { return number.set(b, value, v.page) })
			}
		}
	}
	v.log("numbers of pages changed")
}

// TestAPageInACircleIsFound leads every pointer of a tree to where the tree begins, and to the page where it stands.
func TestAPageInACircleIsFound(t *testing.T) {
	v := newVictim(t)
	for _, n := range v.numbers() {
		if !strings.HasPrefix(n.what, "child ") && !strings.HasPrefix(n.what, "bucket ") || n.get(v.content) == 0 {
			continue
		}
		for _, to := range []uint64{uint64(n.at / v.page), v.meta().root} {
			damage := func(b []byte) []byte { return n.set(b, to, v.page) }
			if v.inUse(n.at/v.page) && !v.suffer(fmt.Sprintf("%s is %d", n.what, to), damage) {
				t.Errorf("%s leads to %d, and nothing was found", n.what, to)
			}
		}
	}
	v.log("pointers turned into circles")
}

func (v *victim) meta() pageMeta {
	m, err := newestMeta(strings.NewReader(string(v.content)), int64(len(v.content)))
	must(v.t, err)
	return m
}

// inUse tells whether a page is one of a tree's.
func (v *victim) inUse(page int) bool {
	from := strings.NewReader(string(v.content))
	p := &pageFile{from: from, meta: v.meta(), size: int64(v.page), seen: make([]bool, v.meta().pages)}
	must(v.t, p.followTree(p.meta.root, within{}, 0))
	return page < len(p.seen) && p.seen[page]
}

func TestNoPageThatIsZeroedOrSwappedIsMoreThanAnError(t *testing.T) {
	v := newVictim(t)
	pages := len(v.content) / v.page
	at := func(b []byte, page int) []byte { return b[page*v.page : (page+1)*v.page] }
	for one := range pages {
		v.suffer(fmt.Sprintf("page %d zeroed", one), func(b []byte) []byte { clear(at(b, one)); return b })
		for two := one + 1; two < pages; two++ {
			v.suffer(fmt.Sprintf("pages %d and %d swapped", one, two), func(b []byte) []byte {
				copy(at(b, one), at(v.content, two))
				copy(at(b, two), at(v.content, one))
				return b
			})
		}
	}
	v.log("pages zeroed, and pairs of pages swapped")
}

// TestARecordIsNoBucketAndABucketNoRecord turns each into the other.
func TestARecordIsNoBucketAndABucketNoRecord(t *testing.T) {
	v := newVictim(t)
	for _, n := range v.numbers() {
		if !strings.HasPrefix(n.what, "kind ") || !v.inUse(n.at/v.page) {
			continue
		}
		damage := func(b []byte) []byte { return n.set(b, n.get(b)^flagBucket, v.page) }
		if !v.suffer(n.what+" turned", damage) {
			t.Errorf("%s was turned, and nothing was found", n.what)
		}
	}
	v.log("records and buckets turned into each other")
}

// TestABucketInABucketWithoutEndIsFound nests buckets deeper than a stack bears.
func TestABucketInABucketWithoutEndIsFound(t *testing.T) {
	const deep = 100
	v := newVictim(t)
	inner := binary.LittleEndian.AppendUint64(nil, 0) // an empty page inside of a record
	inner = append(inner, make([]byte, 8+pageHeader)...)
	binary.LittleEndian.PutUint16(inner[16+8:], flagLeaf)
	for range deep {
		outer := make([]byte, 16+pageHeader+element, 16+pageHeader+element+1+len(inner))
		page := outer[16:]
		binary.LittleEndian.PutUint16(page[8:], flagLeaf)
		binary.LittleEndian.PutUint16(page[10:], 1)
		binary.LittleEndian.PutUint32(page[pageHeader:], flagBucket)
		binary.LittleEndian.PutUint32(page[pageHeader+4:], element)
		binary.LittleEndian.PutUint32(page[pageHeader+8:], 1)
		binary.LittleEndian.PutUint32(page[pageHeader+12:], uint32(len(inner)))
		inner = append(append(outer, 'k'), inner...)
	}
	p := &pageFile{meta: v.meta()}
	if err := p.followBucket(inner, 0); err == nil || !strings.Contains(err.Error(), "deeper than any can") {
		t.Errorf("%d buckets, one in the other: %v", deep, err)
	}
}

// TestALostPageIsToldAndNoHarm: one that is in no use and not on the list of free ones.
func TestALostPageIsToldAndNoHarm(t *testing.T) {
	v := newVictim(t)
	list := int(v.meta().free) * v.page
	path := filepath.Join(v.dir, "tommy", fileDatabase)
	must(t, os.WriteFile(path, number{"count", list + 10, 2}.set(append([]byte(nil), v.content...), 0, v.page), 0o600))
	db, err := ReadFile(path)
	must(t, err)
	found := db.Check()
	must(t, db.Close())
	if len(found) != 1 {
		t.Fatalf("found %v", found)
	}
	wantWords(t, found[0], "in no use, and not free")
	must(t, use(v.dir))
}

// FuzzPages changes two numbers anywhere in a sound file: whatever they are, following its pages ends.
func FuzzPages(f *testing.F) {
	content := lived(f)
	f.Add(uint32(0x2008), uint64(1<<40), uint32(0x200c), uint64(1))
	f.Fuzz(func(_ *testing.T, at uint32, value uint64, and uint32, other uint64) {
		b, page := append([]byte(nil), content...), os.Getpagesize()
		for place, value := range map[uint32]uint64{at: value, and: other} {
			number{at: int(place) % (len(b) - 8), width: 8}.set(b, value, page)
		}
		_, _ = followPages(strings.NewReader(string(b)), int64(len(b)))
	})
}
