package pwa

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
)

// Site is the phone app in memory, ready to be sent.
type Site struct {
	Version string // hex SHA-256 over the sorted "path hash" lines
	files   map[string]*file
}

// file is one file in the forms in which it may be sent.
type file struct {
	kind   string
	hash   string // hex SHA-256 of the plain bytes
	plain  []byte
	coded  map[string][]byte // by content coding; only where it saves bytes
	varies bool
}

// types are fixed here, since the machine's own list differs between systems.
var types = map[string]string{
	".html":        "text/html; charset=utf-8",
	".css":         "text/css; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".webmanifest": "application/manifest+json",
	".svg":         "image/svg+xml",
	".png":         "image/png",
	".txt":         "text/plain; charset=utf-8",
}

// Load reads and compresses every file of the folder. Names that begin with a
// dot, and texts for developers (.md), are left out.
func Load(files fs.FS) (*Site, error) {
	s := &Site{files: map[string]*file{}}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasPrefix(path.Base(name), ".") && name != "." {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() || path.Ext(name) == ".md" {
			return nil
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		f, err := newFile(name, shrink(name, body))
		if err != nil {
			return fmt.Errorf("compress %s: %w", name, err)
		}
		s.files["/"+name] = f
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read app: %w", err)
	}
	return s, s.list()
}

// list adds /app.json, the list that the service worker updates by.
func (s *Site) list() error {
	type entry struct {
		Hash string `json:"hash"`
		Size int    `json:"size"`
	}
	entries, names := map[string]entry{}, []string{}
	for name, f := range s.files {
		entries[name] = entry{f.hash, len(f.plain)}
		names = append(names, name)
	}
	slices.Sort(names)
	sum := sha256.New()
	for _, name := range names {
		fmt.Fprintf(sum, "%s %s\n", name, entries[name].Hash)
	}
	s.Version = hex.EncodeToString(sum.Sum(nil))
	body, err := json.Marshal(map[string]any{"version": s.Version, "files": entries})
	if err != nil {
		return fmt.Errorf("write app.json: %w", err)
	}
	f, err := newFile("app.json", body)
	if err != nil {
		return fmt.Errorf("compress app.json: %w", err)
	}
	s.files["/app.json"] = f
	return nil
}

func newFile(name string, body []byte) (*file, error) {
	sum := sha256.Sum256(body)
	f := &file{kind: types[path.Ext(name)], hash: hex.EncodeToString(sum[:]), plain: body, coded: map[string][]byte{}}
	if f.kind == "" {
		f.kind = "application/octet-stream"
	}
	for coding, open := range codings {
		var b bytes.Buffer
		w, err := open(&b)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(body); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		if b.Len() < len(body) {
			f.coded[coding], f.varies = b.Bytes(), true
		}
	}
	return f, nil
}

var codings = map[string]func(io.Writer) (io.WriteCloser, error){
	"br": func(w io.Writer) (io.WriteCloser, error) {
		return brotli.NewWriterLevel(w, brotli.BestCompression), nil
	},
	"gzip": func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(w, gzip.BestCompression) },
}

// policy lets nothing run, load or be asked but the app's own files; QR codes
// from the server are shown as data images.
const policy = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

// Serve answers a request for one of the app's files; false means that there
// is no such file and nothing was written. "/" is index.html.
func (s *Site) Serve(w http.ResponseWriter, r *http.Request) bool {
	name := r.URL.Path
	if name == "/" {
		name = "/index.html"
	}
	f := s.files[name]
	if f == nil {
		return false
	}
	coding := f.choose(r.Header.Get("Accept-Encoding"))
	tag := `"` + f.hash[:24] + coding + `"`
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", tag)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", policy)
	if f.varies {
		h.Set("Vary", "Accept-Encoding")
	}
	if known(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return true
	}
	body := f.plain
	if coding != "" {
		body = f.coded[coding]
		h.Set("Content-Encoding", coding)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a phone that hung up is nobody's error
	}
	return true
}

// choose returns the smallest coding that the client accepts, "" for none.
func (f *file) choose(accept string) string {
	best, size := "", len(f.plain)
	for _, part := range strings.Split(accept, ",") {
		coding, params, _ := strings.Cut(part, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		body, have := f.coded[coding]
		if have && !refused(params) && len(body) < size {
			best, size = coding, len(body)
		}
	}
	return best
}

// refused tells whether a coding's parameters say q=0.
func refused(params string) bool {
	q, found := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
	if !found {
		return false
	}
	v, err := strconv.ParseFloat(q, 64)
	return err == nil && v == 0
}

// known tells whether the client has the entity already.
func known(header, tag string) bool {
	for _, have := range strings.Split(header, ",") {
		have = strings.TrimPrefix(strings.TrimSpace(have), "W/")
		if have == tag || have == "*" {
			return true
		}
	}
	return false
}
