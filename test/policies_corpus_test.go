package test

// policyCorpus are policies as people write them for the bucket BUCKET, each with something that AWS, an editor or
// the next tool writes in another way. USER is a live user of the bucket's account, COPIER of the other. None of
// them keeps the run out: what denies is about BUCKET/private/.
var policyCorpus = map[string]string{
	"an account by its number":         `{"Effect":"Allow","Principal":{"AWS":"333333333333"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/*"}`,
	"an account by its root":           `{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::333333333333:root"]},"Action":["s3:GetObject"],"Resource":["arn:aws:s3:::BUCKET/*"]}`,
	"a user, whom AWS keeps by an ID":  `{"Sid":"User","Effect":"Allow","Principal":{"AWS":"USER"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/*"}`,
	"several principals":               `{"Sid":"Several","Effect":"Allow","Principal":{"AWS":["USER","333333333333","COPIER"]},"Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/x/*"}`,
	"a principal twice":                `{"Sid":"Twice","Effect":"Allow","Principal":{"AWS":["333333333333","arn:aws:iam::333333333333:root"]},"Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/*"}`,
	"actions out of order, one twice":  `{"Sid":"Actions","Effect":"Allow","Principal":{"AWS":"USER"},"Action":["s3:PutObject","s3:GetObject","s3:DeleteObject","s3:GetObject"],"Resource":"arn:aws:s3:::BUCKET/x/*"}`,
	"actions in odd letters":           `{"Sid":"Letters","Effect":"Allow","Principal":{"AWS":"USER"},"Action":["S3:getobject","s3:LISTBUCKET"],"Resource":["arn:aws:s3:::BUCKET/*","arn:aws:s3:::BUCKET"]}`,
	"an action with a star":            `{"Sid":"Star","Effect":"Allow","Principal":{"AWS":"USER"},"Action":"s3:Get*","Resource":"arn:aws:s3:::BUCKET/x/*"}`,
	"all actions but some":             `{"Sid":"Others","Effect":"Deny","Principal":"*","NotAction":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::BUCKET/private/*"}`,
	"all resources but some":           `{"Sid":"Elsewhere","Effect":"Allow","Principal":{"AWS":"USER"},"Action":"s3:GetObject","NotResource":["arn:aws:s3:::BUCKET/private/*","arn:aws:s3:::BUCKET/secret/*"]}`,
	"all principals but some":          `{"Sid":"Strangers","Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::123456789012:root","USER"]},"Action":"s3:*","Resource":"arn:aws:s3:::BUCKET/private/*"}`,
	"everyone, from one network":       `{"Sid":"Network","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/x/*","Condition":{"StringEquals":{"aws:SourceVpce":["vpce-2","vpce-1"]}}}`,
	"everyone of AWS, from one":        `{"Sid":"Inside","Effect":"Allow","Principal":{"AWS":"*"},"Action":["s3:GetObject"],"Resource":"arn:aws:s3:::BUCKET/x/*","Condition":{"StringEquals":{"aws:PrincipalOrgID":["o-abcdefghij"]}}}`,
	"a denial of everyone of AWS":      `{"Sid":"Nobody","Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::BUCKET/private/*"}`,
	"a bare boolean":                   `{"Sid":"Secure","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::BUCKET/private/*","Condition":{"Bool":{"aws:SecureTransport":false}}}`,
	"a bare number":                    `{"Sid":"Pages","Effect":"Allow","Principal":{"AWS":"USER"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::BUCKET","Condition":{"NumericLessThanEquals":{"s3:max-keys":10}}}`,
	"nothing there":                    `{"Sid":"Null","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::BUCKET/private/*","Condition":{"Null":{"s3:x-amz-server-side-encryption":true}}}`,
	"networks in a list":               `{"Sid":"Networks","Effect":"Allow","Principal":{"AWS":"USER"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/x/*","Condition":{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","192.0.2.0/24","2001:db8::/32"]}}}`,
	"other networks":                   `{"Sid":"OtherNetworks","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::BUCKET/private/*","Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}`,
	"a condition's key in odd letters": `{"Sid":"Key","Effect":"Allow","Principal":{"AWS":"USER"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/x/*","Condition":{"StringLike":{"AWS:referer":"https://example.com/*"}}}`,
	"several conditions":               `{"Sid":"Conditions","Effect":"Allow","Principal":{"AWS":"USER"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::BUCKET","Condition":{"StringLike":{"s3:prefix":["b/*","a/*"]},"StringEquals":{"s3:delimiter":"/","aws:RequestedRegion":["us-west-2"]},"Bool":{"aws:SecureTransport":"true"}}}`,
	"if it is there":                   `{"Sid":"IfExists","Effect":"Allow","Principal":{"AWS":"USER"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::BUCKET/x/*","Condition":{"StringEqualsIfExists":{"s3:x-amz-storage-class":["STANDARD","STANDARD_IA"]}}}`,
	"any and all of several":           `{"Sid":"Sets","Effect":"Allow","Principal":{"AWS":"USER"},"Action":"s3:PutObjectTagging","Resource":"arn:aws:s3:::BUCKET/x/*","Condition":{"ForAllValues:StringLike":{"s3:RequestObjectTagKeys":["b*","a*"]},"ForAnyValue:StringEquals":{"aws:TagKeys":["team"]}}}`,
	"a date":                           `{"Sid":"Until","Effect":"Allow","Principal":{"AWS":"USER"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/x/*","Condition":{"DateLessThan":{"aws:CurrentTime":"2031-01-01T00:00:00Z"}}}`,
	"a tag of the object":              `{"Sid":"Tagged","Effect":"Allow","Principal":{"AWS":"USER"},"Action":["s3:GetObject"],"Resource":["arn:aws:s3:::BUCKET/*"],"Condition":{"StringEquals":{"s3:ExistingObjectTag/team":["red","blue"]}}}`,
	"an ARN of the principal":          `{"Sid":"Roles","Effect":"Allow","Principal":{"AWS":"333333333333"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/x/*","Condition":{"ArnLike":{"aws:PrincipalArn":["arn:aws:iam::333333333333:role/b*","arn:aws:iam::333333333333:role/a"]}}}`,
	"a service":                        `{"Sid":"Logs","Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":["s3:PutObject"],"Resource":["arn:aws:s3:::BUCKET/logs/*"],"Condition":{"ArnLike":{"aws:SourceArn":["arn:aws:s3:::other"]},"StringEquals":{"aws:SourceAccount":["123456789012"]}}}`,
	"several services":                 `{"Sid":"Services","Effect":"Allow","Principal":{"Service":["delivery.logs.amazonaws.com","cloudtrail.amazonaws.com"]},"Action":"s3:PutObject","Resource":"arn:aws:s3:::BUCKET/logs/*","Condition":{"StringEquals":{"aws:SourceAccount":"123456789012","s3:x-amz-acl":"bucket-owner-full-control"}}}`,
	"a variable":                       `{"Sid":"Home","Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/home/${aws:username}/*"}`,
	"no Sid, and an empty one":         `{"Sid":"","Effect":"Allow","Principal":{"AWS":"USER"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/a/*"},{"Effect":"Allow","Principal":{"AWS":"USER"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/b/*"}`,
	"a statement twice":                `{"Effect":"Allow","Principal":{"AWS":"USER"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/a/*"},{"Effect":"Allow","Principal":{"AWS":["USER"]},"Action":["s3:GetObject"],"Resource":"arn:aws:s3:::BUCKET/a/*"}`,
	"resources out of order":           `{"Sid":"Resources","Effect":"Allow","Principal":{"AWS":"USER"},"Action":"s3:GetObject","Resource":["arn:aws:s3:::BUCKET/z/*","arn:aws:s3:::BUCKET/a?/*","arn:aws:s3:::BUCKET/a/*"]}`,
}

// planVariants are plans whose own policies differ in form: what is changed in the recipe's plan. With IAM on, moto
// takes no signature of a query with a slash, so the prefix has none.
var planVariants = []struct{ name, old, with string }{
	{"Whole", "copy:\n", "cleanup: {policy: keep, bucket_policy: keep}\ncopy:\n"},
	{"BelowAPrefix", "    create: true\n", "    create: true\n    prefix: parts\n    to_prefix: old-parts\ncleanup: {policy: keep, bucket_policy: keep}\n"},
	{"ByARole", ":user/USER\n  credentials: access-key", ":role/USER-role\n  credentials: assume-role\n  create: true\ncleanup: {policy: keep, bucket_policy: keep}"},
}
