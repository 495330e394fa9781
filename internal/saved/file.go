package saved

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// MaxSize is the size in bytes beyond which a file is refused unread.
const MaxSize = 64 << 20

// ReadFile returns a file's bytes. What cannot be a saved plan, such as a folder, a pipe, or a file of more than
// MaxSize bytes, is refused unread.
func ReadFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s: it is a folder, not a saved plan", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: it is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > MaxSize:
		return nil, fmt.Errorf("%s: it has more than %d MB: no saved plan is that large", path, MaxSize>>20)
	}
	return data, nil
}

// Peek tells whether a file begins as saved plans do. A file that cannot be read does not.
func Peek(path string) bool {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, len(magic))
	n, err := io.ReadFull(f, head)
	return err == nil && Is(head[:n])
}

// A TargetError says why a saved plan cannot be written there.
type TargetError struct{ Path, Why string }

func (e *TargetError) Error() string { return e.Path + ": " + e.Why }

// CheckTarget tells early what WriteFile would refuse, or fail at.
func CheckTarget(path string) error {
	_, err := replaces(path)
	if err != nil {
		return err
	}
	f, err := temporary(path)
	if err != nil {
		return &TargetError{path, "nothing can be written there: " + err.Error()}
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// temporary is a new file beside another one, readable to its user only.
func temporary(path string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
}

// replaces tells whether a saved plan stands at the path, which may be replaced. Anything else there is an error.
func replaces(path string) (bool, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, &TargetError{path, err.Error()}
	case info.Mode()&fs.ModeSymlink != 0:
		return false, &TargetError{path, "it is a symbolic link, and is not written through: name the file itself"}
	case info.IsDir():
		return false, &TargetError{path, "it is a folder: name a file"}
	case !info.Mode().IsRegular():
		return false, &TargetError{path, "it is no regular file"}
	case !Peek(path):
		return false, &TargetError{path, "the file is there and is no saved plan: it is not written over"}
	}
	return true, nil
}

// WriteFile writes a saved plan as a whole or not at all, readable to its user only. It replaces a saved plan, and
// nothing else.
func WriteFile(path string, data []byte) error {
	replace, err := replaces(path)
	if err != nil {
		return err
	}
	f, err := temporary(path)
	if err != nil {
		return fmt.Errorf("write the saved plan: %w", err)
	}
	defer os.Remove(f.Name()) // gone already where it was renamed
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the saved plan: %w", err)
	}
	if !replace { // a link is refused where somebody has made a file meanwhile, a rename is not
		err := os.Link(f.Name(), path)
		if err == nil {
			return nil
		}
		if errors.Is(err, fs.ErrExist) {
			return &TargetError{path, "somebody else has made a file there just now: it is not written over"}
		}
	} // some file systems have no links
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("write the saved plan: %w", err)
	}
	return nil
}
