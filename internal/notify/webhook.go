package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Message is what is posted. Its JSON only ever gains fields.
type Message struct {
	Plan    string    `json:"plan"`
	Run     string    `json:"run"`
	State   string    `json:"state"` // done, failed, interrupted, waiting, finished-with-failures; of a source, while a run goes on: frozen, lifted
	Exit    int       `json:"exit"`
	Waiting []string  `json:"waiting,omitempty"` // what a person has to do, in words
	Failed  int64     `json:"failed,omitempty"`  // objects
	Text    string    `json:"text"`              // one line; chat services show it. Made from the rest when empty
	At      time.Time `json:"at"`
}

// The bounds of a delivery.
const (
	attempts    = 4
	waitFirst   = 500 * time.Millisecond
	waitMost    = 5 * time.Second
	attemptTime = 10 * time.Second
)

// Post sends a message to a webhook. It returns when the server has accepted it, when it
// has refused it, after the last attempt, or when ctx is done. Safe for concurrent use.
func Post(ctx context.Context, webhook string, m Message) error {
	return post(ctx, webhook, m, waitFirst)
}

func post(ctx context.Context, webhook string, m Message, wait time.Duration) error {
	u, err := check(webhook)
	if err != nil {
		return err
	}
	if m.Text == "" {
		m.Text = text(m)
	}
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("post to the webhook at %s: %w", u.Host, err)
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, u.String(), body)
	if err != nil {
		return fmt.Errorf("post to the webhook at %s: %w", u.Host, bare(err))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "xplan")
	resp, err := client(wait).Do(req)
	if err != nil {
		return fmt.Errorf("post to the webhook at %s: %w", u.Host, bare(err))
	}
	defer resp.Body.Close()
	// Reading the answer to its end lets the connection close cleanly; what it says does not matter.
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)); err != nil {
		return fmt.Errorf("post to the webhook at %s: %w", u.Host, bare(err))
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("post to the webhook at %s: it answered %s", u.Host, resp.Status)
	}
	return nil
}

// client is one delivery's: it keeps no connections and logs nothing.
func client(wait time.Duration) *retryablehttp.Client {
	c := retryablehttp.NewClient()
	c.Logger = nil
	c.RetryMax = attempts - 1
	c.RetryWaitMin, c.RetryWaitMax = wait, waitMost
	c.Backoff = bounded
	// After the last attempt the server's own answer, or the transport's error, is what counts.
	c.ErrorHandler = retryablehttp.PassthroughErrorHandler
	c.HTTPClient = &http.Client{
		Timeout:       attemptTime,
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

// bounded is the default backoff, except that no Retry-After makes us wait longer than the most.
func bounded(least, most time.Duration, attempt int, resp *http.Response) time.Duration {
	return min(retryablehttp.DefaultBackoff(least, most, attempt, resp), most)
}

// check refuses what is no webhook without repeating it.
func check(webhook string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(webhook))
	switch {
	case err != nil || u.Host == "":
		return nil, errors.New("the webhook is not a URL (it is not shown: it is a secret)")
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return u, nil
	default:
		return nil, fmt.Errorf("the webhook at %s must be https (http is for loopback only)", u.Host)
	}
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// bare takes the URL out of an error of net/http.
func bare(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("%s: %w", strings.ToLower(e.Op), e.Err)
	}
	return err
}

func text(m Message) string {
	s := fmt.Sprintf("xplan %s: %s", m.Plan, m.State)
	if m.Run != "" {
		s += " (run " + m.Run + ")"
	}
	if m.Failed > 0 {
		s += fmt.Sprintf(", %d objects failed", m.Failed)
	}
	if len(m.Waiting) > 0 {
		s += "; waiting: " + strings.Join(m.Waiting, "; ")
	}
	return s
}
