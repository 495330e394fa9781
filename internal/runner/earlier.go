package runner

import (
	"reflect"

	"xplan/internal/s3copy"
	"xplan/plan"
	"xplan/state"
)

// mostEarlier bounds how many runs are looked back at.
const mostEarlier = 100

// Earlier gives, by pair, when runs that did the very same job came to their ends without a failure:
// for the objects whose copy nothing but that can prove.
func (r Records) Earlier(p *plan.Plan) (map[string][]s3copy.Window, error) {
	runs, err := r.DB.Runs()
	if err != nil {
		return nil, err
	}
	windows := map[string][]s3copy.Window{}
	for _, run := range runs[max(0, len(runs)-mostEarlier):] {
		if run.Status != state.Done && run.Status != state.Waiting {
			continue
		}
		then, err := plan.FromJSON(run.Plan)
		if err != nil || !sameServers(then.Accounts, p.Accounts) {
			continue // another job, or one of a newer xplan: it proves nothing here
		}
		for _, pair := range then.Buckets {
			if did(pair, p.Buckets) {
				windows[pair.ID()] = append(windows[pair.ID()], s3copy.Window{Begun: run.Started, Ended: run.Updated})
			}
		}
	}
	return windows, nil
}

func sameServers(a, b plan.Accounts) bool {
	same := func(a, b plan.Account) bool {
		return a.Provider == b.Provider && a.ID == b.ID && a.EndpointURL == b.EndpointURL
	}
	return same(a.Source, b.Source) && same(a.Destination, b.Destination)
}

// did tells whether one of the pairs asks for the same copy and the same evidence.
func did(then plan.Pair, now []plan.Pair) bool {
	then.Copy.InFlight = 0
	for _, pair := range now {
		pair.Copy.InFlight = 0
		if then.ID() == pair.ID() && reflect.DeepEqual(then.Copy, pair.Copy) && then.Verify == pair.Verify {
			return true
		}
	}
	return false
}
