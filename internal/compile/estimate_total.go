package compile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"xplan/plan"
)

// estimate sums the pairs' estimates up. nil: nothing is copied.
func (b *builder) estimate() *Estimate {
	var total *Estimate
	for _, s := range b.steps {
		if s.Kind != KindCopy || s.Action != Run {
			continue
		}
		if total == nil {
			total = b.noEstimate()
		}
		total.add(s)
	}
	if total == nil {
		return nil
	}
	total.settle()
	total.Assumes = b.assumptions(total)
	return total
}

// noEstimate is the sum of nothing.
func (b *builder) noEstimate() *Estimate {
	settings := plan.Estimate{}
	if b.p.Estimate != nil {
		settings = *b.p.Estimate
	}
	return &Estimate{Currency: first(settings.Currency, listCurrency), Prices: pricesText(settings)}
}

// add takes in a pair's copy. Pairs run side by side: the longest decides.
func (e *Estimate) add(s Step) {
	one := s.Change.Estimate
	if one == nil {
		e.Uncounted = append(e.Uncounted, s.Pair)
		return
	}
	e.Once, e.Monthly = append(e.Once, one.Once...), append(e.Monthly, one.Monthly...)
	e.Seconds = max(e.Seconds, one.Seconds)
	e.ObjectsPerSecond = one.ObjectsPerSecond
	if e.BytesPerSecond == 0 || one.BytesPerSecond < e.BytesPerSecond {
		e.BytesPerSecond = one.BytesPerSecond
	}
}

// assumptions say what the estimate rests on, and what it leaves out.
func (b *builder) assumptions(e *Estimate) []string {
	var all []string
	say := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	b.assumePrices(e, say)
	if e.Seconds > 0 {
		say("%s objects/s and %s MB/s for each pair; pairs run side by side", thousands(e.ObjectsPerSecond), thousands(e.BytesPerSecond/1e6))
		say("not in it: tax and discounts, retries, the calls that set up, up to 5 minutes for new permissions to be known everywhere")
	}
	var stay []string
	for _, br := range b.branches {
		if br.copying && br.facts.Known && !br.facts.Partial {
			b.assumeOf(br, say)
			if !br.deletesObjects() {
				stay = append(stay, br.pair.Source)
			}
		}
	}
	if stay = unique(stay); len(stay) > 0 {
		say("what stays goes on costing: %s", strings.Join(stay, ", "))
	}
	return all
}

func (b *builder) assumePrices(e *Estimate, say func(string, ...any)) {
	var regions []string
	for _, br := range b.branches {
		if br.copying {
			regions = append(regions, br.srcRegion, br.dstRegion)
		}
	}
	foreign := slices.ContainsFunc(regions, func(r string) bool { return r != "" && r != pricesRegion })
	if foreign && strings.Contains(e.Prices, pricesRegion+"'s list") && len(e.Once) > 0 {
		say("prices of other regions than %s differ", pricesRegion)
	}
	if none := e.Unpriced(); len(none) > 0 {
		say("without a price, and so not in the sums: %s", strings.Join(none, ", "))
	}
}

// assumeOf says what holds for one pair only.
func (b *builder) assumeOf(br branch, say func(string, ...any)) {
	var frozen int64
	classes := slices.Sorted(maps.Keys(br.facts.Work))
	for _, class := range classes {
		frozen += br.facts.Work[class].Frozen.Objects
	}
	if frozen > 0 {
		say("%s of %s are restored first, for %d days: that takes 3 to 12 hours or more, which are not in the time",
			objects(frozen), br.pair.Source, max(br.pair.Copy.Restore.Days, 1))
	}
	if br.pair.Verify.Level == plan.LevelBytes {
		say("verify.level bytes reads both sides through this machine, at 100 MB/s; transfer out of AWS is not in the cost")
	}
	if br.dst.Versioning == "Enabled" && br.facts.Changed.Objects > 0 && !br.pair.Copy.AllVersions() {
		say("%s keeps versions: the %s that are overwritten go on costing", br.pair.Destination, objects(br.facts.Changed.Objects))
	}
	if !br.deletesObjects() {
		return
	}
	days := map[string]int{"STANDARD_IA": 30, "ONEZONE_IA": 30, "GLACIER_IR": 90, "GLACIER": 90, "DEEP_ARCHIVE": 180}
	for _, class := range slices.Sorted(maps.Keys(br.facts.Classes)) {
		if n := br.facts.Classes[class].Objects; days[class] > 0 && n > 0 {
			say("deleting an object of %s that is younger than %d days costs the rest of them: %s of %s may be", class, days[class], objects(n), br.pair.Source)
		}
	}
}
