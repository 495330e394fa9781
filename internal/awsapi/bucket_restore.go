package awsapi

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"xplan/internal/s3copy"
)

// Restore asks for an archived object's temporary copy. Asked for already is no error. The archive tiers
// of Intelligent-Tiering take no number of days: there the object comes back for good.
func (b *bucket) Restore(ctx context.Context, r s3copy.RestoreRequest) error {
	c, err := b.patient(ctx)
	if err != nil {
		return err
	}
	in := &s3.RestoreObjectInput{
		Bucket: &b.at.Bucket, Key: &r.Key, VersionId: optional(r.VersionID), RequestPayer: b.payer(),
		RestoreRequest: &types.RestoreRequest{Days: aws.Int32(int32(r.Days))},
	}
	if r.Tier != "" {
		in.RestoreRequest.GlacierJobParameters = &types.GlacierJobParameters{Tier: types.Tier(r.Tier)}
	}
	_, err = c.RestoreObject(ctx, in)
	if refusesDays(err) {
		in.RestoreRequest.Days = nil
		_, err = c.RestoreObject(ctx, in)
	}
	if err == nil || errorCode(err) == "RestoreAlreadyInProgress" {
		return nil
	}
	e := explain(err, fmt.Sprintf("restore object %q of %s", r.Key, b.at.Bucket))
	if e.Code == "InvalidObjectState" { // it says here that there is nothing to restore
		e.means = nil
	}
	return e
}

func refusesDays(err error) bool {
	switch errorCode(err) {
	case "InvalidArgument", "InvalidRequest", "MalformedXML":
		return strings.Contains(strings.ToLower(explain(err, "").Message), "days")
	}
	return false
}
