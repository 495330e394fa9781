package awsapi

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"xplan/internal/compile"
	"xplan/plan"
)

const (
	payerHeader      = "X-Amz-Request-Payer"
	invocationHeader = "Amz-Sdk-Invocation-Id"
)

// payers are the operations of S3 that take RequestPayer, by the SDK's own types.
func payers() map[string]bool {
	takes := map[string]bool{}
	for m := range reflect.TypeFor[*s3.Client]().Methods() {
		if m.Type.NumIn() >= 3 && m.Type.In(2).Kind() == reflect.Pointer {
			if _, ok := m.Type.In(2).Elem().FieldByName("RequestPayer"); ok {
				takes[m.Name] = true
			}
		}
	}
	delete(takes, "GetBucketAccelerateConfiguration") // asked by the bucket's owner alone, who pays in any case
	return takes
}

// everyPaidCall drives all that is asked of buckets one of whose locations says that who asks pays.
func everyPaidCall(t *testing.T, a *Account, at, source compile.Location) {
	t.Helper()
	versions := at
	versions.Versions = true
	everyBucketCall(t.Context(), a.engine(at, source), a.engine(versions, source))
	_ = a.Own().Probe(t.Context(), compile.LegWriteDest, compile.ProbeSpec{
		Pair: plan.Pair{Source: source.Bucket, Destination: at.Bucket}, SourceAccount: source.Account, DestAccount: at.Account,
		DestRegion: at.Region, RequesterPays: true,
	})
	if source.RequesterPays {
		at = source
	}
	_ = a.ProbeWrite(t.Context(), at, "probe")
}

// TestEveryCallOnAPaidBucketSaysWhoPays: one call without the word is a 403 in the middle of a run.
func TestEveryCallOnAPaidBucketSaysWhoPays(t *testing.T) {
	takes := payers()
	for name := range laneOperations(t) {
		if !takes[name] {
			t.Errorf("%s takes no payer, and goes by the lane: onTheLaneSaysWhoPays has to tell it apart", name)
		}
	}
	at := compile.Location{Bucket: "tommy-b", Region: "us-west-2", Account: accountB}
	source := compile.Location{Bucket: "tommy", Region: "us-west-2", Account: accountA}
	paid := func(l compile.Location) compile.Location { l.RequesterPays = true; return l }
	for _, c := range [][2]compile.Location{{paid(at), source}, {at, paid(source)}} {
		for _, plain := range []bool{true, false} {
			t.Run(fmt.Sprintf("source paid %t plain %t", c[1].RequesterPays, plain), func(t *testing.T) {
				s := serve(t, answerEverything)
				a := account(t, s)
				a.options.Plain = plain
				var seen calls
				a.cfg.APIOptions = append(a.cfg.APIOptions, seen.add)
				everyPaidCall(t, a, c[0], c[1])
				theClientSaysWhoPays(t, seen.seen, s.requests(), plain)
				onTheLaneSaysWhoPays(t, s.requests(), plain)
			})
		}
	}
}

// theClientSaysWhoPays is about all that goes by the SDK's client; where there is no lane, that is every operation there is.
func theClientSaysWhoPays(t *testing.T, seen []call, requests []request, plain bool) {
	t.Helper()
	takes, left := payers(), map[string]bool{}
	for input := range inputsInSource(t) {
		if operation := strings.TrimSuffix(input, "Input"); takes[operation] {
			left[operation] = true
		}
	}
	t.Logf("%d operations that take a payer are asked for", len(left))
	sent := map[string]bool{} // the question by which a lane learns its endpoint is not
	for _, r := range requests {
		sent[r.Header.Get(invocationHeader)] = true
	}
	for _, got := range seen {
		operation := strings.TrimSuffix(got.input.Name(), "Input")
		if !takes[operation] || got.input.PkgPath() != reflect.TypeFor[s3.Client]().PkgPath() || !sent[got.header.Get(invocationHeader)] {
			continue
		}
		delete(left, operation)
		if got.header.Get(payerHeader) != string(types.RequestPayerRequester) {
			t.Errorf("%s goes out with payer %q", operation, got.header.Get(payerHeader))
		}
	}
	lane := laneOperations(t)
	for operation := range left {
		if plain || !lane[operation] {
			t.Errorf("%s takes a payer, and no test has seen it go out: add it to everyBucketCall", operation)
		}
	}
}

// onTheLaneSaysWhoPays is about what does not go by the SDK's client.
func onTheLaneSaysWhoPays(t *testing.T, requests []request, plain bool) {
	t.Helper()
	lane := map[string]bool{}
	for _, r := range requests {
		if r.Path == "/" || r.Header.Get(invocationHeader) != "" {
			continue
		}
		lane[r.Method] = true
		if r.Header.Get(payerHeader) != string(types.RequestPayerRequester) {
			t.Errorf("by the lane goes %s with payer %q", r, r.Header.Get(payerHeader))
		}
	}
	for _, method := range []string{http.MethodPut, http.MethodHead, http.MethodGet} {
		if lane[method] == plain {
			t.Errorf("%s goes by the lane: %t", method, lane[method])
		}
	}
}
