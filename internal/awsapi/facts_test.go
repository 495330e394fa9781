package awsapi

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xplan/internal/compile"
	"xplan/plan"
)

// unconfigured answers each subresource as S3 does where nothing is set.
func unconfigured(r request) (int, string) {
	if r.Method == http.MethodPut {
		return 200, ""
	}
	for sub, code := range map[string]string{
		"encryption": "ServerSideEncryptionConfigurationNotFoundError", "ownershipControls": "OwnershipControlsNotFoundError",
		"publicAccessBlock": "NoSuchPublicAccessBlockConfiguration", "policy": "NoSuchBucketPolicy", "policyStatus": "NoSuchBucketPolicy",
		"object-lock": "ObjectLockConfigurationNotFoundError", "tagging": "NoSuchTagSet", "lifecycle": "NoSuchLifecycleConfiguration",
		"cors": "NoSuchCORSConfiguration", "replication": "ReplicationConfigurationNotFoundError", "website": "NoSuchWebsiteConfiguration",
	} {
		if asks(r, sub) {
			return 404, xmlError(code, "nothing is set")
		}
	}
	return 200, "<R/>"
}

// asks tells whether the request is about a bucket's subresource.
func asks(r request, sub string) bool {
	return slices.Contains(strings.Split(r.Query, "&"), sub+"=") || r.Query == sub
}

func TestPlainBucketHasZeroFacts(t *testing.T) {
	got, unseen, err := account(t, serve(t, unconfigured)).Bucket(t.Context(), "tommy-b")
	want := compile.Bucket{Exists: true, Region: "us-west-2"}
	if d := cmp.Diff(want, got); err != nil || d != "" || len(unseen) != 0 {
		t.Errorf("%v, unseen %v, bucket (-want +got):\n%s", err, unseen, d)
	}
}

func TestAllFactsOfABucketAreRead(t *testing.T) {
	s := serve(t, func(r request) (int, string) {
		for sub, body := range map[string]string{
			"versioning":        `<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>`,
			"encryption":        `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>key-1</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>`,
			"ownershipControls": `<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>`,
			"publicAccessBlock": `<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>`,
			"policy":            `{"Version":"2012-10-17"}`,
			"policyStatus":      `<PolicyStatus><IsPublic>true</IsPublic></PolicyStatus>`,
			"requestPayment":    `<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>`,
			"object-lock":       `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>`,
			"tagging":           `<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>`,
			"lifecycle": `<LifecycleConfiguration><Rule><Status>Enabled</Status></Rule>
				<Rule><ID>old</ID><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration><NoncurrentVersionExpiration><NoncurrentDays>7</NoncurrentDays><NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration></Rule>
				<Rule><ID>off</ID><Prefix></Prefix><Status>Disabled</Status><Expiration><Days>1</Days></Expiration></Rule>
				<Rule><ID>past</ID><Filter><And><Prefix>x</Prefix><Tag><Key>a</Key><Value>b</Value></Tag></And></Filter><Status>Enabled</Status><Expiration><Date>2026-01-01T00:00:00Z</Date></Expiration></Rule>
				<Rule><ID>older</ID><Prefix>tmp/</Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>`,
			"cors":         `<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>`,
			"replication":  `<ReplicationConfiguration><Role>r</Role><Rule><Status>Enabled</Status></Rule></ReplicationConfiguration>`,
			"notification": `<NotificationConfiguration><TopicConfiguration><Topic>t</Topic><Event>s3:ObjectCreated:*</Event></TopicConfiguration></NotificationConfiguration>`,
			"website":      `<WebsiteConfiguration><IndexDocument><Suffix>i</Suffix></IndexDocument></WebsiteConfiguration>`,
			"inventory":    `<L><InventoryConfiguration><Id>a</Id></InventoryConfiguration></L>`, "analytics": `<L><AnalyticsConfiguration><Id>a</Id></AnalyticsConfiguration></L>`,
			"metrics": `<L><MetricsConfiguration><Id>a</Id></MetricsConfiguration></L>`, "intelligent-tiering": `<L><IntelligentTieringConfiguration><Id>a</Id></IntelligentTieringConfiguration></L>`,
			"accelerate": `<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>`,
			"logging":    `<BucketLoggingStatus><LoggingEnabled><TargetBucket>l</TargetBucket><TargetPrefix>p</TargetPrefix></LoggingEnabled></BucketLoggingStatus>`,
		} {
			if asks(r, sub) {
				return 200, body
			}
		}
		return 200, ""
	})
	got, unseen, err := account(t, s).Bucket(t.Context(), "tommy")
	want := compile.Bucket{
		Exists: true, Region: "us-west-2", Versioning: "Enabled", MFADelete: true, Ownership: "ObjectWriter",
		Encryption:   plan.Encryption{Algorithm: "aws:kms", KMSKeyID: "key-1", BucketKey: true},
		PublicAccess: &compile.PublicAccess{BlockACLs: true, RestrictBuckets: true},
		Policy:       `{"Version":"2012-10-17"}`, PolicyIsPublic: true, RequesterPays: true, ObjectLock: true,
		Tags: map[string]string{"a": "b"}, Replication: true,
		Configured: []string{
			"acceleration", "analytics", "cors", "intelligent tiering", "inventory", "lifecycle", "logging", "metrics", "notification", "replication", "website",
		},
		Expiring: []compile.Expiry{
			{Rule: "old", Prefix: "logs/", Days: 30}, {Rule: "old", Prefix: "logs/", Days: 7, Past: true, Newest: 2}, {Rule: "past", Prefix: "x", Date: "2026-01-01", Narrow: true}, {Rule: "older", Prefix: "tmp/", Days: 1},
		},
	}
	if d := cmp.Diff(want, got); err != nil || d != "" || len(unseen) != 0 {
		t.Errorf("%v, unseen %v, bucket (-want +got):\n%s", err, unseen, d)
	}
}

