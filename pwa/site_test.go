package pwa_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/andybalholm/brotli"

	"langso/pwa"
)

func load(t *testing.T, files fstest.MapFS) *pwa.Site {
	t.Helper()
	s, err := pwa.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func get(s *pwa.Site, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "/", nil)
	r.URL.Path = path
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	if !s.Serve(w, r) {
		w.WriteHeader(http.StatusNotFound)
	}
	return w
}

var long = []byte(strings.Repeat("let xa = 'Phúc Hòa';\n", 200))

func files() fstest.MapFS {
	return fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}, "app.js": {Data: long}, "sync/client.js": {Data: long[1:]},
		".secret": {Data: []byte("no")}, ".git/config": {Data: []byte("no")}}
}

func TestNegotiation(t *testing.T) {
	s := load(t, files())
	for _, c := range []struct{ who, accept, want string }{
		{"a phone of today", "gzip, deflate, br, zstd", "br"},
		{"an old phone", "gzip, deflate", "gzip"},
		{"a browser on plain HTTP", "gzip;q=1.0, br;q=0", "gzip"},
		{"a script", "", ""},
		{"a client that wants none", "identity", ""},
		{"upper case", "BR", "br"},
	} {
		w := get(s, "/app.js", "Accept-Encoding", c.accept)
		if got := w.Header().Get("Content-Encoding"); got != c.want {
			t.Errorf("%s: %q, want %q", c.who, got, c.want)
		}
		if w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: no Vary", c.who)
		}
		var body io.Reader = w.Body
		switch c.want {
		case "br":
			body = brotli.NewReader(body)
		case "gzip":
			body, _ = gzip.NewReader(body)
		}
		if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, long) {
			t.Errorf("%s: another body: %v", c.who, err)
		}
	}
}

func TestHeaders(t *testing.T) {
	s := load(t, files())
	for path, kind := range map[string]string{"/": "text/html; charset=utf-8", "/app.js": "text/javascript; charset=utf-8", "/app.json": "application/json"} {
		h := get(s, path).Header()
		for name, want := range map[string]string{"Content-Type": kind, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", path, name, h.Get(name), want)
			}
		}
		if csp := h.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'self'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
}

func TestUnchangedCostsNoBody(t *testing.T) {
	s := load(t, files())
	tag := get(s, "/app.js", "Accept-Encoding", "br").Header().Get("ETag")
	for _, c := range []struct {
		who, have, accept string
		want              int
	}{
		{"who has it", tag, "br", 304},
		{"who has it through a weakening proxy", `"x", W/` + tag, "br", 304},
		{"who has it in another coding", tag, "gzip", 200},
		{"who has an older one", `"old"`, "br", 200},
	} {
		w := get(s, "/app.js", "Accept-Encoding", c.accept, "If-None-Match", c.have)
		if w.Code != c.want || (w.Code == 304) != (w.Body.Len() == 0) {
			t.Errorf("%s: %d with %d bytes, want %d", c.who, w.Code, w.Body.Len(), c.want)
		}
	}
}

func TestOnlyTheAppsFiles(t *testing.T) {
	s := load(t, files())
	for path, want := range map[string]int{"/": 200, "/index.html": 200, "/sync/client.js": 200, "/nowhere": 404, "/sync": 404, "/sync/": 404,
		"/../app.js": 404, "/sync/../app.js": 404, "/%2e%2e/app.js": 404, "/.secret": 404, "/.git/config": 404, "//app.js": 404, "/app.js/": 404, "": 404} {
		if got := get(s, path).Code; got != want {
			t.Errorf("%q: %d, want %d", path, got, want)
		}
	}
}

// The service worker trusts this list: each hash must be that of what is sent.
func TestList(t *testing.T) {
	s := load(t, files())
	var list struct {
		Version string
		Files   map[string]struct {
			Hash string
			Size int
		}
	}
	if err := json.Unmarshal(get(s, "/app.json").Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Files) != 3 || list.Version != s.Version {
		t.Fatalf("list %+v of version %s", list, s.Version)
	}
	for path, f := range list.Files {
		sum := sha256.Sum256(get(s, path).Body.Bytes())
		if hex.EncodeToString(sum[:]) != f.Hash || get(s, path).Body.Len() != f.Size {
			t.Errorf("%s: the list says otherwise than the file", path)
		}
	}
	changed := files()
	changed["app.js"] = &fstest.MapFile{Data: []byte("1")}
	renamed := files()
	renamed["ap.js"] = renamed["app.js"]
	delete(renamed, "app.js")
	for what, other := range map[string]fstest.MapFS{"a changed file": changed, "a renamed file": renamed} {
		if load(t, other).Version == s.Version {
			t.Errorf("%s: the same version", what)
		}
	}
	if load(t, files()).Version != s.Version {
		t.Error("the same files: another version")
	}
}

// firstVisit is the most that a first visit may cost over the wire, compressed.
const firstVisit = 60_000

// A first visit loads the shell, what it links, and every module, at once: the
// preload list is complete, and the sum stays small.
func TestFirstVisit(t *testing.T) {
	s, err := pwa.Load(os.DirFS("../pb_public"))
	if err != nil {
		t.Fatal(err)
	}
	shell, err := os.ReadFile("../pb_public/index.html")
	if err != nil {
		t.Fatal(err)
	}
	if regexp.MustCompile(`<script(?:>| (?:[^>]*[^c]|))>[^<]|\son\w+=|<style`).Match(shell) {
		t.Error("index.html holds inline code, which the policy forbids")
	}
	asked := []string{"/", "/sw.js", "/app.json"}
	for _, m := range regexp.MustCompile(`(?:href|src)="(/[^"]+)"`).FindAllSubmatch(shell, -1) {
		asked = append(asked, string(m[1]))
	}
	slices.Sort(asked)
	// The dictionary is the server's, and browsers fetch it when nothing else is to be done.
	asked = slices.DeleteFunc(slices.Compact(asked), func(path string) bool { return strings.HasPrefix(path, "/api/") })
	total := map[string]int{}
	for _, path := range asked {
		for _, coding := range []string{"br", "gzip"} {
			w := get(s, path, "Accept-Encoding", coding)
			if w.Code != 200 {
				t.Errorf("%s: %d", path, w.Code)
			}
			total[coding] += w.Body.Len()
		}
	}
	t.Logf("first visit: %d files, %d bytes brotli, %d gzip", len(asked), total["br"], total["gzip"])
	if total["br"] > firstVisit {
		t.Errorf("first visit is %d bytes, allowed are %d", total["br"], firstVisit)
	}
	modules, _ := filepath.Glob("../pb_public/*/*.js")
	for _, m := range modules {
		path := strings.TrimPrefix(filepath.ToSlash(m), "../pb_public")
		if path == "/push/compose.js" || path == "/push/worker.js" {
			continue // of the service worker
		}
		if !slices.Contains(asked, path) {
			t.Errorf("%s is missing in index.html's preload list", path)
		}
	}
}
