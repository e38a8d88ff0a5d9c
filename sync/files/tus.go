package files

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"net/http"
	"strconv"
	"strings"
)

// What we speak of tus (tus.io/protocols/resumable-upload), and truly all of it.
const (
	uploads       = "/api/files/uploads"
	tusVersion    = "1.0.0"
	tusExtensions = "creation,creation-with-upload,checksum,expiration,termination"
	tusAlgorithms = "sha1,sha256"
	tusChunk      = "application/offset+octet-stream"
)

// signed is what stands in the place of the body in the signature of an upload's
// request: the body may break off, what it was meant to be may not.
func signed(h http.Header) []byte {
	return []byte(h.Get("Upload-Length") + "\n" + h.Get("Upload-Metadata") + "\n" + h.Get("Upload-Offset") + "\n" + h.Get("Upload-Checksum"))
}

// metadata reads one value of an Upload-Metadata header: pairs of a key and a
// value in base64, parted by commas.
func metadata(header, key string) string {
	for pair := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), " ")
		if name != key {
			continue
		}
		if raw, err := base64.StdEncoding.DecodeString(value); err == nil {
			return string(raw)
		}
	}
	return ""
}

// number reads a header that is a whole number from 0.
func number(h http.Header, name string) (int64, bool) {
	n, err := strconv.ParseInt(h.Get(name), 10, 64)
	return n, err == nil && n >= 0
}

// checksum is what a piece was announced to be.
type checksum struct {
	hash.Hash
	want []byte
}

// readChecksum reads an Upload-Checksum header; nil when there is none, false
// when it is of another algorithm or cannot be read.
func readChecksum(h http.Header) (*checksum, bool) {
	text := h.Get("Upload-Checksum")
	if text == "" {
		return nil, true
	}
	name, value, _ := strings.Cut(text, " ")
	c := &checksum{}
	switch name {
	case "sha1":
		c.Hash = sha1.New()
	case "sha256":
		c.Hash = sha256.New()
	default:
		return nil, false
	}
	var err error
	c.want, err = base64.StdEncoding.DecodeString(value)
	return c, err == nil && len(c.want) == c.Size()
}

func (c *checksum) good() bool { return subtle.ConstantTimeCompare(c.Sum(nil), c.want) == 1 }
