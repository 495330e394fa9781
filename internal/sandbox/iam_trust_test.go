package sandbox

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

func TestARoleThatTrustsAUserOfItsOwnAccountIsShown(t *testing.T) {
	s := startServer(t, Config{})
	boss, ctx := admin(t, s, accountB).iam, t.Context()
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + accountB + `:user/admin"},"Action":"sts:AssumeRole"}]}`
	made := must[*iam.CreateRoleOutput](t)(boss.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("copier"), AssumeRolePolicyDocument: &trust}))
	got := must[*iam.GetRoleOutput](t)(boss.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("copier")}))
	all := must[*iam.ListRolesOutput](t)(boss.ListRoles(ctx, &iam.ListRolesInput{}))
	if *got.Role.AssumeRolePolicyDocument != *made.Role.AssumeRolePolicyDocument || len(all.Roles) != 1 {
		t.Errorf("made with %s, shown with %s, %d roles", *made.Role.AssumeRolePolicyDocument, *got.Role.AssumeRolePolicyDocument, len(all.Roles))
	}
}
