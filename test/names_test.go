package test

import (
	"fmt"
	"path"
	"strings"
	"testing"
	"unicode/utf8"
)

// names are all keys of the corpus: those of hostile, and what else has names to go wrong by.
func names() []hostileKey {
	all := append([]hostileKey(nil), hostile...)
	known := map[string]bool{}
	for _, h := range hostile {
		known[h.key] = true
	}
	for _, group := range [][]string{
		controls(), punctuation(), percents, spaces, dots, slashes, letters, invisible, documents, commands, subresources, chains, lengths(),
	} {
		for _, key := range group {
			if !known[key] {
				known[key] = true
				all = append(all, hostileKey{key: key, except: otherwise(key), alone: alone(key)})
			}
		}
	}
	return all
}

// A rule is what a server does with some keys otherwise.
type rule struct {
	server string
	about  func(key string) bool
	exception
	name func(key string) string // that a renamed one is listed by
}

// rules say what servers do with the keys of the groups. The first that is about a key counts.
var rules = []rule{
	{motoName, has("\n"), exception{does: refused, why: "its routes match no newline: 404"}, nil},
	{versitygwName, longSegment, exception{does: refused, why: "a file's name has at most 255 bytes"}, nil},
	{versitygwName, has("*front"), exception{does: refused, why: "it denies a key that begins with a star and goes on"}, nil},
	{versitygwName, has("x?versionId="), exception{does: uncopied, why: "it looks for a version's ID in the copy's source after decoding it"}, nil},
	{versitygwName, isFolder, exception{does: refused, why: "a folder holds no bytes"}, nil},
	{versitygwName, isUncleanPath, exception{does: renamed, why: "a key is a file's path, which is cleaned"}, cleanPath},
	{versitygwName, isNoXML, exception{does: renamed, why: "it lists without encoding, whatever was asked, and XML cannot hold the character"}, asXML},
}

func has(part string) func(string) bool {
	return func(key string) bool { return strings.Contains(key, part) }
}

// longSegment tells of a name that no file can have.
func longSegment(key string) bool {
	for part := range strings.SplitSeq(key, "/") {
		if len(part) > 255 {
			return true
		}
	}
	return false
}

// isFolder tells of a path that leads to a folder.
func isFolder(key string) bool {
	return strings.HasSuffix(key, "/") || strings.HasSuffix(key, "/..") || cleanPath(key) == ""
}

func cleanPath(key string) string { return path.Clean("/" + key)[1:] }

func isUncleanPath(key string) bool { return cleanPath(key) != key }

// asXML is a key after it was written into XML as it is.
func asXML(key string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == '\ufffe' || r == '\uffff' {
			return '\ufffd'
		}
		return r
	}, key)
}

func isNoXML(key string) bool { return asXML(key) != key }

func otherwise(key string) map[string]exception {
	found := map[string]exception{}
	for _, r := range rules {
		if _, done := found[r.server]; done || !r.about(key) {
			continue
		}
		e := r.exception
		if r.name != nil {
			e.as = r.name(key)
		}
		if e.does != "" {
			found[r.server] = e
		}
	}
	return found
}

// alone tells of keys that a server's pages cannot go on behind, since they are listed under a name that comes elsewhere.
func alone(key string) bool { return strings.ContainsAny(key, "\ufffe\uffff\x1b") }

// Every control character but NUL, which no URL carries: C0, DEL and C1.
func controls() (keys []string) {
	for c := rune(1); c < 0xa0; c++ {
		if c < 0x20 || c >= 0x7f {
			keys = append(keys, fmt.Sprintf("ctrl-%02x-%c-", c, c))
		}
	}
	return keys
}

// Every mark of ASCII, in front, in the middle and at the end.
func punctuation() (keys []string) {
	for _, c := range "!\"#$%&'()*+,-:;<=>?@[\\]^_`{|}~" {
		keys = append(keys, fmt.Sprintf("%cfront", c), fmt.Sprintf("mid%cdle", c), fmt.Sprintf("end%c", c))
	}
	return keys
}

