package plan

import (
	"fmt"
	"regexp"
	"strings"
)

// An arn is an ARN by its parts.
type arn struct {
	partition, service, region, account string
	kind                                string // before the resource's first slash: user, role, key, …
	path                                string // "/" or "/a/b/"
	name                                string
}

func parseARN(s string) (arn, bool) {
	const parts = 6
	p := strings.SplitN(s, ":", parts)
	if len(p) != parts || p[0] != "arn" || p[5] == "" {
		return arn{}, false
	}
	a := arn{partition: p[1], service: p[2], region: p[3], account: p[4]}
	kind, rest, ok := strings.Cut(p[5], "/")
	if !ok {
		a.kind = kind
		return a, true
	}
	i := strings.LastIndexByte(rest, '/')
	a.kind, a.path, a.name = kind, "/"+rest[:i+1], rest[i+1:]
	return a, true
}

func isPartition(s string) bool {
	switch s {
	case "aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc":
		return true
	}
	return false
}

// partitionOf tells the partition of a region; empty where it cannot be told.
func partitionOf(region string) string {
	switch {
	case !isRegion(region):
		return ""
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	case strings.HasPrefix(region, "us-iso"), strings.HasPrefix(region, "eu-iso"), strings.HasPrefix(region, "eusc-"):
		return ""
	default:
		return "aws"
	}
}

func isRegion(s string) bool {
	return regexp.MustCompile(`^[a-z]{2,5}(-[a-z]+){1,2}-[0-9]{1,2}$`).MatchString(s)
}

func isAccountID(s string) bool {
	return regexp.MustCompile(`^[0-9]{12}$`).MatchString(s)
}

// iamLetters are what IAM's names are made of.
const iamLetters = `[A-Za-z0-9_+=,.@-]`

// isIAMName holds users' and roles' names.
func isIAMName(s string) bool {
	return regexp.MustCompile(`^` + iamLetters + `{1,64}$`).MatchString(s)
}

// stranger names the first character that does not match, with its number: another alphabet's may look like a letter, and
// some cannot be seen. "" where all do.
func stranger(s, letter string) string {
	allowed := regexp.MustCompile(`^` + letter + `$`)
	for _, r := range s {
		if !allowed.MatchString(string(r)) {
			return fmt.Sprintf("%#U", r)
		}
	}
	return ""
}
