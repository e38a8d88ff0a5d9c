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
// file. It answers Range, and 404 for what is not there (any more).
func (s *Store) ServeFile(w http.ResponseWriter, r *http.Request, name string) {
	encoding := ""
	accept := r.Header.Get("Accept-Encoding")
	for _, p := range packers {
		if encoding == "" && strings.Contains(accept, p.encoding) {
			encoding = p.encoding
		}
	}
	h := w.Header()
	h.Set("Vary", "Accept-Encoding")
	if len(name) != sha256.Size*2 || strings.Trim(name, "0123456789abcdef") != "" || encoding == "" {
		http.NotFound(w, r)
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
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Encoding", encoding)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("ETag", `"`+name[:32]+"-"+encoding+`"`)
	if r.Header.Get("Range") == "" {
		h.Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	}
	http.ServeContent(w, r, "", info.ModTime(), f)
}
