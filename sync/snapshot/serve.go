package snapshot

import (
	"crypto/sha256"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// ServeFile answers GET /api/snapshots/<name>. A name is known only to who was
// told it in an answer; it needs no other key, so that any cache may keep the
// file. It answers Range, over the packed bytes, and ?from=<n>, the unpacked bytes
// from n on, packed anew: pages of browsers never see packed bytes, so they cannot go on with
// them. 404 is for what is not there (any more).
func (s *Store) ServeFile(w http.ResponseWriter, r *http.Request, name string) {
	h := w.Header()
	h.Set("Vary", "Accept-Encoding")
	if len(name) != sha256.Size*2 || strings.Trim(name, "0123456789abcdef") != "" {
		http.NotFound(w, r)
		return
	}
	encoding := ""
	accept := r.Header.Get("Accept-Encoding")
	for _, p := range packers {
		if encoding == "" && strings.Contains(accept, p.encoding) {
			encoding = p.encoding
		}
	}
	if from := r.URL.Query().Get("from"); from != "" || encoding == "" {
		s.serveTail(w, r, name, from)
		return
	}
	f, err := os.Open(s.path(name, encoding))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		http.NotFound(w, r)
		return
	}
	always(h, name, encoding)
	if r.Header.Get("Range") == "" {
		h.Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	}
	http.ServeContent(w, r, "", info.ModTime(), f)
}

// always are the headers of what never changes. tag is the name, or the name
// and from where on.
func always(h http.Header, tag, encoding string) {
	h.Set("Content-Type", "application/octet-stream")
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("ETag", `"`+tag[:32]+tag[sha256.Size*2:]+"-"+encoding+`"`)
}
