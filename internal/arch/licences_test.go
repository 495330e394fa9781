package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/licensecheck"
)

var update = flag.Bool("update", false, "rewrite THIRD_PARTY_NOTICES.txt")

// allowedLicences ask for a notice at most, or, MPL-2.0, for the sources of the files that are under it, unchanged here.
// No licence that reaches over to the program that links it is among them: no AGPL, GPL, LGPL, SSPL.
var allowedLicences = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0"}

// A linkedModule is one that the program is linked with on some system.
type linkedModule struct {
	Path, Version, Dir string
	licences           []string
	text               string // of its licence and its notices
}

const noticesFile = "../../THIRD_PARTY_NOTICES.txt"

// TestNothingIsLinkedWithoutALicenceThatIsAllowed reads the licence of every module of which a package is linked into a
// release, on any system. One without, or with a text that is not known word for word, fails.
func TestNothingIsLinkedWithoutALicenceThatIsAllowed(t *testing.T) {
	modules := linkedModules(t)
	for i := range modules {
		m := &modules[i]
		if err := m.readLicence(); err != nil {
			t.Errorf("%s %s: %v", m.Path, m.Version, err)
		}
		for _, l := range m.licences {
			if !slices.Contains(allowedLicences, l) {
				t.Errorf("%s %s is under %s", m.Path, m.Version, l)
			}
		}
	}
	if len(modules) < 20 {
		t.Fatalf("only %d modules were found", len(modules))
	}
	want := notices(modules)
	if *update {
		if err := os.WriteFile(noticesFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(noticesFile); err != nil || !bytes.Equal(got, want) {
		t.Errorf("THIRD_PARTY_NOTICES.txt is not of these modules: make update (%v)", err)
	}
	t.Logf("%d modules", len(modules))
}

// linkedModules asks go which packages the program is made of, for every target of a release.
func linkedModules(t *testing.T) []linkedModule {
	t.Helper()
	found := map[string]linkedModule{}
	for _, target := range releaseTargets(t) {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=Module", "xplan/cmd/xplan")
		cmd.Env = append(os.Environ(), "GOOS="+target[0], "GOARCH="+target[1], "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v", target, err)
		}
		for packages := json.NewDecoder(bytes.NewReader(out)); ; {
			var p struct{ Module *linkedModule }
			if err := packages.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if p.Module != nil && p.Module.Path != "xplan" {
				found[p.Module.Path] = *p.Module
			}
		}
	}
	var all []linkedModule
	for _, m := range found {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b linkedModule) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// readLicence reads what stands at the top of the module: its licence, and what else has to be handed on.
func (m *linkedModule) readLicence() error {
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return err
	}
	legal := regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([.-].*)?$`)
	var texts []string
	for _, e := range entries {
		if !legal.MatchString(e.Name()) || e.Type()&fs.ModeType != 0 || strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.Dir, e.Name()))
		if err != nil {
			return err
		}
		texts = append(texts, strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")))
		if name := strings.ToLower(e.Name()); strings.HasPrefix(name, "notice") || strings.HasPrefix(name, "patents") {
			continue
		}
		scan := licensecheck.Scan(text)
		for _, match := range scan.Match {
			m.licences = append(m.licences, match.ID)
		}
		if scan.Percent < 75 {
			return fmt.Errorf("%.0f %% of %s is a licence's text: %v", scan.Percent, e.Name(), m.licences)
		}
	}
	m.text = strings.Join(texts, "\n\n")
	if len(m.licences) == 0 {
		return errors.New("no licence was found")
	}
	return nil
}

// notices is the file that goes with a release: each text once, below the modules that have it.
func notices(modules []linkedModule) []byte {
	var b bytes.Buffer
	b.WriteString("xplan is linked with the modules below, on one system or another, and with Go's standard library, whose licence is that of golang.org/x.\n" +
		"Made by `make update`; a test holds it.\n")
	said := map[string]bool{}
	for _, m := range modules {
		if said[m.text] {
			continue
		}
		said[m.text] = true
		fmt.Fprintf(&b, "\n%s\n", strings.Repeat("=", 100))
		for _, other := range modules {
			if other.text == m.text {
				fmt.Fprintf(&b, "%s %s\n", other.Path, other.Version)
			}
		}
		fmt.Fprintf(&b, "%s\n\n%s\n", strings.Repeat("-", 100), m.text)
	}
	return b.Bytes()
}

func TestAModuleWithoutAKnownLicenceIsRefused(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]map[string]string{
		"none":         {"README": "ours"},
		"words of own": {"LICENSE": "You may use this on Sundays, if you sing.\n"},
		"a mention":    {"LICENSE": "This is under the GNU Affero General Public License, see https://www.gnu.org/licenses/agpl-3.0.html\n"},
		"a notice":     {"NOTICE": "Copyright 2026"},
	} {
		m := linkedModule{Dir: t.TempDir()}
		for file, text := range files {
			if err := os.WriteFile(filepath.Join(m.Dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.readLicence(); err == nil {
			t.Errorf("%s: passes as %v", name, m.licences)
		}
	}
}
