package compile

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"xplan/plan"
)

// LeaseTag is the tag of our policy that tells which run of the plan is under way. The lock beside the state is of one
// machine; on another the run's access key would look like one that a lost run left over. IAM has no compare-and-set
// and shows tags late, so a lease is advice to runs that come later, no lock between two that start in one moment.
const LeaseTag = "xplan:lease"

// LeaseFor is how long a lease counts that is not renewed: long enough for an outage of IAM or of a network that a run
// survives, short enough to wait for after a crash that took the state along.
const LeaseFor = 15 * time.Minute

// A Lease says which process runs the plan. The times are AWS's, as far as it tells them: clocks of machines differ.
type Lease struct {
	Run     string
	Host    string
	PID     int
	Since   time.Time // when this process took it
	Renewed time.Time
}

// mostHost is how much of a host's name is kept: a tag holds 256 characters, and a run's ID takes up to 93.
const mostHost = 64

// Note is the tag's value.
func (l Lease) Note() string {
	host := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (isAlphanumeric(r) || strings.ContainsRune("._-", r)) {
			return r
		}
		return '-'
	}, l.Host)
	host = host[:min(len(host), mostHost)]
	return fmt.Sprintf("run %s host %s pid %d since %s renewed %s",
		l.Run, first(host, "unknown"), l.PID, l.Since.UTC().Format(time.RFC3339), l.Renewed.UTC().Format(time.RFC3339))
}

// ReadLease reads a note back; "" is none. Words that it does not know it passes over. A note that it cannot read is a
// lease of nobody that was renewed just now: a newer xplan may have written it.
func ReadLease(note string, now time.Time) (l Lease, there bool) {
	words := strings.Fields(note)
	if len(words) == 0 {
		return Lease{}, false
	}
	known := map[string]string{}
	for i := 0; i+1 < len(words); i += 2 {
		known[words[i]] = words[i+1]
	}
	l = Lease{Run: known["run"], Host: known["host"]}
	l.PID, _ = strconv.Atoi(known["pid"]) // shown to people only
	l.Since, _ = time.Parse(time.RFC3339, known["since"])
	var err error
	if l.Renewed, err = time.Parse(time.RFC3339, known["renewed"]); err != nil || l.Run == "" {
		return Lease{Renewed: now}, true
	}
	return l, true
}

// Ends is when the lease runs out unless it is renewed.
func (l Lease) Ends() time.Time { return l.Renewed.Add(LeaseFor) }

// SameHolder tells whether two notes are of one process.
func (l Lease) SameHolder(other Lease) bool {
	return l.Run == other.Run && l.PID == other.PID && l.Since.Equal(other.Since)
}

// String says who holds it.
func (l Lease) String() string {
	if l.Run == "" {
		return "a run of another xplan, whose note cannot be read"
	}
	return fmt.Sprintf("run %s, process %d on %s since %s", l.Run, l.PID, l.Host, l.Since.UTC().Format(time.RFC3339))
}

// LiveLease is the lease on our policies that counts, and that no run holds of which mine tells; now is for servers
// that do not tell the time.
func LiveLease(p *plan.Plan, w World, now time.Time, mine func(run string) bool) (Lease, bool) {
	for _, m := range w.Policies {
		if !m.Exists || !p.Permissions.Adopt && !policyOurs(w.Owned, p.Name, m) {
			continue
		}
		at := m.At
		if at.IsZero() {
			at = now
		}
		if l, there := ReadLease(m.Tags[LeaseTag], at); there && !mine(l.Run) && at.Before(l.Ends()) {
			return l, true
		}
	}
	return Lease{}, false
}

// LeaseOn is the ARN of the policy that tells of the plan's run; "" where the plan has none, and nothing tells.
func LeaseOn(p *plan.Plan, w World) string {
	for _, t := range newBuilder(p, w).policies {
		if t.wanted != nil {
			return t.arn
		}
	}
	return ""
}
