package awsapi

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// Attempts, the first one included.
const (
	patientAttempts = 8 // reads, and writes that may be repeated
	refusedAttempts = 6
	firstBackoff    = 100 * time.Millisecond
	longestBackoff  = 10 * time.Second
)

// retries makes the retryers of a session. The zero value is the real one.
type retries struct {
	first time.Duration // a retry's longest wait doubles from here; 0 means firstBackoff
}

// delay is somewhere between nothing and the attempt's longest wait, so that those refused together do not
// come back together.
func (r retries) delay(attempt int, _ error) (time.Duration, error) {
	longest := cmp.Or(r.first, firstBackoff) << min(max(attempt-1, 0), 16)
	return rand.N(min(longest, longestBackoff) + 1), nil
}

func (r retries) standard(attempts int, set func(*retry.StandardOptions)) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.Backoff = retry.BackoffDelayerFunc(r.delay)
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(spoilt))
		o.RateLimiter = ratelimit.None
		set(o)
	})
}

// patient retries what may safely be repeated. The SDK's token bucket is off: attempts are
// bounded, and a bucket shared by thousands of copies would give up for all because of some.
func (r retries) patient() aws.Retryer {
	return r.standard(patientAttempts, func(o *retry.StandardOptions) {
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(conflicting))
	})
}

// paced is for the engine's requests: it repeats everything but what the server throttles. The engine has one
// controller for its pace, which must hear of every 503 to slow down, and which comes back by itself;
// sitting out the throttling here would hide it, and send more of what the server wants less of.
func (r retries) paced() aws.Retryer {
	return r.standard(patientAttempts, func(o *retry.StandardOptions) {
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(leftToTheEngine)}, o.Retryables...)
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(conflicting))
	})
}

// withoutConflicts is paced, but gives up where another write came between.
func (r retries) withoutConflicts() aws.Retryer {
	return r.standard(patientAttempts, func(o *retry.StandardOptions) {
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(leftToTheEngine)}, o.Retryables...)
	})
}

// leftToTheEngine answers false for throttling.
func leftToTheEngine(err error) aws.Ternary {
	if throttling(errorCode(err)) {
		return aws.FalseTernary
	}
	switch statusCode(err) {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

// conflicting answers true for what S3 says about two writes at once, and for any 429: nothing was done, ask again.
func conflicting(err error) aws.Ternary {
	switch errorCode(err) {
	case "OperationAborted", "ConditionalRequestConflict":
		return aws.TrueTernary
	}
	if statusCode(err) == http.StatusTooManyRequests {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// settling also waits for what a bucket made a moment ago does not know yet.
func (r retries) settling() aws.Retryer {
	return retry.AddWithErrorCodes(r.patient(), "NoSuchBucket")
}

// onlyRefused repeats a request only after an answer that says that it was not carried out. Any
// other end (a timeout, a torn connection, a 500) is the caller's, who reads what stands: a second
// access key or policy version made by a retry would be nobody's.
func (r retries) onlyRefused() aws.Retryer {
	return r.standard(refusedAttempts, func(o *retry.StandardOptions) {
		o.Retryables = []retry.IsErrorRetryable{retry.IsErrorRetryableFunc(refused)}
	})
}

// onceForTheEngine is onlyRefused for the engine's requests, which hears of throttling itself.
func (r retries) onceForTheEngine() aws.Retryer {
	return r.standard(refusedAttempts, func(o *retry.StandardOptions) {
		o.Retryables = []retry.IsErrorRetryable{retry.IsErrorRetryableFunc(leftToTheEngine), retry.IsErrorRetryableFunc(refused)}
	})
}

// refused answers true for a 4xx that says that the request was too many, or came by a clock that is off: the SDK
// has corrected it by then.
func refused(err error) aws.Ternary {
	var status interface{ HTTPStatusCode() int }
	if !errors.As(err, &status) || status.HTTPStatusCode() < 400 || status.HTTPStatusCode() >= http.StatusInternalServerError {
		return aws.FalseTernary
	}
	var skew interface{ RetryableError() bool }
	if errors.As(err, &skew) && skew.RetryableError() {
		return aws.TrueTernary
	}
	_, throttled := retry.DefaultThrottleErrorCodes[errorCode(err)]
	return aws.BoolTernary(throttled)
}

// spoilt answers true for what got spoilt on its way: an answer that cannot be read to its end, and bytes that
// did not arrive at the server as they were sent.
func spoilt(err error) aws.Ternary {
	if code := errorCode(err); unreadable(err) || code == "BadDigest" || code == "XAmzContentChecksumMismatch" {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// unreadable tells of a yes that is no whole document. Of a refusal the status is enough: S3's quotes the key, and where that has
// a control character no parser reads it, however often it is asked for.
func unreadable(err error) bool {
	if statusCode(err) >= http.StatusBadRequest {
		return false
	}
	var document *smithy.DeserializationError
	var syntax *xml.SyntaxError
	return errorCode(err) == "" && (errors.As(err, &document) || errors.As(err, &syntax) || errors.Is(err, io.ErrUnexpectedEOF))
}

// errorCode gives the server's code, or "".
func errorCode(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// pause waits, or tells that the context ended first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
