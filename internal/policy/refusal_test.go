package policy

import "testing"

// The texts are AWS's: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func TestRefusalsAreReadAsAWSWordsThem(t *testing.T) {
	const arn = "arn:aws:iam::123456789012:user/JohnDoe"
	for text, want := range map[string]Refusal{
		"User: " + arn + " is not authorized to perform: codecommit:ListDeployments because no service control policy allows the codecommit:ListDeployments action": {arn, "codecommit:ListDeployments", "", LegSCP, ImplicitDeny},
		"User: " + arn + " is not authorized to perform: codecommit:ListDeployments with an explicit deny in a service control policy":                              {arn, "codecommit:ListDeployments", "", LegSCP, ExplicitDeny},
		"User: " + arn + " is not authorized to perform: secretsmanager:GetSecretValue because no resource-based policy allows the secretsmanager:GetSecretValue":   {arn, "secretsmanager:GetSecretValue", "", LegResource, ImplicitDeny},
		"create policy x: AccessDenied: User: " + arn + " is not authorized to perform: iam:CreatePolicy on resource: policy x because no identity-based policy allows the iam:CreatePolicy action (request 1)": {
			arn, "iam:CreatePolicy", "", LegIdentity, ImplicitDeny,
		},
		"User: " + arn + ` is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::b/k" with an explicit deny in a resource-based policy`:     {arn, "s3:PutObject", "arn:aws:s3:::b/k", LegResource, ExplicitDeny},
		"User: " + arn + " is not authorized to perform: codedeploy:ListDeployments with an explicit deny in a permissions boundary":                        {arn, "codedeploy:ListDeployments", "", LegBoundary, ExplicitDeny},
		"User: " + arn + " is not authorized to perform: codecommit:ListRepositories because no VPC endpoint policy allows the codecommit:ListRepositories": {arn, "codecommit:ListRepositories", "", LegEndpoint, ImplicitDeny},
		"User: " + arn + " is not authorized to perform: s3:GetObject with an explicit deny in a resource control policy":                                   {arn, "s3:GetObject", "", LegRCP, ExplicitDeny},
		"User: " + arn + " is not authorized to perform: iam:PutRolePolicy because no session policy allows the iam:PutRolePolicy action":                   {arn, "iam:PutRolePolicy", "", LegSession, ImplicitDeny},
		"User: " + arn + " is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::210987654321:role/x":                                      {arn, "sts:AssumeRole", "arn:aws:iam::210987654321:role/x", "", ""},
		"User: " + arn + " is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access": {
			arn, "kms:Decrypt", "", "", "",
		},
	} {
		if got, ok := ParseRefusal(text); !ok || got != want {
			t.Errorf("%s\n got %+v %t\nwant %+v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "Access Denied", "AccessDenied: Access Denied (request 1)"} {
		if got, ok := ParseRefusal(text); ok {
			t.Errorf("%q says %+v", text, got)
		}
	}
}
