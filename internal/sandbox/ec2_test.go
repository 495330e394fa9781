package sandbox

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func TestInstancesAreTerminatedUnlessProtected(t *testing.T) {
	s := startServer(t, Config{})
	const plain, guarded = "i-0abc1234", "i-0abc1234567890def"
	s.AddInstance(accountB, defaultRegion, plain, false)
	s.AddInstance(accountB, defaultRegion, guarded, true)
	boss, ctx := admin(t, s, accountB).ec2, t.Context()
	terminate := func(dry bool, ids ...string) error {
		_, err := boss.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids, DryRun: aws.Bool(dry)})
		return err
	}
	wantCode(t, terminate(true, plain), "DryRunOperation")
	wantCode(t, terminate(false, plain, guarded), "OperationNotPermitted")
	if got := s.InstanceState(accountB, plain); got != "running" {
		t.Errorf("one of two was terminated: %s", got)
	}
	wantCode(t, terminate(false, "i-00000000"), "InvalidInstanceID.NotFound")
	wantCode(t, terminate(false, "nonsense"), "InvalidInstanceID.Malformed")
	for id, want := range map[string]bool{plain: false, guarded: true} {
		a := must[*ec2.DescribeInstanceAttributeOutput](t)(boss.DescribeInstanceAttribute(ctx, &ec2.DescribeInstanceAttributeInput{
			InstanceId: aws.String(id), Attribute: types.InstanceAttributeNameDisableApiTermination,
		}))
		if a.DisableApiTermination == nil || *a.DisableApiTermination.Value != want {
			t.Errorf("protection of %s is %v", id, a.DisableApiTermination)
		}
	}
	out := must[*ec2.TerminateInstancesOutput](t)(boss.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{plain}}))
	change := out.TerminatingInstances[0]
	if change.PreviousState.Name != types.InstanceStateNameRunning || change.CurrentState.Name != types.InstanceStateNameShuttingDown {
		t.Errorf("went from %s to %s", change.PreviousState.Name, change.CurrentState.Name)
	}
	for _, want := range []types.InstanceStateName{types.InstanceStateNameShuttingDown, types.InstanceStateNameTerminated} {
		d := must[*ec2.DescribeInstancesOutput](t)(boss.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{plain}}))
		if got := d.Reservations[0].Instances[0].State.Name; got != want {
			t.Errorf("described as %s, want %s", got, want)
		}
	}
}

func TestInstancesBelongToOneAccountAndRegion(t *testing.T) {
	s := startServer(t, Config{})
	const id = "i-0abc1234"
	s.AddInstance(accountB, defaultRegion, id, false)
	in := &ec2.TerminateInstancesInput{InstanceIds: []string{id}}
	_, err := admin(t, s, accountA).ec2.TerminateInstances(t.Context(), in)
	wantCode(t, err, "InvalidInstanceID.NotFound")
	_, err = admin(t, s, accountB).ec2.TerminateInstances(t.Context(), in, func(o *ec2.Options) { o.Region = "eu-central-1" })
	wantCode(t, err, "InvalidInstanceID.NotFound")
	_, fred := addUser(t, s, accountB, "fred", "")
	_, err = fred.ec2.TerminateInstances(t.Context(), in)
	wantCode(t, err, "UnauthorizedOperation")
}
