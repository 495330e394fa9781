package awsapi

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"xplan/internal/compile"
)

// KMSKey reads a key by ID, ARN or alias, with its policy and grants. What may not be read, or does not
// exist, is unseen. The region is the ARN's where the ID is one.
func (s *session) KMSKey(ctx context.Context, id, region string) (compile.KMSKey, []compile.Unseen, error) {
	c := s.kmsClient(regionOfARN(id, region))
	out, err := c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &id})
	if err != nil {
		why, err := unseenKey(err, "read key %s", "kms:DescribeKey", id)
		return compile.KMSKey{}, unseen("KMS key "+id, why), err
	}
	m := out.KeyMetadata
	if m == nil {
		return compile.KMSKey{}, nil, emptyAnswer("read key %s", id)
	}
	k := compile.KMSKey{
		ARN: aws.ToString(m.Arn), State: string(m.KeyState),
		AWSManaged: m.KeyManager == types.KeyManagerTypeAws || strings.HasPrefix(id, "alias/aws/"),
	}
	var hidden []compile.Unseen
	policy, err := c.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: m.Arn})
	if err != nil {
		why, err := unseenKey(err, "read the policy of key %s", "kms:GetKeyPolicy", k.ARN)
		if err != nil {
			return k, nil, err
		}
		hidden = append(hidden, unseen("policy of KMS key "+k.ARN, why)...)
	} else {
		k.Policy = aws.ToString(policy.Policy)
	}
	if k.AWSManaged {
		return k, hidden, nil
	}
	grants, err := listGrants(ctx, c, k.ARN)
	if err != nil {
		why, err := unseenKey(err, "list the grants of key %s", "kms:ListGrants", k.ARN)
		if err != nil {
			return k, nil, err
		}
		for _, u := range unseen("KMS grants of "+k.ARN, why) {
			u.About = compile.UnseenGrants(k.ARN)
			hidden = append(hidden, u)
		}
	}
	k.Grants = grants
	return k, hidden, nil
}

func unseen(what, why string) []compile.Unseen {
	if why == "" {
		return nil
	}
	return []compile.Unseen{{What: what, Why: why}}
}

// unseenKey says why a key's fact cannot be seen, or returns the error where that is not the reason.
func unseenKey(err error, format, action, id string) (why string, _ error) {
	switch errorCode(err) {
	case "AccessDeniedException", "AccessDenied":
		return action + " denied", nil
	case "NotFoundException":
		return "no such key", nil
	case "UnsupportedOperationException", "NotImplemented":
		return "not supported by the server", nil
	}
	return "", failed(err, format, id)
}

// regionOfARN gives the region inside an ARN, or the other one.
func regionOfARN(arn, otherwise string) string {
	if parts := strings.SplitN(arn, ":", 5); len(parts) == 5 && parts[0] == "arn" && parts[3] != "" {
		return parts[3]
	}
	return otherwise
}

// CreateGrant lets the principal use the key. Asked again with the same name it answers with the same grant.
func (s *session) CreateGrant(ctx context.Context, g compile.GrantSpec) (string, error) {
	var operations []types.GrantOperation
	for _, o := range g.Operations {
		operations = append(operations, types.GrantOperation(o))
	}
	out, err := s.kmsClient(regionOfARN(g.KeyARN, g.Region)).CreateGrant(ctx, &kms.CreateGrantInput{
		KeyId: &g.KeyARN, GranteePrincipal: &g.Principal, Operations: operations, Name: optional(g.Name),
	})
	if err != nil {
		e := failed(err, "grant %s the use of key %s", g.Principal, g.KeyARN)
		if errorCode(err) == "InvalidArnException" {
			e = because(e, compile.ErrInvalidPrincipal)
		}
		return "", e
	}
	return aws.ToString(out.GrantId), nil
}

// Grants lists a key's grants; a missing key has none.
func (s *session) Grants(ctx context.Context, keyARN, region string) ([]compile.Grant, error) {
	grants, err := listGrants(ctx, s.kmsClient(regionOfARN(keyARN, region)), keyARN)
	if err != nil && errorCode(err) != "NotFoundException" {
		return nil, failed(err, "list the grants of key %s", keyARN)
	}
	return grants, nil
}

func listGrants(ctx context.Context, c *kms.Client, key string) ([]compile.Grant, error) {
	var list []compile.Grant
	pages := kms.NewListGrantsPaginator(c, &kms.ListGrantsInput{KeyId: &key})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, g := range out.Grants {
			one := compile.Grant{ID: aws.ToString(g.GrantId), Name: aws.ToString(g.Name), Grantee: aws.ToString(g.GranteePrincipal)}
			for _, o := range g.Operations {
				one.Operations = append(one.Operations, string(o))
			}
			list = append(list, one)
		}
	}
	return list, nil
}

// RevokeGrant takes a grant back; a missing one is no error.
func (s *session) RevokeGrant(ctx context.Context, keyARN, region, grantID string) error {
	_, err := s.kmsClient(regionOfARN(keyARN, region)).RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: &keyARN, GrantId: &grantID})
	if err != nil && errorCode(err) != "NotFoundException" {
		return failed(err, "revoke grant %s of key %s", grantID, keyARN)
	}
	return nil
}
