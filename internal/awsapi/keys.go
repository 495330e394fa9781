package awsapi

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"xplan/internal/s3copy"
)

// copySource writes bucket and key for the copy source header: every byte but A-Za-z0-9-_.~/ as %XX.
// url.PathEscape would leave "+", which S3 reads as a space.
// A version, where one is named, follows as a query.
func copySource(bucket, key, version string) string {
	source := bucket + "/" + escapePath(key)
	if version != "" {
		source += "?versionId=" + url.QueryEscape(version)
	}
	return source
}

// escapePath writes a key as both paths and the copy source have it.
func escapePath(key string) string {
	plain := 0
	for plain < len(key) && (unreserved(key[plain]) || key[plain] == '/') {
		plain++
	}
	if plain == len(key) {
		return key
	}
	var b strings.Builder
	b.Grow(len(key) + len(key)/4 + 8)
	b.WriteString(key[:plain])
	const digits = "0123456789ABCDEF"
	for i := plain; i < len(key); i++ {
		c := key[i]
		if unreserved(c) || c == '/' {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '_' || c == '.' || c == '~'
}

// decodeKey undoes encoding-type=url, which the SDK does not; "+" is a space there. A server that
// ignored the encoding sends the key as it is.
func decodeKey(key string, encoding types.EncodingType) (string, error) {
	if encoding != types.EncodingTypeUrl || !strings.ContainsAny(key, "%+") {
		return key, nil
	}
	decoded, err := url.QueryUnescape(key)
	if err != nil {
		return "", fmt.Errorf("key %q of the listing is not URL-encoded", key)
	}
	return decoded, nil
}

// xmlCarries tells whether a key survives an XML request unchanged. What XML 1.0 forbids is replaced by
// U+FFFD, and parsers turn CR into LF: such keys are deleted one by one, where they travel in the URL.
func xmlCarries(key string) bool {
	for _, r := range key {
		if r < 0x20 || r == 0x7f || r == 0xfffd || r == 0xfffe || r == 0xffff {
			return false
		}
	}
	return true // invalid UTF-8 ranges as U+FFFD
}

// tagging writes tags as the header that takes them: a URL query.
func tagging(tags []s3copy.Tag) *string {
	if len(tags) == 0 {
		return nil
	}
	parts := make([]string, 0, len(tags))
	for _, t := range tags {
		parts = append(parts, escapeTag(t.Key)+"="+escapeTag(t.Value))
	}
	text := strings.Join(parts, "&")
	return &text
}

// escapeTag writes a space as %20, which every server reads as a space.
func escapeTag(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// unquote takes the quotes off an ETag.
func unquote(etag *string) string {
	if etag == nil {
		return ""
	}
	return strings.Trim(*etag, `"`)
}

// quote puts them on, as a condition wants them.
func quote(etag string) *string {
	if etag == "" {
		return nil
	}
	text := `"` + etag + `"`
	return &text
}
