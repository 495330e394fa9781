package policy

import "testing"

const (
	operatorsPage = iam + "reference_policies_elements_condition_operators.html"
	logicPage     = iam + "reference_policies_condition-logic-multiple-context-keys-or-values.html"
	multiPage     = iam + "reference_policies_condition_examples-multi-valued-context-keys.html"
	setsPage      = iam + "reference_policies_condition-single-vs-multi-valued-context-keys.html"
)

// conditional is a request that an identity policy allows under the condition alone.
func conditional(t *testing.T, condition string, context ...string) Request {
	t.Helper()
	return Request{
		Principal: user("123456789012", "Jane"), Action: "iam:CreateAccessKey", Resource: "arn:aws:iam::123456789012:user/Jane",
		Identity: docs(doc(t, `{"Effect": "Allow", "Action": "iam:*AccessKey*", "Resource": "arn:aws:iam::123456789012:user/*", "Condition": `+condition+`}`)),
		Context:  given(context...),
	}
}

// denying is a request that is allowed unless the condition holds.
func denying(t *testing.T, condition string, context ...string) Request {
	t.Helper()
	return Request{
		Principal: user("123456789012", "Jane"), Action: "iam:CreateAccessKey", Resource: "arn:aws:iam::123456789012:user/Jane",
		Identity: docs(doc(t, `{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": `+condition+`}`)),
		Context:  given(context...),
	}
}

func operatorCases(t *testing.T) []awsCase {
	t.Helper()
	job := `{"StringEquals": {"aws:PrincipalTag/job-category": "iamuser-admin"}}`
	keys := `{"NumericLessThanEquals": {"s3:max-keys": "10"}}`
	issued := `{"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:01Z"}}`
	ip := `{"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:DB8:1234:5678::/64"]}}`
	binary := `{"BinaryEquals": {"key": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}}`
	finance := `"arn:aws:someservice:*:111122223333:finance/*"`
	store := "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"
	topic := `{"ArnEquals": {"aws:SourceArn": "arn:aws:sns:*:123456789012:TOPIC-*"}}`
	return []awsCase{
		{"StringEquals holds for the very value", operatorsPage, conditional(t, job, "aws:PrincipalTag/job-category", "iamuser-admin"), allowed},
		{"StringEquals is case-sensitive", operatorsPage, conditional(t, job, "aws:PrincipalTag/job-category", "IAMuser-admin"), noIdentity},
		{"StringEquals fails on a missing key", operatorsPage, conditional(t, job), noIdentity},
		{"condition keys are case-insensitive", iam + "reference_policies_elements_condition.html", conditional(t, job, "AWS:principaltag/Job-Category", "iamuser-admin"), allowed},
		{"StringEquals reads a star as a star", operatorsPage, conditional(t, `{"StringEquals": {"aws:PrincipalTag/job": "iamuser-*"}}`, "aws:PrincipalTag/job", "iamuser-admin"), noIdentity},
		{"StringLike reads a star as a wildcard", operatorsPage, conditional(t, `{"StringLike": {"aws:PrincipalTag/job": "iamuser-*"}}`, "aws:PrincipalTag/job", "iamuser-admin"), allowed},
		{"StringLike is case-sensitive", operatorsPage, conditional(t, `{"StringLike": {"aws:PrincipalTag/job": "iamuser-*"}}`, "aws:PrincipalTag/job", "IAMUSER-admin"), noIdentity},
		{"StringEqualsIgnoreCase ignores case", operatorsPage, conditional(t, `{"StringEqualsIgnoreCase": {"aws:PrincipalTag/job": "Admin"}}`, "aws:PrincipalTag/job", "aDMIN"), allowed},
		{"StringNotEqualsIgnoreCase ignores case", operatorsPage, denying(t, `{"StringNotEqualsIgnoreCase": {"aws:PrincipalTag/job": "Admin"}}`, "aws:PrincipalTag/job", "aDMIN"), allowed},
		{"ten keys are at most ten", operatorsPage, conditional(t, keys, "s3:max-keys", "10"), allowed},
		{"nine keys are fewer than ten as numbers", operatorsPage, conditional(t, keys, "s3:max-keys", "9"), allowed},
		{"eleven keys are more than ten", operatorsPage, conditional(t, keys, "s3:max-keys", "11"), noIdentity},
		{"a number fails on a missing key", operatorsPage, conditional(t, keys), noIdentity},
		{"a later date is greater", operatorsPage, conditional(t, issued, "aws:TokenIssueTime", "2020-06-30T12:00:00+02:00"), allowed},
		{"an earlier date is not greater", operatorsPage, conditional(t, issued, "aws:TokenIssueTime", "2019-12-31T23:59:59Z"), noIdentity},
		{"a date may be in seconds since 1970", operatorsPage, conditional(t, issued, "aws:TokenIssueTime", "1577836802"), allowed},
		{"long-lived credentials have no issue time", operatorsPage, conditional(t, issued), noIdentity},
		{"an address lies within a network", operatorsPage, conditional(t, ip, "aws:SourceIp", "203.0.113.255"), allowed},
		{"an address lies outside of a network", operatorsPage, conditional(t, ip, "aws:SourceIp", "203.0.114.0"), noIdentity},
		{"an IPv6 address lies within a network", operatorsPage, conditional(t, ip, "aws:SourceIp", "2001:db8:1234:5678::9"), allowed},
		{"an address without prefix is that address alone", operatorsPage, conditional(t, `{"IpAddress": {"aws:SourceIp": "203.0.113.7"}}`, "aws:SourceIp", "203.0.113.8"), noIdentity},
		{"a request through a VPC endpoint has no source address", operatorsPage, conditional(t, ip), noIdentity},
		{"binary values compare byte for byte", operatorsPage, conditional(t, binary, "key", "QmluYXJ5VmFsdWVJbkJhc2U2NA=="), allowed},
		{"other binary values do not match", operatorsPage, conditional(t, binary, "key", "QmluYXJ5"), noIdentity},
		{"StringLike's star reaches over colons", operatorsPage, conditional(t, `{"StringLike": {"aws:SourceArn": `+finance+`}}`, "aws:SourceArn", store), allowed},
		{"ArnLike's star stays between colons", operatorsPage, conditional(t, `{"ArnLike": {"aws:SourceArn": `+finance+`}}`, "aws:SourceArn", store), noIdentity},
		{"ArnEquals takes wildcards as ArnLike does", operatorsPage, conditional(t, topic, "aws:SourceArn", "arn:aws:sns:us-east-2:123456789012:TOPIC-ID"), allowed},
		{"a user calling by itself has no source ARN", operatorsPage, conditional(t, topic), noIdentity},
		{"ArnNotLike takes wildcards", operatorsPage, denying(t, `{"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:user/J*"}}`), allowed},
		{"Bool compares with the word", operatorsPage, denying(t, `{"Bool": {"aws:SecureTransport": "false"}}`, "aws:SecureTransport", "false"), deniedByIdentity},
		{"Bool may stand bare in a policy", iam + "reference_policies_grammar.html", denying(t, `{"Bool": {"aws:SecureTransport": false}}`, "aws:SecureTransport", "false"), deniedByIdentity},
		{"a number may stand bare in a policy", iam + "reference_policies_grammar.html", conditional(t, `{"NumericLessThanEquals": {"s3:max-keys": 10}}`, "s3:max-keys", "10"), allowed},
	}
}

