package test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xplan/internal/signed"
)

// A keygen is a folder with keys that ssh-keygen has made.
type keygen struct {
	program, dir string
}

// run runs ssh-keygen in the folder, and tells whether it said yes.
func (k keygen) run(t *testing.T, in []byte, args ...string) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), k.program, args...)
	cmd.Dir, cmd.Stdin = k.dir, bytes.NewReader(in)
	out, err := cmd.CombinedOutput()
	t.Logf("ssh-keygen %s: %v\n%s", strings.Join(args, " "), err, out)
	return err == nil
}

func (k keygen) read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(k.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

// signaturesAreJudgedAsByOpenSSH signs with ssh-keygen, and wants its own verdict of ours, over lists of who may
// sign. Where ours is stricter on purpose, the case says so.
func signaturesAreJudgedAsByOpenSSH(t *testing.T) {
	t.Helper()
	t.Parallel()
	k := keygen{executable(t, sshKeygenName), t.TempDir()}
	message := []byte("what somebody reviewed\n")
	for _, kind := range [][]string{{"ed25519"}, {"ecdsa"}, {"rsa", "-b", "2048"}} {
		if err := os.WriteFile(filepath.Join(k.dir, kind[0]+".txt"), message, 0o600); err != nil {
			t.Fatal(err)
		}
		if !k.run(t, nil, append([]string{"-q", "-N", "", "-C", "by the test", "-f", kind[0], "-t"}, kind...)...) ||
			!k.run(t, nil, "-Y", "sign", "-n", signed.Namespace, "-f", kind[0], kind[0]+".txt") {
			t.Fatalf("no signature of kind %s", kind[0])
		}
	}
	for _, c := range []struct {
		lines    string // ED, EC and RSA stand for the keys
		stricter bool
	}{
		{lines: "alice@example.com ED\nalice@example.com EC\nalice@example.com RSA"},
		{lines: "# nobody\n\nalice@example.com EC"},
		{lines: "*@example.com ED"},
		{lines: `alice@example.com namespaces="xplan-plan" ED`},
		{lines: `alice@example.com namespaces="git,xplan-*" RSA`},
		{lines: `alice@example.com namespaces="*,!xplan-plan" EC`},
		{lines: `alice@example.com namespaces="file" ED`},
		{lines: `alice@example.com valid-after="20200101",valid-before="20990101" ED`},
		{lines: `alice@example.com valid-after="20990101" ED`},
		{lines: `alice@example.com valid-before="202001010000" EC`},
		{lines: `alice@example.com namespaces="file" ED` + "\n" + `alice@example.com namespaces="xplan-plan" ED`},
		{lines: "alice@example.com cert-authority ED"},
		{lines: `alice@example.com namespaces="a",namespaces="xplan-plan" ED`},
		{lines: `alice@example.com restrict ED`},
		{lines: `alice@example.com valid-after="soon" ED`},
		{lines: "alice@example.com EC\nnonsense", stricter: true},
	} {
		lines := c.lines
		for word, kind := range map[string]string{"ED": "ed25519", "EC": "ecdsa", "RSA": "rsa"} {
			lines = strings.ReplaceAll(lines, " "+word, " "+k.read(t, kind+".pub"))
		}
		if err := os.WriteFile(filepath.Join(k.dir, "signers"), []byte(lines+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
			for _, data := range [][]byte{message, []byte("something else\n")} {
				want := k.run(t, data, "-Y", "verify", "-f", "signers", "-I", "alice@example.com", "-n", signed.Namespace, "-s", kind+".txt.sig")
				allowed, err := signed.ParseAllowed([]byte(lines))
				if err == nil {
					_, err = allowed.Verify(data, []byte(k.read(t, kind+".txt.sig")), time.Now())
				}
				if got := err == nil; got != want && (got || !c.stricter) {
					t.Errorf("%s, signed by %s, %q: %v, and ssh-keygen says %t", c.lines, kind, data, err, want)
				}
			}
		}
	}
}
