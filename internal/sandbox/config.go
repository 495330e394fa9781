package sandbox

import "time"

// A Config describes the world that New makes. The zero Config has the two
// accounts of DefaultAccounts, no faults and no delays.
type Config struct {
	Accounts []AccountConfig
	// Propagation is how long a change of keys, policies, attachments, bucket
	// policies or grants needs to reach access decisions. Zero: at once.
	Propagation time.Duration
	// Latency is added before every answer.
	Latency time.Duration
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
	// Faults are injected from the start; see Server.Inject.
	Faults []Fault
	// Log bounds the kept requests; zero means 10,000. Counts are never bounded.
	Log int
	// S3 holds what concerns the S3 service alone.
	S3 S3Config
}

// An AccountConfig describes one account and its administrator, a user called
// "admin" with the managed policy AdministratorAccess.
type AccountConfig struct {
	ID             string // 12 digits
	Name           string // the profile's name in WriteAWSConfig
	Region         string // "" means us-west-2
	AdminAccessKey string // "" makes one
	AdminSecret    string // "" makes one
}

// The account IDs and profile names of DefaultAccounts.
const (
	SourceAccount      = "123456789012"
	DestinationAccount = "210987654321"
	SourceProfile      = "account-a-admin"
	DestinationProfile = "account-b-admin"
	defaultRegion      = "us-west-2"
)

// DefaultAccounts are the two accounts of the design's example plan.
func DefaultAccounts() []AccountConfig {
	return []AccountConfig{
		{ID: SourceAccount, Name: SourceProfile, Region: defaultRegion},
		{ID: DestinationAccount, Name: DestinationProfile, Region: defaultRegion},
	}
}
