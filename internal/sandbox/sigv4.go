package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	sigAlgorithm    = "AWS4-HMAC-SHA256"
	amzTimeFormat   = "20060102T150405Z"
	maxClockSkew    = 15 * time.Minute
	maxPresignLife  = 7 * 24 * time.Hour
	unsignedPayload = "UNSIGNED-PAYLOAD"
	streamingPrefix = "STREAMING-"
)

// A signature is what a request says about its signature, not yet checked.
type signature struct {
	accessKey, date, region, service string
	headers                          []string // signed, lower case, as listed
	value                            string   // hexadecimal
	amzDate                          string
	time                             time.Time
	presigned                        bool
	expires                          time.Duration // of a presigned URL
	token                            string        // the session token
	payload                          string        // the payload's hash, or a word in its place; "" where not said
}

// scope is the credential scope without the key.
func (g *signature) scope() string {
	return g.date + "/" + g.region + "/" + g.service + "/aws4_request"
}

// parseSignature reads a request's signature, from its header or its query.
// nil and no error: the request is not signed.
func parseSignature(r *http.Request) (*signature, *apiError) {
	header := r.Header.Get("Authorization")
	if header != "" {
		return parseHeaderSignature(r, header)
	}
	if strings.Contains(r.URL.RawQuery, "X-Amz-Signature=") {
		return parseQuerySignature(r)
	}
	return nil, nil
}

func malformedAuthorization(what string) *apiError {
	return newError(http.StatusBadRequest, "AuthorizationHeaderMalformed", "The authorization header is malformed; "+what)
}

func parseHeaderSignature(r *http.Request, header string) (*signature, *apiError) {
	rest, ok := strings.CutPrefix(header, sigAlgorithm)
	if !ok {
		return nil, newError(http.StatusBadRequest, "InvalidArgument", "Unsupported Authorization Type")
	}
	g := &signature{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			if !g.setCredential(value) {
				return nil, malformedAuthorization("the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".")
			}
		case "SignedHeaders":
			g.headers = strings.Split(value, ";")
		case "Signature":
			g.value = value
		}
	}
	if g.accessKey == "" || g.value == "" || !slices.Contains(g.headers, "host") {
		return nil, malformedAuthorization("the authorization header requires three components: Credential, SignedHeaders, and Signature.")
	}
	g.token = r.Header.Get("X-Amz-Security-Token")
	g.payload = r.Header.Get("X-Amz-Content-Sha256")
	return g, g.setTime(r.Header.Get("X-Amz-Date"))
}

func parseQuerySignature(r *http.Request) (*signature, *apiError) {
	q := r.URL.Query()
	bad := func(what string) *apiError {
		return newError(http.StatusBadRequest, "AuthorizationQueryParametersError", what)
	}
	g := &signature{
		presigned: true, value: q.Get("X-Amz-Signature"), headers: strings.Split(q.Get("X-Amz-SignedHeaders"), ";"),
		token: q.Get("X-Amz-Security-Token"), payload: r.Header.Get("X-Amz-Content-Sha256"),
	}
	if q.Get("X-Amz-Algorithm") != sigAlgorithm {
		return nil, bad(`X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"`)
	}
	if !g.setCredential(q.Get("X-Amz-Credential")) {
		return nil, bad("Error parsing the X-Amz-Credential parameter; the Credential is mal-formed")
	}
	if !slices.Contains(g.headers, "host") {
		return nil, bad("There were headers present in the request which were not signed")
	}
	g.expires = maxPresignLife
	if text := q.Get("X-Amz-Expires"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 0 {
			return nil, bad("X-Amz-Expires should be a number")
		}
		g.expires = time.Duration(seconds) * time.Second
	}
	if g.expires > maxPresignLife {
		return nil, bad("X-Amz-Expires must be less than a week (in seconds) that is less than 604800")
	}
	return g, g.setTime(q.Get("X-Amz-Date"))
}

