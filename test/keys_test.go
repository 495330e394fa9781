package test

import (
	"io"
	"slices"
	"strings"
	"testing"

	"xplan/internal/s3copy"
)

// An exception says what a server does with a key, and why. It is asserted.
type exception struct {
	does string // refused: it cannot be put; renamed: it is put, and listed under another name; uncopied: CopyObject refuses it
	as   string // that name
	why  string
}

const (
	refused  = "refused"
	renamed  = "renamed"
	uncopied = "uncopied"
)

// Keys are paths of files to versitygw.
func isPath(as string) map[string]exception {
	return map[string]exception{versitygwName: {renamed, as, "a key is a file's path, which is cleaned"}}
}

func unprintable(as string) map[string]exception {
	return map[string]exception{versitygwName: {renamed, as, "it lists without encoding, whatever was asked, and XML cannot hold the character"}}
}

func noName(why string) map[string]exception {
	return map[string]exception{versitygwName: {does: refused, why: why}}
}

type hostileKey struct {
	key    string
	except map[string]exception
	alone  bool // in a bucket of its own: a server whose pages go on behind the wrong key would list it twice
}

// listed is the name by which the server lists the key.
func (h hostileKey) listed(w *world) string {
	if e := h.except[w.server]; e.does == renamed {
		return e.as
	}
	return h.key
}

// hostile are keys that S3 takes and that programs get wrong, with what servers do otherwise.
var hostile = []hostileKey{
	{key: "plain.txt"},
	{key: "with space"},
	{key: " leading space"},
	{key: "trailing space "},
	{key: "two  spaces"},
	{key: "plus+sign"},
	{key: "percent%20encoded"},
	{key: "percent%2Fslash"},
	{key: "100%"},
	{key: "%"},
	{key: "amp&and=equals"},
	{key: "quest?ion"},
	{key: "hash#tag"},
	{key: "semi;colon,comma"},
	{key: "col:on@at$dollar"},
	{key: "excl!star*quote'paren()"},
	{key: `double"quote`},
	{key: `back\slash`},
	{key: "<xml>&amp;</xml>"},
	{key: "[brackets]{braces}"},
	{key: "pipe|caret^tick`tilde~"},
	{key: "dir/", except: noName("a folder holds no bytes")},
	{key: "dir/below"},
	{key: "double//slash", except: isPath("double/slash")},
	{key: "/leading/slash", except: isPath("leading/slash")},
	{key: "trailing/slash/", except: noName("a folder holds no bytes")},
	{key: emptyMarker, except: map[string]exception{versitygwName: {does: uncopied, why: "it copies a folder as if it held bytes, and refuses that"}}},
	{key: "./dot", except: isPath("dot")},
	{key: "a/./b", except: isPath("a/b")},
	{key: "a/../b", except: isPath("b")},
	{key: "dots..inside...name"},
	{key: ".hidden"},
	{key: "tab\tinside"},
	{key: "new\nline", except: map[string]exception{motoName: {does: refused, why: "its routes match no newline: 404"}}},
	{key: "carriage\rreturn"},
	{key: "control\x01char", except: unprintable("control\ufffdchar")},
	{key: "delete\x7fchar"},
	{key: "NFC-\u00e9"},
	{key: "NFD-e\u0301"},
	{key: "漢字/かな"},
	{key: "emoji-\U0001f600"},
	{key: "right\u202eto-left"},
	{key: "zero\u200bwidth"},
	{key: "nbsp\u00a0here"},
	{key: "replacement\ufffdchar"},
	{key: "noncharacter\uffff", except: unprintable("noncharacter\ufffd"), alone: true},
	{key: "soap"},
	{key: "versions"},
	{key: "x?uploads"},
	{key: "x?tagging&versionId=null"},
	{key: "long/" + strings.Repeat("n", 1019), except: noName("a file's name has at most 255 bytes")},
	{key: strings.Repeat("segment/", 100) + "end"},
}

// emptyMarker is what consoles make as a folder.
const emptyMarker = "marker/"

func bodyOf(key string) string {
	if key == emptyMarker {
		return ""
	}
	return "body of " + key
}

