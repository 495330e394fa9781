package awsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"xplan/internal/compile"
)

// Instance reads an instance's state and whether it is protected against termination. A missing one,
// or one of another account or region, does not exist.
func (s *session) Instance(ctx context.Context, id, region string) (compile.InstanceFacts, error) {
	c := s.ec2Client(region)
	out, err := c.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if errorCode(err) == "InvalidInstanceID.NotFound" {
		return compile.InstanceFacts{}, nil
	}
	if err != nil {
		return compile.InstanceFacts{}, failed(err, "read instance %s", id)
	}
	var facts compile.InstanceFacts
	for _, r := range out.Reservations {
		for _, i := range r.Instances {
			if aws.ToString(i.InstanceId) == id {
				facts.Exists = true
				if i.State != nil {
					facts.State = string(i.State.Name)
				}
			}
		}
	}
	if !facts.Exists || facts.State == string(types.InstanceStateNameTerminated) {
		return facts, nil
	}
	attribute, err := c.DescribeInstanceAttribute(ctx, &ec2.DescribeInstanceAttributeInput{
		InstanceId: &id, Attribute: types.InstanceAttributeNameDisableApiTermination,
	})
	if err != nil {
		return compile.InstanceFacts{}, failed(err, "read the termination protection of instance %s", id)
	}
	facts.Protected = attribute.DisableApiTermination != nil && aws.ToBool(attribute.DisableApiTermination.Value)
	return facts, nil
}

// TerminateInstance terminates exactly this instance; a protected one refuses, a missing one is no error.
func (s *session) TerminateInstance(ctx context.Context, id, region string) error {
	_, err := s.ec2Client(region).TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
	if err != nil && errorCode(err) != "InvalidInstanceID.NotFound" {
		return failed(err, "terminate instance %s", id)
	}
	return nil
}
