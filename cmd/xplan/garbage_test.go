package main

import (
	"runtime/debug"
	"testing"
	"time"
)

func TestGarbageHasAFewMegabytes(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int
	}{{0, 350}, {4 << 20, 350}, {8 << 20, 200}, {16 << 20, 100}, {1 << 30, 50}} {
		if got := collectAt(c.live); got != c.want {
			t.Errorf("with %d bytes in use it collects at %d %%, want %d", c.live, got, c.want)
		}
	}
}

func TestTheEnvironmentDecidesAboutGarbage(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(77))
	t.Setenv("GOMEMLIMIT", "")
	for _, c := range []struct {
		gogc  string
		moved bool
	}{{"77", false}, {"", true}} {
		t.Setenv("GOGC", c.gogc)
		stop := giveGarbageRoom()
		time.Sleep(50 * time.Millisecond)
		stop()
		got := debug.SetGCPercent(77)
		if (got != 77) != c.moved {
			t.Errorf("with GOGC=%q it collects at %d %%", c.gogc, got)
		}
	}
}
