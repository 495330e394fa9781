package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestSidecarsAreReadWhileTheStateIsLocked(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	if _, err := ReadStatus(dir, "tommy"); !errors.Is(err, ErrNotFound) {
		t.Errorf("status before there is one: %v", err)
	}
	must(t, WriteStatus(dir, "tommy", []byte("one")))
	must(t, WriteStatus(dir, "tommy", []byte("two")))
	got, err := ReadStatus(dir, "tommy")
	if err != nil || string(got) != "two" {
		t.Errorf("status %q, %v", got, err)
	}
	must(t, db.AppendEvent([]byte(`{"n":1}`)))
	must(t, db.AppendEvent([]byte("torn\nin two")))
	same(t, "events", events(t, dir), []string{`{"n":1}`, "torn in two"})
	names, err := List(dir)
	must(t, err)
	same(t, "plans", names, []string{"tommy"})
}

func TestStatusIsNeverSeenTorn(t *testing.T) {
	dir := t.TempDir()
	long := []byte(strings.Repeat("x", 100_000))
	must(t, WriteStatus(dir, "tommy", long))
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(done)
		for range 200 {
			must(t, WriteStatus(dir, "tommy", long))
		}
	})
	for open := true; open; {
		select {
		case <-done:
			open = false
		default:
			if b, err := ReadStatus(dir, "tommy"); err != nil || len(b) != len(long) {
				t.Fatalf("%d bytes, %v", len(b), err)
			}
		}
	}
	wg.Wait()
	left, err := os.ReadDir(filepath.Join(dir, "tommy"))
	if err != nil || len(left) != 1 {
		t.Errorf("files left: %v, %v", left, err)
	}
}

func TestOnlyTheRunThatIsNamedStops(t *testing.T) {
	dir := t.TempDir()
	if err := RequestCancel(dir, "tommy", "r1"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a plan without state was cancelled: %v", err)
	}
	if names, err := List(filepath.Join(dir, "nowhere")); names != nil || err != nil {
		t.Errorf("list of nowhere: %v, %v", names, err)
	}
	open(t, dir)
	asked := func(run string) bool {
		t.Helper()
		ok, err := CancelRequested(dir, "tommy", run)
		must(t, err)
		return ok
	}
	if asked("r1") {
		t.Error("nobody asked")
	}
	must(t, RequestCancel(dir, "tommy", "r1"))
	if !asked("r1") || asked("r2") {
		t.Errorf("r1 was asked: r1 %v, r2 %v", asked("r1"), asked("r2"))
	}
	must(t, RequestCancel(dir, "tommy", ""))
	if !asked("r1") || !asked("r2") {
		t.Error("any run was asked")
	}
	must(t, ClearCancel(dir, "tommy"))
	must(t, ClearCancel(dir, "tommy"))
	if asked("r1") {
		t.Error("the request was forgotten")
	}
}

func events(t *testing.T, dir string) []string {
	t.Helper()
	var got []string
	must(t, ReadEvents(dir, "tommy", func(line []byte) error { got = append(got, string(line)); return nil }))
	return got
}

func TestAnEventThatACrashToreStaysAlone(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "tommy"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "tommy", fileEvents), []byte("whole\n{\"to"), 0o600))
	same(t, "before", events(t, dir), []string{"whole"})
	must(t, open(t, dir).AppendEvent([]byte("next")))
	same(t, "after", events(t, dir), []string{"whole", `{"to`, "next"})
}

func TestAnEventThatAFullDiskToreStaysAlone(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	must(t, db.AppendEvent([]byte("one")))
	_, err := db.events.file.WriteString("to")
	must(t, errors.Join(err, db.events.file.Close())) // the next write fails
	if err := db.AppendEvent([]byte("torn")); err == nil {
		t.Error("a write that failed is no error")
	}
	must(t, db.AppendEvent([]byte("two")))
	var got []string
	must(t, ReadEvents(dir, "tommy", func(line []byte) error { got = append(got, string(line)); return nil }))
	if want := "one to two"; strings.Join(got, " ") != want {
		t.Errorf("the events are %q, want %s", got, want)
	}
}

func TestReadingEventsStopsWhereItIsTold(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	for i := range 5 {
		must(t, db.AppendEvent(fmt.Appendf(nil, "%d%s", i, strings.Repeat(".", 10_000))))
	}
	enough := errors.New("enough")
	n := 0
	err := ReadEvents(dir, "tommy", func([]byte) error {
		if n++; n == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n != 3 {
		t.Errorf("stopped after %d: %v", n, err)
	}
}

func TestFollowingSeesEveryEventOnceAcrossFiles(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := make(chan string, 100)
	var wg sync.WaitGroup
	wg.Go(func() {
		must(t, Follow(ctx, dir, "tommy", time.Millisecond, func(line []byte) error {
			got <- string(line)
			return nil
		}))
	})
	next := func(want string) {
		t.Helper()
		select {
		case line := <-got:
			if line != want {
				t.Fatalf("got %q, want %q", line, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%q never came", want)
		}
	}
	for i := range 10 {
		must(t, db.AppendEvent(fmt.Append(nil, i)))
		next(fmt.Sprint(i))
	}
	// Another file in its place: what stands in both is seen.
	must(t, db.AppendEvent([]byte("last of the old")))
	must(t, db.events.close())
	must(t, os.Rename(db.events.path, db.events.path+".old"))
	must(t, db.AppendEvent([]byte("first of the new")))
	next("last of the old")
	next("first of the new")
	cancel()
	wg.Wait()
}

func TestALargeFileOfEventsGivesWay(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "tommy"), 0o700))
	path := filepath.Join(dir, "tommy", fileEvents)
	must(t, os.WriteFile(path, []byte("old\n"), 0o600))
	must(t, os.Truncate(path, eventsLimit))
	must(t, open(t, dir).AppendEvent([]byte("new")))
	same(t, "events", events(t, dir), []string{"new"})
	if info, err := os.Stat(path + ".old"); err != nil || info.Size() != eventsLimit {
		t.Errorf("the old file: %v", err)
	}
}

func TestErrorsOfTheSystemGetTheirMeaning(t *testing.T) {
	for _, c := range []struct{ err, want error }{
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, ErrFull},
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT}, ErrFull},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.EROFS}, ErrReadOnly},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES}, ErrReadOnly},
	} {
		if got := classify(c.err); !errors.Is(got, c.want) || !errors.Is(got, c.err) {
			t.Errorf("%v became %v, want %v", c.err, got, c.want)
		}
	}
	if other := errors.New("other"); !errors.Is(classify(other), other) || classify(nil) != nil {
		t.Error("another error changed")
	}
}
