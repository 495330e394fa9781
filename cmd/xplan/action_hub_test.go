package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A hub is a server on this machine that answers as GitHub's API does for the comments of one pull request
// (https://docs.github.com/rest/issues/comments): pages with a Link header, and only their author may edit them.
type hub struct {
	url string

	mu       sync.Mutex // guards what follows
	token    string     // that is valid
	login    string     // whose it is
	readOnly bool       // as of a fork's token
	perPage  int        // the most that a page holds, whatever is asked for
	next     int
	comments []hubComment
	requests []string
	deleted  int // of this comment an edit says 404
}

type hubComment struct {
	ID   int    `json:"id"`
	Body string `json:"body"`
	URL  string `json:"html_url"`
	User struct {
		Login string `json:"login"`
	} `json:"user"`
}

func newHub(t *testing.T) *hub {
	t.Helper()
	h := &hub{token: "ghs_" + "canaryOfTheToken0000000000000000000000", login: "github-actions[bot]", perPage: 100, next: 100}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /graphql", h.viewer)
	mux.HandleFunc("GET /repos/team/buckets/issues/7/comments", h.list)
	mux.HandleFunc("POST /repos/team/buckets/issues/7/comments", h.create)
	mux.HandleFunc("PATCH /repos/team/buckets/issues/comments/{id}", h.edit)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.requests = append(h.requests, r.Method+" "+r.URL.RequestURI())
		if r.Header.Get("Authorization") != "Bearer "+h.token {
			answer(w, http.StatusUnauthorized, map[string]string{"message": "Bad credentials"})
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	h.url = s.URL
	return h
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that is gone fails its test by itself
}

// add puts a comment there.
func (h *hub) add(login, body string) hubComment {
	c := hubComment{ID: h.next, Body: body, URL: fmt.Sprintf("https://github.com/team/buckets/pull/7#issuecomment-%d", h.next)}
	c.User.Login = login
	h.next++
	h.comments = append(h.comments, c)
	return c
}

func (h *hub) viewer(w http.ResponseWriter, r *http.Request) {
	var q struct{ Query string }
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || !strings.Contains(q.Query, "viewer") {
		answer(w, http.StatusBadRequest, map[string]string{"message": "Problems parsing JSON"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"data": map[string]any{"viewer": map[string]any{"login": h.login}}})
}

func (h *hub) list(w http.ResponseWriter, r *http.Request) {
	per, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	per = min(max(per, 1), h.perPage)
	from := min(max(page-1, 0)*per, len(h.comments))
	to := min(from+per, len(h.comments))
	if to < len(h.comments) {
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?page=%d>; rel="next", <%s%s?page=9>; rel="last"`, h.url, r.URL.Path, page+1, h.url, r.URL.Path))
	}
	answer(w, http.StatusOK, append([]hubComment{}, h.comments[from:to]...))
}

func (h *hub) create(w http.ResponseWriter, r *http.Request) {
	var c struct{ Body string }
	switch err := json.NewDecoder(r.Body).Decode(&c); {
	case h.readOnly:
		answer(w, http.StatusForbidden, map[string]string{"message": "Resource not accessible by integration"})
	case err != nil || c.Body == "" || len([]rune(c.Body)) > 65536:
		answer(w, http.StatusUnprocessableEntity, map[string]string{"message": "Validation Failed"})
	default:
		answer(w, http.StatusCreated, h.add(h.login, c.Body))
	}
}

func (h *hub) edit(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.Atoi(r.PathValue("id"))
	var c struct{ Body string }
	err := json.NewDecoder(r.Body).Decode(&c)
	for i := range h.comments {
		switch {
		case h.comments[i].ID != id || id == h.deleted:
		case h.comments[i].User.Login != h.login:
			answer(w, http.StatusForbidden, map[string]string{"message": "Must have admin rights to Repository."})
			return
		case err != nil || c.Body == "" || len([]rune(c.Body)) > 65536:
			answer(w, http.StatusUnprocessableEntity, map[string]string{"message": "Validation Failed"})
			return
		default:
			h.comments[i].Body = c.Body
			answer(w, http.StatusOK, h.comments[i])
			return
		}
	}
	answer(w, http.StatusNotFound, map[string]string{"message": "Not Found"})
}

// asked counts the requests that begin so.
func (h *hub) asked(prefix string) int {
	n := 0
	for _, r := range h.requests {
		if strings.HasPrefix(r, prefix) {
			n++
		}
	}
	return n
}
