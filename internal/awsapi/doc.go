// Package awsapi is the only importer of the AWS SDK: it opens an account's
// administrator or the plan's principal, and translates between AWS and the
// words of compile and s3copy.
//
//	Open            → *Account   an administrator: observes, sets up, cleans up, opens buckets
//	Account.MintKey,
//	AssumeRole,
//	Profile, Own    → *Login     the principal: opens buckets, probes its access leg by leg
//	Open… methods   → *bucket    one bucket as the engine's Source, Destination, Deleter, Restorer
//
// Four promises hold for every request that leaves here:
//
//   - Owner: every S3 request that can name the bucket's owner does, and every copy names its
//     source's owner too. One place below the calls sets both, so none can forget it (owner.go).
//   - Retries: this is the one layer that retries (retry.go). What would do harm when made twice
//     is repeated only after an answer that says that it was not done.
//   - Errors: one table translates what servers answer (classify.go). The text says what was being
//     done, to what, and why; it holds no secret, no signature and no presigned URL.
//   - Empty answers: a yes without an ETag is an error (s3copy.ErrEmptyAnswer).
//
// The calls that are made for every object go by a lane (lane.go): it signs and reads them itself, over the
// SDK's connections and with its signer and credentials, and has the SDK's client judge all but a plain yes.
//
// What is not guaranteed: that a retried conditional write was refused by somebody else. After a torn
// connection s3copy.ErrExists can mean our own first attempt; who asked compares what stands there.
package awsapi
