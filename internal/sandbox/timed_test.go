package sandbox

import (
	"testing"
	"time"
)

func TestTimedShowsOldValuesUntilNewOnesArrive(t *testing.T) {
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	var v timed[string]
	if v.latest() != "" || v.visible(start, 0) != "" {
		t.Error("the zero timed holds something")
	}
	v.set("a", time.Time{})
	v.set("b", at(0))
	v.set("c", at(5))
	for seconds, want := range map[int]string{0: "a", 9: "a", 10: "b", 14: "b", 15: "c", 1000: "c"} {
		if got := v.visible(at(seconds), 10*time.Second); got != want {
			t.Errorf("after %d s %q is in force, want %q", seconds, got, want)
		}
	}
	if v.latest() != "c" || v.visible(at(5), 0) != "c" {
		t.Errorf("latest is %q", v.latest())
	}
}

func TestTimedKeepsWhatIsInForceThroughManyChanges(t *testing.T) {
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var v timed[int]
	v.set(-1, time.Time{})
	for i := range 10 * keptVersions {
		v.set(i, start)
	}
	if got := v.visible(start, time.Minute); got != -1 {
		t.Errorf("%d is in force, want -1", got)
	}
	if got := len(*v.history.Load()); got > keptVersions {
		t.Errorf("%d values are kept", got)
	}
}
