package main

import (
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"xplan/internal/sandbox"
)

// The scripts' words about versions.

// marked stands for a delete marker in the scripts.
const marked = "DELETED"

// history BUCKET KEY BODY|DELETED…, the oldest first. BODY@CLASS has a storage class.
func (w *world) history(ts *testscript.TestScript, args []string) {
	want(ts, args, 3, "history BUCKET KEY BODY|DELETED…")
	args[1] = unquoted(ts, args[1])
	for _, body := range args[2:] {
		body, class, _ := strings.Cut(body, "@")
		if body == marked {
			ts.Check(w.server.DeleteObject(args[0], args[1]))
			continue
		}
		ts.Check(w.server.PutObject(args[0], args[1], []byte(body), sandbox.PutOptions{
			StorageClass: class, Tags: map[string]string{"of": body}, Metadata: map[string]string{"by": "test"},
		}))
	}
}

// told BUCKET KEY [BODY|DELETED…] wants exactly this history, the oldest first.
func (w *world) told(ts *testscript.TestScript, args []string) {
	want(ts, args, 2, "told BUCKET KEY [BODY|DELETED…]")
	args[1] = unquoted(ts, args[1])
	var got []string
	for _, v := range w.server.Versions(args[0]) {
		switch {
		case v.Key != args[1]:
		case v.DeleteMarker:
			got = append(got, marked)
		default:
			if v.Tags["of"] != "" && v.Tags["of"] != v.Body {
				ts.Fatalf("version %q of %s has the tags %v", v.Body, v.Key, v.Tags)
			}
			got = append(got, v.Body)
		}
	}
	if have, wanted := strings.Join(got, " "), strings.Join(args[2:], " "); have != wanted {
		ts.Fatalf("%s of %s is %q, want %q", args[1], args[0], have, wanted)
	}
}

// expire BUCKET KEY takes the key's oldest version away.
func (w *world) expire(ts *testscript.TestScript, args []string) {
	want(ts, args, 2, "expire BUCKET KEY")
	for _, v := range w.server.Versions(args[0]) {
		if v.Key == args[1] {
			ts.Check(w.server.RemoveVersion(args[0], v.Key, v.VersionID))
			return
		}
	}
	ts.Fatalf("%s has no %s", args[0], args[1])
}

// retag BUCKET KEY BODY NAME VALUE sets a tag of the first version with that body.
func (w *world) retag(ts *testscript.TestScript, args []string) {
	want(ts, args, 5, "retag BUCKET KEY BODY NAME VALUE")
	for _, v := range w.server.Versions(args[0]) {
		if v.Key == args[1] && v.Body == args[2] && !v.DeleteMarker {
			ts.Check(w.server.TagVersion(args[0], v.Key, v.VersionID, args[3], args[4]))
			return
		}
	}
	ts.Fatalf("%s has no version %q of %s", args[0], args[2], args[1])
}

// versioning BUCKET Enabled|Suspended
func (w *world) versioning(ts *testscript.TestScript, args []string) {
	want(ts, args, 2, "versioning BUCKET Enabled|Suspended")
	ts.Check(w.server.SetVersioning(args[0], args[1]))
}
