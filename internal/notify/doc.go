// Package notify tells a webhook how a run ended, or that it waits for a person: one JSON
// POST, sent again a bounded number of times when the server does not answer or answers 5xx or 429.
//
// The webhook's URL is a secret: whoever knows it may post. No error and no log shows
// more of it than the host. It must be https; http is for loopback only. Redirects are
// not followed, as they would hand the message to somebody else.
//
// Not guaranteed: that a message arrives, or that it arrives once.
package notify
