package test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// forms are those in which a secret could be written without being recognised.
func forms(secret string) []string {
	list := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), strings.ReplaceAll(secret, "/", `\/`), template.HTMLEscapeString(secret),
		strings.ReplaceAll(secret, "+", "&#43;"), hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))), fmt.Sprintf("%d", []byte(secret)),
	}
	for _, code := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for before, shared := range []int{0, 2, 3} { // characters that depend on what stands in front of it
			list = append(list, strings.TrimRight(code.EncodeToString([]byte("xx"[:before] + secret))[shared:], "="))
		}
	}
	return list
}

// pieceSize is how many characters in a row are enough of a secret; any 2*pieceSize-1 of them are found.
const pieceSize = 12

// A sieve finds secrets in texts. It maps their pieces to the kinds that they are of.
type sieve map[string]string

func newSieve(kind string, secrets ...string) sieve { return sieve{}.with(kind, secrets...) }

// with adds secrets of a kind.
func (s sieve) with(kind string, secrets ...string) sieve {
	for _, secret := range secrets {
		for _, form := range forms(secret) {
			for at := 0; at+pieceSize <= len(form); at += pieceSize {
				s[form[at:at+pieceSize]] = kind
			}
		}
	}
	return s
}

// finds gives the kinds of the secrets that a text has a piece of.
func (s sieve) finds(text string) []string {
	var kinds []string
	for at := range max(len(text)-pieceSize+1, 0) {
		if kind, found := s[text[at:at+pieceSize]]; found && !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

func holdsNone(t *testing.T, where, text string, secrets []string) {
	t.Helper()
	for _, kind := range newSieve("a secret", secrets...).finds(text) {
		t.Errorf("%s holds %s", where, kind)
	}
}

func TestSecretsAreFoundInEveryForm(t *testing.T) {
	const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	for _, form := range append(forms(secret), secret[:23], secret[17:], base64.StdEncoding.EncodeToString([]byte("user:"+secret+":"))) {
		if newSieve("it", secret).finds("it is "+form+", they say") == nil {
			t.Errorf("%q is not found", form)
		}
	}
	if newSieve("it", secret).finds("it is "+secret[:pieceSize-1]+" "+secret[29:]) != nil {
		t.Error("a few characters of it are found")
	}
}

// folderHoldsNone searches every file of the program's folder, the state's among them.
func (r *recipe) folderHoldsNone(t *testing.T, when string, secrets []string) {
	t.Helper()
	files, finds := 0, newSieve("a secret", secrets...)
	err := filepath.WalkDir(r.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		for _, kind := range finds.finds(string(data)) {
			t.Errorf("%s, %s holds %s", when, filepath.Base(path), kind)
		}
		return err
	})
	if err != nil || files < 2 {
		t.Errorf("%s, %d files were searched, %v", when, files, err)
	}
}

// secretsOf are those that were handed out, and the administrators'.
func (r *recipe) secretsOf(t *testing.T, atLeast int) []string {
	t.Helper()
	r.witness.mu.Lock()
	defer r.witness.mu.Unlock()
	if len(r.witness.secrets) < atLeast {
		t.Fatalf("%d secrets were handed out, and at least %d are wanted", len(r.witness.secrets), atLeast)
	}
	all := append([]string(nil), r.witness.secrets...)
	for _, p := range r.profiles {
		all = append(all, p.secret)
	}
	return all
}

// TestRecipeShowsItsSecretsNowhere looks for what the server handed out in all that the program writes, verbose and as
// JSON, killed half way, resumed, and in every command that tells of the run.
func TestRecipeShowsItsSecretsNowhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		secrets int // of one run
		as      string
	}{
		{"a user's key", 1, ""},
		{"a role's session", 2, ":role/USER\n  credentials: assume-role\n  create: true"},
	} {
		for _, flags := range [][]string{{"-v"}, {"-v", "--json"}} {
			t.Run(c.name+" "+strings.Join(flags, " "), func(t *testing.T) {
				t.Parallel()
				r := newRecipe(t, startSandbox(t), 20)
				if c.as != "" {
					r.replace(":user/USER\n  credentials: access-key", c.as)
				}
				told := []result{r.killed(t, moment{action: "CopyObject", path: "orders", reaches: true}, flags...)}
				r.folderHoldsNone(t, "killed", r.secretsOf(t, c.secrets))
				for _, args := range [][]string{
					{"plan", r.plan, "-o", "saved.plan"}, {"show", "saved.plan"}, {"apply", r.plan, "--yes"}, {"status"}, {"runs"}, {"logs"}, {"verify", r.plan}, {"graph", r.plan},
				} {
					told = append(told, r.must(t, append(args, flags...)...))
				}
				r.must(t, "report", "-o", "run.html")
				secrets := r.secretsOf(t, 2*c.secrets)
				r.folderHoldsNone(t, "at the end", secrets)
				for _, got := range told {
					holdsNone(t, "what was said", got.String(), secrets)
				}
			})
		}
	}
}
