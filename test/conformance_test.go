package test

import (
	"slices"
	"testing"
)

// A trait is what a group of cases needs of a server.
type trait string

const (
	anyServer trait = "any"
	hasIAM    trait = "iam" // accounts, IAM, STS
	hasKMS    trait = "kms"
	hasEC2    trait = "ec2"
	hasRoles  trait = "roles" // may be left behind
	hasKeys   trait = "keys"  // known everywhere at once
	hasLocks  trait = "locks" // which may be left behind, as objects that cost may
)

// traits say what each server has. versitygw has no IAM API in this set-up; on AWS no instance is touched.
var traits = map[string][]trait{
	sandboxName:   {anyServer, hasIAM, hasKMS, hasEC2, hasRoles, hasKeys, hasLocks},
	motoName:      {anyServer, hasIAM, hasKMS, hasEC2, hasRoles, hasKeys, hasLocks},
	versitygwName: {anyServer, hasLocks},
	awsName:       {anyServer, hasIAM, hasKMS},
}

// conformance is the suite: what the adapters promise to the rest of the program, one fact a case.
var conformance = []struct {
	name  string
	needs trait
	check func(w *world)
}{
	{"ListingGoesOnWhereAPageEnded", anyServer, checkPages},
	{"ListingStartsBehindAKey", anyServer, checkStartAfter},
	{"ListingKnowsEmptyAndMissingBuckets", anyServer, checkNoBucket},
	{"EveryKeyIsListedReadCopiedAndDeletedAsItIs", anyServer, checkKeys},
	{"DetailsTellHeadersTagsAndChecksums", anyServer, checkDetails},
	{"BytesAreReadByRangeAndOnCondition", anyServer, checkRanges},
	{"StorageClassesAreKept", anyServer, checkClasses},
	{"BytesArePutWithAllTheirHeaders", anyServer, checkPut},
	{"CopiesKeepHeadersTagsAndChecksums", anyServer, checkCopy},
	{"CopiesHoldToTheirConditions", anyServer, checkConditions},
	{"CopiesDropTagsAndChangeClassWhereAsked", anyServer, checkCopyOptions},
	{"NobodyReadsWithoutTheOwnersConsent", anyServer, checkConsent},
	{"AnotherOwnersBucketIsRefused", anyServer, checkOwners},
	{"PartsKeepLayoutAndETag", anyServer, checkParts},
	{"PartsHoldToTheirConditions", anyServer, checkPartConditions},
	{"AnAbortedUploadLeavesNothing", anyServer, checkAbort},
	{"BytesArePutByParts", anyServer, checkPutParts},
	{"EveryDeletionIsAnsweredFor", anyServer, checkDelete},
	{"VersionsAreListedAsWholeKeysInOrder", anyServer, checkVersionList},
	{"AVersionIsCopiedByItsID", anyServer, checkVersionCopy},
	{"AVersionFromBeforeVersioningIsCopied", anyServer, checkNullVersion},
	{"ADeleteMarkerIsMadeOrItIsSaidThatNoneIs", anyServer, checkMarker},
	{"LocksAreSetReadAndHeld", hasLocks, checkLocks},
	{"CopiesTakeTheirLock", hasLocks, checkLockedCopies},
	{"AnArchivedObjectIsAskedForOnce", hasLocks, checkRestore},
	{"ABucketIsMadeSecureAndTwiceIsNoError", anyServer, checkMake},
	{"AnotherAccountsNameIsForeign", hasIAM, checkForeign},
	{"OnlyAnEmptyBucketIsDeleted", anyServer, checkDeleteBucket},
	{"BucketPoliciesAreKeptByMeaning", anyServer, checkBucketPolicy},
	{"BucketPoliciesForNobodyAreRefused", hasIAM, checkUnknownPrincipal},
	{"TheAccountIsTheProfiles", hasIAM, checkIdentity},
	{"UsersAndRolesAreMadeOnceAndReadBack", hasIAM, checkPrincipal},
	{"APolicyIsMadeChangedAttachedAndRemoved", hasIAM, checkPolicy},
	{"RolesAreAssumedByWhomTheyTrust", hasIAM, checkRole},
	{"ProfilesOpenOtherLogins", hasIAM, checkProfile},
	{"ARoleOnTopOfAProfileReachesItsAccount", hasRoles, checkAdminRole},
	{"GrantsAreMadeListedAndRevoked", hasKMS, checkGrants},
	{"AGrantDecidesWhoDecrypts", hasKMS, checkGrantDecides},
	{"OnlyUnprotectedInstancesAreTerminated", hasEC2, checkInstance},
	{"KeysAreMadeUsedAndRemoved", hasIAM, checkAccessKeys},
	{"InactiveAndDeletedKeysAreRefused", hasKeys, checkDeadKeys},
}

func TestConformance(t *testing.T) {
	onEach(t, []string{sandboxName, motoName, versitygwName, awsName}, func(w *world) {
		t := w.t
		for _, c := range conformance {
			if slices.Contains(traits[w.server], c.needs) {
				t.Run(c.name, func(t *testing.T) { c.check(w.in(t)) })
			}
		}
		w.everyRowWasMet(t)
	})
}

// everyRowWasMet finds rows of differences that no case asks for.
func (w *world) everyRowWasMet(t *testing.T) {
	t.Helper()
	consulted.mu.Lock()
	defer consulted.mu.Unlock()
	for f, servers := range differences {
		if _, ok := servers[w.server]; ok && !slices.Contains(consulted.rows[w.server], f) && !t.Failed() {
			t.Errorf("no case met the row %q of %s: remove it, or test it", f, w.server)
		}
	}
}
