package test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/textproto"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// An editor speaks to a language server over stdio, as editors do: JSON-RPC with a header before each message
// (https://microsoft.github.io/language-server-protocol). Requests go one at a time.
type editor struct {
	t    *testing.T
	dir  string
	to   io.Writer
	from chan message

	writing sync.Mutex              // guards to
	last    int                     // the last request's ID
	judged  map[string][]diagnostic // by file, as published
}

type message struct {
	ID     json.RawMessage `json:"id,omitempty"`
	Method string          `json:"method,omitempty"`
	Params json.RawMessage `json:"params,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  json.RawMessage `json:"error,omitempty"`
}

// A place is a line and a character, both from 0.
type place struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

type diagnostic struct {
	Range struct {
		Start place `json:"start"`
	} `json:"range"`
	Severity int    `json:"severity"` // 1 is an error
	Message  string `json:"message"`
}

// startEditor starts the YAML server for the files of a folder.
func startEditor(t *testing.T, dir string) *editor {
	t.Helper()
	node := executable(t, yamlServerName)
	server, err := filepath.Abs("editor/node_modules/yaml-language-server/bin/yaml-language-server")
	if err == nil {
		_, err = os.Stat(server)
	}
	if err != nil {
		t.Fatalf("XPLAN_REQUIRE asks for %s, which npm ci --prefix test/editor installs: %v", yamlServerName, err)
	}
	cmd := exec.CommandContext(t.Context(), node, server, "--stdio")
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	e := &editor{t: t, dir: dir, to: in, from: make(chan message, 100), judged: map[string][]diagnostic{}}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		e.read(bufio.NewReader(out))
	}()
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Process.Kill()
		<-ended
		_ = cmd.Wait()
	})
	e.ask("initialize", map[string]any{
		"processId": os.Getpid(), "rootUri": fileURL(dir),
		"capabilities": map[string]any{"textDocument": map[string]any{
			"hover":      map[string]any{"contentFormat": []string{"markdown"}},
			"completion": map[string]any{"completionItem": map[string]any{"documentationFormat": []string{"markdown"}}},
		}},
	})
	e.tell("initialized", map[string]any{})
	e.tell("workspace/didChangeConfiguration", map[string]any{"settings": map[string]any{"yaml": map[string]any{
		"validate": true, "hover": true, "completion": true,
		"schemaStore": map[string]any{"enable": false}, // it would ask the network for a list of schemas
	}}})
	return e
}

func fileURL(path string) string { return (&url.URL{Scheme: "file", Path: path}).String() }

// read passes the server's messages on until it ends, and answers what it asks.
func (e *editor) read(from *bufio.Reader) {
	defer close(e.from)
	for {
		header, err := textproto.NewReader(from).ReadMIMEHeader()
		if err != nil {
			return
		}
		n, err := strconv.Atoi(header.Get("Content-Length"))
		if err != nil {
			return
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(from, body); err != nil {
			return
		}
		var m message
		if json.Unmarshal(body, &m) != nil {
			return
		}
		if m.Method != "" && len(m.ID) > 0 { // it registers capabilities, asks for settings: nothing to say
			e.send(map[string]any{"jsonrpc": "2.0", "id": m.ID, "result": nil})
			continue
		}
		e.from <- m
	}
}

func (e *editor) send(v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	e.writing.Lock()
	defer e.writing.Unlock()
	_, _ = fmt.Fprintf(e.to, "Content-Length: %d\r\n\r\n%s", len(body), body) // a server that is gone shows in what is read
}

func (e *editor) tell(method string, params any) {
	e.send(map[string]any{"jsonrpc": "2.0", "method": method, "params": params})
}

// ask sends a request and returns its result.
func (e *editor) ask(method string, params any) json.RawMessage {
	e.t.Helper()
	e.last++
	e.send(map[string]any{"jsonrpc": "2.0", "id": e.last, "method": method, "params": params})
	for {
		m := e.next(method)
		if string(m.ID) != strconv.Itoa(e.last) {
			continue
		}
		if len(m.Error) > 0 {
			e.t.Fatalf("%s: %s", method, m.Error)
		}
		return m.Result
	}
}

// next is the server's next message; published diagnostics are kept on the way.
func (e *editor) next(waitingFor string) message {
	e.t.Helper()
	ctx, stop := context.WithTimeout(e.t.Context(), 30*time.Second)
	defer stop()
	select {
	case m, ok := <-e.from:
		if !ok {
			e.t.Fatalf("the server ended before %s", waitingFor)
		}
		if m.Method == "textDocument/publishDiagnostics" {
			var p struct {
				URI         string
				Diagnostics []diagnostic
			}
			if err := json.Unmarshal(m.Params, &p); err != nil {
				e.t.Fatal(err)
			}
			e.judged[p.URI] = p.Diagnostics
		}
		return m
	case <-ctx.Done():
		e.t.Fatalf("no %s within 30 s", waitingFor)
		return message{}
	}
}

// An editorPage is an open file with a cursor in it.
type editorPage struct {
	*editor
	uri    string
	text   string
	cursor place
}

// open writes a file whose text may hold one | for the cursor, and opens it.
func (e *editor) open(name, text string) editorPage {
	e.t.Helper()
	before, after, _ := strings.Cut(text, "|")
	p := editorPage{editor: e, uri: fileURL(filepath.Join(e.dir, name)), text: before + after}
	p.cursor = place{strings.Count(before, "\n"), len(before) - strings.LastIndex(before, "\n") - 1}
	if err := os.WriteFile(filepath.Join(e.dir, name), []byte(p.text), 0o600); err != nil {
		e.t.Fatal(err)
	}
	e.tell("textDocument/didOpen", map[string]any{"textDocument": map[string]any{
		"uri": p.uri, "languageId": "yaml", "version": 1, "text": p.text,
	}})
	return p
}

func (p editorPage) at() map[string]any {
	return map[string]any{"textDocument": map[string]any{"uri": p.uri}, "position": p.cursor}
}

// diagnostics waits for the server's judgement.
func (p editorPage) diagnostics() []diagnostic {
	p.t.Helper()
	for {
		if found, ok := p.judged[p.uri]; ok {
			return found
		}
		p.next("diagnostics of " + p.uri)
	}
}

// hover is what a person sees who points at the cursor.
func (p editorPage) hover() string {
	p.t.Helper()
	var h struct {
		Contents struct{ Value string }
	}
	result := p.ask("textDocument/hover", p.at())
	if string(result) == "null" {
		return ""
	}
	if err := json.Unmarshal(result, &h); err != nil {
		p.t.Fatalf("%v: %s", err, result)
	}
	return h.Contents.Value
}

// completion is what is offered at the cursor: labels with their explanations.
func (p editorPage) completion() map[string]string {
	p.t.Helper()
	var c struct {
		Items []struct {
			Label         string
			Documentation any
		}
	}
	result := p.ask("textDocument/completion", p.at())
	if err := json.Unmarshal(result, &c); err != nil {
		p.t.Fatalf("%v: %s", err, result)
	}
	all := map[string]string{}
	for _, item := range c.Items {
		text, _ := item.Documentation.(string)
		if m, ok := item.Documentation.(map[string]any); ok {
			text, _ = m["value"].(string)
		}
		all[item.Label] = text
	}
	return all
}
