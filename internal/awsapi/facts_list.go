package awsapi

import (
	"context"
	"sort"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"xplan/internal/compile"
	"xplan/plan"
)

// facts is all that is read of a bucket.
func facts() []fact {
	return append([]fact{
		{"versioning", "s3:GetBucketVersioning", "", readVersioning},
		{"encryption", "s3:GetEncryptionConfiguration", "ServerSideEncryptionConfigurationNotFoundError", readEncryption},
		{"ownership", "s3:GetBucketOwnershipControls", "OwnershipControlsNotFoundError", readOwnership},
		{"public access block", "s3:GetBucketPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration", readPublicAccess},
		{"policy", "s3:GetBucketPolicy", "NoSuchBucketPolicy", readPolicy},
		{"policy status", "s3:GetBucketPolicyStatus", "NoSuchBucketPolicy", readPolicyStatus},
		{"request payment", "s3:GetBucketRequestPayment", "", readRequestPayment},
		{"object lock", "s3:GetBucketObjectLockConfiguration", "ObjectLockConfigurationNotFoundError", readObjectLock},
		{"tags", "s3:GetBucketTagging", "NoSuchTagSet", readTags},
	}, configuredFacts()...)
}

// configuredFacts are those of which only their presence matters.
func configuredFacts() []fact {
	return []fact{
		{"lifecycle", "s3:GetLifecycleConfiguration", "NoSuchLifecycleConfiguration", readLifecycle},
		{"cors", "s3:GetBucketCORS", "NoSuchCORSConfiguration", readCORS},
		{"replication", "s3:GetReplicationConfiguration", "ReplicationConfigurationNotFoundError", readReplication},
		{"notification", "s3:GetBucketNotification", "", readNotification},
		{"website", "s3:GetBucketWebsite", "NoSuchWebsiteConfiguration", readWebsite},
		{"logging", "s3:GetBucketLogging", "", readLogging},
		{"inventory", "s3:GetInventoryConfiguration", "", readInventory},
		{"analytics", "s3:GetAnalyticsConfiguration", "", readAnalytics},
		{"metrics", "s3:GetMetricsConfiguration", "", readMetrics},
		{"intelligent tiering", "s3:GetIntelligentTieringConfiguration", "", readTiering},
		{"acceleration", "s3:GetAccelerateConfiguration", "UnsupportedArgument", readAcceleration}, // as regions without it answer
	}
}

// merge puts what one read found into the whole.
func merge(to *compile.Bucket, from compile.Bucket) {
	to.Versioning += from.Versioning
	to.MFADelete = to.MFADelete || from.MFADelete
	to.Ownership += from.Ownership
	if from.Encryption != (plan.Encryption{}) {
		to.Encryption = from.Encryption
	}
	if from.PublicAccess != nil {
		to.PublicAccess = from.PublicAccess
	}
	to.Policy += from.Policy
	to.PolicyIsPublic = to.PolicyIsPublic || from.PolicyIsPublic
	to.RequesterPays = to.RequesterPays || from.RequesterPays
	to.ObjectLock = to.ObjectLock || from.ObjectLock
	if from.Retention != (compile.Retention{}) {
		to.Retention = from.Retention
	}
	if from.Tags != nil {
		to.Tags = from.Tags
	}
	to.Replication = to.Replication || from.Replication
	to.Expiring = append(to.Expiring, from.Expiring...)
	to.Configured = append(to.Configured, from.Configured...)
	sort.Strings(to.Configured)
}

func readVersioning(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: name})
	if err != nil {
		return err
	}
	b.Versioning = string(out.Status)
	b.MFADelete = out.MFADelete == types.MFADeleteStatusEnabled
	return nil
}

func readEncryption(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: name})
	if err != nil || out.ServerSideEncryptionConfiguration == nil {
		return err
	}
	for _, r := range out.ServerSideEncryptionConfiguration.Rules {
		if d := r.ApplyServerSideEncryptionByDefault; d != nil {
			b.Encryption = plan.Encryption{
				Algorithm: string(d.SSEAlgorithm),
				KMSKeyID:  aws.ToString(d.KMSMasterKeyID),
				BucketKey: aws.ToBool(r.BucketKeyEnabled),
			}
		}
	}
	return nil
}

func readOwnership(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: name})
	if err != nil || out.OwnershipControls == nil {
		return err
	}
	for _, r := range out.OwnershipControls.Rules {
		b.Ownership = string(r.ObjectOwnership)
	}
	return nil
}

func readPublicAccess(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: name})
	if err != nil || out.PublicAccessBlockConfiguration == nil {
		return err
	}
	p := out.PublicAccessBlockConfiguration
	b.PublicAccess = &compile.PublicAccess{
		BlockACLs:       aws.ToBool(p.BlockPublicAcls),
		IgnoreACLs:      aws.ToBool(p.IgnorePublicAcls),
		BlockPolicy:     aws.ToBool(p.BlockPublicPolicy),
		RestrictBuckets: aws.ToBool(p.RestrictPublicBuckets),
	}
	return nil
}

func readPolicy(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: name})
	if err != nil {
		return err
	}
	b.Policy = aws.ToString(out.Policy)
	return nil
}

func readPolicyStatus(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: name})
	if err != nil {
		return err
	}
	b.PolicyIsPublic = out.PolicyStatus != nil && aws.ToBool(out.PolicyStatus.IsPublic)
	return nil
}

