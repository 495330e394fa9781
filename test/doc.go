// Package test holds xplan to servers that speak S3, IAM, STS, KMS and EC2, and
// to its own promises end to end. It has tests only.
//
//	TestConformance   what the adapters of internal/awsapi rely on, asked of each server
//	TestPrograms      what programs of others make of our files, and we of theirs
//	TestRecipe…       the program itself, built once, run as people run it: applied, killed, resumed, verified
//
// The suite starts every server itself, on a free port of 127.0.0.1, and ends it by its own process.
//
//	sandbox      in this process; always
//	moto         moto_server on PATH       (pip install 'moto[server]')
//	versitygw    versitygw on PATH         (go install github.com/versity/versitygw/cmd/versitygw@v1.8.0)
//	aws-cli      aws on PATH, against the sandbox
//	aws          AWS itself, with somebody's own credentials, and costs
//
//	ssh-keygen              signatures of saved plans, judged by OpenSSH itself   (Debian: openssh-client)
//	yaml-language-server    the YAML server of editors, on plan files   (npm ci --prefix test/editor; node on PATH)
//
// XPLAN_REQUIRE lists, with commas, what runs beside the sandbox: XPLAN_REQUIRE=moto,versitygw,aws-cli.
// What is listed and not there fails. What is not listed has no tests in the output: nothing is skipped.
//
// XPLAN_TEST_TREE=whole has TestATreeOfFilesArrivesByteForByte copy 20,000 files and two of 3 GiB
// on versitygw, instead of 1,000 and two of 300 MiB.
//
// AWS itself wants two accounts with an administrator's profile each:
//
//	XPLAN_TEST_SOURCE_ACCOUNT, XPLAN_TEST_SOURCE_PROFILE
//	XPLAN_TEST_DESTINATION_ACCOUNT, XPLAN_TEST_DESTINATION_PROFILE
//	XPLAN_TEST_REGION                                  us-west-2 when empty
//
// It makes buckets with random names and a user, and removes them. It terminates no instance.
//
// Where a server does not do what AWS's documents say, differences_test.go has a row with the reason, and
// the suite asserts the difference: a server that mends its ways makes a test fail, and the row goes.
//
// What is not guaranteed: that the sandbox decides access as AWS does (package policy is held to AWS's
// documents, and the sandbox's own tests ask it). Only a run on AWS proves that.
package test
