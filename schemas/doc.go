// Package schemas embeds the versioned JSON Schemas of the files that people
// write, so that editors, package plan and `xplan schema` read the same text; and of the
// reviews and lines that it writes as JSON, for those who read them.
//
// A schema says the shape and explains every field with its default. It does not
// say everything that a plan file must obey: what one field means for another is
// package plan's.
package schemas
