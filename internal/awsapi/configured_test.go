package awsapi

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"xplan/internal/compile"
)

// configurations set one kind each, by the SDK itself.
func configurations() map[string]func(context.Context, *s3.Client, *string) error {
	return map[string]func(context.Context, *s3.Client, *string) error{
		"lifecycle": func(ctx context.Context, c *s3.Client, bucket *string) error {
			_, err := c.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{
				Bucket: bucket, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{{
					ID: aws.String("gone"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("logs/")},
					Expiration: &types.LifecycleExpiration{Date: aws.Time(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))},
				}}},
			})
			return err
		},
		"cors": func(ctx context.Context, c *s3.Client, bucket *string) error {
			_, err := c.PutBucketCors(ctx, &s3.PutBucketCorsInput{Bucket: bucket, CORSConfiguration: &types.CORSConfiguration{
				CORSRules: []types.CORSRule{{AllowedMethods: []string{"GET"}, AllowedOrigins: []string{"*"}}},
			}})
			return err
		},
		"replication": func(ctx context.Context, c *s3.Client, bucket *string) error {
			_, err := c.PutBucketReplication(ctx, &s3.PutBucketReplicationInput{Bucket: bucket, ReplicationConfiguration: &types.ReplicationConfiguration{
				Role: aws.String("arn:aws:iam::" + accountA + ":role/replicates"),
				Rules: []types.ReplicationRule{{
					Status: types.ReplicationRuleStatusEnabled, Filter: &types.ReplicationRuleFilter{Prefix: aws.String("")}, Priority: aws.Int32(1),
					DeleteMarkerReplication: &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatusDisabled},
					Destination:             &types.Destination{Bucket: aws.String("arn:aws:s3:::elsewhere")},
				}},
			}})
			return err
		},
		"notification": func(ctx context.Context, c *s3.Client, bucket *string) error {
			_, err := c.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{
				Bucket: bucket, NotificationConfiguration: &types.NotificationConfiguration{QueueConfigurations: queues()},
			})
			return err
		},
		"website": func(ctx context.Context, c *s3.Client, bucket *string) error {
			_, err := c.PutBucketWebsite(ctx, &s3.PutBucketWebsiteInput{Bucket: bucket, WebsiteConfiguration: &types.WebsiteConfiguration{
				IndexDocument: &types.IndexDocument{Suffix: aws.String("index.html")},
			}})
			return err
		},
		"logging": func(ctx context.Context, c *s3.Client, bucket *string) error {
			_, err := c.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: bucket, BucketLoggingStatus: &types.BucketLoggingStatus{
				LoggingEnabled: &types.LoggingEnabled{TargetBucket: aws.String("tommy"), TargetPrefix: aws.String("log/")},
			}})
			return err
		},
	}
}

// moreConfigurations are of the kinds of which a bucket may have many, and switches.
func moreConfigurations() map[string]func(context.Context, *s3.Client, *string) error {
	id := aws.String("all")
	return map[string]func(context.Context, *s3.Client, *string) error{
		"inventory": func(ctx context.Context, c *s3.Client, bucket *string) error {
			_, err := c.PutBucketInventoryConfiguration(ctx, &s3.PutBucketInventoryConfigurationInput{Bucket: bucket, Id: id, InventoryConfiguration: &types.InventoryConfiguration{
				Id: id, IsEnabled: aws.Bool(true), IncludedObjectVersions: types.InventoryIncludedObjectVersionsCurrent, Schedule: &types.InventorySchedule{Frequency: types.InventoryFrequencyDaily},
				Destination: &types.InventoryDestination{S3BucketDestination: &types.InventoryS3BucketDestination{Bucket: aws.String("arn:aws:s3:::lists"), Format: types.InventoryFormatCsv}},
			}})
			return err
		},
		"analytics": func(ctx context.Context, c *s3.Client, bucket *string) error {
			_, err := c.PutBucketAnalyticsConfiguration(ctx, &s3.PutBucketAnalyticsConfigurationInput{
				Bucket: bucket, Id: id, AnalyticsConfiguration: &types.AnalyticsConfiguration{Id: id, StorageClassAnalysis: &types.StorageClassAnalysis{}},
			})
			return err
		},
		"metrics": func(ctx context.Context, c *s3.Client, bucket *string) error {
			_, err := c.PutBucketMetricsConfiguration(ctx, &s3.PutBucketMetricsConfigurationInput{Bucket: bucket, Id: id, MetricsConfiguration: &types.MetricsConfiguration{Id: id}})
			return err
		},
		"intelligent tiering": func(ctx context.Context, c *s3.Client, bucket *string) error {
			_, err := c.PutBucketIntelligentTieringConfiguration(ctx, &s3.PutBucketIntelligentTieringConfigurationInput{
				Bucket: bucket, Id: id, IntelligentTieringConfiguration: &types.IntelligentTieringConfiguration{
					Id: id, Status: types.IntelligentTieringStatusEnabled,
					Tierings: []types.Tiering{{AccessTier: types.IntelligentTieringAccessTierArchiveAccess, Days: aws.Int32(90)}},
				},
			})
			return err
		},
		"acceleration": func(ctx context.Context, c *s3.Client, bucket *string) error {
			_, err := c.PutBucketAccelerateConfiguration(ctx, &s3.PutBucketAccelerateConfigurationInput{
				Bucket: bucket, AccelerateConfiguration: &types.AccelerateConfiguration{Status: types.BucketAccelerateStatusEnabled},
			})
			return err
		},
		compile.EventBridge: func(ctx context.Context, c *s3.Client, bucket *string) error { // and the notification that is set already
			_, err := c.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{
				Bucket: bucket, NotificationConfiguration: &types.NotificationConfiguration{EventBridgeConfiguration: &types.EventBridgeConfiguration{}, QueueConfigurations: queues()},
			})
			return err
		},
	}
}

func queues() []types.QueueConfiguration {
	return []types.QueueConfiguration{{QueueArn: aws.String("arn:aws:sqs:us-west-2:" + accountA + ":q"), Events: []types.Event{types.EventS3ObjectCreated}}}
}

func TestEachKindOfConfigurationIsSeen(t *testing.T) {
	w := newWorld(t)
	client, err := w.a.ownClient(t.Context(), "tommy", "us-west-2")
	if err != nil {
		t.Fatal(err)
	}
	var set []string
	first, then := configurations(), moreConfigurations()
	for _, kind := range append(slices.Sorted(maps.Keys(first)), slices.Sorted(maps.Keys(then))...) {
		put := first[kind]
		if put == nil {
			put = then[kind]
		}
		if err := put(t.Context(), client, aws.String("tommy")); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		set = append(set, kind)
		got, _, err := w.a.Bucket(t.Context(), "tommy")
		slices.Sort(set)
		if err != nil || !slices.Equal(got.Configured, set) {
			t.Errorf("with %v set, seen is %v, %v", set, got.Configured, err)
		}
		if kind == "lifecycle" && (len(got.Expiring) != 1 || got.Expiring[0].Date != "2026-01-01" || got.Expiring[0].Prefix != "logs/") {
			t.Errorf("its rules are seen as %+v", got.Expiring)
		}
	}
}