func existenceCases(t *testing.T) []awsCase {
	t.Helper()
	instance := `{"StringLikeIfExists": {"ec2:InstanceType": ["t1.*", "t2.*", "m3.*"]}}`
	temporary := `{"Null": {"aws:TokenIssueTime": "true"}}`
	both := `{"StringEqualsIgnoreCase": {"aws:PrincipalTag/department": ["finance", "hr", "legal"], "aws:PrincipalTag/role": ["audit", "security"]},
		"StringEquals": {"aws:PrincipalAccount": "123456789012"}}`
	return []awsCase{
		{"StringNotEquals holds for a missing key", operatorsPage, denying(t, `{"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}`), deniedByIdentity},
		{"StringNotLike holds for a missing key", operatorsPage, denying(t, `{"StringNotLike": {"aws:PrincipalTag/x": "a*"}}`), deniedByIdentity},
		{"ArnNotLike holds for a missing key", operatorsPage, denying(t, `{"ArnNotLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}`), deniedByIdentity},
		{"NotIpAddress holds for a missing key", operatorsPage, denying(t, `{"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}`), deniedByIdentity},
		{"IfExists holds for a missing key", operatorsPage, conditional(t, instance), allowed},
		{"IfExists holds for a matching value", operatorsPage, conditional(t, instance, "ec2:InstanceType", "t2.micro"), allowed},
		{"IfExists fails for another value", operatorsPage, conditional(t, instance, "ec2:InstanceType", "m5.large"), noIdentity},
		{"StringNotEqualsIfExists with Deny denies where the key is missing", operatorsPage, denying(t, `{"StringNotEqualsIfExists": {"aws:RequestTag/team": "x"}}`), deniedByIdentity},
		{"Null true holds for a missing key", operatorsPage, conditional(t, temporary), allowed},
		{"Null true fails for a present key", operatorsPage, conditional(t, temporary, "aws:TokenIssueTime", "2020-01-01T00:00:01Z"), noIdentity},
		{"Null false holds for a present key", operatorsPage, conditional(t, `{"Null": {"aws:TokenIssueTime": "false"}}`, "aws:TokenIssueTime", "2020-01-01T00:00:01Z"), allowed},
		{"all keys must match, one value of each is enough", logicPage, conditional(t, both, "aws:PrincipalTag/department", "HR", "aws:PrincipalTag/role", "audit"), allowed},
		{"one key that does not match is enough to fail", logicPage, conditional(t, both, "aws:PrincipalTag/department", "HR", "aws:PrincipalTag/role", "dev"), noIdentity},
		{"several values of a negated operator are all excluded", logicPage, denying(t, `{"StringNotEquals": {"aws:PrincipalAccount": ["111111111111", "123456789012"]}}`), allowed},
		{"a negated operator holds where none of the values matches", logicPage, denying(t, `{"StringNotEquals": {"aws:PrincipalAccount": ["111111111111", "222222222222"]}}`), deniedByIdentity},
	}
}

