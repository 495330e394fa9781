package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xplan/plan"
)

// with is the sound plan with pieces replaced, old and new by turns.
func with(pieces ...string) string {
	text := sound
	for i := 0; i < len(pieces); i += 2 {
		if !strings.Contains(text, pieces[i]) {
			panic("the sound plan has no " + pieces[i])
		}
		text = strings.Replace(text, pieces[i], pieces[i+1], 1)
	}
	return text
}

const minio = `version: 1
name: minio
accounts:
  source: {provider: s3-compatible, endpoint_url: "http://127.0.0.1:9000", profile: a}
  destination: {provider: s3-compatible, endpoint_url: "http://127.0.0.1:9100", profile: b}
permissions: {manage: false}
buckets:
  - {source: photos, destination: photos}
`

const (
	arn       = "arn:aws:iam::210987654321:user/misterrodgers"
	accessKey = "access-key"
	id        = `id: "123456789012", `
	pair      = "  - source: tommy\n    destination: tommy-b\n"
)

func role(text string) string {
	return strings.NewReplacer(":user/misterrodgers", ":role/copier", accessKey, "assume-role").Replace(text)
}

func TestContradictionsAreRefused(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"no account ID", with(id, ""), []string{
			`4:3: accounts.source: missing field "id" | such as id: "123456789012"`,
		}},
		{"no account ID but an endpoint", with(id, `endpoint_url: "http://127.0.0.1:9000", `), []string{
			`4:3: accounts.source: missing field "id" | such as id: "123456789012"; a server that is not AWS wants provider: s3-compatible`,
		}},
		{"versions of a mirror", with(pair, pair+"copy: {versions: all, delete_extra: true}\n"), []string{
			"12:37: copy.delete_extra does not go together with versions: all in buckets[0] | of what only the destination has, the history would be hidden or lost; copy current versions only to mirror",
		}},
		{"versions and locks", with(pair, pair+"copy: {versions: all, object_lock: preserve}\n"), []string{
			"12:36: copy.object_lock: preserve does not go together with versions: all in buckets[0] | the locks of old versions are not read: copy current versions only to keep locks",
		}},
		{"no source", with("  source: {"+id+"profile: a, region: us-west-2}\n", ""), []string{
			`3:1: accounts: missing field "source"`,
		}},
		{"principal of the source", with("210987654321:user", "123456789012:user"), []string{
			"7:8: principal.arn belongs to account 123456789012, not to the destination 210987654321 | the principal pulls: it belongs to the destination",
		}},
		{"principal of a third account", with("210987654321:user", "333333333333:user"), []string{
			"7:8: principal.arn belongs to account 333333333333, not to the destination 210987654321",
		}},
		{"no principal", with("principal:\n  arn: "+arn+"\n  credentials: access-key\n", ""), []string{
			`1:1: missing field "principal" | who pulls: an IAM user or role of the destination account`,
		}},
		{"no ARN", with("  arn: "+arn+"\n", ""), []string{
			`6:1: principal: missing field "arn" | such as arn: arn:aws:iam::210987654321:user/misterrodgers`,
		}},
		{"a session", with(arn, "arn:aws:sts::210987654321:assumed-role/copier/me"), []string{
			"7:8: principal.arn names a session, which ends | name the role: arn:aws:iam::210987654321:role/copier",
		}},
		{"the root", with(arn, "arn:aws:iam::210987654321:root"), []string{
			"7:8: principal.arn names the account's root, which takes no policies | name a user or a role",
		}},
		{"a group", with(arn, "arn:aws:iam::210987654321:group/all"), []string{
			"7:8: principal.arn names no user and no role | such as arn:aws:iam::210987654321:role/copier",
		}},
		{"a unique ID", with(arn, "AIDAJQABLZS4A3QDU576Q"), []string{
			"7:8: principal.arn is a unique ID, not an ARN | such as arn:aws:iam::210987654321:user/misterrodgers",
		}},
		{"a name", with(arn, "misterrodgers"), []string{
			"7:8: principal.arn is no ARN | such as arn:aws:iam::210987654321:user/misterrodgers",
		}},
		{"short account in the ARN", with("210987654321:user", "2109:user"), []string{
			"7:8: principal.arn holds no account of 12 digits | such as arn:aws:iam::210987654321:user/misterrodgers",
		}},
		{"unknown partition", with("arn:aws:iam::210987654321:u", "arn:aws-moon:iam::210987654321:u"), []string{
			"7:8: principal.arn is of a partition that AWS does not have | arn:aws:…, arn:aws-cn:… or arn:aws-us-gov:…",
		}},
		{"other partition", with("arn:aws:iam::210987654321:u", "arn:aws-cn:iam::210987654321:u"), []string{
			"7:8: principal.arn is of partition aws-cn, and the destination's region is of aws",
		}},
		{"bad user name", with("misterrodgers", "mister!rodgers"), []string{
			"7:8: principal.arn holds U+0021 '!', which IAM takes in no name | 1 to 64 letters, digits and _+=,.@-",
		}},
		{"user name of another alphabet", with("misterrodgers", "m\u0456sterrodgers"), []string{
			"7:8: principal.arn holds U+0456 'і', which IAM takes in no name | 1 to 64 letters, digits and _+=,.@-",
		}},
		{"Object Lock without versions", sound + "    settings: {object_lock: true, versioning: false}\n", []string{
			"12:47: buckets[0].settings.versioning: false does not go together with object_lock: true, which keeps versions | take versioning out",
		}},
		{"all versions into none", sound + "    settings: {versioning: false}\ncopy: {versions: all}\n", []string{
			"12:28: buckets[0].settings.versioning: false does not go together with copy.versions: all | take versioning out",
		}},
		{"bucket with what cannot be seen", with("source: tommy", `source: "tommy\u200b"`), []string{
			`10:13: buckets[0].source: "tommy\u200b" holds U+200B, which S3 does not take there | a bucket's name is small letters, digits, hyphens and dots`,
		}},
		{"a role of AWS", role(with("user/misterrodgers", "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_x")), []string{
			"7:8: principal.arn names a role that AWS manages, whose policies cannot be changed | name a role of your own, or manage the permissions yourself (permissions.manage: false)",
		}},
		{"key of a role", with(":user/misterrodgers", ":role/copier"), []string{
			"8:16: principal.credentials: a role has no access keys | write credentials: assume-role",
		}},
		{"role of a user", with(accessKey, "assume-role"), []string{
			"8:16: principal.credentials: a user cannot be assumed | write credentials: access-key, or profile",
		}},
		{"profile credentials without one", with(accessKey, "profile"), []string{
			`6:1: principal: missing field "profile" | credentials: profile wants to know which`,
		}},
		{"profile without credentials", with(accessKey, "access-key\n  profile: x"), []string{
			"9:12: principal.profile is given, and credentials are access-key | write credentials: profile, or take the profile out",
		}},
		{"key without IAM", with("buckets:", "permissions: {manage: false}\nbuckets:"), []string{
			"8:16: principal.credentials: an access key cannot be made where permissions.manage is false | it touches IAM: write credentials: profile",
		}},
		{"path of what exists", with(accessKey, "access-key\n  path: /a/"), []string{
			"9:9: principal.path is for a principal that the run makes | write create: true, or take it out",
		}},
		{"path that is not the ARN's", with(accessKey, "access-key\n  create: true\n  path: /a/"), []string{
			`10:9: principal.path is not in principal.arn | write "arn:aws:iam::210987654321:user/a/misterrodgers" there`,
		}},
		{"path without end", with(accessKey, "access-key\n  create: true\n  path: /a"), []string{
			"10:9: principal.path must begin and end with a slash",
		}},
		{"boundary of another", with(accessKey, "access-key\n  create: true\n  permissions_boundary: arn:aws:iam::123456789012:policy/p"), []string{
			`10:25: principal.permissions_boundary is a policy of account "123456789012", not of 210987654321`,
		}},
		{"boundary that is none", with(accessKey, "access-key\n  create: true\n  permissions_boundary: p"), []string{
			"10:25: principal.permissions_boundary is no policy's ARN | such as arn:aws:iam::210987654321:policy/boundary",
		}},
		{"made and known by profile", with(accessKey, "profile\n  profile: x\n  create: true"), []string{
			"10:11: principal.create: a principal that is not made yet has no profile | write credentials: access-key for a user, assume-role for a role",
		}},
		{"made without IAM", role(with(accessKey, "access-key\n  create: true", "buckets:", "permissions: {manage: false}\nbuckets:")), []string{
			"9:11: principal.create: nothing can be made where permissions.manage is false",
		}},
		{"admin role of another account", with(id, id+"role_arn: 'arn:aws:iam::333333333333:role/admin', "), []string{
			"4:42: accounts.source.role_arn is a role of account 333333333333, not of 123456789012",
		}},
		{"admin role is a user", with(id, id+"role_arn: 'arn:aws:iam::123456789012:user/admin', "), []string{
			"4:42: accounts.source.role_arn names a user, not a role | only a role can be assumed",
		}},
		{"admin role is a session", with(id, id+"role_arn: 'arn:aws:sts::123456789012:assumed-role/admin/me', "), []string{
			"4:42: accounts.source.role_arn names a session, which ends | name the role: arn:aws:iam::123456789012:role/admin",
		}},
		{"external ID alone", with(id, id+"external_id: abc, "), []string{
			"4:45: accounts.source.external_id is given without role_arn | it is what a role's trust policy asks for",
		}},
		{"external ID odd", with(id, id+"external_id: 'a b', role_arn: 'arn:aws:iam::123456789012:role/admin', "), []string{
			"4:45: accounts.source.external_id holds a character that STS does not take | letters, digits and _+=,.@:/- only",
		}},
		{"zone for a region", with("region: us-west-2}\n  d", "region: us-west-2a}\n  d"), []string{
			`4:52: accounts.source.region: no region of AWS is called "us-west-2a" | that is a zone; its region is us-west-2`,
		}},
		{"region in capitals", with("region: us-west-2}\n  d", "region: US_West-2}\n  d"), []string{
			`4:52: accounts.source.region: no region of AWS is called "US_West-2" | did you mean us-west-2?`,
		}},
		{"no region", with("region: us-west-2}\n  d", "region: Oregon}\n  d"), []string{
			`4:52: accounts.source.region: no region of AWS is called "Oregon" | such as us-west-2`,
		}},
		{"two partitions", with("region: us-west-2}\n  d", "region: cn-north-1}\n  d"), []string{
			"5:57: the sides are in different partitions, aws-cn and aws | no principal of one is known in the other, so it cannot pull",
		}},
		{"endpoint without scheme", with(id, id+"endpoint_url: '127.0.0.1:9000', "), []string{
			"4:46: accounts.source.endpoint_url is no address of http or https | it begins with http:// or https://",
		}},
		{"endpoint of ftp", with(id, id+"endpoint_url: 'ftp://127.0.0.1', "), []string{
			"4:46: accounts.source.endpoint_url is no address of http or https | such as http://127.0.0.1:9000",
		}},
		{"endpoint with a user", with(id, id+"endpoint_url: 'http://me@127.0.0.1', "), []string{
			"4:46: accounts.source.endpoint_url holds a user's name | credentials come from a profile or the SDK's variables",
		}},
		{"endpoint with a query", with(id, id+"endpoint_url: 'http://127.0.0.1/?x=1', "), []string{
			"4:46: accounts.source.endpoint_url holds a query or a fragment | end it after the host and the port",
		}},
		{"server with an ID", strings.Replace(minio, "profile: a", `id: "123456789012"`, 1), []string{
			"4:80: accounts.source: an S3-compatible server has no id | take it out; profile, and the SDK's variables, say who one is there",
		}},
		{"server with a role", strings.Replace(minio, "profile: a", "role_arn: x", 1), []string{
			"4:86: accounts.source: an S3-compatible server has no role_arn | take it out; profile, and the SDK's variables, say who one is there",
		}},
		{"server without address", strings.Replace(minio, `endpoint_url: "http://127.0.0.1:9000", `, "", 1), []string{
			`4:3: accounts.source: missing field "endpoint_url" | such as endpoint_url: http://127.0.0.1:9000`,
		}},
		{"server with IAM", strings.Replace(minio, "permissions: {manage: false}\n", "", 1), []string{
			"1:1: permissions.manage must be false: the source is S3-compatible and has no IAM | write permissions: {manage: false}",
		}},
		{"server with IAM, asked for", strings.Replace(minio, "manage: false", "manage: true", 1), []string{
			"6:23: permissions.manage must be false: the source is S3-compatible and has no IAM | write permissions: {manage: false}",
		}},
		{"server with ARNs", minio + "principal: {arn: " + arn + ", credentials: access-key}\n", []string{
			"9:18: principal.arn: an S3-compatible server has no ARNs | take it out; principal.profile says who pulls",
			"9:77: principal.credentials: an S3-compatible server has no IAM to make or assume credentials with | write credentials: profile",
		}},
		{"server with a made principal", minio + "principal: {credentials: profile, profile: x, create: true}\n", []string{
			"9:55: principal.create: an S3-compatible server has no IAM to make a user in",
		}},
		{"server with instances", minio + "cleanup: {instances: [{id: i-0abc, account: source}]}\n", []string{
			"9:45: cleanup.instances[0].account: the source is S3-compatible and has no instances",
		}},
		{"server, same place", strings.Replace(minio, "9100", "9000", 1), []string{
			`8:35: buckets[0]: source and destination are the same, "photos/"`,
		}},
		{"one confirmation for two buckets", strings.Replace(minio, "photos}", "photos, to_prefix: in/, cleanup: {source_objects: after-verify}}\n"+
			"  - {source: others, destination: photos, to_prefix: x/, copy: {delete_extra: true}}", 1) + "verify: {otherwise: bytes}\n", []string{
			`9:35: buckets[1]: --confirm=photos would delete in two buckets of that name: objects of the source of buckets[0], and what only this destination has | split the pairs into plans of their own`,
		}},
		{"same bucket in both accounts", with("destination: tommy-b", "destination: tommy\n    prefix: a/\n    to_prefix: b/"), []string{
			`11:18: buckets[0]: the bucket "tommy" cannot belong to both accounts | a bucket's name is unique in all of AWS`,
		}},
		{"same place", with("destination: tommy-b", "destination: tommy"), []string{
			`11:18: buckets[0]: source and destination are the same, "tommy/"`,
		}},
		{"destination inside source", with("destination: tommy-b", "destination: tommy\n    to_prefix: copies/"), []string{
			`11:18: buckets[0]: source "tommy/" and destination "tommy/copies/" overlap | a run would copy its own copies`,
		}},
		{"destinations overlap", with(pair, pair+"  - source: other\n    destination: tommy-b\n    to_prefix: x/\n"), []string{
			`13:18: buckets[1]: destination "tommy-b/x/" overlaps the destination of buckets[0] | give each a to_prefix of its own`,
		}},
		{"deleted source is read", with(pair, pair+"    cleanup: {source_objects: after-verify}\n  - source: tommy\n    destination: tommy-c\n    prefix: x/\n"), []string{
			`10:13: buckets[0]: source "tommy/" is to be deleted, and buckets[1] reads it too | keep source_objects here, or split the pairs into plans of their own`,
		}},
		{"deleted source is written", with(pair, pair+"    cleanup: {source_objects: after-verify}\n    prefix: in/\n  - source: tommy-b\n    destination: tommy\n    prefix: x/\n    to_prefix: in/x/\n"), []string{
			`10:13: buckets[0]: source "tommy/in/" is to be deleted, and buckets[1] writes there`,
		}},
		{"bucket names", with(pair, "  - {source: To_mmy, destination: s3://tommy-b}\n  - {source: a, destination: 10.0.0.1}\n  - {source: a..b, destination: -ab}\n  - {source: xn--abc, destination: abc--x-s3}\n  - {source: arn:aws:s3:::tommy, destination: a/b}\n  - {source: under_score, destination: x-s3alias}\n"), []string{
			`10:14: buckets[0].source: "To_mmy" holds capital letters | a bucket's name is small letters, digits, hyphens and dots`,
			`10:35: buckets[0].destination: "s3://tommy-b" is an address, not a bucket's name | write the name alone; what follows it belongs into prefix`,
			`11:14: buckets[1].source: "a" is not 3 to 63 characters long`,
			`11:30: buckets[1].destination: "10.0.0.1" looks like an IP address`,
			`12:14: buckets[2].source: "a..b" holds two dots side by side`,
			`12:33: buckets[2].destination: "-ab" does not begin and end with a letter or digit`,
			`13:14: buckets[3].source: "xn--abc" begins with xn--, which AWS keeps for itself`,
			`13:36: buckets[3].destination: "abc--x-s3" is a directory bucket, which cannot be copied this way | S3 Express keeps no key order, versions or bucket policies of this kind`,
			`14:14: buckets[4].source: "arn:aws:s3:::tommy" is an ARN, not a bucket's name | write the name alone`,
			`14:47: buckets[4].destination: "a/b" holds a slash | write the bucket's name alone; what follows it belongs into prefix`,
			`15:14: buckets[5].source: "under_score" holds an underscore | a bucket's name is small letters, digits, hyphens and dots`,
			`15:40: buckets[5].destination: "x-s3alias" is an access point's alias, not a bucket | name the bucket behind it`,
		}},
		{"long prefix", with(pair, pair+"    prefix: "+strings.Repeat("x", 1025)+"\n"), []string{
			"12:13: buckets[0].prefix is 1025 bytes long, and a key has at most 1024",
		}},
		{"prefix is an address", with(pair, pair+"    prefix: s3://tommy/a/\n"), []string{
			"12:13: buckets[0].prefix is an address, not a prefix | what follows the bucket's name in it",
		}},
		{"settings of what exists", with(pair, pair+"    create: false\n    settings: {versioning: true}\n"), []string{
			"13:15: buckets[0].settings are of a bucket that the run makes, and create is false | take one of them out",
		}},
		{"settings' region", with(pair, pair+"    settings: {region: nowhere}\n"), []string{
			`12:24: buckets[0].settings.region: no region of AWS is called "nowhere" | such as us-west-2`,
		}},
		{"KMS key without KMS", with(pair, pair+"    settings: {encryption: {algorithm: AES256, kms_key_id: alias/a}}\n"), []string{
			"12:60: buckets[0].settings.encryption.kms_key_id goes with KMS, and algorithm is AES256 | write algorithm: aws:kms",
		}},
		{"bucket key without KMS", with(pair, pair+"    settings: {encryption: {bucket_key: true}}\n"), []string{
			"12:41: buckets[0].settings.encryption.bucket_key goes with KMS, and algorithm is AES256 | write algorithm: aws:kms",
		}},
		{"no KMS key", with(pair, pair+"    settings: {encryption: {kms_key_id: my key}}\n"), []string{
			"12:41: buckets[0].settings.encryption.kms_key_id is no KMS key's ID, ARN or alias | such as alias/tommy-b",
		}},
		{"KMS key elsewhere", with(pair, pair+"    settings: {region: us-west-2, encryption: {kms_key_id: 'arn:aws:kms:eu-west-1:210987654321:alias/x'}}\n"), []string{
			"12:60: buckets[0].settings.encryption.kms_key_id is a key of eu-west-1, and the bucket is in us-west-2 | a bucket's key is of its own region",
		}},
		{"tags", with(pair, pair+"    settings: {tags: {'aws:x': a, 'a*': b, c: 'x*'}}\n"), []string{
			"12:23: buckets[0].settings.tags: keys that begin with aws: are AWS's own",
			`12:35: buckets[0].settings.tags: the key "a*" holds a character that S3 does not take | letters, digits, spaces and _.:/=+-@`,
			`12:47: buckets[0].settings.tags: the value of "c" holds a character that S3 does not take | letters, digits, spaces and _.:/=+-@`,
		}},
		{"globs", with(pair, pair+"copy: {include: ['a[', '{a', 'a]'], exclude: ['{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}', 'a\\']}\n"), []string{
			`12:18: copy.include[0]: "a[" is no pattern | brackets and braces want their end; \ takes the next character literally`,
			`12:24: copy.include[1]: "{a" is no pattern | brackets and braces want their end; \ takes the next character literally`,
			`12:47: copy.exclude[0]: "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}" stands for more than 256 patterns | its braces multiply: write several patterns`,
			`12:96: copy.exclude[1]: "a\\" is no pattern | brackets and braces want their end; \ takes the next character literally`,
		}},
		{"no include", with(pair, pair+"copy: {include: []}\n"), []string{
			"12:17: copy.include is empty | it wants at least one",
		}},
		{"key kept", with(pair, pair+"cleanup: {access_key: keep}\n"), []string{
			`12:23: cleanup.access_key cannot be "keep" | a minted key does not outlive its run: always, or after-verify`,
		}},
		{"source always", with(pair, pair+"cleanup: {source_objects: always, source_bucket: always}\n"), []string{
			`12:27: cleanup.source_objects cannot be "always" | nothing of the source is deleted on less than verification: after-verify, or keep`,
			`12:50: cleanup.source_bucket cannot be "always" | nothing of the source is deleted on less than verification: after-verify, or keep`,
		}},
		{"bucket without its objects", with(pair, pair+"cleanup: {source_bucket: after-verify}\n"), []string{
			"12:26: cleanup.source_bucket is after-verify, and source_objects are kept: a bucket with objects cannot be deleted | write source_objects: after-verify as well, or keep the bucket",
		}},
		{"bucket with a prefix", with(pair, pair+"    prefix: a/\n    verify: {otherwise: fail}\ncleanup: {source_bucket: after-verify, source_objects: after-verify}\n"), []string{
			`14:26: cleanup.source_bucket is after-verify, and buckets[0] copies only what is below "a/" | what lies outside would stay, and the bucket with it`,
		}},
		{"delete and filter", with(pair, pair+"copy: {exclude: ['*.tmp']}\ncleanup: {source_objects: after-verify}\n"), []string{
			"13:27: cleanup.source_objects is after-verify, and the filters of buckets[0] skip objects | a skipped object forbids deleting the source: copy all of it, or use prefix",
		}},
		{"delete and include", with(pair, pair+"    copy: {include: ['*.tmp']}\n    cleanup: {source_objects: after-verify}\n"), []string{
			"13:31: buckets[0].cleanup.source_objects is after-verify, and the filters of buckets[0] skip objects | a skipped object forbids deleting the source: copy all of it, or use prefix",
		}},
		{"delete and never overwrite", with(pair, pair+"copy: {overwrite: never}\ncleanup: {source_objects: after-verify}\n"), []string{
			"13:27: cleanup.source_objects is after-verify, and buckets[0] never overwrites | an object that is skipped forbids deleting the source: write overwrite: changed",
		}},
		{"delete by size", with(pair, pair+"verify: {level: size}\ncleanup: {source_objects: after-verify}\n"), []string{
			"13:27: cleanup.source_objects is after-verify, and buckets[0] is verified by size | nothing is deleted on less than verify.level: checksum",
		}},
		{"destination not made", with(pair, pair+"    create: false\ncleanup: {destination_bucket: always}\n"), []string{
			"13:31: cleanup.destination_bucket is always, and the run makes no bucket: create is false | only a bucket that the run made is ever deleted",
		}},
		{"instances", with(pair, pair+"cleanup: {instances: [{id: i-0abc}, {id: x, account: source}, {id: i-0abc, account: B}, {id: i-0abc, account: source, region: x}]}\n"), []string{
			`12:23: cleanup.instances[0]: missing field "account"`,
			"12:42: cleanup.instances[1].id must be an instance ID: i- and up to 17 hexadecimal digits",
			`12:68: cleanup.instances[2]: the instance "i-0abc" stands here twice`,
			`12:85: cleanup.instances[2].account cannot be "B" | one of: source, destination`,
			`12:94: cleanup.instances[3]: the instance "i-0abc" stands here twice`,
			`12:127: cleanup.instances[3].region: no region of AWS is called "x" | such as us-west-2`,
		}},
		{"name", with("tommy-to-b", "../x"), []string{
			"2:7: name must be 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end",
		}},
		{"name in capitals", with("tommy-to-b", "Tommy"), []string{
			"2:7: name must be 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end",
		}},
		{"empty name", with("tommy-to-b", `""`), []string{
			"2:7: name is empty",
		}},
		{"requires", with("buckets:", "requires: newest\nbuckets:"), []string{
			`9:11: requires cannot be read: it holds something that is no version | such as ">=0.1" or ">=0.1, <2"`,
		}},
		{"requires nothing", with("buckets:", "requires: '>='\nbuckets:"), []string{
			`9:11: requires cannot be read: it holds something that is no version | such as ">=0.1" or ">=0.1, <2"`,
		}},
		{"policy and statement", with("buckets:", "permissions: {policy: 'a b', statement: a-b}\nbuckets:"), []string{
			"9:23: permissions.policy must be 1 to 125 letters, digits and _+=,.@- (IAM's rule, with room for the -n of a split policy)",
			"9:41: permissions.statement must be 1 to 64 letters and digits (the rule for a Sid)",
		}},
		{"policy's ARN", with("buckets:", "permissions: {policy: 'arn:aws:iam::210987654321:policy/x'}\nbuckets:"), []string{
			"9:23: permissions.policy wants a name, not an ARN | what follows policy/ in it",
		}},
		{"variable with a dollar", with("buckets:", "notify: {webhook_env: $HOOK}\nbuckets:"), []string{
			"9:23: notify.webhook_env wants the variable's name | without the $",
		}},
		{"variable that is none", with("buckets:", "notify: {webhook_env: my hook}\nbuckets:"), []string{
			"9:23: notify.webhook_env must be the name of an environment variable, never the URL itself",
		}},
		{"provider misspelt", with(id, "provider: s3-compatble, "), []string{
			`4:22: accounts.source.provider cannot be "s3-compatble" | did you mean "s3-compatible"?`,
		}},
		{"credentials misspelt", with(accessKey, "acces-key\n  profile: x"), []string{
			`8:16: principal.credentials cannot be "acces-key" | did you mean "access-key"?`,
		}},
		{"shape and meaning at once", with("tommy-to-b", "Bad", "210987654321:user", "123456789012:user", "source: tommy", "sorce: tommy", "tommy-b", "Tommy"), []string{
			"2:7: name must be 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end",
			"7:8: principal.arn belongs to account 123456789012, not to the destination 210987654321 | the principal pulls: it belongs to the destination",
			`10:5: unknown field "sorce" | did you mean "source"?`,
			`11:18: buckets[0].destination: "Tommy" holds capital letters | a bucket's name is small letters, digits, hyphens and dots`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, problemsOf(t, c.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func warningsOf(tb testing.TB, text string) []string {
	tb.Helper()
	p, err := plan.Parse("p.yaml", []byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return brief(p.Warnings)
}

func TestWhatIsProbablyNotMeantIsWarned(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"nothing to warn of", sound, nil},
		{"one account", with(id, `id: "210987654321", `), []string{
			"5:21: both sides are account 210987654321 | this copies within one account; nothing is delegated across",
		}},
		{"prefix with a star", with(pair, pair+"    prefix: a*/\n"), []string{
			`12:13: buckets[0].prefix is taken literally, "a*/" is no pattern | patterns go to copy.include, on whole keys`,
		}},
		{"prefix from the root", with(pair, pair+"    prefix: /a/\n    to_prefix: a/\n"), []string{
			"12:13: buckets[0].prefix begins with a slash, and few keys do",
		}},
		{"prefix without slash", with(pair, pair+"    prefix: logs\n"), []string{
			`12:13: buckets[0].prefix ends without a slash, so that "logs/x" becomes "/x"`,
		}},
		{"to_prefix without slash", with(pair, pair+"    to_prefix: logs\n"), []string{
			`12:16: buckets[0].to_prefix ends without a slash, so that a key x becomes "logsx"`,
		}},
		{"both without slash", with(pair, pair+"    prefix: logs\n    to_prefix: old\n"), nil},
		{"glob beside the prefix", with(pair, pair+"    prefix: logs/\ncopy: {include: ['2026/**', 'logs/2026/**', '**/x', 'lo*']}\n"), []string{
			`13:18: copy.include[0] matches no key below the prefix "logs/" of buckets[0] | patterns are on whole keys, with the prefix`,
		}},
		{"written while read", with(pair, pair+"  - source: tommy-b\n    destination: tommy-c\n"), []string{
			`12:13: buckets[1]: source "tommy-b/" is written by buckets[0] at the same time | pairs run side by side; what is written too late is not copied`,
		}},
		{"key of another region", with(pair, pair+"    settings: {encryption: {kms_key_id: 'arn:aws:kms:eu-west-1:210987654321:alias/x'}}\n"), []string{
			"12:41: buckets[0].settings.encryption.kms_key_id is a key of eu-west-1, and a bucket is made in us-west-2 | a bucket's key is of its own region: write settings.region",
		}},
		{"key of another account", with(pair, pair+"    settings: {encryption: {kms_key_id: 'arn:aws:kms:us-west-2:123456789012:alias/x'}}\n"), []string{
			"12:41: buckets[0].settings.encryption.kms_key_id is a key of account 123456789012, not of the destination | its key policy must let the destination use it",
		}},
		{"bucket goes", with(pair, pair+"verify: {level: bytes}\ncleanup: {source_objects: after-verify, source_bucket: after-verify}\n"), []string{
			"13:56: cleanup.source_bucket: the name of a deleted bucket is free for anyone to take | source_objects: after-verify alone empties it and keeps the name",
		}},
		{"moved and mirrored", with(pair, pair+"copy: {delete_extra: true}\nverify: {otherwise: bytes}\ncleanup: {source_objects: after-verify}\n"), []string{
			"12:22: copy.delete_extra has no effect on buckets[0], whose objects are moved: what is at the destination only may be their only copy | keep source_objects to mirror",
		}},
		{"evidence may be missing", with(pair, pair+"cleanup: {source_objects: after-verify}\n"), []string{
			"12:27: cleanup.source_objects: an object without a comparable checksum is accepted, and forbids deleting the source of buckets[0] | verify.otherwise: bytes reads such objects again",
		}},
		{"rules without effect", role(with("buckets:", "permissions: {manage: false, policy: x}\ncleanup: {policy: keep, bucket_policy: keep, access_key: always}\nbuckets:")), []string{
			"9:38: permissions.policy has no effect where permissions.manage is false",
			"10:19: cleanup.policy has no effect where permissions.manage is false",
			"10:40: cleanup.bucket_policy has no effect where permissions.manage is false",
			"10:58: cleanup.access_key has no effect: the run makes no access key",
		}},
		{"key outlives policy", with(pair, pair+"cleanup: {access_key: after-verify, policy: always}\n"), []string{
			"12:23: cleanup.access_key is after-verify, and policy always: a failed run leaves a key that may do nothing",
		}},
		{"kept with its principal", with(accessKey, "access-key\n  create: true", pair, pair+"cleanup: {policy: keep, bucket_policy: keep}\n"), []string{
			"13:19: cleanup.policy is keep, and so the principal that the run made stays as well",
			"13:40: cleanup.bucket_policy is keep, and so the principal that the run made stays as well",
		}},
		{"statement alone", with(pair, pair+"cleanup: {policy: always, bucket_policy: keep}\n"), []string{
			"12:42: cleanup.bucket_policy is keep, and the policy goes: the statement stays, and alone lets nobody in",
		}},
		{"all is kept", with(pair, pair+"cleanup: {policy: keep, bucket_policy: keep}\n"), nil},
		{"destination after-verify", with(pair, pair+"cleanup: {destination_bucket: after-verify}\n"), []string{
			"12:31: cleanup.destination_bucket: xplan cleanup deletes the bucket whether anything was verified or not | it must be empty; write always",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, warningsOf(t, c.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
