// Package sandbox is two (or more) AWS accounts in one process, answered over
// HTTP on loopback: S3, IAM, STS, KMS and as much of EC2 as a clean-up needs.
// It serves the demo and the tests, so it is built to refuse what AWS refuses:
//
//   - Every request is authenticated by Signature Version 4, from the header or
//     from a presigned URL, with its payload hash, its session token and its clock.
//   - Every call is decided by package policy over the caller's identity policies,
//     permissions boundary and session policy, the resource's own policy, KMS
//     grants, and the account that owns the resource.
//   - A change of keys, policies or grants may take Config.Propagation to reach
//     the decisions, while reads of the configuration show it at once.
//   - Faults are values (see Fault) that a request consults: errors, torn
//     connections, half a body, an error inside a 200, delays, throttling.
//
// The way of a request:
//
//	classify (service, operation, bucket, key) -> faults before -> authenticate
//	  -> the service's handler (authorize, do, answer) -> faults after -> log
//
// Not modelled: organisations (SCP, RCP), VPC endpoint policies, permission
// by MFA, web identity and SAML, TLS (aws:SecureTransport is always true), and
// prices. Nothing outlives the process.
package sandbox
