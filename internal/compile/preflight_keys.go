package compile

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"xplan/plan"
)

// context holds the condition keys that the call carries, as far as they are known now. What is neither here nor
// unknown (see unknowns) is not part of the request.
func (b *builder) context(c call, who caller) map[string][]string {
	all := map[string][]string{
		"aws:SecureTransport": {encrypts(b.p.Accounts.Of(c.side))},
	}
	if c.where.region != "" {
		all["aws:RequestedRegion"] = []string{c.where.region}
	}
	if c.kms() {
		all["kms:CallerAccount"] = []string{who.principal.Account}
	} else {
		all["aws:ViaAWSService"] = []string{"false"}
		all["s3:authType"] = []string{"REST-HEADER"}
		all["s3:signatureversion"] = []string{"AWS4-HMAC-SHA256"}
		all["s3:TlsVersion"] = []string{"1.3"}
	}
	maps.Copy(all, who.keys)
	maps.Copy(all, c.keys)
	return all
}

// encrypts tells whether requests are encrypted. AWS's own endpoints alone answer http as such: behind another one
// is a test's server, or a proxy that encrypts on its way on.
func encrypts(a plan.Account) string {
	u, err := url.Parse(a.EndpointURL)
	if err == nil && u.Scheme == "http" && strings.Contains(u.Hostname(), ".amazonaws.com") {
		return "false"
	}
	return "true"
}

// unknowns tells which condition keys nobody knows before the request is made: where it will come from, when, and what
// organisation the accounts belong to; and those that differ from object to object. A key that nobody
// has heard of here is unknown, too. All others are known: in the context, or absent from the request.
func (c call) unknowns(who caller) func(key string) bool {
	named := slices.Concat(c.unknown, who.unknown)
	return func(key string) bool {
		is := func(other string) bool {
			return key == other || strings.HasSuffix(other, "/") && strings.HasPrefix(key, other)
		}
		switch {
		case slices.ContainsFunc(named, is):
			return true
		case slices.ContainsFunc(absent(), is):
			return false
		case strings.HasPrefix(key, "aws:principaltag/"):
			return false // the principal's tags were read with it
		}
		return true
	}
}

// absent are the condition keys that no request of ours carries, and those that policy.Evaluate knows itself.
// A slash at the end stands for all keys that begin so. See "Actions, resources, and condition keys for Amazon S3" and
// "AWS global condition context keys".
func absent() []string {
	return []string{
		// of the principal and the resource's owner
		"aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:principalisawsservice", "aws:username",
		"aws:userid", "aws:resourceaccount", "s3:resourceaccount",
		// a service's calls, browsers', and those with a second factor
		"aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:principalservicename", "aws:principalservicenameslist",
		"aws:sourceaccount", "aws:sourcearn", "aws:sourceowner", "aws:sourceorgid", "aws:sourceorgpaths", "aws:referer",
		"aws:multifactorauthpresent", "aws:multifactorauthage", "aws:tokenissuetime", "aws:federatedprovider", "aws:sourceidentity",
		"aws:rolesessionname", "aws:requesttag/", "aws:tagkeys",
		"sts:externalid", "sts:sourceidentity", "sts:transitivetagkeys", "kms:viaservice", "kms:grantconstrainttype",
		// headers and parameters that are not sent, where the call does not say otherwise
		"s3:prefix", "s3:delimiter", "s3:versionid", "s3:max-keys",
		"s3:x-amz-acl", "s3:x-amz-grant-read", "s3:x-amz-grant-write", "s3:x-amz-grant-read-acp", "s3:x-amz-grant-write-acp",
		"s3:x-amz-grant-full-control", "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id",
		"s3:x-amz-server-side-encryption-customer-algorithm", "s3:x-amz-metadata-directive", "s3:x-amz-storage-class",
		"s3:x-amz-copy-source", "s3:x-amz-website-redirect-location", "s3:if-match", "s3:if-none-match",
		"s3:object-lock-mode", "s3:object-lock-retain-until-date", "s3:object-lock-legal-hold", "s3:object-lock-remaining-retention-days",
		"s3:requestobjecttag/", "s3:requestobjecttagkeys", "s3:existingobjecttag/",
		"s3:dataaccesspointarn", "s3:dataaccesspointaccount", "s3:accesspointnetworkorigin", "s3:accessgrantsinstancearn",
	}
}
