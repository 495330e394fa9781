package sandbox

import (
	"bytes"
	"encoding/xml"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A listedSetting is a kind of setting of which a bucket has many, by their IDs. They are kept as they came: nothing here acts
// on them.
type listedSetting struct {
	name string // "Inventory"
	root string // the root of the list's answer
}

func listedSettings() []listedSetting {
	return []listedSetting{
		{"Inventory", "ListInventoryConfigurationsResult"},
		{"Analytics", "ListBucketAnalyticsConfigurationResult"},
		{"Metrics", "ListMetricsConfigurationsResult"},
		{"IntelligentTiering", "ListBucketIntelligentTieringConfigurationsOutput"},
	}
}

// permit asks for the kind's action: Get also lists, and Put also deletes.
func (l listedSetting) permit(q *s3Call, verb string) error {
	return q.permitBucket("s3:"+verb+l.name+"Configuration", nil)
}

// key is where a setting is kept.
func (l listedSetting) key(id string) string { return l.name + " " + id }

func (l listedSetting) list(q *s3Call) error {
	if err := l.permit(q, "Get"); err != nil {
		return err
	}
	x := newXML(512)
	x.root(l.root)
	x.text("IsTruncated", "false")
	q.bucket.mu.RLock()
	for _, key := range slices.Sorted(maps.Keys(q.bucket.rawSettings)) {
		if strings.HasPrefix(key, l.key("")) {
			x.b = append(x.b, q.bucket.rawSettings[key]...)
		}
	}
	q.bucket.mu.RUnlock()
	x.close(l.root)
	return q.document(x.bytes())
}

func (l listedSetting) read(q *s3Call) error {
	if err := l.permit(q, "Get"); err != nil {
		return err
	}
	q.bucket.mu.RLock()
	body := q.bucket.rawSettings[l.key(q.r.URL.Query().Get("id"))]
	q.bucket.mu.RUnlock()
	if body == nil {
		return newError(http.StatusNotFound, "NoSuchConfiguration", "The specified configuration does not exist.")
	}
	return q.document(body)
}

func (l listedSetting) write(q *s3Call) error {
	if err := l.permit(q, "Put"); err != nil {
		return err
	}
	body, err := q.readBody(2 << 20)
	if err != nil {
		return err
	}
	if err := q.checkDigests(bodyOf(body)); err != nil {
		return err
	}
	var doc struct {
		XMLName xml.Name
		ID      string `xml:"Id"`
	}
	if err := xml.Unmarshal(body, &doc); err != nil || doc.XMLName.Local != l.name+"Configuration" || doc.ID == "" || doc.ID != q.r.URL.Query().Get("id") {
		return malformedXML()
	}
	if i := bytes.Index(body, []byte("<"+doc.XMLName.Local)); i > 0 { // its declaration stands in no list
		body = body[i:]
	}
	q.bucket.mu.Lock()
	q.bucket.rawSettings[l.key(doc.ID)] = body
	q.bucket.mu.Unlock()
	return q.empty(http.StatusOK)
}

func (l listedSetting) remove(q *s3Call) error {
	if err := l.permit(q, "Put"); err != nil {
		return err
	}
	q.bucket.mu.Lock()
	delete(q.bucket.rawSettings, l.key(q.r.URL.Query().Get("id")))
	q.bucket.mu.Unlock()
	return q.empty(http.StatusNoContent)
}

// document answers XML that is kept as text.
func (q *s3Call) document(body []byte) error {
	h := q.w.Header()
	h.Set("Content-Type", "application/xml")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	q.w.WriteHeader(http.StatusOK)
	_, _ = q.w.Write(body)
	return nil
}