func setCases(t *testing.T) []awsCase {
	t.Helper()
	item := func(effect, action, condition string, asked string, attributes ...string) Request {
		r := Request{
			Principal: user("123456789012", "Jane"), Action: asked, Resource: "arn:aws:dynamodb:us-west-2:123456789012:table/Thread",
			Identity: docs(doc(t, `{"Effect": "`+effect+`", "Action": "`+action+`", "Resource": "arn:aws:dynamodb:*:*:table/Thread", "Condition": `+condition+`}`)),
		}
		if effect == "Deny" {
			r.Identity = append(r.Identity, doc(t, `{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}`))
		}
		if len(attributes) > 0 {
			r.Context = map[string][]string{"dynamodb:Attributes": attributes}
		}
		return r
	}
	all := `{"ForAllValues:StringEquals": {"dynamodb:Attributes": ["ID", "Message", "Tags"]}}`
	anyOf := `{"ForAnyValue:StringEquals": {"dynamodb:Attributes": ["ID", "PostDateTime"]}}`
	tags := `{"ForAllValues:StringNotEquals": {"aws:TagKeys": ["secret", "internal"]}}`
	other := `{"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["team", "cost"]}}`
	return []awsCase{
		{"ForAllValues holds where every value is listed", multiPage, item("Allow", "dynamodb:GetItem", all, "dynamodb:GetItem", "ID", "Message"), allowed},
		{"ForAllValues fails on one value that is not listed", multiPage, item("Allow", "dynamodb:GetItem", all, "dynamodb:GetItem", "ID", "Message", "UserName"), noIdentity},
		{"ForAllValues holds for a missing key", setsPage, item("Allow", "dynamodb:GetItem", all, "dynamodb:GetItem"), allowed},
		{"ForAllValues holds for an empty value", setsPage, item("Allow", "dynamodb:GetItem", all, "dynamodb:GetItem", ""), allowed},
		{"ForAnyValue holds for one value that is listed", multiPage, item("Deny", "dynamodb:PutItem", anyOf, "dynamodb:PutItem", "UserName", "Message", "PostDateTime"), deniedByIdentity},
		{"ForAnyValue fails where no value is listed", multiPage, item("Deny", "dynamodb:PutItem", anyOf, "dynamodb:PutItem", "UserName"), allowed},
		{"ForAnyValue fails for a missing key", setsPage, item("Deny", "dynamodb:PutItem", anyOf, "dynamodb:PutItem"), allowed},
		{"ForAllValues with a negated operator excludes every listed value", logicPage, conditional(t, tags, "aws:TagKeys", "team", "aws:TagKeys", "secret"), noIdentity},
		{"ForAllValues with a negated operator holds where none is listed", logicPage, conditional(t, tags, "aws:TagKeys", "team", "aws:TagKeys", "cost"), allowed},
		{"ForAnyValue with a negated operator holds for one value that is not listed", logicPage, conditional(t, other, "aws:TagKeys", "team", "aws:TagKeys", "x"), allowed},
		{"ForAnyValue with a negated operator fails where all are listed", logicPage, conditional(t, other, "aws:TagKeys", "team"), noIdentity},
		{"ForAnyValue with a negated operator fails for a missing key", setsPage, conditional(t, other), noIdentity},
	}
}
