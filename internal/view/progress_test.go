package view

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"charm.land/lipgloss/v2"

	"xplan/executor"
	"xplan/internal/compile"
)

// terminal does what a terminal does with text, new lines, and the two movements of the live block.
type terminal struct {
	mu     sync.Mutex
	raw    bytes.Buffer
	lines  []string // the last one is the cursor's, and empty between writes
	widest int
}

func (s *terminal) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw.Write(b)
	text := stripped(string(b))
	for text != "" {
		if m := regexp.MustCompile("^\r?\x1b\\[([0-9]+)A\x1b\\[J").FindStringSubmatch(text); m != nil {
			up, err := strconv.Atoi(m[1])
			if err != nil {
				return 0, err
			}
			s.lines = s.lines[:len(s.lines)-up]
			text = text[len(m[0]):]
			continue
		}
		line, rest, _ := strings.Cut(text, "\n")
		s.widest = max(s.widest, lipgloss.Width(line))
		s.lines = append(s.lines, line)
		text = rest
	}
	return len(b), nil
}

func (s *terminal) screen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

func shown(style Style, rows func() []PairRow) (*terminal, *Progress) {
	s := &terminal{}
	return s, NewProgress(s, ProgressOptions{Style: style, Pairs: rows, Now: time.Now})
}

func started(kind compile.Kind, subject string) executor.Event {
	return executor.Event{Type: executor.StepStart, Kind: kind, Subject: subject}
}

func completed(kind compile.Kind, subject string, o executor.Outcome) executor.Event {
	return executor.Event{Type: executor.StepComplete, Kind: kind, Subject: subject, Outcome: o, Message: "said", Seconds: 1.5}
}

func TestTheLiveBlockIsDrawnOverItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settled := int64(0)
		s, p := shown(Style{Width: 100}, func() []PairRow {
			settled += 100
			return []PairRow{{Pair: "tommy/→tommy-b/", Expected: 100_000, Listed: settled, Settled: settled, InFlight: 8, BytesSettled: 1 << 20}}
		})
		stop := p.Start()
		p.Event(started(compile.KindBucket, "tommy-b"))
		p.Event(completed(compile.KindBucket, "tommy-b", executor.Done))
		p.Event(started(compile.KindCopy, "tommy → tommy-b"))
		time.Sleep(5100 * time.Millisecond)
		lines := strings.Split(s.screen(), "\n")
		if len(lines) != 3 || !strings.HasPrefix(lines[0], "✓ destination.bucket") || !strings.Contains(lines[0], "said   1.5s") {
			stop()
			t.Fatalf("the screen shows\n%s", s.screen())
		}
		for _, word := range []string{"tommy/→tommy-b/", " of 100,000 objects, 1.0 MiB", "/s   8 in flight", " left"} {
			if !strings.Contains(lines[1], word) {
				t.Errorf("the pair's line %q lacks %q", lines[1], word)
			}
		}
		if want := "… copy tommy → tommy-b   5s"; lines[2] != want {
			t.Errorf("the block ends with %q, want %q", lines[2], want)
		}

		p.Say("a line of somebody's")
		p.Event(completed(compile.KindCopy, "tommy → tommy-b", executor.Failed))
		stop()
		lines = strings.Split(s.screen(), "\n")
		if len(lines) != 3 || lines[1] != "a line of somebody's" || !strings.HasPrefix(lines[2], "✗ copy") {
			t.Errorf("at the end the screen shows\n%s", s.screen())
		}
		before := s.raw.Len()
		time.Sleep(time.Minute)
		if s.raw.Len() != before {
			t.Error("something was written after the end")
		}
	})
}

func TestOffATerminalThereIsAPlainLineAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := shown(Style{}, func() []PairRow { return []PairRow{{Pair: "tommy/→tommy-b/", Listed: 10, Settled: 5}} })
		stop := p.Start()
		p.Event(started(compile.KindCopy, "tommy → tommy-b"))
		time.Sleep(3*time.Minute + time.Second)
		p.Event(completed(compile.KindCopy, "tommy → tommy-b", executor.Done))
		stop()
		want := strings.Repeat("tommy/→tommy-b/   5 of 10 objects, 0 B   0 in flight\n", 3)
		if got := s.raw.String(); !strings.HasPrefix(got, want+"✓ copy") || strings.Contains(got, "\x1b") || strings.Count(got, "\n") != 4 {
			t.Errorf("wrote\n%s", got)
		}
	})
}

func TestQuietIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &terminal{}
		p := NewProgress(s, ProgressOptions{Style: Style{Width: 80}, Quiet: true, Now: time.Now, Pairs: func() []PairRow { return []PairRow{{}} }})
		stop := p.Start()
		p.Event(started(compile.KindCopy, "x"))
		p.Event(completed(compile.KindCopy, "x", executor.Failed))
		p.Say("x")
		time.Sleep(time.Hour)
		stop()
		if s.raw.Len() != 0 {
			t.Errorf("wrote %q", s.raw.String())
		}
	})
}

func TestStepsThatHeldAreShownToWhoAsks(t *testing.T) {
	for _, verbose := range []bool{false, true} {
		s, p := shown(Style{Verbose: verbose}, func() []PairRow { return nil })
		p.Event(started(compile.KindIdentity, "a"))
		p.Event(completed(compile.KindIdentity, "a", executor.Held))
		if got := strings.Contains(s.raw.String(), "identity.check"); got != verbose {
			t.Errorf("verbose %t: wrote %q", verbose, s.raw.String())
		}
	}
}

func TestTheBlockFitsItsTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := shown(Style{Width: 40, Color: true}, func() []PairRow {
			rows := []PairRow{{Pair: hostile, Settled: 1}, {Pair: strings.Repeat("東京", 30), Settled: 1}}
			for i := range 30 {
				rows = append(rows, PairRow{Pair: fmt.Sprintf("pair-%02d", i), InFlight: int64(i / 29)})
			}
			return rows
		})
		stop := p.Start()
		p.Event(started(compile.KindCopy, hostile))
		time.Sleep(1100 * time.Millisecond)
		screen := s.screen()
		lines := strings.Split(screen, "\n")
		if len(lines) != mostRows+2 || !strings.HasPrefix(lines[0], "pair-29") || lines[mostRows] != "… and 24 more pairs" {
			t.Errorf("the block is\n%s", screen)
		}
		if s.widest > 39 {
			t.Errorf("a line takes %d cells of 40", s.widest)
		}
		actsOnNoTerminal(t, screen)
		stop()
		if got := s.screen(); got != "" {
			t.Errorf("left on the terminal is %q", got)
		}
	})
}

func TestEventsOfTheWorldActOnNoTerminal(t *testing.T) {
	for _, style := range []Style{{}, {Width: 80, Color: true}} {
		synctest.Test(t, func(t *testing.T) {
			s, p := shown(style, func() []PairRow { return []PairRow{{Pair: hostile}} })
			stop := p.Start()
			p.Event(started(compile.KindCopy, hostile))
			e := completed(compile.KindCopy, hostile, executor.Failed)
			e.Message = hostile
			p.Event(e)
			time.Sleep(2 * time.Minute)
			stop()
			actsOnNoTerminal(t, s.screen())
			if strings.Contains(s.raw.String(), "\x1b]0;") || strings.Contains(s.raw.String(), "\x07") {
				t.Errorf("wrote %q", s.raw.String())
			}
		})
	}
}

func TestTwoStepsOfOneNameEndOneByOne(t *testing.T) {
	if got := without([]string{"a", "b", "a"}, "a"); strings.Join(got, " ") != "b a" {
		t.Errorf("left are %v", got)
	}
}

func TestASampleIsALine(t *testing.T) {
	line := ProgressJSON(began, []PairRow{{Pair: "p"}})
	if line.Type != executor.StepProgress || len(line.Pairs) != 1 || !line.Time.Equal(began) {
		t.Errorf("%+v", line)
	}
}

func TestWhatEarlierRunsSettledIsNoRate(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	p := NewProgress(io.Discard, ProgressOptions{Now: func() time.Time { return now }})
	p.last = sample{at: now}
	for _, settled := range []int64{1_000_000, 1_000_100, 1_000_200} {
		now = now.Add(time.Second)
		p.measure([]PairRow{{Pair: "a", Settled: settled}})
	}
	if p.rate > 100 {
		t.Errorf("rate %.0f a second, want at most the 100 that this run settled", p.rate)
	}
}
