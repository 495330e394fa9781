package awsapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
)

// meanings is the one table from what servers say to what the rest of the program asks for.
// The code decides; where a server sends none, the status does.
func meanings(code, message string, status int) []error {
	if m := meaningsOfCode(code, message); m != nil {
		return m
	}
	return meaningsOfStatus(status)
}

func meaningsOfCode(code, message string) []error {
	switch code {
	case "AccessDenied", "AccessDeniedException", "AllAccessDisabled", "Forbidden", "UnauthorizedOperation",
		"UnauthorizedAccess", "AccountProblem", "InvalidPayer":
		return []error{s3copy.ErrDenied, compile.ErrDenied}
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken", "InvalidAccessKeyId",
		"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException",
		"IncompleteSignature", "AuthFailure", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
		"RequestExpired", "RequestTimeTooSkewed", "NotSignedUp", "OptInRequired", "InvalidSecurity":
		return []error{s3copy.ErrCredentials, compile.ErrCredentials}
	case "NoSuchKey", "NotFound", "NoSuchVersion":
		return []error{s3copy.ErrNotFound}
	case "NoSuchBucket":
		return []error{s3copy.ErrNoBucket}
	case "NoSuchUpload":
		return []error{s3copy.ErrNoUpload}
	case "InvalidObjectState":
		return []error{s3copy.ErrArchived}
	case "NotImplemented", "XNotImplemented", "NotSupported", "UnsupportedOperation", "MethodNotAllowed",
		"VersioningNotConfigured": // the last one is versitygw's
		return []error{s3copy.ErrUnsupported, compile.ErrUnsupported}
	case "InvalidRequest":
		if strings.Contains(message, "stored using a form of Server Side Encryption") { // GET and CopyObject on SSE-C
			return []error{s3copy.ErrCustomerKey}
		}
		if strings.Contains(message, "not supported as a byte-range copy source") { // an object by parts of less than 5 MiB
			return []error{s3copy.ErrUnsupported, compile.ErrUnsupported}
		}
	case "MalformedPolicy", "MalformedPolicyDocument":
		if strings.Contains(strings.ToLower(message), "invalid principal") {
			return []error{compile.ErrInvalidPrincipal}
		}
		return []error{}
	}
	if throttling(code) {
		return []error{s3copy.ErrThrottled}
	}
	return nil
}

func throttling(code string) bool {
	switch code {
	case "SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException", "ThrottledException",
		"RequestThrottled", "RequestThrottledException", "RequestLimitExceeded", "TooManyRequestsException",
		"TooManyRequests", "BandwidthLimitExceeded", "EC2ThrottledException", "PriorRequestNotComplete":
		return true
	}
	return false
}

func meaningsOfStatus(status int) []error {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return []error{s3copy.ErrDenied, compile.ErrDenied}
	case http.StatusNotFound:
		return []error{s3copy.ErrNotFound}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return []error{s3copy.ErrThrottled}
	case http.StatusNotImplemented, http.StatusMethodNotAllowed:
		return []error{s3copy.ErrUnsupported, compile.ErrUnsupported}
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return []error{compile.ErrUnavailable}
	}
	return nil
}

// endOfContext keeps a cancelled or timed out context recognisable.
func endOfContext(err error) []error {
	switch {
	case errors.Is(err, context.Canceled):
		return []error{context.Canceled}
	case errors.Is(err, context.DeadlineExceeded):
		return []error{context.DeadlineExceeded}
	}
	return nil
}
