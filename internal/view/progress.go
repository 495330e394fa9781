package view

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/dustin/go-humanize"

	"xplan/executor"
)

// ProgressOptions are a Progress's.
type ProgressOptions struct {
	Style Style // Width above zero: a terminal, and one live block; else a plain line a minute
	Quiet bool
	Pairs func() []PairRow // samples the counters; safe for concurrent use
	Now   func() time.Time
	// Every is the time between looks; zero means 200 ms on a terminal and a minute elsewhere.
	Every time.Duration
}

// Progress shows a run while it lives. Safe for concurrent use.
type Progress struct {
	w io.Writer
	o ProgressOptions

	mu    sync.Mutex // guards what follows
	lines int        // of the live block that stand on the terminal
	steps []string   // running, in the order in which they started
	begun time.Time
	base  map[string]int64 // settled when the pair was first looked at
	last  sample
	rate  float64 // objects a second, smoothed
}

type sample struct {
	at      time.Time
	settled int64
}

// NewProgress makes a Progress that writes to w.
func NewProgress(w io.Writer, o ProgressOptions) *Progress {
	if o.Every == 0 {
		o.Every = time.Minute
		if o.Style.Width > 0 {
			o.Every = 200 * time.Millisecond
		}
	}
	return &Progress{w: w, o: o}
}

// Start begins to look at the counters. The returned function clears the live block and
// returns when nothing is written any more.
func (p *Progress) Start() (stop func()) {
	p.mu.Lock()
	p.begun = p.o.Now()
	p.last = sample{at: p.begun}
	p.mu.Unlock()
	if p.o.Quiet {
		return func() {}
	}
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(p.o.Every)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				p.tick()
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
		p.mu.Lock()
		defer p.mu.Unlock()
		p.erase()
	}
}

// Event shows that a step began or ended.
func (p *Progress) Event(e executor.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := string(e.Kind) + " " + safe(e.Subject)
	switch e.Type {
	case executor.StepStart:
		p.steps = append(p.steps, name)
		return
	case executor.StepComplete:
		p.steps = without(p.steps, name)
	default:
		return
	}
	if p.o.Quiet || e.Outcome == executor.Held && !p.o.Style.Verbose {
		return
	}
	p.erase()
	pg := page{style: p.o.Style}
	pg.line(stepLine(&pg, e.Outcome, string(e.Kind), e.Subject, e.Message, time.Duration(e.Seconds*float64(time.Second))))
	_ = pg.to(p.w) // a terminal that is gone must not end the run
	p.draw(p.block())
}

// Say writes a line above the live block.
func (p *Progress) Say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.o.Quiet {
		return
	}
	p.erase()
	pg := page{style: p.o.Style}
	pg.line(text)
	_ = pg.to(p.w) // a terminal that is gone must not end the run
	p.draw(p.block())
}

func without(list []string, name string) []string {
	for i, s := range list {
		if s == name {
			return append(list[:i:i], list[i+1:]...)
		}
	}
	return list
}

// runningStep is the outcome of a step that has none yet.
const runningStep executor.Outcome = "running"

// stepLine is one step that ended, or runs.
func stepLine(p *page, o executor.Outcome, kind, subject, message string, took time.Duration) string {
	mark, sign := "✓", "+"
	switch o {
	case executor.Held:
		mark, sign = "=", "="
	case executor.Failed:
		mark, sign = "✗", "!"
	case executor.Waiting:
		mark, sign = "?", "?"
	case executor.Skipped, executor.Interrupted:
		mark, sign = "·", "="
	case runningStep:
		mark, sign = "…", ">"
	default:
	}
	text := mark + " " + padRight(kind, 24) + " " + safe(subject)
	if message != "" {
		text += "   " + prose(message)
	}
	if took >= 100*time.Millisecond {
		text += "   " + shortTime(took)
	}
	return p.paint(sign, text)
}

func shortTime(d time.Duration) string {
	switch {
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}

func (p *Progress) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	rows := p.o.Pairs()
	p.measure(rows)
	if p.o.Style.Width > 0 {
		p.erase()
		p.draw(p.block())
		return
	}
	pg := page{}
	for _, r := range rows {
		pg.line(pairLine(r, p.rate))
	}
	_ = pg.to(p.w) // a pipe that is gone must not end the run
}

