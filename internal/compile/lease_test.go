package compile

import (
	"strings"
	"testing"
	"time"
)

func TestALeaseIsReadBackAsItWasNoted(t *testing.T) {
	at := time.Date(2026, 11, 29, 5, 0, 0, 0, time.UTC)
	l := Lease{Run: strings.Repeat("p", 63) + "-cleanup-20261129T050000Z-49re", Host: "a.host", PID: 4194304, Since: at, Renewed: at.Add(time.Hour)}
	got, there := ReadLease(l.Note(), at)
	if !there || got != l {
		t.Errorf("read %+v, %t, want %+v", got, there, l)
	}
	if n := len(l.Note()) - len(l.Host) + mostHost; n > 256 {
		t.Errorf("with the longest host it has %d characters, and a tag holds 256", n)
	}
}

func TestALeaseNotesAnyHostInATagsCharacters(t *testing.T) {
	for host, want := range map[string]string{"": "unknown", "Tom's Mac": "Tom-s-Mac", "x\x00é": "x--", strings.Repeat("h", 300): strings.Repeat("h", mostHost)} {
		got, _ := ReadLease(Lease{Run: "r", Host: host}.Note(), time.Time{})
		if got.Host != want {
			t.Errorf("%q is noted as %q, want %q", host, got.Host, want)
		}
	}
}

func TestANoteThatCannotBeReadIsALiveLeaseOfNobody(t *testing.T) {
	now := time.Date(2026, 11, 29, 5, 0, 0, 0, time.UTC)
	for _, note := range []string{"v2:abc", "run", "run x renewed tomorrow"} {
		if l, there := ReadLease(note, now); !there || l.Run != "" || !now.Before(l.Ends()) {
			t.Errorf("%q is %+v, %t", note, l, there)
		}
	}
	if _, there := ReadLease("", now); there {
		t.Error("no note is a lease")
	}
	if l, _ := ReadLease("run r region eu renewed 2026-11-29T05:00:00Z", now); l.Run != "r" || !l.Renewed.Equal(now) {
		t.Errorf("a word that is not known spoils it: %+v", l)
	}
}
