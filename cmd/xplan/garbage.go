package main

import (
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	garbageRoom  = 16 << 20 // bytes that may pile up before they are collected
	garbageLeast = 50       // percent of what is in use, however much that is
	garbageMost  = 350      // however little: what is in use may grow before the next look
	garbageLooks = 200 * time.Millisecond
)

// giveGarbageRoom has the collector come when a few megabytes have piled up, rather than when what is in
// use has doubled: a copy lives on little, and collecting at twice that costs a tenth of the client's CPU;
// many pages under way are more, and twice that would be too much.
// Where the environment decides, nothing is done. The function that it returns ends it.
func giveGarbageRoom() (stop func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(garbageLooks)
		defer tick.Stop()
		now := 100
		for {
			if want := collectAt(liveBytes()); math.Abs(float64(want-now)) > float64(now)/5 {
				debug.SetGCPercent(want)
				now = want
			}
			select {
			case <-over:
				return
			case <-tick.C:
			}
		}
	}()
	return func() {
		close(over)
		<-ended
	}
}

// collectAt gives the growth, in percent of the live bytes, at which to collect.
func collectAt(live uint64) int {
	return int(min(max(garbageRoom*100/max(live, 1), garbageLeast), garbageMost))
}

// liveBytes is what the latest collection left.
func liveBytes() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
