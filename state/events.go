package state

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// eventsLimit is the size from which Open starts a new file of events; one older file is kept.
const eventsLimit = 64 << 20

// An eventLog appends lines to the events' file, which it opens when it is first needed.
type eventLog struct {
	path string
	mu   sync.Mutex // guards file
	file *os.File
}

// AppendEvent appends one line, without its newline, to the plan's events. It is
// not synced. Safe for concurrent use.
func (db *DB) AppendEvent(line []byte) error {
	if err := db.events.append(line); err != nil {
		return fmt.Errorf("append an event of %s: %w", db.name, classify(err))
	}
	return nil
}

func (l *eventLog) append(line []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		f, err := openEvents(l.path)
		if err != nil {
			return err
		}
		l.file = f
	}
	line = bytes.ReplaceAll(line, []byte("\n"), []byte(" "))
	_, err := l.file.Write(append(line, '\n'))
	if err != nil { // what was torn is ended where it is opened again, as after a crash
		err = errors.Join(err, l.file.Close())
		l.file = nil
	}
	return err
}

// openEvents opens the file for appending; a line that a crash tore is ended first.
func openEvents(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && info.Size() >= eventsLimit {
		if err := os.Rename(path, path+".old"); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	last := make([]byte, 1)
	if info, err := f.Stat(); err == nil && info.Size() > 0 {
		if _, err := f.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			_, err = f.WriteString("\n")
			if err != nil {
				return nil, errors.Join(err, f.Close())
			}
		}
	}
	return f, nil
}

func (l *eventLog) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}

// ReadEvents calls each with every whole line of the plan's events, oldest first,
// until it returns an error. The line is valid during the call only. A plan
// without events has none, which is no error.
func ReadEvents(dir, name string, each func(line []byte) error) error {
	folder, err := folderOf(dir, name)
	if err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(folder, fileEvents))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read events of %s: %w", name, classify(err))
	}
	_, err = eachLine(bufio.NewReader(f), nil, each)
	return errors.Join(err, f.Close())
}

// eachLine calls each for every whole line, and returns what follows the last one.
// Rest is what an earlier call returned.
func eachLine(r *bufio.Reader, rest []byte, each func(line []byte) error) ([]byte, error) {
	for {
		part, err := r.ReadSlice('\n')
		rest = append(rest, part...)
		switch {
		case err == nil:
			if line := bytes.TrimSuffix(rest, []byte("\n")); len(line) > 0 {
				if err := each(line); err != nil {
					return nil, err
				}
			}
			rest = rest[:0]
		case errors.Is(err, io.EOF):
			return rest, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return rest, err
		}
	}
}

// Follow is ReadEvents that goes on with the lines that come, until ctx is done,
// which is no error, or each returns an error. It looks every poll.
func Follow(ctx context.Context, dir, name string, poll time.Duration, each func(line []byte) error) error {
	folder, err := folderOf(dir, name)
	if err != nil {
		return err
	}
	path := filepath.Join(folder, fileEvents)
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		if err := followFile(ctx, path, tick.C, each); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// followFile reads one file until ctx is done or another file stands in its place.
func followFile(ctx context.Context, path string, tick <-chan time.Time, each func(line []byte) error) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("follow events: %w", classify(err))
	}
	defer f.Close()
	r := bufio.NewReader(f)
	var rest []byte
	for {
		replaced := replacedBy(f, path)
		if rest, err = eachLine(r, rest, each); err != nil || replaced {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick:
		}
	}
}

// replacedBy tells whether path names another file than f by now.
func replacedBy(f *os.File, path string) bool {
	mine, err := f.Stat()
	if err != nil {
		return true
	}
	now, err := os.Stat(path)
	return err != nil || !os.SameFile(mine, now)
}