var (
	percents = []string{
		"%2F", "%2f", "%00", "%25", "%252F", "a%", "a%2", "a%zz", "%E4", "+", "++", "%2B", "a%20b", "a+b", "a b", "%0A", "%u0041", "100%25", "%%",
	}
	spaces = []string{
		" ", "   ", "a ", " a", "a\u00a0", "\u3000ideographic", "line\u2028separator", "paragraph\u2029separator", "\ufeffmark", "em\u2003space", "between / spaces",
	}
	dots = []string{ // each in a folder of its own: to versitygw they are paths, and some would be in others' way
		"...", "here/.", "up1/..", "many/...", "many1/.../b", "..a", "a..", ".a/.b", "dot3/./dot", "up2/../up3", "up4/b/../../c", ". ", ".. /x", "mid/. /b", "....//x",
		"./first", "up5/./../up6",
	}
	slashes = []string{"/", "//", "/lead", "//lead2", "s//", "s1///t", "/lead3/b", "s2/t//u", "folder/in/", "back\\slash\\path", "in1//", "/in2/"}
	letters = []string{
		"\u00fc-umlaut", "u\u0308-umlaut", "\u00f1-tilde", "n\u0303-tilde", "\u00c5-ring", "A\u030a-ring", "\u212b-ring", "\ufb01-ligature", "fi-ligature",
		"\uac00-hangul", "\u1100\u1161-hangul", "\u03a9-ohm", "\u2126-ohm", "q\u0307\u0323", "q\u0323\u0307", "Case", "case", "CASE", "cAsE",
		"stra\u00dfe", "strasse", "STRASSE", "\u1e9e", "\u0130", "\u0131", "I", "i", "\u03c3", "\u03c2", "\u03a3", "\uff41-wide", "\u0e20\u0e32\u0e29\u0e32",
		"\u0939\u093f\u0928\u094d\u0926\u0940", "\u05e2\u05d1\u05e8\u05d9\u05ea", "\u0627\u0644\u0639\u0631\u0628\u064a\u0629", "\U00020000", "\ue000", "\ud7ff", "\U0010fffd",
		"\ufdd0", "\U0001fffe", "\U0010ffff", "non\ufffecharacter", "z\u0337\u0327\u030c\u0300\u0301", "\\ud83d\\ude00",
		"\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "\U0001f44d\U0001f3fd", "1\ufe0f\u20e3", "\U0001f600/\U0001f600",
	}
	invisible = []string{
		"\u202eright", "is\u2066olate\u2069", "\u200fmark", "\u061cmark", "soft\u00adhyphen", "non\u200cjoiner", "joi\u200dner", "word\u2060joiner", "vs\ufe0f", "tag\U000e0041",
		"\u202dleft\u202c", "invis\u2062times", "interlinear\ufff9x\ufffb", "object\ufffc",
	}
	documents = []string{
		"&amp;", "&#0;", "&#x1F;", "&lt;", "]]>", "<![CDATA[x]]>", "<Key>k</Key>", "</Contents>", "<script>alert(1)</script>", "<!--", "-->", "<?xml?>",
		"\"'\"", "{\"json\":1}", "[1,2]", "key: value", "- list", "a,b,\"c\"", "=1+1", "# heading", "|table|", "[link](javascript:x)", "![x](y)", "`code`", "<b>bold</b>",
	}
	commands = []string{
		"${HOME}", "$(id)", "`id`", "; ls", "| cat", "&& x", "> out", "-rf", "--help", "~", "~root", "\\n", "\\x00", "%s%d%n", "{{.}}", "{{`x`}}", "\x1b[31mred", "\x1b]0;title\x07",
		"C:\\x", "con", "nul", "aux.txt", "null", "true", "0", "-1", "NaN", "undefined", "'; DROP TABLE", "*", "?*", "[a-z]",
	}
	subresources = []string{
		"acl", "policy", "tagging", "uploads", "delete", "location", "restore", "torrent", "x?acl", "x?uploadId=1&partNumber=2", "?list-type=2", "?delete", "x&partNumber=1",
		"x?response-content-type=a", "x?versionId=1", "favicon.ico", "health", ".xplan-probe-x", "x-amz-meta-a: b", "AKIA", "x?X-Amz-Signature=y",
	}
	chains = []string{
		"p", "pr", "pre", "pref", "prefi", "prefix", "prefix!", "prefix0", "prefix\u00e9", "prefix\U0010fffd", "chain/a", "chain/a!", "chain/a0", "chain-a", "chain.a",
	}
)

// lengths are of the longest keys, 1,024 bytes, and of the longest that files can have.
func lengths() []string {
	segments := func(part string, n int) string {
		s := strings.Repeat(strings.Repeat(part, 200/len(part))+"/", 6)
		return s[:n-len("end")] + "end"
	}
	wide := strings.Repeat("\u00e9", 512)
	tall := strings.Repeat("\U0001f600", 256)
	return []string{
		segments("n", 1024), segments("n", 1023), segments("m", 1022), "seg255/" + strings.Repeat("s", 255), "seg256/" + strings.Repeat("s", 256),
		wide, tall, strings.Repeat("+", 1024), strings.Repeat("%", 200), strings.Repeat("a/", 511) + "zz", "deep/" + strings.Repeat("d/", 120) + "end",
	}
}

func TestTheCorpusHasEnoughNames(t *testing.T) {
	all := names()
	plain := 0
	for _, h := range all {
		if len(h.except) == 0 && !h.alone {
			plain++
		}
		if len(h.key) > 1024 || !utf8.ValidString(h.key) || h.key == "" {
			t.Errorf("%q is no key: %d bytes", h.key, len(h.key))
		}
	}
	if len(all) < 300 {
		t.Errorf("%d keys, want 300", len(all))
	}
	t.Logf("%d keys, %d of them known to be taken by every server as they are", len(all), plain)
}
