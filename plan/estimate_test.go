package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"xplan/plan"
)

const priced = `estimate:
  currency: EUR
  prices_from: our contract of 2026-10
  objects_per_second: 1000
  megabytes_per_second: 500
  prices:
    copy: {STANDARD: 0.004, GLACIER_IR: 0.02}
    storage: {STANDARD: 0.021}
    list: 0.0051
    get: 0
    transfer: 0.01
`

func TestAnEstimateIsReadAndChangesNoDigest(t *testing.T) {
	p := mustParse(t, sound+priced)
	list, get, transfer := 0.0051, 0.0, 0.01
	want := &plan.Estimate{
		Currency: "EUR", PricesFrom: "our contract of 2026-10", ObjectsPerSecond: 1000, MegabytesPerSecond: 500,
		Prices: plan.Prices{
			Copy: map[string]float64{"STANDARD": 0.004, "GLACIER_IR": 0.02}, Storage: map[string]float64{"STANDARD": 0.021},
			List: &list, Get: &get, Transfer: &transfer,
		},
	}
	if d := cmp.Diff(want, p.Estimate); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if without := mustParse(t, sound); without.Digest() != p.Digest() || len(plan.Differences(without, p)) > 0 {
		t.Error("an estimate changes what the plan says")
	}
	again, err := plan.FromJSON(p.JSON())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(p.Estimate, again.Estimate); d != "" {
		t.Errorf("stored and read again (-want +got):\n%s", d)
	}
}

func TestAnEstimateThatMakesNoSenseIsRefused(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"estimate: {objects_per_second: 0}", []string{"12:32: estimate.objects_per_second wants a number from 1 to 1000000"}},
		{"estimate: {objects_per_second: 1.5}", []string{"12:32: estimate.objects_per_second wants a whole number, not a fraction"}},
		{"estimate: {currency: euro}", []string{"12:22: estimate.currency must be three capital letters, such as USD or EUR"}},
		{"estimate: {prices: {list: -1}}", []string{"12:27: estimate.prices.list wants a number of at least 0"}},
		{"estimate: {prices: {list: \"0.005\"}}", []string{`12:27: estimate.prices.list wants a number, not text | write it without quotes: 0.005`}},
		{"estimate: {prices: {list: .inf}}", []string{"12:27: estimate.prices.list wants a number, not .inf"}},
		{"estimate: {prices: {list: .nan}}", []string{"12:27: estimate.prices.list wants a number, not .nan"}},
		{"estimate: {prices: {storage: {STANDARD: 1e300}}}", []string{"12:41: estimate.prices.storage.STANDARD is no price | a price is a number below 1,000,000"}},
		{"estimate: {prices: {storage: {STANDART: 1}}}", []string{`12:31: unknown field "STANDART" | did you mean "STANDARD"?`}},
		{"estimate: {prices: {copi: {STANDARD: 1}}}", []string{`12:21: unknown field "copi" | did you mean "copy"?`}},
	} {
		if d := cmp.Diff(c.want, problemsOf(t, sound+c.text+"\n")); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.text, d)
		}
	}
}

func TestAnEstimateThatIsProbablyNotMeantIsWarnedOf(t *testing.T) {
	for text, want := range map[string]string{
		"estimate: {currency: EUR}":           `estimate.currency is "EUR", and the list prices are in USD: nothing has a price`,
		"estimate: {prices_from: a contract}": "estimate.prices_from says where prices come from, and there are none",
	} {
		p := mustParse(t, sound+text+"\n")
		if len(p.Warnings) != 1 || p.Warnings[0].Message != want {
			t.Errorf("%s: got %+v", text, p.Warnings)
		}
	}
}
