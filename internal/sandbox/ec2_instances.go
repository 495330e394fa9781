package sandbox

import (
	"encoding/xml"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
)

func ec2Operations() map[string]queryOperation {
	return map[string]queryOperation{
		"DescribeInstances":         describeInstances,
		"DescribeInstanceAttribute": describeInstanceAttribute,
		"TerminateInstances":        terminateInstances,
	}
}

// An instance is guarded by its account's mu.
type instance struct {
	id, region string
	protected  bool
	state      instanceState
}

type instanceState struct {
	Code int    `xml:"code"`
	Name string `xml:"name"`
}

// The states that an instance goes through here.
func running() instanceState      { return instanceState{16, "running"} }
func shuttingDown() instanceState { return instanceState{32, "shutting-down"} }
func terminated() instanceState   { return instanceState{48, "terminated"} }

// AddInstance puts a running EC2 instance into an account; protected means that
// its termination protection is on. An unknown account panics.
func (s *Server) AddInstance(accountID, region, id string, protected bool) {
	a := s.accountOf(accountID)
	if a == nil {
		panic("sandbox: no account " + accountID)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.instances[id] = &instance{id: id, region: region, protected: protected, state: running()}
}

// InstanceState is "running", "shutting-down" or "terminated"; "" for an
// instance that does not exist.
func (s *Server) InstanceState(accountID, id string) string {
	a := s.accountOf(accountID)
	if a == nil {
		return ""
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	if i := a.instances[id]; i != nil {
		return i.state.Name
	}
	return ""
}

type instanceXML struct {
	InstanceID string        `xml:"instanceId"`
	State      instanceState `xml:"instanceState"`
}

type reservationXML struct {
	ReservationID string        `xml:"reservationId"`
	OwnerID       string        `xml:"ownerId"`
	Instances     []instanceXML `xml:"instancesSet>item"`
}

type stateChangeXML struct {
	InstanceID string        `xml:"instanceId"`
	Current    instanceState `xml:"currentState"`
	Previous   instanceState `xml:"previousState"`
}

type valueXML struct {
	Value bool `xml:"value"`
}

// An instanceAttributeXML is encoded without an element of its own.
type instanceAttributeXML struct {
	ID          string   `xml:"instanceId"`
	Termination valueXML `xml:"disableApiTermination"`
}

// MarshalXML implements xml.Marshaler.
func (x instanceAttributeXML) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	if err := e.EncodeElement(x.ID, xml.StartElement{Name: xml.Name{Local: "instanceId"}}); err != nil {
		return err
	}
	return e.EncodeElement(x.Termination, xml.StartElement{Name: xml.Name{Local: "disableApiTermination"}})
}

// allowEC2 is allow with EC2's error, and its DryRun.
func (q *queryCall) allowEC2(resource string) *apiError {
	if err := q.allow(resource, "", nil); err != nil {
		return newError(http.StatusForbidden, "UnauthorizedOperation", "You are not authorized to perform this operation. "+err.Message)
	}
	return nil
}

func (q *queryCall) dryRun() *apiError {
	if q.form.Get("DryRun") != "true" {
		return nil
	}
	return newError(http.StatusPreconditionFailed, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
}

func (q *queryCall) instanceARN(id string) string {
	return "arn:aws:ec2:" + q.region + ":" + q.acct.id + ":instance/" + id
}

// instances are those that InstanceId.N names in the region at hand. The caller
// holds the account's lock.
func (q *queryCall) instances() ([]*instance, *apiError) {
	var out []*instance
	for n := 1; ; n++ {
		id := q.form.Get("InstanceId." + strconv.Itoa(n))
		if id == "" {
			return out, nil
		}
		i, err := q.instance(id)
		if err != nil {
			return nil, err
		}
		out = append(out, i)
	}
}

func (q *queryCall) instance(id string) (*instance, *apiError) {
	if !regexp.MustCompile(`^i-[0-9a-f]{8,17}$`).MatchString(id) {
		return nil, newError(http.StatusBadRequest, "InvalidInstanceID.Malformed", "Invalid id: \""+id+"\"")
	}
	i := q.acct.instances[id]
	if i == nil || i.region != q.region {
		return nil, newError(http.StatusBadRequest, "InvalidInstanceID.NotFound", "The instance ID '"+id+"' does not exist")
	}
	return i, nil
}

// describeInstances also lets time pass: what was shutting down is terminated
// when it is looked at again.
func describeInstances(q *queryCall) (any, *apiError) {
	if err := q.allowEC2("*"); err != nil {
		return nil, err
	}
	if q.form.Has("Filter.1.Name") {
		return nil, newError(http.StatusBadRequest, "InvalidParameterValue", "The sandbox knows no filters")
	}
	if err := q.dryRun(); err != nil {
		return nil, err
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	chosen, err := q.instances()
	if err != nil {
		return nil, err
	}
	if len(chosen) == 0 {
		for _, id := range slices.Sorted(maps.Keys(q.acct.instances)) {
			if i := q.acct.instances[id]; i.region == q.region {
				chosen = append(chosen, i)
			}
		}
	}
	out := struct {
		XMLName      xml.Name         `xml:"reservationSet"`
		Reservations []reservationXML `xml:"item"`
	}{}
	for _, i := range chosen {
		out.Reservations = append(out.Reservations, reservationXML{
			ReservationID: "r-" + i.id[len("i-"):], OwnerID: q.acct.id, Instances: []instanceXML{{i.id, i.state}},
		})
		if i.state == shuttingDown() {
			i.state = terminated()
		}
	}
	return out, nil
}

func describeInstanceAttribute(q *queryCall) (any, *apiError) {
	id := q.form.Get("InstanceId")
	if err := q.allowEC2(q.instanceARN(id)); err != nil {
		return nil, err
	}
	if err := q.dryRun(); err != nil {
		return nil, err
	}
	if q.form.Get("Attribute") != "disableApiTermination" {
		return nil, newError(http.StatusBadRequest, "InvalidParameterValue", "The sandbox knows no attribute but disableApiTermination")
	}
	q.acct.mu.RLock()
	defer q.acct.mu.RUnlock()
	i, err := q.instance(id)
	if err != nil {
		return nil, err
	}
	return instanceAttributeXML{ID: i.id, Termination: valueXML{i.protected}}, nil
}

// terminateInstances terminates all or none.
func terminateInstances(q *queryCall) (any, *apiError) {
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	chosen, err := q.instances()
	switch {
	case err != nil:
		return nil, err
	case len(chosen) == 0:
		return nil, newError(http.StatusBadRequest, "MissingParameter", "The request must contain the parameter InstanceId")
	}
	if err := q.mayTerminate(chosen); err != nil {
		return nil, err
	}
	out := struct {
		XMLName xml.Name         `xml:"instancesSet"`
		Items   []stateChangeXML `xml:"item"`
	}{}
	for _, i := range chosen {
		was := i.state
		if was == running() {
			i.state = shuttingDown()
		}
		out.Items = append(out.Items, stateChangeXML{InstanceID: i.id, Current: i.state, Previous: was})
	}
	return out, nil
}

func (q *queryCall) mayTerminate(chosen []*instance) *apiError {
	for _, i := range chosen {
		if err := q.allowEC2(q.instanceARN(i.id)); err != nil {
			return err
		}
	}
	if err := q.dryRun(); err != nil {
		return err
	}
	for _, i := range chosen {
		if i.protected {
			return newError(http.StatusBadRequest, "OperationNotPermitted", "The instance '"+i.id+
				"' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.")
		}
	}
	return nil
}
