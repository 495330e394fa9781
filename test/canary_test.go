package test

import (
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The forms in which a secret could be written without being recognised.
func forms(secret string) []string {
	return []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), strings.ReplaceAll(secret, "/", `\/`),
		base64.StdEncoding.EncodeToString([]byte(secret)), hex.EncodeToString([]byte(secret)),
	}
}

// holds tells whether a text has a secret, or the greater part of one.
func holds(text, secret string) bool {
	for _, form := range append(forms(secret), secret[:3*len(secret)/4]) {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

func holdsNone(t *testing.T, where, text string, secrets []string) {
	t.Helper()
	for _, s := range secrets {
		if holds(text, s) {
			t.Errorf("%s holds a secret", where)
		}
	}
}

func TestSecretsAreFoundInEveryForm(t *testing.T) {
	const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	for _, form := range append(forms(secret), secret[:35]) {
		if !holds("it is "+form+", they say", secret) {
			t.Errorf("%q is not found", form)
		}
	}
	if holds("it is "+secret[20:], secret) {
		t.Error("half of it is found")
	}
}

// folderHoldsNone searches every file of the program's folder, the state's among them.
func (r *recipe) folderHoldsNone(t *testing.T, when string, secrets []string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(r.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		holdsNone(t, when+", "+filepath.Base(path), string(data), secrets)
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
