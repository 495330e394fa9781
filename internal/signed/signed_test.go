package signed

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// The keys and signatures of testdata are ssh-keygen's own, of OpenSSH 9.2; test/signed_test.go makes
// fresh ones.
func file(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func noon(t *testing.T) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, "2026-11-24T12:00:00Z")
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// verify verifies a signature of testdata with allowed signers, whose KEY is the ed25519 one.
func verify(t *testing.T, allowed, signature, data string) (By, error) {
	t.Helper()
	a, err := ParseAllowed([]byte(strings.ReplaceAll(allowed, "KEY", strings.TrimSpace(file(t, "ed25519.pub")))))
	if err != nil {
		t.Fatalf("%s: %v", allowed, err)
	}
	return a.Verify([]byte(data), []byte(signature), noon(t))
}

func TestSignaturesOfEveryKindAreVerified(t *testing.T) {
	t.Parallel()
	var allowed strings.Builder
	for _, kind := range []string{"rsa", "ed25519", "ecdsa"} {
		allowed.WriteString(kind + "@example.com " + file(t, kind+".pub"))
	}
	for name, key := range map[string]string{"ed25519.sig": "ed25519", "sha256.sig": "ed25519", "ecdsa.sig": "ecdsa", "rsa.sig": "rsa"} {
		by, err := verify(t, allowed.String(), file(t, name), file(t, "message"))
		if err != nil || by.Principals != key+"@example.com" || !strings.HasPrefix(by.Key, "SHA256:") {
			t.Errorf("%s: %v, %v", name, by, err)
		}
		if _, err := verify(t, allowed.String(), file(t, name), file(t, "message")+" "); err == nil || !strings.Contains(err.Error(), "it is not what was signed") {
			t.Errorf("%s of changed data: %v", name, err)
		}
	}
}

func TestWhoMayNotSignIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	other := strings.TrimSpace(file(t, "ecdsa.pub"))
	for _, c := range []struct{ name, allowed, sig, want string }{
		{"anybody else", "bob@example.com " + other, "ed25519.sig", "nobody's who may sign"},
		{"another namespace", "alice KEY", "namespace.sig", `it was signed for "file"`},
		{"a certificate", "alice cert-authority " + strings.TrimSpace(file(t, "ca.pub")), "certificate.sig", "with a certificate"},
		{"an authority's own key", "alice cert-authority KEY", "ed25519.sig", "certificates are not supported"},
		{"allowed for git only", `alice namespaces="git,file" KEY`, "ed25519.sig", "it is allowed for git,file only"},
		{"excluded", `alice namespaces="*,!xplan-plan" KEY`, "ed25519.sig", "it is allowed for *,!xplan-plan only"},
		{"not yet", `alice valid-after="20261125Z" KEY`, "ed25519.sig", "it is allowed from 2026-11-25T00:00:00Z on"},
		{"not any more", `alice valid-before="202611241159Z" KEY`, "ed25519.sig", "it was allowed until 2026-11-24T11:59:00Z"},
	} {
		_, err := verify(t, c.allowed, file(t, c.sig), file(t, "message"))
		if _, refused := errors.AsType[*RefusedError](err); !refused || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestOptionsThatAllowAreRead(t *testing.T) {
	t.Parallel()
	for _, allowed := range []string{
		"alice KEY", "  alice\tKEY\r\n", "# nobody\n\nalice KEY", `"alice, of team red" KEY`,
		`alice namespaces="xplan-plan" KEY`, `alice NAMESPACES="git,xplan-*" KEY`, `alice namespaces="xplan-pla?" KEY`,
		`alice valid-after="20261124Z",valid-before="20261124120001Z" KEY`, `alice valid-after="20261124120000UTC" KEY`,
		`alice namespaces="git" KEY` + "\nalice KEY", `alice valid-before="20200101" KEY` + "\n" + `alice valid-after="20200101" KEY`,
	} {
		if by, err := verify(t, allowed, file(t, "ed25519.sig"), file(t, "message")); err != nil || by.Principals[:5] != "alice" {
			t.Errorf("%s: %v, %v", allowed, by, err)
		}
	}
}

func TestALineThatCannotBeReadRefusesTheFile(t *testing.T) {
	t.Parallel()
	key := strings.TrimSpace(file(t, "ed25519.pub"))
	for line, want := range map[string]string{
		"": "it names nobody", "# alice": "it names nobody",
		"alice":                           "line 1: want PRINCIPALS",
		key:                               "line 1: want PRINCIPALS",
		"alice ssh-ed25519 AAAA":          "line 1: want PRINCIPALS",
		"alice " + key + "\nbob " + "x y": "line 2: want PRINCIPALS",
		`"alice ` + key:                   "quotation mark is not closed",
		"alice bob " + key:                `unknown option "bob"`,
		"alice restrict " + key:           `unknown option "restrict"`,
		`alice namespaces=git ` + key:     "double quotes",
		`alice namespaces="" ` + key:      "double quotes",
		`alice namespaces="a",namespaces="b" ` + key:                       "twice",
		`alice cert-authority="x" ` + key:                                  "no value",
		`alice valid-after="tomorrow" ` + key:                              `"tomorrow" is no time`,
		`alice valid-after="20261399" ` + key:                              `"20261399" is no time`,
		`alice valid-after="20261125",valid-before="20261124" ` + key:      "does not come after",
		"alice " + strings.TrimSpace(file(t, "certificate.pub")):           "it holds a certificate",
		"alice ssh-rsa " + strings.Fields(key)[1]:                          "line 1: want PRINCIPALS",
		`alice namespaces="xplan-plan ` + key:                              "line 1: ",
		"alice " + strings.Replace(key, "AAAAC3", "AAAAC4", 1):             "line 1: ",
		"alice  namespaces=\"a\" , valid-after=\"20200101\" " + key + " x": "line 1: ",
	} {
		if _, err := ParseAllowed([]byte(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}

func TestWhatIsNoSignatureIsRefused(t *testing.T) {
	t.Parallel()
	sound := file(t, "ed25519.sig")
	for _, sig := range []string{
		"", "-----BEGIN SSH SIGNATURE-----\n", "-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n", sound[:len(sound)/2],
		strings.ReplaceAll(sound, "SSH SIGNATURE", "PGP SIGNATURE"), strings.Replace(sound, "U1NIU0lH", "U1NIU0lI", 1),
	} {
		if _, err := verify(t, "alice KEY", sig, file(t, "message")); err == nil || !strings.Contains(err.Error(), "it is no SSH signature") {
			t.Errorf("%q: %v", sig, err)
		}
	}
}

// TestASignatureUnderSomebodyElsesKeyIsRefused puts an allowed key into a signature that another key made.
func TestASignatureUnderSomebodyElsesKeyIsRefused(t *testing.T) {
	t.Parallel()
	sig, err := sshsig.Unarmor([]byte(file(t, "ecdsa.sig")))
	if err != nil {
		t.Fatal(err)
	}
	if sig.PublicKey, _, _, _, err = ssh.ParseAuthorizedKey([]byte(file(t, "ed25519.pub"))); err != nil {
		t.Fatal(err)
	}
	if _, err := verify(t, "alice KEY", string(sshsig.Armor(sig)), file(t, "message")); err == nil || !strings.Contains(err.Error(), "it is not what was signed") {
		t.Error(err)
	}
	renamed, err := sshsig.Unarmor([]byte(file(t, "namespace.sig")))
	if err != nil {
		t.Fatal(err)
	}
	renamed.Namespace = Namespace
	if _, err := verify(t, "alice KEY", string(sshsig.Armor(renamed)), file(t, "message")); err == nil || !strings.Contains(err.Error(), "it is not what was signed") {
		t.Error(err)
	}
}

func FuzzVerifyNeverPanics(f *testing.F) {
	sound, err := os.ReadFile("testdata/ed25519.sig")
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("alice ssh-ed25519 AAAA"), sound)
	f.Fuzz(func(_ *testing.T, allowed, sig []byte) {
		if a, err := ParseAllowed(allowed); err == nil {
			_, _ = a.Verify([]byte("x"), sig, time.Unix(0, 0))
		}
		_, _ = (&Allowed{}).Verify([]byte("x"), sig, time.Unix(0, 0))
	})
}
