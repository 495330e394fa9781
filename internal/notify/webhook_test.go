package notify

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "T0KEN-xyz"

// answering starts a webhook that answers with the statuses in turn, the last one for ever.
func answering(t *testing.T, got *atomic.Pointer[Message], statuses ...int) (url string, calls *atomic.Int64) {
	t.Helper()
	calls = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(calls.Add(1))
		var m Message
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Errorf("body: %v", err)
		}
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("got %s of %s, want a POST of JSON", r.Method, r.Header.Get("Content-Type"))
		}
		got.Store(&m)
		status := statuses[min(n, len(statuses))-1]
		if status/100 == 3 {
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
		}
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/hooks/" + secret, calls
}

func message() Message {
	return Message{
		Plan: "tommy-to-b", Run: "tommy-to-b-1", State: "waiting", Exit: 4,
		Waiting: []string{"wants --confirm=tommy"}, At: time.Unix(1700000000, 0).UTC(),
	}
}

func TestAMessageArrivesAsJSON(t *testing.T) {
	var got atomic.Pointer[Message]
	url, calls := answering(t, &got, http.StatusNoContent)
	if err := post(t.Context(), url, message(), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	m := got.Load()
	if calls.Load() != 1 || m.Plan != "tommy-to-b" || m.Exit != 4 || !m.At.Equal(message().At) {
		t.Errorf("got %+v in %d calls", m, calls.Load())
	}
	if want := "xplan tommy-to-b: waiting (run tommy-to-b-1); waiting: wants --confirm=tommy"; m.Text != want {
		t.Errorf("text %q, want %q", m.Text, want)
	}
}

func TestOnlyWhatMayPassIsSentAgain(t *testing.T) {
	for name, c := range map[string]struct {
		statuses []int
		calls    int64
		want     string // of the error; empty means none
	}{
		"server error, then accepted":  {[]int{503, 500, 200}, 3, ""},
		"throttled, then accepted":     {[]int{429, 200}, 2, ""},
		"server error to the end":      {[]int{500}, attempts, "it answered 500 Internal Server Error"},
		"refused":                      {[]int{403}, 1, "it answered 403 Forbidden"},
		"gone":                         {[]int{410}, 1, "it answered 410 Gone"},
		"a redirect is not an arrival": {[]int{302}, 1, "it answered 302 Found"},
	} {
		t.Run(name, func(t *testing.T) {
			var got atomic.Pointer[Message]
			url, calls := answering(t, &got, c.statuses...)
			err := post(t.Context(), url, message(), time.Millisecond)
			if calls.Load() != c.calls {
				t.Errorf("%d calls, want %d", calls.Load(), c.calls)
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("error shows the secret: %v", err)
			}
		})
	}
}

func TestNoErrorShowsTheURL(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	address := closed.URL
	closed.Close()
	for name, url := range map[string]string{
		"nobody listens":  address + "/" + secret,
		"plain http":      "http://example.com/" + secret,
		"no scheme":       "hooks.example.com/" + secret,
		"another scheme":  "ftp://example.com/" + secret,
		"unparsable":      "https://exa mple.com/" + secret + "\x7f",
		"bad escape":      "https://example.com/%zz" + secret,
		"userinfo":        "http://u:" + secret + "@example.com/",
		"empty":           "",
		"secret in query": address + "/?token=" + secret,
	} {
		t.Run(name, func(t *testing.T) {
			err := post(t.Context(), url, message(), time.Millisecond)
			if err == nil {
				t.Fatal("it was accepted")
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "token=") {
				t.Errorf("error shows the URL: %v", err)
			}
		})
	}
}

func TestTheReasonOfAFailedConnectionStaysReadable(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	if err := post(t.Context(), closed.URL, message(), time.Millisecond); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want connection refused", err)
	}
}

func TestACancelledDeliveryStopsWaiting(t *testing.T) {
	var got atomic.Pointer[Message]
	url, _ := answering(t, &got, 500)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if err := post(ctx, url, message(), time.Minute); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestRetryAfterCannotMakeUsWaitLong(t *testing.T) {
	resp := &http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {"86400"}}}
	if got := bounded(waitFirst, waitMost, 0, resp); got != waitMost {
		t.Errorf("waits %v, want %v", got, waitMost)
	}
}
