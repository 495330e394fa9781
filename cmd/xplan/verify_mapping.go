package main

import (
	"bufio"
	"errors"
	"os"
	"slices"

	"xplan/internal/s3copy"
	"xplan/internal/view"
	"xplan/plan"
)

// mappingFile is where verify writes what became of each version. The file is there under its name once it is whole.
type mappingFile struct {
	to   *bufio.Writer
	file *os.File
	name string
}

var errNoVersions = errors.New("--mapping: no pair of the plan copies versions (copy.versions: all)")

// openMapping opens it; nil where none is asked for.
func openMapping(name string, p *plan.Plan) (*mappingFile, error) {
	switch {
	case name == "":
		return nil, nil
	case !slices.ContainsFunc(p.Buckets, func(pair plan.Pair) bool { return pair.Copy.AllVersions() }):
		return nil, &usageError{errNoVersions}
	}
	if err := mappings().check(name); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name+".partial", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	return &mappingFile{to: bufio.NewWriter(f), file: f, name: name}, nil
}

// of gives the pair's mapping; nil where none is wanted, or the pair has none.
func (m *mappingFile) of(pair plan.Pair) s3copy.Mapping {
	if m == nil || !pair.Copy.AllVersions() {
		return nil
	}
	return func(key, destination string, versions []s3copy.Mapped) error {
		for _, v := range versions {
			if err := view.MappingLine(m.to, view.Mapping{Pair: pair.ID(), Key: key, DestinationKey: destination, Mapped: v}); err != nil {
				return err
			}
		}
		return nil
	}
}

// close ends the file, and gives it its name where all of it was written: also where the verification found differences.
func (m *mappingFile) close(verified error) error {
	if m == nil {
		return verified
	}
	var found statusError
	err := errors.Join(m.to.Flush(), m.file.Close())
	if err != nil || verified != nil && !errors.As(verified, &found) {
		return errors.Join(verified, err, os.Remove(m.name+".partial"))
	}
	if err := os.Rename(m.name+".partial", m.name); err != nil {
		return err
	}
	return verified
}
