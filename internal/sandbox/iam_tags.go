package sandbox

import "maps"

func iamTagOperations() map[string]queryOperation {
	return map[string]queryOperation{
		"TagUser":        tagIdentity,
		"TagRole":        tagIdentity,
		"UntagUser":      untagIdentity,
		"UntagRole":      untagIdentity,
		"ListUserTags":   listIdentityTags,
		"ListRoleTags":   listIdentityTags,
		"TagPolicy":      tagPolicy,
		"UntagPolicy":    untagPolicy,
		"ListPolicyTags": listPolicyTags,
	}
}

const maxTags = 50

// addTags merges the request's tags with those that are there.
func (q *queryCall) addTags(tags map[string]string) (map[string]string, *apiError) {
	merged := map[string]string{}
	maps.Copy(merged, tags)
	maps.Copy(merged, q.tags())
	if len(merged) > maxTags {
		return nil, limitExceeded("The number of tags has reached the maximum limit.")
	}
	return merged, nil
}

func (q *queryCall) removeTags(tags map[string]string) map[string]string {
	rest := maps.Clone(tags)
	for _, k := range q.list("TagKeys") {
		delete(rest, k)
	}
	return rest
}

func (q *queryCall) showTags(tags map[string]string) (any, *apiError) {
	some, pg, err := page(q, tagList(tags))
	return struct {
		Tags []tagXML `xml:"Tags>member"`
		pageXML
	}{some, pg}, err
}

func tagIdentity(q *queryCall) (any, *apiError) {
	i, err := q.identityParam()
	if err != nil {
		return nil, err
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	tags, err := q.addTags(i.tags.latest())
	if err == nil {
		i.tags.set(tags, q.now)
	}
	return empty{}, err
}

func untagIdentity(q *queryCall) (any, *apiError) {
	i, err := q.identityParam()
	if err != nil {
		return nil, err
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	i.tags.set(q.removeTags(i.tags.latest()), q.now)
	return empty{}, nil
}

func listIdentityTags(q *queryCall) (any, *apiError) {
	i, err := q.identityParam()
	if err != nil {
		return nil, err
	}
	q.acct.mu.RLock()
	defer q.acct.mu.RUnlock()
	return q.showTags(i.tags.latest())
}

func tagPolicy(q *queryCall) (any, *apiError) {
	return q.withPolicy(func(p *managedPolicy) (any, *apiError) {
		tags, err := q.addTags(p.tags)
		if err == nil {
			p.tags = tags
		}
		return empty{}, err
	})
}

func untagPolicy(q *queryCall) (any, *apiError) {
	return q.withPolicy(func(p *managedPolicy) (any, *apiError) {
		p.tags = q.removeTags(p.tags)
		return empty{}, nil
	})
}

func listPolicyTags(q *queryCall) (any, *apiError) {
	return q.withPolicy(func(p *managedPolicy) (any, *apiError) { return q.showTags(p.tags) })
}
