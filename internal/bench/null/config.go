package null

import "time"

// A Config is what a server serves, and how badly. The zero value serves no key at once.
type Config struct {
	Keys    Namespace
	Latency Latency
	Faults  Faults
	// CopyRate is how many copies a second each first path segment takes; more are answered
	// 503 SlowDown. 0 means no limit.
	CopyRate float64
}

// Latency is how long the answers take.
type Latency struct {
	List, Copy time.Duration
	Other      time.Duration // HEAD and all else that is about one object
}

// Faults are shares, from 0 to 1, of the requests for objects and listings.
type Faults struct {
	Unavailable float64 // 503 SlowDown
	Internal    float64 // 500 InternalError
	Torn        float64 // the connection ends: before the request is done or before its answer is sent
	Seed        uint64
}

// The two buckets.
const (
	Source      = "src"
	Destination = "dst"
)
