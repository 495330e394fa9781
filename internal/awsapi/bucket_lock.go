package awsapi

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithytime "github.com/aws/smithy-go/time"

	"xplan/internal/s3copy"
)

var (
	_ s3copy.LockReader = (*bucket)(nil)
	_ s3copy.Locker     = (*bucket)(nil)
)

// ReadLock reads an object's retention and legal hold outright. An object, or a bucket, without is not locked.
func (b *bucket) ReadLock(ctx context.Context, key string) (s3copy.Lock, error) {
	var l s3copy.Lock
	c, err := b.client(ctx)
	if err != nil {
		return l, err
	}
	retention, err := c.GetObjectRetention(ctx, &s3.GetObjectRetentionInput{Bucket: &b.at.Bucket, Key: &key, RequestPayer: b.payer()})
	switch {
	case unlocked(err):
	case err != nil:
		return l, failed(err, "read the retention of object %q in %s", key, b.at.Bucket)
	case retention.Retention == nil || retention.Retention.Mode == "": // by a server that knows no such question, say
		return l, emptyAnswer("read the retention of object %q in %s", key, b.at.Bucket)
	default:
		l.Mode, l.Until = string(retention.Retention.Mode), aws.ToTime(retention.Retention.RetainUntilDate)
	}
	hold, err := c.GetObjectLegalHold(ctx, &s3.GetObjectLegalHoldInput{Bucket: &b.at.Bucket, Key: &key, RequestPayer: b.payer()})
	switch {
	case unlocked(err):
	case err != nil:
		return l, failed(err, "read the legal hold of object %q in %s", key, b.at.Bucket)
	case hold.LegalHold == nil:
		return l, emptyAnswer("read the legal hold of object %q in %s", key, b.at.Bucket)
	default:
		l.LegalHold = hold.LegalHold.Status == types.ObjectLockLegalHoldStatusOn
	}
	return l, nil
}

// unlocked tells whether the answer is that there is nothing to read.
func unlocked(err error) bool {
	switch errorCode(err) {
	case "NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError":
		return true
	case "InvalidRequest":
		return strings.Contains(explain(err, "").Message, "missing Object Lock Configuration")
	}
	return false
}

// SetLock sets what the lock has of a version. It never asks to pass by governance, so nothing is shortened.
func (b *bucket) SetLock(ctx context.Context, key, versionID string, l s3copy.Lock) error {
	c, err := b.client(ctx)
	if err != nil {
		return err
	}
	if l.Mode != "" {
		_, err := c.PutObjectRetention(ctx, &s3.PutObjectRetentionInput{
			Bucket: &b.at.Bucket, Key: &key, VersionId: optional(versionID), RequestPayer: b.payer(),
			Retention: &types.ObjectLockRetention{Mode: types.ObjectLockRetentionMode(l.Mode), RetainUntilDate: lockDate(l)},
		})
		if err != nil {
			return failed(err, "set the retention of object %q in %s", key, b.at.Bucket)
		}
	}
	if l.LegalHold {
		_, err := c.PutObjectLegalHold(ctx, &s3.PutObjectLegalHoldInput{
			Bucket: &b.at.Bucket, Key: &key, VersionId: optional(versionID), RequestPayer: b.payer(),
			LegalHold: &types.ObjectLockLegalHold{Status: types.ObjectLockLegalHoldStatusOn},
		})
		if err != nil {
			return failed(err, "set the legal hold of object %q in %s", key, b.at.Bucket)
		}
	}
	return nil
}

func lockDate(l s3copy.Lock) *time.Time {
	if l.Mode == "" {
		return nil
	}
	return &l.Until
}

func legalHold(l s3copy.Lock) types.ObjectLockLegalHoldStatus {
	if l.LegalHold {
		return types.ObjectLockLegalHoldStatusOn
	}
	return ""
}

// setLock is the same for the lane.
func setLock(q *question, l s3copy.Lock) {
	if l.Mode != "" {
		q.set("X-Amz-Object-Lock-Mode", l.Mode)
		q.set("X-Amz-Object-Lock-Retain-Until-Date", smithytime.FormatDateTime(l.Until))
	}
	q.set("X-Amz-Object-Lock-Legal-Hold", string(legalHold(l)))
}
