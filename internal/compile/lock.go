package compile

import (
	"fmt"
	"time"

	"xplan/plan"
)

const preserve = "preserve"

// locks tells whether the pair's copies carry their sources' locks: the plan says so, and there are some to carry.
func (b branch) locks() bool { return b.keepsLocks() && b.src.ObjectLock }

func (b branch) keepsLocks() bool { return b.pair.Copy.ObjectLock == preserve && !b.moved }

// String says the default retention in words; none is "none".
func (r Retention) String() string {
	switch {
	case r.Mode == "":
		return "none"
	case r.Years > 0:
		return fmt.Sprintf("%s for %d years", r.Mode, r.Years)
	}
	return fmt.Sprintf("%s for %d days", r.Mode, r.Days)
}

// checkLocks says what becomes of Object Lock, and finds what keeps it from being kept.
func (b *builder) checkLocks(br branch) {
	b.checkDefaultRetention(br)
	source := "bucket " + br.pair.Source
	switch {
	case br.keepsLocks() && b.unseen(UnseenObjectLock(br.pair.Source)):
		b.problem(source, "its Object Lock cannot be read, so that nobody knows whether there are locks to preserve",
			"allow s3:GetBucketObjectLockConfiguration to the source's administrator, or set copy.object_lock: none")
	case !br.src.ObjectLock:
	case !br.keepsLocks():
		b.warn(source, "Object Lock: retention and legal holds are not copied (copy.object_lock: preserve keeps them)")
	case br.pair.Copy.AllVersions():
		b.problem(source, "copy.object_lock: preserve is for the current version of each key, and copy.versions is all",
			"set copy.versions: current, or copy.object_lock: none")
	default:
		b.checkLockable(br)
		b.checkCompliance(br)
	}
}

// checkLockable: a bucket without Object Lock refuses every copy that carries a lock.
func (b *builder) checkLockable(br branch) {
	subject := "bucket " + br.pair.Destination
	switch {
	case br.dst.Foreign || br.dst.Exists && br.dst.ObjectLock:
	case br.dst.Exists && b.unseen(UnseenObjectLock(br.pair.Destination)):
		b.problem(subject, "whether it has Object Lock cannot be read, and copy.object_lock is preserve",
			"allow s3:GetBucketObjectLockConfiguration to the destination's administrator, or set copy.object_lock: none")
	case br.dst.Exists:
		b.problem(subject, "it has no Object Lock, and copy.object_lock is preserve",
			"turn it on (versioning first, then s3:PutBucketObjectLockConfiguration; it can never be turned off), or set copy.object_lock: none")
	case !br.settings.ObjectLock:
		b.problem(subject, "it would be made without Object Lock, and copy.object_lock is preserve",
			"set settings.object_lock: true for it, or copy.object_lock: none")
	}
}

// checkCompliance warns of what not even the account's root can undo.
func (b *builder) checkCompliance(br branch) {
	if !br.copying {
		return
	}
	until := "the dates are read from each object as it is copied, so the latest is not known"
	if l := br.facts.Locks; !l.Until.IsZero() {
		until = "the latest date seen is " + l.Until.UTC().Format(time.DateOnly) + "; those of objects that are new or changed are not known before they are copied"
	}
	if r := br.src.Retention; r.Mode != "" {
		until += "; " + br.pair.Source + " gives new objects " + r.String()
	}
	b.endanger("bucket "+br.pair.Destination, "Object Lock is preserved: nobody, not even the account's root user, can delete a copy of an object under COMPLIANCE "+
		"before its date, nor one under a legal hold while that stands (%s)", until)
}

// checkDefaultRetention tells of the retention that the destination gives by itself.
func (b *builder) checkDefaultRetention(br branch) {
	r, when := br.dst.Retention, "every copy"
	if r.Mode == "" || !br.copying {
		return
	}
	if br.locks() {
		when = "every copy whose source has no retention left"
	}
	b.warn("bucket "+br.pair.Destination, "its default retention (%s) is given to %s", r, when)
}

// lockActions are what the principal needs beside, where the plan keeps locks.
func lockActions(p plan.Pair, side plan.Side) []string {
	switch {
	case p.Copy.ObjectLock != preserve:
		return nil
	case side == plan.Source:
		return []string{"s3:GetObjectRetention", "s3:GetObjectLegalHold"}
	}
	return []string{"s3:GetObjectRetention", "s3:GetObjectLegalHold", "s3:PutObjectRetention", "s3:PutObjectLegalHold"}
}