func readRequestPayment(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: name})
	if err != nil {
		return err
	}
	b.RequesterPays = out.Payer == types.PayerRequester
	return nil
}

func readObjectLock(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: name})
	if err != nil {
		return err
	}
	l := out.ObjectLockConfiguration
	b.ObjectLock = l != nil && l.ObjectLockEnabled == types.ObjectLockEnabledEnabled
	if l != nil && l.Rule != nil && l.Rule.DefaultRetention != nil {
		d := l.Rule.DefaultRetention
		b.Retention = compile.Retention{Mode: string(d.Mode), Days: int(aws.ToInt32(d.Days)), Years: int(aws.ToInt32(d.Years))}
	}
	return nil
}

func readTags(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: name})
	if err != nil {
		return err
	}
	b.Tags = map[string]string{}
	for _, t := range out.TagSet {
		b.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return nil
}

func readLifecycle(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: name})
	if err != nil || len(out.Rules) == 0 {
		return err
	}
	b.Configured = []string{"lifecycle"}
	for _, r := range out.Rules {
		b.Expiring = append(b.Expiring, expiriesOf(r)...)
	}
	return nil
}

// expiriesOf is what a rule deletes, of the current versions and of the others.
func expiriesOf(r types.LifecycleRule) (all []compile.Expiry) {
	if r.Status != types.ExpirationStatusEnabled {
		return nil
	}
	if x := r.Expiration; x != nil && (x.Days != nil || x.Date != nil) {
		e := reachOf(r)
		e.Days = int(aws.ToInt32(x.Days))
		if x.Date != nil {
			e.Date = x.Date.UTC().Format(time.DateOnly)
		}
		all = append(all, e)
	}
	if x := r.NoncurrentVersionExpiration; x != nil {
		e := reachOf(r)
		e.Past, e.Days, e.Newest = true, int(aws.ToInt32(x.NoncurrentDays)), int(aws.ToInt32(x.NewerNoncurrentVersions))
		all = append(all, e)
	}
	return all
}

// reachOf is what a rule is about.
func reachOf(r types.LifecycleRule) compile.Expiry {
	e := compile.Expiry{
		Rule:   aws.ToString(r.ID),
		Prefix: aws.ToString(r.Prefix), //nolint:staticcheck // the older form, which buckets still have
	}
	if f := r.Filter; f != nil {
		e.Prefix = aws.ToString(f.Prefix)
		e.Narrow = f.Tag != nil || f.ObjectSizeGreaterThan != nil || f.ObjectSizeLessThan != nil
		if and := f.And; and != nil {
			e.Prefix, e.Narrow = aws.ToString(and.Prefix), true
		}
	}
	return e
}

func readCORS(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: name})
	if err == nil && len(out.CORSRules) > 0 {
		b.Configured = []string{"cors"}
	}
	return err
}

func readReplication(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: name})
	if err == nil && out.ReplicationConfiguration != nil && len(out.ReplicationConfiguration.Rules) > 0 {
		b.Configured, b.Replication = []string{"replication"}, true
	}
	return err
}

// readNotification tells EventBridge apart: it gets every event, and is turned on by a switch of its own.
func readNotification(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: name})
	if err != nil {
		return err
	}
	if out.EventBridgeConfiguration != nil {
		b.Configured = append(b.Configured, compile.EventBridge)
	}
	if len(out.LambdaFunctionConfigurations) > 0 || len(out.QueueConfigurations) > 0 || len(out.TopicConfigurations) > 0 {
		b.Configured = append(b.Configured, "notification")
	}
	return nil
}

func readWebsite(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: name})
	if err == nil && (out.IndexDocument != nil || out.ErrorDocument != nil || out.RedirectAllRequestsTo != nil || len(out.RoutingRules) > 0) {
		b.Configured = []string{"website"}
	}
	return err
}

func readLogging(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: name})
	if err == nil && out.LoggingEnabled != nil {
		b.Configured = []string{"logging"}
	}
	return err
}

func readInventory(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.ListBucketInventoryConfigurations(ctx, &s3.ListBucketInventoryConfigurationsInput{Bucket: name})
	if err == nil && len(out.InventoryConfigurationList) > 0 {
		b.Configured = []string{"inventory"}
	}
	return err
}

func readAnalytics(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.ListBucketAnalyticsConfigurations(ctx, &s3.ListBucketAnalyticsConfigurationsInput{Bucket: name})
	if err == nil && len(out.AnalyticsConfigurationList) > 0 {
		b.Configured = []string{"analytics"}
	}
	return err
}

func readMetrics(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.ListBucketMetricsConfigurations(ctx, &s3.ListBucketMetricsConfigurationsInput{Bucket: name})
	if err == nil && len(out.MetricsConfigurationList) > 0 {
		b.Configured = []string{"metrics"}
	}
	return err
}

func readTiering(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.ListBucketIntelligentTieringConfigurations(ctx, &s3.ListBucketIntelligentTieringConfigurationsInput{Bucket: name})
	if err == nil && len(out.IntelligentTieringConfigurationList) > 0 {
		b.Configured = []string{"intelligent tiering"}
	}
	return err
}

func readAcceleration(ctx context.Context, c *s3.Client, name *string, b *compile.Bucket) error {
	out, err := c.GetBucketAccelerateConfiguration(ctx, &s3.GetBucketAccelerateConfigurationInput{Bucket: name})
	if err == nil && out.Status == types.BucketAccelerateStatusEnabled {
		b.Configured = []string{"acceleration"}
	}
	return err
}