// measure smooths the rate over about five looks.
func (p *Progress) measure(rows []PairRow) {
	now := sample{at: p.o.Now()}
	if p.base == nil {
		p.base = map[string]int64{}
	}
	for _, r := range rows {
		if _, seen := p.base[r.Pair]; !seen {
			p.base[r.Pair] = r.Settled // by earlier runs: no work of this one
		}
		now.settled += r.Settled - p.base[r.Pair]
	}
	seconds := now.at.Sub(p.last.at).Seconds()
	if seconds <= 0 {
		return
	}
	rate := float64(now.settled-p.last.settled) / seconds
	if p.rate == 0 {
		p.rate = rate
	}
	p.rate += (rate - p.rate) / 5
	p.last = now
}

// mostRows is how many pairs the live block shows.
const mostRows = 8

// block is the live block: a line a pair, and what runs now.
func (p *Progress) block() []string {
	if p.o.Style.Width == 0 {
		return nil
	}
	var lines []string
	rows := p.o.Pairs()
	if len(rows) > mostRows { // those at work first: what scrolls off the terminal cannot be erased
		slices.SortStableFunc(rows, func(a, b PairRow) int { return cmp.Compare(b.InFlight, a.InFlight) })
	}
	for _, r := range rows[:min(len(rows), mostRows)] {
		lines = append(lines, pairLine(r, p.rate))
	}
	if n := len(rows) - mostRows; n > 0 {
		lines = append(lines, "… and "+plural(int64(n), "more pair"))
	}
	if len(p.steps) > 0 {
		lines = append(lines, fmt.Sprintf("… %s   %s", strings.Join(p.steps, ", "), shortTime(p.o.Now().Sub(p.begun))))
	}
	return lines
}

// pairLine says objects and bytes done of listed, rate, in flight, retries, time left.
func pairLine(r PairRow, rate float64) string {
	total := max(r.Listed, r.Expected)
	s := fmt.Sprintf("%s   %s of %s objects, %s", safe(r.Pair), number(r.Settled), number(total), size(r.BytesSettled))
	if rate >= 0.5 {
		s += fmt.Sprintf("   %s/s", humanize.CommafWithDigits(rate, 0))
	}
	s += fmt.Sprintf("   %d in flight", r.InFlight)
	if r.Retried > 0 {
		s += fmt.Sprintf("   %s retried", number(r.Retried))
	}
	if r.Failed > 0 {
		s += fmt.Sprintf("   ! %s failed", number(r.Failed))
	}
	if left := r.Expected - r.Settled; r.Expected > 0 && left > 0 && rate >= 0.5 {
		s += "   " + shortTime(time.Duration(float64(left)/rate)*time.Second) + " left"
	}
	return s
}

// erase takes the live block off the terminal.
func (p *Progress) erase() {
	if p.lines == 0 {
		return
	}
	_, _ = fmt.Fprintf(p.w, "\r\x1b[%dA\x1b[J", p.lines) // a terminal that is gone must not end the run
	p.lines = 0
}

func (p *Progress) draw(lines []string) {
	if p.o.Style.Width == 0 || p.o.Quiet {
		return
	}
	pg := page{style: p.o.Style}
	for _, l := range lines {
		pg.line(p.cut(l))
	}
	_ = pg.to(p.w) // a terminal that is gone must not end the run
	p.lines = len(lines)
}

// cut keeps a line of the block on one line of the terminal: a character may be two cells wide.
func (p *Progress) cut(s string) string {
	limit := p.o.Style.Width - 1
	if limit < 2 || lipgloss.Width(s) <= limit {
		return s
	}
	cells := 0
	for i, r := range s {
		if cells += lipgloss.Width(string(r)); cells > limit-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// ProgressLine is one sample as a JSON line.
type ProgressLine struct {
	Type  executor.EventType `json:"type"`
	Time  time.Time          `json:"time"`
	Pairs []PairRow          `json:"pairs"`
}

// ProgressJSON makes the line of a sample.
func ProgressJSON(at time.Time, pairs []PairRow) ProgressLine {
	return ProgressLine{Type: executor.StepProgress, Time: at, Pairs: list(pairs)}
}
