package sandbox

import "slices"

func iamKeyOperations() map[string]queryOperation {
	return map[string]queryOperation{
		"CreateAccessKey":      createAccessKey,
		"ListAccessKeys":       listAccessKeys,
		"UpdateAccessKey":      updateAccessKey,
		"DeleteAccessKey":      deleteAccessKey,
		"GetAccessKeyLastUsed": getAccessKeyLastUsed,
	}
}

type accessKeyXML struct {
	UserName        string
	AccessKeyID     string `xml:"AccessKeyId"`
	Status          string
	SecretAccessKey string `xml:",omitempty"`
	CreateDate      string
}

func createAccessKey(q *queryCall) (any, *apiError) {
	u, err := q.userParam()
	if err != nil {
		return nil, err
	}
	k := newAccessKey(u, q.now)
	if !q.s.addKey(k, q.now) {
		return nil, limitExceeded("Cannot exceed quota for AccessKeysPerUser: 2")
	}
	return struct{ AccessKey accessKeyXML }{accessKeyXML{
		UserName: u.name, AccessKeyID: k.id, Status: string(keyActive), SecretAccessKey: k.secret, CreateDate: isoTime(k.created),
	}}, nil
}

func listAccessKeys(q *queryCall) (any, *apiError) {
	u, err := q.userParam()
	if err != nil {
		return nil, err
	}
	q.acct.mu.RLock()
	defer q.acct.mu.RUnlock()
	var all []accessKeyXML
	for _, k := range u.keys {
		all = append(all, accessKeyXML{
			UserName: u.name, AccessKeyID: k.id, Status: string(k.status.latest()), CreateDate: isoTime(k.created),
		})
	}
	some, p, err := page(q, all)
	return struct {
		AccessKeyMetadata []accessKeyXML `xml:"AccessKeyMetadata>member"`
		pageXML
	}{some, p}, err
}

// keyIndex finds the key that AccessKeyId names among the user's. The caller
// holds the account's lock.
func (q *queryCall) keyIndex(u *user) (int, *apiError) {
	id := q.form.Get("AccessKeyId")
	i := slices.IndexFunc(u.keys, func(k *accessKey) bool { return k.id == id })
	if i < 0 {
		return i, noSuchEntity("The Access Key with id %s cannot be found.", id)
	}
	return i, nil
}

func updateAccessKey(q *queryCall) (any, *apiError) {
	u, err := q.userParam()
	if err != nil {
		return nil, err
	}
	status := keyStatus(q.form.Get("Status"))
	if status != keyActive && status != keyInactive {
		return nil, validationError("1 validation error detected: Value '%s' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]", status)
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	i, err := q.keyIndex(u)
	if err != nil {
		return nil, err
	}
	u.keys[i].status.set(status, q.now)
	return empty{}, nil
}

func deleteAccessKey(q *queryCall) (any, *apiError) {
	u, err := q.userParam()
	if err != nil {
		return nil, err
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	i, err := q.keyIndex(u)
	if err != nil {
		return nil, err
	}
	u.keys[i].status.set(keyAbsent, q.now)
	u.keys = slices.Delete(u.keys, i, i+1)
	return empty{}, nil
}

func getAccessKeyLastUsed(q *queryCall) (any, *apiError) {
	if err := q.allow("*", "", nil); err != nil {
		return nil, err
	}
	found, ok := q.s.keys.Load(q.form.Get("AccessKeyId"))
	k, _ := found.(*accessKey)
	if !ok || k.user == nil || k.user.account != q.acct || k.status.latest() == keyAbsent {
		return nil, newError(403, "AccessDenied", "User: "+q.caller.ARN+" is not authorized to perform: iam:GetAccessKeyLastUsed on resource: access key "+q.form.Get("AccessKeyId"))
	}
	type lastUsed struct {
		LastUsedDate string `xml:",omitempty"`
		ServiceName  string
		Region       string
	}
	last := lastUsed{ServiceName: "N/A", Region: "N/A"}
	if use := k.lastUse(); !use.at.IsZero() {
		last = lastUsed{LastUsedDate: isoTime(use.at), ServiceName: use.service, Region: use.region}
	}
	return struct {
		UserName          string
		AccessKeyLastUsed lastUsed
	}{k.user.name, last}, nil
}
