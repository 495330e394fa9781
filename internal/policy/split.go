package policy

import (
	"fmt"
	"slices"
)

// Split divides a document into several within limit (counted as Size does), which
// together mean the same. Order is kept; a statement too long for one document
// is divided by its resources, then by its actions. What cannot be divided is a *SizeError.
func Split(d Document, limit int) ([]Document, error) {
	if Size(d) <= limit {
		return []Document{d}, nil
	}
	var all []Document
	part := Document{Version: d.Version, ID: d.ID}
	for _, whole := range d.Statements {
		pieces, err := part.divide(whole, limit)
		if err != nil {
			return nil, err
		}
		for _, s := range pieces {
			if next := part.with(s); Size(next) <= limit {
				part = next
				continue
			}
			all = append(all, part)
			part = Document{Version: d.Version, ID: d.ID}.with(s)
		}
	}
	return append(all, part), nil
}

// Names are the names of n parts: the name itself for one, else NAME-1 to NAME-n.
func Names(name string, n int) []string {
	if n == 1 {
		return []string{name}
	}
	all := make([]string, 0, n)
	for i := range n {
		all = append(all, fmt.Sprintf("%s-%d", name, i+1))
	}
	return all
}

func (d Document) with(s Statement) Document {
	d.Statements = append(slices.Clip(d.Statements), s)
	return d
}

// alone is a document like d that holds the statement and no other.
func (d Document) alone(s Statement) Document {
	return Document{Version: d.Version, ID: d.ID, Statements: []Statement{s}}
}

// divide makes pieces as large as one document can hold, so that no two
// pieces of one statement, which share its Sid, meet in a document.
func (d Document) divide(s Statement, limit int) ([]Statement, error) {
	n := Size(d.alone(s))
	switch {
	case n <= limit:
		return []Statement{s}, nil
	case len(s.Resource) > 1:
		return d.divideBy(s, limit, func(s *Statement) *[]string { return &s.Resource })
	case len(s.Action) > 1:
		return d.divideBy(s, limit, func(s *Statement) *[]string { return &s.Action })
	}
	return nil, &SizeError{"policy statement " + s.Label(), n, limit}
}

func (d Document) divideBy(s Statement, limit int, field func(*Statement) *[]string) ([]Statement, error) {
	var all []Statement
	rest := *field(&s)
	for len(rest) > 0 {
		n := 1
		piece := s
		for n < len(rest) {
			*field(&piece) = rest[:n+1]
			if Size(d.alone(piece)) > limit {
				break
			}
			n++
		}
		*field(&piece) = slices.Clone(rest[:n])
		rest = rest[n:]
		smaller, err := d.divide(piece, limit)
		if err != nil {
			return nil, err
		}
		all = append(all, smaller...)
	}
	return all, nil
}
