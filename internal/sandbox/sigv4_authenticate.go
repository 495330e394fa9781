package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// An authFailure is why a request is not let in; authError words it as the
// service in question does.
type authFailure int

const (
	unknownKey authFailure = iota
	wrongSignature
	skewedClock
	expiredToken
	wrongToken
	expiredURL
	notSigned
)

// authenticate finds and checks who signed the request, and prepares its body.
// An unsigned request to S3 passes as the anonymous caller.
func (s *Server) authenticate(c *call) *apiError {
	g := c.sig
	if g == nil {
		if c.target.Service != serviceS3 {
			return authError(c, notSigned)
		}
		return c.prepareBody(nil, "")
	}
	key, failure, ok := s.findKey(c, g)
	if !ok {
		return authError(c, failure)
	}
	switch skew := c.now.Sub(g.time); {
	case g.presigned && skew > g.expires:
		return authError(c, expiredURL)
	case skew < -maxClockSkew, !g.presigned && skew > maxClockSkew:
		return authError(c, skewedClock)
	}
	hash, err := c.payloadHash(g)
	if err != nil {
		return err
	}
	signing := key.signingKey(g)
	want := hex.EncodeToString(hmacSHA256(signing, g.stringToSign(c.r, hash)))
	if !hmac.Equal([]byte(want), []byte(g.value)) {
		return authError(c, wrongSignature)
	}
	c.caller = key.caller
	key.used(c)
	return c.prepareBody(signing, hash)
}

// findKey looks the access key up as it is visible by now.
func (s *Server) findKey(c *call, g *signature) (*accessKey, authFailure, bool) {
	found, ok := s.keys.Load(g.accessKey)
	if !ok {
		return nil, unknownKey, false
	}
	key := found.(*accessKey)
	if key.status.visible(c.now, s.lag()) != keyActive {
		return nil, unknownKey, false
	}
	if key.token != g.token {
		return nil, wrongToken, false
	}
	if key.session != nil && !c.now.Before(key.session.expires) {
		return nil, expiredToken, false
	}
	return key, 0, true
}

// payloadHash is the hash, or the word in its place, that the client signed.
func (c *call) payloadHash(g *signature) (string, *apiError) {
	if c.target.Service != serviceS3 {
		sum := sha256.Sum256(c.payload)
		return hex.EncodeToString(sum[:]), nil
	}
	switch {
	case g.payload != "":
		return g.payload, nil
	case g.presigned:
		return unsignedPayload, nil
	}
	return "", newError(http.StatusBadRequest, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
}

// signingKey derives, or remembers, the key of the signature's scope.
func (k *accessKey) signingKey(g *signature) []byte {
	scope := g.scope()
	if known, ok := k.signing.Load(scope); ok {
		return known.([]byte)
	}
	derived := signingKey(k.secret, g.date, g.region, g.service)
	k.signing.Store(scope, derived)
	return derived
}

// authError words a failure in the way of the service.
func authError(c *call, f authFailure) *apiError {
	switch c.target.Service {
	case serviceS3:
		return s3AuthError(c, f)
	case serviceKMS:
		return kmsAuthError(c, f)
	case serviceEC2:
		if f == skewedClock || f == expiredToken {
			return newError(http.StatusBadRequest, "RequestExpired", "Request has expired.")
		}
		return newError(http.StatusUnauthorized, "AuthFailure", "AWS was not able to validate the provided access credentials")
	default:
		return queryAuthError(c, f)
	}
}

func s3AuthError(c *call, f authFailure) *apiError {
	switch f {
	case unknownKey:
		e := newError(http.StatusForbidden, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
		e.Fields = map[string]string{"AWSAccessKeyId": c.sig.accessKey}
		return e
	case wrongSignature:
		return newError(http.StatusForbidden, "SignatureDoesNotMatch",
			"The request signature we calculated does not match the signature you provided. Check your key and signing method.")
	case skewedClock:
		e := newError(http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
		e.Fields = map[string]string{
			"RequestTime": c.sig.amzDate, "ServerTime": c.now.UTC().Format(time.RFC3339),
			"MaxAllowedSkewMilliseconds": fmt.Sprint(maxClockSkew.Milliseconds()),
		}
		return e
	case expiredToken:
		return newError(http.StatusBadRequest, "ExpiredToken", "The provided token has expired.")
	case wrongToken:
		return newError(http.StatusBadRequest, "InvalidToken", "The provided token is malformed or otherwise invalid.")
	case expiredURL:
		return newError(http.StatusForbidden, "AccessDenied", "Request has expired")
	default:
		return newError(http.StatusForbidden, "AccessDenied", "Access Denied")
	}
}

// lateSignature is the text of a clock gone wrong outside S3.
func lateSignature(c *call) string {
	limit := c.now.Add(-maxClockSkew).UTC().Format(amzTimeFormat)
	return "Signature expired: " + c.sig.amzDate + " is now earlier than " + limit + " (" + c.now.UTC().Format(amzTimeFormat) + " - 15 min.)"
}

const mismatchText = "The request signature we calculated does not match the signature you provided. " +
	"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

func queryAuthError(c *call, f authFailure) *apiError {
	switch f {
	case wrongSignature:
		return newError(http.StatusForbidden, "SignatureDoesNotMatch", mismatchText)
	case skewedClock, expiredURL:
		return newError(http.StatusForbidden, "SignatureDoesNotMatch", lateSignature(c))
	case expiredToken:
		return newError(http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired")
	case notSigned:
		return newError(http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token")
	default:
		return newError(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.")
	}
}

func kmsAuthError(c *call, f authFailure) *apiError {
	switch f {
	case wrongSignature:
		return newError(http.StatusBadRequest, "InvalidSignatureException", mismatchText)
	case skewedClock, expiredURL:
		return newError(http.StatusBadRequest, "InvalidSignatureException", lateSignature(c))
	case expiredToken:
		return newError(http.StatusBadRequest, "ExpiredTokenException", "The security token included in the request is expired")
	case notSigned:
		return newError(http.StatusBadRequest, "MissingAuthenticationTokenException", "Missing Authentication Token")
	default:
		return newError(http.StatusBadRequest, "UnrecognizedClientException", "The security token included in the request is invalid.")
	}
}

// prepareBody puts the readers in place that undo the framing of an S3 body and
// check it. signing is nil for an unsigned request.
func (c *call) prepareBody(signing []byte, hash string) *apiError {
	if c.target.Service != serviceS3 {
		return nil
	}
	if c.r.Header.Get("X-Amz-Content-Sha256") != "" && hash == "" {
		hash = c.r.Header.Get("X-Amz-Content-Sha256")
	}
	switch {
	case strings.HasPrefix(hash, streamingPrefix):
		return c.prepareChunks(signing, hash)
	case hash == "" || hash == unsignedPayload:
		c.body = c.r.Body
	case len(hash) == hex.EncodedLen(sha256.Size):
		c.body = &hashedBody{from: c.r.Body, hash: sha256.New(), want: hash}
	default:
		return newError(http.StatusBadRequest, "InvalidArgument",
			"x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD or a valid sha256 value.")
	}
	return nil
}
