// Package saved keeps a reviewed program in a file, so that exactly it can be applied later, maybe by somebody
// else and on another machine.
//
// A file is one line and a JSON document:
//
//	xplan saved plan 1 sha256:HEX BYTES
//	{ … }
//
// The line names the format's version, the digest of the document and its length. So a file that was cut short or
// edited by mistake is told from a whole one before anything of it is believed; the digest is also what a
// run records, and by which a second use is known. It is no proof of who made the file: that is a signature's matter.
//
// The document holds the resolved plan, the program, the facts that it rests on, and the counts of objects. It holds
// no secret: neither a plan nor a World has one.
//
// Check compares a program that was compiled just now with the reviewed one. Facts must be equal, counts may move
// within a band, and what the steps do must be the same.
package saved
