package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"time"
)

// A soakLine is what the program under soak says: a sample of itself every soakTick, and how a command ended.
type soakLine struct {
	Goroutines int    `json:"goroutines,omitempty"`
	Heap       int64  `json:"heap,omitempty"` // what the latest collection left
	Ended      bool   `json:"ended,omitempty"`
	Exit       int    `json:"exit,omitempty"`
	Out        string `json:"out,omitempty"`
	Err        string `json:"err,omitempty"`
}

const soakTick = 500 * time.Millisecond

// soakAgent is the program that takes commands from its input, a line each, and runs them as one process would that
// never ends: what a run leaves behind piles up.
func soakAgent() {
	var mu sync.Mutex // of stdout
	say := func(l soakLine) {
		mu.Lock()
		defer mu.Unlock()
		if err := json.NewEncoder(os.Stdout).Encode(l); err != nil {
			panic(err)
		}
	}
	go func() { // until the process ends
		for range time.Tick(soakTick) {
			s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
			metrics.Read(s)
			say(soakLine{Goroutines: runtime.NumGoroutine(), Heap: int64(s[0].Value.Uint64())})
		}
	}()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var out, errOut bytes.Buffer
		a := &app{in: strings.NewReader(""), out: &out, err: &errOut, lines: lineStream{w: &out}}
		code := a.run(strings.Fields(lines.Text()))
		say(soakLine{Ended: true, Exit: code, Out: out.String(), Err: errOut.String()})
	}
}
