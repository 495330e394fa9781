// Package spell writes a policy in other words that mean the same, as AWS does when it stores one and as people
// do when they edit one. It is for tests of who reads policies, and knows nothing of them: it works on the JSON text
// by AWS's grammar alone (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html).
package spell
