package main

import (
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"xplan/internal/sandbox"
)

// retention reads "compliance:30": a mode, and a number of days from now on.
func retention(ts *testscript.TestScript, text string) (mode string, until time.Time) {
	mode, days, ok := strings.Cut(text, ":")
	if !ok {
		ts.Fatalf("a retention is MODE:DAYS, not %q", text)
	}
	return strings.ToUpper(mode), time.Now().UTC().Truncate(time.Second).AddDate(0, 0, number(ts, days))
}

// object is one current object of a bucket.
func (w *world) object(ts *testscript.TestScript, bucket, key string) sandbox.ObjectInfo {
	all := w.of(bucket).Objects(strings.TrimPrefix(bucket, "2:"))
	i := slices.IndexFunc(all, func(o sandbox.ObjectInfo) bool { return o.Key == key })
	if i < 0 {
		ts.Fatalf("%s has no object %q", bucket, key)
	}
	return all[i]
}

// lock BUCKET KEY none|MODE:DAYS [hold] wants the object locked like that, to the day.
func (w *world) lock(ts *testscript.TestScript, args []string) {
	want(ts, args, 3, "lock BUCKET KEY none|MODE:DAYS [hold]")
	o := w.object(ts, args[0], args[1])
	got, wanted := "none", args[2]
	if o.Retention != "" {
		got = o.Retention + " " + o.RetainUntil.UTC().Format(time.DateOnly)
	}
	if wanted != "none" {
		mode, until := retention(ts, wanted)
		wanted = mode + " " + until.Format(time.DateOnly)
	}
	if hold := len(args) > 3; got != wanted || o.LegalHold != hold {
		ts.Fatalf("%s/%s is under %s, legal hold %v; want %s, %v", args[0], args[1], got, o.LegalHold, wanted, hold)
	}
}

// redirect BUCKET KEY WANT wants the object's website redirect.
func (w *world) redirect(ts *testscript.TestScript, args []string) {
	want(ts, args, 3, "redirect BUCKET KEY WANT")
	if got := w.object(ts, args[0], args[1]).WebsiteRedirect; got != args[2] {
		ts.Fatalf("%s/%s redirects to %q, want %q", args[0], args[1], got, args[2])
	}
}

// lockOption is an option of "sandbox put".
func lockOption(ts *testscript.TestScript, o *sandbox.PutOptions, name, value string) bool {
	switch name {
	case "retain":
		o.Retention, o.RetainUntil = retention(ts, value)
	case "hold":
		o.LegalHold = true
	case "part-size":
		o.PartSize = int64(number(ts, value))
	case "redirect":
		o.WebsiteRedirect = value
	case "customer":
		o.CustomerKeyMD5 = value
	case "archived":
		o.StorageClass, o.Archived = "INTELLIGENT_TIERING", value
	default:
		return false
	}
	return true
}

// bucketOption is an option of "sandbox bucket".
func bucketOption(ts *testscript.TestScript, o *sandbox.BucketOptions, name, value string) bool {
	switch name {
	case "lock":
		o.ObjectLock = true
		if value != "" {
			mode, days, _ := strings.Cut(value, ":")
			o.Retention, o.RetainDays = strings.ToUpper(mode), number(ts, days)
		}
	case "website":
		o.Website = true
	case "requester-pays":
		o.RequesterPay = true
	default:
		return false
	}
	return true
}

// restores DURATION is how long restores take from now on; pass DURATION lets as much time go by for them.
func (w *world) restores(ts *testscript.TestScript, args []string) {
	want(ts, args, 1, "restores DURATION")
	w.server.SetRestore(duration(ts, args[0]))
}

func (w *world) pass(ts *testscript.TestScript, args []string) {
	want(ts, args, 1, "pass DURATION")
	w.server.PassRestores(duration(ts, args[0]))
}

func duration(ts *testscript.TestScript, text string) time.Duration {
	d, err := time.ParseDuration(text)
	ts.Check(err)
	return d
}
