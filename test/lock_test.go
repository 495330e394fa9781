package test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"xplan/internal/s3copy"
)

// locking makes a bucket of the destination's that has Object Lock.
func (w *world) locking(t *testing.T, base string) string {
	t.Helper()
	b := name(base)
	in := &s3.CreateBucketInput{Bucket: &b, ObjectLockEnabledForBucket: aws.Bool(true)}
	if w.region != "us-east-1" {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(w.region)}
	}
	if _, err := w.destination.s3.CreateBucket(t.Context(), in); err != nil {
		t.Fatalf("create bucket %s with Object Lock: %v", b, err)
	}
	return b
}

// held is a lock as servers keep it: to the second.
func held(d time.Duration, hold bool) s3copy.Lock {
	return s3copy.Lock{Mode: "GOVERNANCE", Until: time.Now().Add(d).UTC().Truncate(time.Second), LegalHold: hold}
}

func sameLock(a, b s3copy.Lock) bool {
	return a.Mode == b.Mode && a.LegalHold == b.LegalHold && (a.Mode == "" || a.Until.Equal(b.Until))
}

// checkLocks sets and reads retention and legal hold, and tries what a lock is there to prevent.
func checkLocks(w *world) {
	t := w.t
	b := w.locking(t, "locked")
	at := w.destination.at(b)
	destination := w.destination.admin(t).OpenDestination(at, at)
	version := w.destination.put(t, b, "k", "x").VersionId
	l, err := destination.ReadLock(t.Context(), "k")
	w.holds(t, retentionRead, err == nil && l == (s3copy.Lock{}), "an object without a lock has %+v, %v", l, err)
	for _, want := range []s3copy.Lock{held(time.Hour, true), held(2*time.Hour, true)} {
		if err := destination.SetLock(t.Context(), "k", "", want); err != nil {
			t.Fatalf("set %s: %v", want, err)
		}
		l, err := destination.ReadLock(t.Context(), "k")
		w.holds(t, retentionRead, err == nil && sameLock(l, want), "set %s, and it has %s, %v", want, l, err)
		if err != nil && !errors.Is(err, s3copy.ErrEmptyAnswer) {
			t.Errorf("a lock that is not read is no lock that is not there: %v", err)
		}
		d := head(t, destination, s3copy.HeadRequest{Key: "k"})
		w.holds(t, headTellsLock, sameLock(d.Lock, want), "set %s, and a HEAD tells %s", want, d.Lock)
	}
	err = destination.SetLock(t.Context(), "k", "", held(time.Minute, false))
	w.holds(t, retentionStays, errors.Is(err, s3copy.ErrDenied), "shorten a retention: %v", err)
	_, err = w.destination.s3.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("k"), VersionId: version})
	if err == nil {
		t.Error("a locked version was deleted")
	}
	bare := w.destination.at(w.bucket(t, w.destination, "bare"))
	w.destination.put(t, bare.Bucket, "k", "x")
	without := w.destination.admin(t).OpenDestination(bare, bare)
	l, err = without.ReadLock(t.Context(), "k")
	w.holds(t, retentionRead, err == nil && l == (s3copy.Lock{}), "in a bucket without Object Lock: %+v, %v", l, err)
	if err := without.SetLock(t.Context(), "k", "", held(time.Hour, false)); err == nil {
		t.Error("a lock was set in a bucket without Object Lock")
	}
}

// checkLockedCopies writes objects with their lock by each way that the engine has.
func checkLockedCopies(w *world) {
	t := w.t
	from, to := w.bucket(t, w.destination, "free"), w.locking(t, "kept")
	w.destination.put(t, from, "k", digits)
	destination := w.destination.admin(t).OpenDestination(w.destination.at(to), w.destination.at(from))
	want := held(time.Hour, true)
	for way, do := range map[string]func() error{
		"copy": func() error {
			_, err := destination.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "copy", Lock: want})
			return err
		},
		"put": func() error {
			_, err := destination.PutObject(t.Context(), s3copy.UploadRequest{Key: "put", Lock: want}, []byte(digits))
			return err
		},
		"parts": func() error {
			id, err := destination.CreateUpload(t.Context(), s3copy.UploadRequest{Key: "parts", Lock: want})
			if err != nil {
				return err
			}
			part, err := destination.PutPart(t.Context(), "parts", id, 1, []byte(digits))
			if err != nil {
				return err
			}
			_, err = destination.CompleteUpload(t.Context(), s3copy.CompleteRequest{Key: "parts", UploadID: id, Parts: []s3copy.Part{part}})
			return err
		},
	} {
		err := do()
		var d s3copy.Details
		if err == nil {
			d = head(t, destination, s3copy.HeadRequest{Key: way})
		}
		w.holds(t, map[string]fact{"copy": copyTakesLock, "put": putTakesLock, "parts": uploadTakesLock}[way],
			err == nil && sameLock(d.Lock, want), "%s: it has %s, %v", way, d.Lock, err)
	}
	_, err := w.destination.admin(t).OpenDestination(w.destination.at(from), w.destination.at(from)).CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "copy", Lock: want})
	w.holds(t, lockWantsBucket, err != nil, "a copy with a lock to a bucket without Object Lock: %v", err)
}

// checkRestore asks for an archived object, twice, and for one that is none.
func checkRestore(w *world) {
	t := w.t
	b := w.bucket(t, w.source, "cold")
	admin := w.source.admin(t)
	source, restorer := admin.OpenSource(w.source.at(b)), admin.OpenRestorer(w.source.at(b))
	w.source.put(t, b, "warm", "x")
	if err := restorer.Restore(t.Context(), s3copy.RestoreRequest{Key: "warm", Days: 1}); err == nil || errors.Is(err, s3copy.ErrArchived) {
		t.Errorf("restore what is not archived: %v", err)
	}
	_, err := w.source.tryPut(t, b, "cold", "x", func(in *s3.PutObjectInput) { in.StorageClass = types.StorageClassGlacier })
	if err != nil {
		t.Fatalf("put into GLACIER: %v", err)
	}
	d := head(t, source, s3copy.HeadRequest{Key: "cold"})
	_, err = source.Open(t.Context(), s3copy.OpenRequest{Key: "cold"})
	w.holds(t, archives, d.StorageClass == "GLACIER" && errors.Is(err, s3copy.ErrArchived), "it is of %q, and is read: %v", d.StorageClass, err)
	if w.differs(archives) != "" {
		return
	}
	for range 2 {
		if err := restorer.Restore(t.Context(), s3copy.RestoreRequest{Key: "cold", Days: 1, Tier: "Standard"}); err != nil {
			t.Errorf("restore: %v", err)
		}
	}
	d = head(t, source, s3copy.HeadRequest{Key: "cold"})
	if !d.Restoring && !d.Restored {
		t.Errorf("asked for, it is %+v", d)
	}
	err = restorer.Restore(t.Context(), s3copy.RestoreRequest{Key: "none", Days: 1})
	if !errors.Is(err, s3copy.ErrNotFound) {
		t.Errorf("restore nothing: %v", err)
	}
}
