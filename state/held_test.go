package state

import "testing"

func TestHeldTellsWhetherAnyoneHasTheLock(t *testing.T) {
	dir := t.TempDir()
	want := func(want bool) {
		t.Helper()
		if got, err := Held(dir, "tommy-to-b"); err != nil || got != want {
			t.Fatalf("Held = %v, %v; want %v", got, err, want)
		}
	}
	want(false)
	db, err := Open(dir, "tommy-to-b")
	if err != nil {
		t.Fatal(err)
	}
	want(true)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	want(false)
}
