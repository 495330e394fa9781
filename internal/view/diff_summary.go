package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
)

// access says who may do what while the run lasts, and until when.
func (d *diff) access() {
	for _, g := range d.facts.accessByEnd() {
		d.line()
		d.line(d.paint("#", "Who gets access: "+safe(g[0].Principal)))
		d.line(d.paint("#", "    until "+safe(g[0].Until)))
		for _, a := range g {
			sign := "="
			if a.New {
				sign = "+"
			}
			d.wrap("", sign, padRight(a.May, 17)+" "+a.Resource)
		}
	}
}

// accessByEnd groups what one principal may do until the same moment.
func (f reviewFacts) accessByEnd() [][]reviewAccess {
	var all [][]reviewAccess
	for _, a := range f.Access {
		at := slices.IndexFunc(all, func(g []reviewAccess) bool { return g[0].Principal == a.Principal && g[0].Until == a.Until })
		if at < 0 {
			all = append(all, nil)
			at = len(all) - 1
		}
		all[at] = append(all[at], a)
	}
	return all
}

// stays says what is left as it is, and what remains of the run.
func (d *diff) stays() {
	if len(d.facts.Stays) == 0 {
		return
	}
	d.line()
	d.line(d.paint("#", "Stays"))
	for _, s := range d.facts.Stays {
		d.wrap("", "=", s.Subject, s.Why)
	}
}

// estimate says what all copies cost, how long they take, and on what that rests.
func (d *diff) estimate() {
	e := d.facts.Estimate
	if e == nil {
		return
	}
	d.line()
	d.line(d.paint("#", "Cost and time, estimated"))
	if len(e.Uncounted) > 0 {
		d.wrap("", "?", "not counted, and so not in it: "+strings.Join(e.Uncounted, ", "))
	}
	if e.Seconds == 0 && len(e.Once)+len(e.Monthly) == 0 {
		return
	}
	if len(e.Once) > 0 {
		d.wrap("", "≈", amount(e.Currency, e.TotalOnce)+" once", chargesText(e.Currency, e.Once))
	}
	if len(e.Monthly) > 0 {
		d.wrap("", "≈", amount(e.Currency, e.TotalMonthly)+" a month", chargesText(e.Currency, e.Monthly))
	}
	d.wrap("", "≈", span(e.Seconds))
	if len(e.Once) > 0 {
		d.wrap("    ", "·", "at "+e.Prices)
	}
	for _, a := range e.Assumes {
		d.wrap("    ", "·", a)
	}
}

// chargesText breaks a sum down.
func chargesText(currency string, charges []compile.Charge) string {
	parts := make([]string, 0, len(charges))
	for _, c := range charges {
		parts = append(parts, chargeText(currency, c))
	}
	return strings.Join(parts, ", ")
}

func chargeText(currency string, c compile.Charge) string {
	what := number(c.Requests) + " " + map[string]string{
		compile.ChargeCopy: "COPY and PUT", compile.ChargeList: "LIST", compile.ChargeGet: "GET and HEAD", compile.ChargeKMS: "to KMS", compile.ChargeRestore: "restores",
	}[c.What]
	if c.Bytes > 0 || c.Requests == 0 {
		what = size(s3copy.Bytes(c.Bytes)) + " " + map[string]string{
			compile.ChargeRetrieval: "retrieved", compile.ChargeTransfer: "between regions", compile.ChargeInternet: "out of AWS", compile.ChargeStorage: "stored",
		}[c.What]
	}
	if c.Class != "" {
		what += map[string]string{compile.ChargeCopy: " into ", compile.ChargeStorage: " in "}[c.What]
		if c.What != compile.ChargeCopy && c.What != compile.ChargeStorage {
			what += " from "
		}
		what += safe(c.Class)
	}
	if c.Unpriced {
		return what + " at no known price"
	}
	return what + " " + amount(currency, c.Amount)
}

// pairEstimateText is a pair's estimate in a line.
func pairEstimateText(e *compile.Estimate) string {
	var parts []string
	if len(e.Once)+len(e.Monthly) > 0 {
		parts = append(parts, fmt.Sprintf("cost ≈ %s once + %s a month", amount(e.Currency, e.TotalOnce), amount(e.Currency, e.TotalMonthly)))
	}
	parts = append(parts, fmt.Sprintf("time ≈ %s at %s objects/s", span(e.Seconds), number(e.ObjectsPerSecond)))
	return strings.Join(parts, "   ")
}

// amount is money as people read it: cents below a hundred, whole units above.
func amount(currency string, m compile.Money) string {
	unit := currency + " "
	if currency == "USD" {
		unit = "$"
	}
	const one = 1_000_000
	switch {
	case m == 0:
		return unit + "0"
	case m < one/100:
		return "under " + unit + "0.01"
	case m < 100*one-one/200:
		cents := (m + one/200) / (one / 100)
		return fmt.Sprintf("%s%d.%02d", unit, cents/100, cents%100)
	default:
		return unit + number(int64((m+one/2)/one))
	}
}

// span is a time in one or two units, which is as exact as an estimate is.
func span(seconds int64) string {
	d := time.Duration(seconds) * time.Second
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(seconds, 1))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", (seconds+59)/60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", seconds/3600, seconds%3600/60)
	default:
		return fmt.Sprintf("%d days %d h", seconds/86400, seconds%86400/3600)
	}
}

// apply says how to run exactly what was reviewed.
func (d *diff) apply() {
	f := d.facts
	if grave, _ := severe(f.Findings); len(grave) > 0 {
		d.wrap("", "!", "xplan apply refuses this: see the top")
		return
	}
	if len(f.Apply) == 0 {
		return
	}
	d.line("To apply exactly this: ", safe(strings.Join(f.Apply, " && ")))
	for _, bucket := range f.confirms() {
		d.wrap("    ", "!", "it deletes nothing in "+bucket+" by itself: with --confirm="+bucket+" it does")
	}
}
