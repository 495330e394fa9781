package sandbox

import "time"

// A Request is one line of the request log.
type Request struct {
	Time      time.Time
	Service   string
	Operation string
	Account   string // of the caller
	Caller    string // its ARN
	Bucket    string
	Key       string
	Write     bool // it would change something if it succeeded
	Status    int  // 0 where the connection was torn
	Code      string
}
