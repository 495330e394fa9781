package sandbox

import "time"

// A Fault makes the requests that it matches go wrong. The empty match fields
// match everything. Faults are consulted in the order of injection; the first
// that fires is applied.
type Fault struct {
	Service     string // "s3", "iam", …
	Operation   string // "CopyObject"; several with "|" between
	Bucket      string // exactly this bucket
	KeyContains string // a part of the key
	Account     string // of the caller

	Skip  int // this many matching requests pass first
	Times int // then this many fire; 0 means all

	Do FaultKind
	// Status, Code and Message are the error's; used by FaultError and FaultErrorIn200.
	Status        int
	Code, Message string
	// Delay comes before the rest of the fault.
	Delay time.Duration
	// AfterEffect lets the request take effect first, and spoils the answer only.
	AfterEffect bool
	// PerSecond is FaultThrottle's limit for each prefix: 503 SlowDown above it.
	PerSecond int
}

// A FaultKind is what a Fault does.
type FaultKind int

// The kinds of faults.
const (
	FaultDelay      FaultKind = iota // only Delay
	FaultError                       // answer Status and Code
	FaultErrorIn200                  // answer 200 with an error document in the body
	FaultEmpty200                    // answer 200 without a body
	FaultTruncate                    // answer half of the body, then close the connection
	FaultTear                        // close the connection without an answer
	FaultThrottle                    // 503 SlowDown above PerSecond requests in a second, by prefix
)

// Inject adds a fault; remove takes it away again.
func (s *Server) Inject(f Fault) (remove func()) { return func() {} }
