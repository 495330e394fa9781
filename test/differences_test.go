package test

import (
	"slices"
	"sync"
	"testing"
)

// A fact is something that AWS documents, that the program relies on or can live without, and that some server
// does otherwise.
type fact string

// The facts that some server does otherwise.
const (
	consent             fact = "without the owner's consent another account is refused"
	ownerPinned         fact = "a request that names another owner is refused"
	storageClasses      fact = "an object keeps the class that it was put into"
	tagsAcross          fact = "a copy across accounts keeps tags"
	copyDropsTags       fact = "a copy that replaces tags by none has none"
	copyIfMatch         fact = "a copy of a changed source is refused"
	copyIfNoneMatch     fact = "a copy onto a taken key is refused where that was asked"
	copyKeepsSum        fact = "a copy keeps the source's checksum"
	copyMakesSum        fact = "a copy has the checksum that was asked for"
	copyTellsSum        fact = "a copy's answer tells its checksum"
	partIfMatch         fact = "a part of a changed source is refused"
	completeIfNoneMatch fact = "completing an upload onto a taken key is refused where that was asked"
	uploadsDated        fact = "an upload tells when it was started"
	completeAborted     fact = "completing an aborted upload says that there is none"
	fullSums            fact = "an upload by parts keeps a checksum of the whole object"
	headTellsParts      fact = "a HEAD of part 1 tells the number of parts, and the part's and the object's size"
	headTellsType       fact = "a HEAD tells what the checksum covers"
	principalsChecked   fact = "a bucket policy for a principal who does not exist is refused"
	policiesChecked     fact = "a bucket policy that is none is refused"
	attachedPolicyStays fact = "an attached policy cannot be deleted"
	inactiveKeysRefused fact = "an inactive key is refused"
	trustDecides        fact = "a role is assumed only by whom it trusts"
	deadKeysNamed       fact = "STS says of a deleted key that it is the key"
	keyPolicyByARN      fact = "a key's policy is read by the key's ARN"
	sameGrant           fact = "a grant asked for again by its name is the same grant"
	kmsDecides          fact = "without the key's consent an encrypted object is not read"
	versionsInterleaved fact = "versions and delete markers are listed in the order in which they were made"
	markersForNothing   fact = "a delete marker is made for a key that was never there, too"
	deleteIfMatch       fact = "deleting a changed object is refused"
	nullVersions        fact = "a version from before versioning is copied by its ID, null"
	headTellsLock       fact = "a HEAD tells an object's lock"
	retentionStays      fact = "a retention is not shortened by who does not ask to pass by it"
	retentionRead       fact = "a retention is read outright, as is that there is none"
	copyTakesLock       fact = "a copy has the lock that was asked for"
	putTakesLock        fact = "a put has the lock that was asked for"
	uploadTakesLock     fact = "an upload by parts has the lock that was asked for"
	lockWantsBucket     fact = "a lock is refused in a bucket without Object Lock"
	archives            fact = "an object in GLACIER is read only once it is restored"
)

// differences say what servers do not do, and why that is known. The suite asserts them: see holds.
var differences = map[fact]map[string]string{
	consent:             {motoName: "no bucket policy lets anybody in or keeps anybody but by a Deny: cross-account access is on"},
	ownerPinned:         {motoName: "it ignores the expected owner"},
	copyIfMatch:         {motoName: "it ignores conditions on copies"},
	partIfMatch:         {motoName: "it ignores conditions on copies"},
	copyIfNoneMatch:     {motoName: "it ignores conditions on copies", versitygwName: "it knows If-None-Match for put and complete only"},
	headTellsParts:      {motoName: "it sends no Content-Range, so nothing tells the object's size"},
	uploadsDated:        {motoName: "all its uploads are of 2010"},
	completeAborted:     {motoName: "it fails inside: 500 with an HTML page"},
	fullSums:            {motoName: "it makes a checksum of the parts' checksums, and calls it one of the object"},
	headTellsType:       {motoName: "its HEAD says nothing of the kind"},
	principalsChecked:   {motoName: "any text passes as a policy"},
	policiesChecked:     {motoName: "any text passes as a policy"},
	attachedPolicyStays: {motoName: "it deletes an attached policy, and then cannot detach it"},
	inactiveKeysRefused: {motoName: "it ignores a key's status"},
	deadKeysNamed:       {motoName: "its STS sends EC2's form of an error, which no STS client reads"},
	trustDecides:        {motoName: "it ignores trust policies"},
	sameGrant:           {motoName: "it makes another grant"},
	keyPolicyByARN:      {motoName: "it finds a key's policy by the key's ID alone"},
	kmsDecides:          {motoName: "it does not decide about keys"},
	versionsInterleaved: {motoName: "it lists delete markers behind all versions", versitygwName: "it lists delete markers behind all versions"},
	markersForNothing:   {motoName: "it answers a deletion of nothing by nothing", versitygwName: "it answers a deletion of nothing by nothing"},
	deleteIfMatch:       {motoName: "it ignores the ETag of a deletion", versitygwName: "it ignores the ETag of a deletion"},
	nullVersions:        {versitygwName: "it does not find the version null where a copy names it, and it is the current one"},
	retentionRead:       {motoName: "it answers GetObjectRetention with the object itself"},
	retentionStays:      {motoName: "it lets anybody shorten a retention"},
	copyTakesLock:       {motoName: "it wants a digest of the body with every lock, and a copy has none"},
	uploadTakesLock:     {motoName: "it forgets the lock of an upload by parts"},
	archives:            {versitygwName: "a file system has one class"},
	storageClasses:      {versitygwName: "a file system has one class"},
	tagsAcross:          {motoName: "it loses tags where a copy crosses accounts"},
}

// consulted notes which rows a run has met, by server.
var consulted = struct {
	mu   sync.Mutex
	rows map[string][]fact
}{rows: map[string][]fact{}}

// holds checks what a server must do. Where the table says that it does not, it must not: so a row that is no
// longer true fails.
func (w *world) holds(t *testing.T, f fact, ok bool, format string, args ...any) {
	t.Helper()
	why := w.differs(f)
	switch {
	case why == "" && !ok:
		t.Errorf("["+string(f)+"] "+format, args...)
	case why != "" && ok:
		t.Errorf("%s now does what AWS documents: remove its row %q (%s)", w.server, f, why)
	}
}

// differs gives the reason why a fact does not hold here; "" where it does.
func (w *world) differs(f fact) string {
	why := differences[f][w.server]
	consulted.mu.Lock()
	defer consulted.mu.Unlock()
	if why != "" && !slices.Contains(consulted.rows[w.server], f) {
		consulted.rows[w.server] = append(consulted.rows[w.server], f)
	}
	return why
}
