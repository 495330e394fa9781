package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// An output is a kind of file that a command writes by a name that a person typed: it replaces its like and nothing else.
type output struct{ what, mark string } // the mark is in the first bytes of each, and of no plan

func pages() output    { return output{"report", "<!doctype html>"} }
func mappings() output { return output{"mapping", `"source_version":`} }

// headSize is how much of a file tells what it is: a mapping's first line has a pair and two keys before its mark.
const headSize = 8 << 10

// check refuses early a name at which something else stands. A device, a pipe and an empty file are written to.
func (o output) check(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return &usageError{err}
	case info.IsDir():
		return &usageError{fmt.Errorf("%s is a folder: name a file", path)}
	case !info.Mode().IsRegular():
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return &usageError{err}
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, headSize))
	if err != nil {
		return &usageError{err}
	}
	if len(head) > 0 && !bytes.Contains(head, []byte(o.mark)) {
		return &usageError{fmt.Errorf("%s: the file is there and is no %s: it is not written over", path, o.what)}
	}
	return nil
}
