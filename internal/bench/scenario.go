package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"xplan/internal/bench/null"
)

// A scenario is what every arm has to do.
type scenario struct {
	Name    string        `json:"name"`
	About   string        `json:"about"`
	Shape   string        `json:"shape"`
	Keys    int           `json:"keys"`
	Sizes   null.Sizes    `json:"sizes"`
	Latency null.Latency  `json:"latency"`
	Rate    float64       `json:"copy_rate"`
	Faults  null.Faults   `json:"faults"`
	Filled  bool          `json:"filled"` // the destination has everything already
	Kill    bool          `json:"kill"`   // kill -9 at half, and run again: only the second run is shown
	Kills   int           `json:"kills"`  // so often kill -9, at even distances, and run again: all the runs are shown as one
	Slow    bool          `json:"slow"`   // aws is left out: it takes too long
	Limit   time.Duration `json:"limit"`
}

// config is the server's.
func (s scenario) config() (null.Config, error) {
	keys, err := null.NewNamespace(s.Shape, s.Keys, s.Sizes)
	return null.Config{Keys: keys, Latency: s.Latency, CopyRate: s.Rate, Faults: s.Faults}, err
}

// floor is the least time that the copies can take at the latency given; 0 where nothing says.
func (s scenario) floor(inFlight, keys int) time.Duration {
	switch {
	case s.Filled || s.Kill || s.Kills > 0:
		return 0
	case s.Rate > 0:
		return time.Duration(float64(keys) / s.Rate * float64(time.Second))
	}
	return time.Duration(keys) * s.Latency.Copy / time.Duration(max(inFlight, 1))
}

// scenarios lists what can be measured; o scales it.
func scenarios(o options) []scenario {
	late := null.Latency{List: o.list, Copy: o.copy, Other: o.copy / 2}
	small := null.Sizes{Small: 1000}
	n := o.keys
	all := []scenario{
		{Name: "fresh", About: "an empty destination", Shape: null.Hex, Keys: n, Latency: late},
		{Name: "resync", About: "a destination that has everything: nothing to copy", Shape: null.Dated, Keys: 10 * n, Latency: late, Filled: true},
		{Name: "resume", About: "the second run after kill -9 at half", Shape: null.Hex, Keys: n, Latency: late, Kill: true},
		{Name: "killed", About: "kill -9 three times on the way: all four runs together", Shape: null.Counter, Keys: n, Latency: late, Kills: 3, Slow: true},
		{Name: "throttled", About: "one prefix that takes 300 copies a second, and answers 503 above", Shape: null.Counter, Keys: max(n/10, 100), Latency: late, Rate: 300},
		{Name: "faults", About: "1 % of the requests answered 500, 1 % 503, 1 % torn off", Shape: null.Hex, Keys: max(n/4, 100), Latency: late, Faults: null.Faults{Unavailable: 0.01, Internal: 0.01, Torn: 0.01, Seed: 1}},
		{Name: "load", About: "no latency, and 1 % of the requests fails: 500, 503 or torn off", Shape: null.Hex, Keys: n, Faults: null.Faults{Unavailable: 0.0034, Internal: 0.0033, Torn: 0.0033, Seed: 1}, Slow: true},
		{Name: "cpu-fresh", About: "no latency: what the client's CPU allows", Shape: null.Hex, Keys: n},
		{Name: "cpu-resync", About: "no latency, nothing to copy", Shape: null.Dated, Keys: 10 * n, Filled: true},
		{Name: "large", About: "ten objects of 12 GiB, by parts", Shape: null.Ten, Keys: 10, Sizes: null.Sizes{Large: 12 << 30, LargeEvery: 1}, Latency: late},
	}
	for _, shape := range null.Shapes() {
		all = append(all,
			scenario{Name: "fresh-" + shape, About: "an empty destination", Shape: shape, Keys: max(n/4, 1), Latency: late, Slow: true},
			scenario{Name: "resync-" + shape, About: "nothing to copy", Shape: shape, Keys: 5 * n, Latency: late, Filled: true, Slow: true})
	}
	for i := range all {
		all[i].Limit = o.timeout
		if all[i].Sizes == (null.Sizes{}) {
			all[i].Sizes = small
		}
	}
	return all
}

func names(all []scenario) []string {
	list := make([]string, 0, len(all))
	for _, s := range all {
		list = append(list, s.Name)
	}
	return list
}

// choose picks scenarios by their names; a final * takes all that begin so.
func choose(all []scenario, list string) ([]scenario, error) {
	if list == "" {
		return all, nil
	}
	var chosen []scenario
	for name := range strings.SplitSeq(list, ",") {
		before := len(chosen)
		for _, s := range all {
			head, any := strings.CutSuffix(name, "*")
			if s.Name == name || any && strings.HasPrefix(s.Name, head) {
				chosen = append(chosen, s)
			}
		}
		if len(chosen) == before {
			return nil, fmt.Errorf("scenario %q is none of %q", name, names(all))
		}
	}
	return slices.Clip(chosen), nil
}
