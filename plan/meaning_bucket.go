package plan

import (
	"net/netip"
	"regexp"
	"strings"
)

// bucketFault says why S3 would refuse a bucket's name. Names that AWS keeps
// for itself are free on other servers.
func bucketFault(name string, aws bool) (why, hint string) {
	switch {
	case strings.Contains(name, "://"):
		return "is an address, not a bucket's name", "write the name alone; what follows it belongs into prefix"
	case strings.HasPrefix(name, "arn:"):
		return "is an ARN, not a bucket's name", "write the name alone"
	case strings.Contains(name, "/"):
		return "holds a slash", "write the bucket's name alone; what follows it belongs into prefix"
	case len(name) < 3 || len(name) > 63:
		return "is not 3 to 63 characters long", ""
	case strings.ToLower(name) != name:
		return "holds capital letters", "a bucket's name is small letters, digits, hyphens and dots"
	case strings.Contains(name, "_"):
		return "holds an underscore", "a bucket's name is small letters, digits, hyphens and dots"
	case !regexp.MustCompile(`^[a-z0-9.-]+$`).MatchString(name):
		return "holds " + stranger(name, `[a-z0-9.-]`) + ", which S3 does not take there", "a bucket's name is small letters, digits, hyphens and dots"
	case strings.Trim(name, ".-") != name:
		return "does not begin and end with a letter or digit", ""
	case strings.Contains(name, ".."):
		return "holds two dots side by side", ""
	}
	if _, err := netip.ParseAddr(name); err == nil || regexp.MustCompile(`^\d+\.\d+\.\d+\.\d+$`).MatchString(name) {
		return "looks like an IP address", ""
	}
	if !aws {
		return "", ""
	}
	return reservedName(name)
}

func reservedName(name string) (why, hint string) {
	for _, prefix := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(name, prefix) {
			return "begins with " + prefix + ", which AWS keeps for itself", ""
		}
	}
	for _, s := range []struct{ suffix, why, hint string }{
		{"--x-s3", "is a directory bucket, which cannot be copied this way", "S3 Express keeps no key order, versions or bucket policies of this kind"},
		{"--table-s3", "is a table bucket, whose objects are not copied one by one", "use the table's own tools"},
		{"-s3alias", "is an access point's alias, not a bucket", "name the bucket behind it"},
		{"--ol-s3", "is an Object Lambda access point's alias, not a bucket", "name the bucket behind it"},
		{".mrap", "is a multi-region access point, not a bucket", "name a bucket behind it"},
	} {
		if strings.HasSuffix(name, s.suffix) {
			return s.why, s.hint
		}
	}
	return "", ""
}