// checkKeys puts, lists, reads, copies and deletes every hostile key.
func checkKeys(w *world) {
	t := w.t
	var together []hostileKey
	for _, h := range names() {
		if h.alone {
			checkKeysTogether(t, w, []hostileKey{h})
		} else {
			together = append(together, h)
		}
	}
	checkKeysTogether(t, w, together)
}

func checkKeysTogether(t *testing.T, w *world, keys []hostileKey) {
	t.Helper()
	b, d := w.bucket(t, w.source, "keys"), w.bucket(t, w.destination, "keys-b")
	w.share(t, b)
	source := w.source.admin(t).OpenSource(w.source.at(b))
	admin := w.destination.admin(t)
	destination := admin.OpenDestination(w.destination.at(d), w.source.at(b))
	var listed, copied []string // as they are listed
	for _, h := range keys {
		e := h.except[w.server]
		_, err := w.source.tryPut(t, b, h.key, bodyOf(h.key))
		if (err != nil) != (e.does == refused) {
			t.Errorf("put %q: %v; the table says %q (%s)", h.key, err, e.does, e.why)
		}
		if err == nil {
			listed = append(listed, h.listed(w))
		}
	}
	sameKeys(t, "the source", source, listed)
	var taken []string
	for _, h := range keys {
		switch e := h.except[w.server]; {
		case e.does == refused:
		case copyHostile(t, source, destination, h.key) != (e.does != uncopied):
			t.Errorf("copy %q: the table says %q (%s)", h.key, e.does, e.why)
		case e.does != uncopied:
			taken, copied = append(taken, h.key), append(copied, h.listed(w))
		}
	}
	sameKeys(t, "the destination", destination, copied)
	deleteHostile(t, admin.OpenDeleter(w.destination.at(d)), destination, taken)
}

// sameKeys lists by small pages, so that keys also travel as tokens.
func sameKeys(t *testing.T, what string, l s3copy.Lister, want []string) {
	t.Helper()
	slices.Sort(want)
	got, _ := keysOf(t, l, s3copy.PageRequest{Max: 7})
	for _, k := range got {
		if !slices.Contains(want, k) {
			t.Errorf("%s lists %q, which is not there", what, k)
		}
	}
	for _, k := range want {
		if !slices.Contains(got, k) {
			t.Errorf("%s does not list %q", what, k)
		}
	}
	for i := range got {
		if i > 0 && got[i-1] >= got[i] {
			t.Errorf("%s lists %q behind %q: not in the order of bytes", what, got[i], got[i-1])
		}
	}
}

// copyHostile copies a key across the accounts and tells whether the server did.
func copyHostile(t *testing.T, source s3copy.Source, destination s3copy.Destination, key string) bool {
	t.Helper()
	d, err := source.Head(t.Context(), s3copy.HeadRequest{Key: key})
	if err != nil {
		t.Errorf("details of %q: %v", key, err)
		return false
	}
	if _, err := destination.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: key, Key: key, IfMatch: d.ETag}); err != nil {
		t.Logf("copy %q: %v", key, err)
		return false
	}
	if got := read(t, destination, s3copy.OpenRequest{Key: key}); got != bodyOf(key) {
		t.Errorf("the copy of %q reads %q", key, got)
	}
	return true
}

// deleteHostile deletes all at once: each must be accounted for, and be gone.
func deleteHostile(t *testing.T, deleter s3copy.Deleter, l s3copy.Lister, keys []string) {
	t.Helper()
	request := make([]s3copy.Deletion, len(keys))
	for i, k := range keys {
		request[i].Key = k
	}
	errs, err := deleter.DeleteObjects(t.Context(), request)
	if err != nil {
		t.Fatalf("delete: %v", err)
	}
	for i, k := range keys {
		if errs[i] != nil {
			t.Errorf("delete %q: %v", k, errs[i])
		}
	}
	if left, _ := keysOf(t, l, s3copy.PageRequest{}); len(left) != 0 {
		t.Errorf("deleted, and still there: %q", left)
	}
}

// read gives an object's bytes.
func read(t *testing.T, o s3copy.Opener, r s3copy.OpenRequest) string {
	t.Helper()
	body, err := o.Open(t.Context(), r)
	if err != nil {
		t.Errorf("open %q: %v", r.Key, err)
		return ""
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		t.Errorf("read %q: %v", r.Key, err)
	}
	return string(data)
}
