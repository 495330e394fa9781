// Package policy holds IAM policy documents as values: it parses, prints,
// compares, merges, splits and evaluates them. Whoever speaks about access (the
// compiler, the review, the explanation of a denial, the sandbox) asks here, so
// that there is one meaning.
//
// Parse is strict about shape. Canonical gives equal meanings equal form, which is
// hashed per statement (Digest), and Diff and Equal compare digests. Merge and
// Remove handle one statement of a document and leave the others alone. Evaluate decides a request in
// the order AWS describes: explicit denies of every policy, organisation policies, the
// resource's policy, then identity policies with boundary and session policy;
// across accounts both sides must allow.
//
// Not guaranteed: that two documents which differ in canonical form differ in
// effect (equality is about form, after normalising; Broader errs to "yes");
// that an action or a condition key exists; service-specific exceptions beyond
// the ones named in Evaluate. ACLs, Block Public Access, VPC endpoint policies
// and KMS grants are no policy documents and are not judged here.
//
// All functions are pure; values may be shared between goroutines as long as
// nobody changes them.
package policy