func TestDeniedFactsAreUnseenBesideTheOthers(t *testing.T) {
	s := serve(t, func(r request) (int, string) {
		if asks(r, "encryption") || asks(r, "website") {
			return 403, xmlError("AccessDenied", "no")
		}
		if asks(r, "versioning") {
			return 200, `<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>`
		}
		return unconfigured(r)
	})
	got, unseen, err := account(t, s).Bucket(t.Context(), "tommy")
	want := []compile.Unseen{
		{What: "encryption of bucket tommy", Why: "s3:GetEncryptionConfiguration denied"},
		{What: "website of bucket tommy", Why: "s3:GetBucketWebsite denied"},
	}
	if d := cmp.Diff(want, unseen); err != nil || d != "" || got.Versioning != "Suspended" {
		t.Errorf("%v, %+v, unseen (-want +got):\n%s", err, got, d)
	}
}

func TestBrokenFactIsAnError(t *testing.T) {
	s := serve(t, func(r request) (int, string) {
		if asks(r, "policy") {
			return 400, xmlError("SomethingBroke", "no")
		}
		return unconfigured(r)
	})
	if _, _, err := account(t, s).Bucket(t.Context(), "tommy"); err == nil || !strings.HasPrefix(err.Error(), "read policy of bucket tommy: SomethingBroke") {
		t.Errorf("got %v, want the failed read", err)
	}
}

func TestServersThatLackAFactHaveNone(t *testing.T) {
	s := serve(t, func(r request) (int, string) {
		if r.Method == http.MethodGet {
			return 501, xmlError("NotImplemented", "no")
		}
		return 200, ""
	})
	got, unseen, err := compatible(t, s).Bucket(t.Context(), "b")
	if want := (compile.Bucket{Exists: true, Region: defaultRegion}); err != nil || len(unseen) != 0 || cmp.Diff(want, got) != "" {
		t.Errorf("got %+v, %v, %v, want %+v", got, unseen, err, want)
	}
	_, unseen, err = account(t, s).Bucket(t.Context(), "b")
	if err != nil || len(unseen) != len(facts()) {
		t.Errorf("an AWS account without them: got %v, %v, want all of them unseen", unseen, err)
	}
}

func TestMissingBucketIsNoError(t *testing.T) {
	s := serve(t, func(request) (int, string) { return 404, "" })
	got, unseen, err := account(t, s).Bucket(t.Context(), "absent")
	if err != nil || got.Exists || len(unseen) != 0 {
		t.Errorf("got %+v, %v, %v, want nothing", got, unseen, err)
	}
}

func TestRefusedBucketIsForeignUnlessTheAccountListsIt(t *testing.T) {
	ours := `<ListAllMyBucketsResult><Buckets><Bucket><Name>tommy</Name></Bucket></Buckets></ListAllMyBucketsResult>`
	for name, c := range map[string]struct {
		status  int
		body    string
		foreign bool
		unseen  int
	}{
		"another account's": {200, "<ListAllMyBucketsResult/>", true, 0},
		"ours, unreadable":  {200, ours, false, 1},
		"nobody knows":      {403, xmlError("AccessDenied", "no"), false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(r request) (int, string) {
				if r.Method == http.MethodHead {
					return 403, ""
				}
				return c.status, c.body
			})
			got, unseen, err := account(t, s).Bucket(t.Context(), "tommy")
			if err != nil || !got.Exists || got.Foreign != c.foreign || len(unseen) != c.unseen {
				t.Errorf("got %+v, %v, %v", got, unseen, err)
			}
		})
	}
	s := serve(t, func(request) (int, string) { return 403, "" })
	if _, _, err := compatible(t, s).Bucket(t.Context(), "b"); !errors.Is(err, compile.ErrDenied) {
		t.Errorf("without accounts: got %v, want %v", err, compile.ErrDenied)
	}
}