// setCredential takes KEY/DATE/REGION/SERVICE/aws4_request apart.
func (g *signature) setCredential(text string) bool {
	parts := strings.Split(text, "/")
	if len(parts) != 5 || parts[4] != "aws4_request" || slices.Contains(parts, "") {
		return false
	}
	g.accessKey, g.date, g.region, g.service = parts[0], parts[1], parts[2], parts[3]
	return true
}

func (g *signature) setTime(text string) *apiError {
	t, err := time.Parse(amzTimeFormat, text)
	if err != nil {
		return newError(http.StatusForbidden, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")
	}
	if t.Format("20060102") != g.date {
		return malformedAuthorization("Invalid credential date. Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP")
	}
	g.amzDate, g.time = text, t
	return nil
}

// stringToSign is the text that the client signed, if it signed this request.
func (g *signature) stringToSign(r *http.Request, payloadHash string) string {
	var b strings.Builder
	b.WriteString(r.Method)
	b.WriteByte('\n')
	g.writePath(&b, r.URL)
	b.WriteByte('\n')
	b.WriteString(canonicalQuery(r.URL.RawQuery))
	b.WriteByte('\n')
	for _, name := range g.headers {
		b.WriteString(name)
		b.WriteByte(':')
		b.WriteString(headerValue(r, name))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.WriteString(strings.Join(g.headers, ";"))
	b.WriteByte('\n')
	b.WriteString(payloadHash)
	sum := sha256.Sum256([]byte(b.String()))
	return sigAlgorithm + "\n" + g.amzDate + "\n" + g.scope() + "\n" + hex.EncodeToString(sum[:])
}

// writePath writes the canonical path. S3 signs the path as it is sent; the
// other services encode it once more.
func (g *signature) writePath(b *strings.Builder, u *url.URL) {
	path := u.Path
	if path == "" {
		path = "/"
	}
	if g.service == serviceS3 {
		escapeInto(b, path, true)
		return
	}
	var once strings.Builder
	escapeInto(&once, path, true)
	escapeInto(b, once.String(), true)
}

// canonicalQuery sorts and encodes a query by the rules of the signature,
// leaving out the signature itself.
func canonicalQuery(raw string) string {
	if raw == "" {
		return ""
	}
	type param struct{ name, value string }
	var params []param
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		if part == "" || name == "X-Amz-Signature" {
			continue
		}
		params = append(params, param{reescape(name), reescape(value)})
	}
	slices.SortFunc(params, func(a, b param) int {
		if a.name != b.name {
			return strings.Compare(a.name, b.name)
		}
		return strings.Compare(a.value, b.value)
	})
	var b strings.Builder
	for i, p := range params {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.name)
		b.WriteByte('=')
		b.WriteString(p.value)
	}
	return b.String()
}

func reescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		s = plain
	}
	var b strings.Builder
	escapeInto(&b, s, false)
	return b.String()
}

// escapeInto percent-encodes all bytes but the unreserved ones, and keeps
// slashes where asked.
func escapeInto(b *strings.Builder, s string, keepSlash bool) {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			c == '-', c == '_', c == '.', c == '~', c == '/' && keepSlash:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
}

// headerValue is a header's canonical value: trimmed, inner runs of spaces made
// one, several values joined by commas.
func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	values := r.Header[http.CanonicalHeaderKey(name)]
	if len(values) == 1 {
		return squeeze(values[0])
	}
	clean := make([]string, len(values))
	for i, v := range values {
		clean[i] = squeeze(v)
	}
	return strings.Join(clean, ",")
}

func squeeze(s string) string {
	s = strings.TrimSpace(s)
	for strings.Contains(s, "  ") {
		s = strings.ReplaceAll(s, "  ", " ")
	}
	return s
}

func hmacSHA256(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// signingKey derives the key of a scope.
func signingKey(secret, date, region, service string) []byte {
	k := hmacSHA256([]byte("AWS4"+secret), date)
	k = hmacSHA256(k, region)
	k = hmacSHA256(k, service)
	return hmacSHA256(k, "aws4_request")
}
