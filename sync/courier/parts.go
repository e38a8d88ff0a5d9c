package courier

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A small file goes from screen to camera as a few QR codes. Each part is a text
// of letters that a QR code packs tightly (its alphanumeric mode):
//
//	LS1/<id>/<k>-<n>/<base45 of the bytes, RFC 9285>
//
// id is the beginning of the SHA-256 of the whole file, so that parts of two
// files are not mixed and a wrong whole is noticed.
const (
	partMark  = "LS1/"
	partBytes = 780 // a part is at most 1,200 characters
	// MaxParts is how many codes a person can be asked to scan.
	MaxParts = 30
)

// ErrPart is returned for a text that is no part, or one of another file.
var ErrPart = errors.New("not a part of this file")

// Parts writes a file as the texts of QR codes. The error is an [ErrSize] for a
// file that needs more than MaxParts.
func Parts(file []byte) ([]string, error) {
	n := (len(file) + partBytes - 1) / partBytes
	if n > MaxParts {
		return nil, ErrSize
	}
	out := make([]string, n)
	for k := range n {
		out[k] = fmt.Sprintf("%s%s/%d-%d/%s", partMark, partsID(file), k+1, n, base45(file[k*partBytes:min((k+1)*partBytes, len(file))]))
	}
	return out, nil
}

func partsID(file []byte) string {
	sum := sha256.Sum256(file)
	return base32.StdEncoding.EncodeToString(sum[:5])
}

// Collector puts parts together, in whatever order they are scanned. The zero
// value is ready.
type Collector struct {
	id    string
	parts [][]byte
	have  int
}

// Add takes one part. The file is returned with the last one that was missing;
// a part that is had already changes nothing. The error is an [ErrPart].
func (c *Collector) Add(text string) (file []byte, err error) {
	id, k, n, data, err := readPart(text)
	if err != nil {
		return nil, err
	}
	switch {
	case c.parts == nil:
		c.id, c.parts = id, make([][]byte, n)
	case c.id != id || len(c.parts) != n:
		return nil, ErrPart
	}
	if c.parts[k-1] == nil {
		c.parts[k-1], c.have = data, c.have+1
	}
	if c.have < n {
		return nil, nil
	}
	var all []byte
	for _, p := range c.parts {
		all = append(all, p...)
	}
	if partsID(all) != id {
		*c = Collector{}
		return nil, ErrPart
	}
	return all, nil
}

// Missing returns the numbers of the parts that are not had yet, from 1.
func (c *Collector) Missing() (out []int) {
	for i, p := range c.parts {
		if p == nil {
			out = append(out, i+1)
		}
	}
	return out
}

func readPart(text string) (id string, k, n int, data []byte, err error) {
	rest, ok := strings.CutPrefix(text, partMark)
	f := strings.SplitN(rest, "/", 3)
	if !ok || len(f) != 3 || len(f[0]) != 8 {
		return "", 0, 0, nil, ErrPart
	}
	first, last, _ := strings.Cut(f[1], "-")
	if k, err = strconv.Atoi(first); err == nil {
		n, err = strconv.Atoi(last)
	}
	if err != nil || k < 1 || n < k || n > MaxParts {
		return "", 0, 0, nil, ErrPart
	}
	if data, err = unbase45(f[2]); err != nil || len(data) == 0 || len(data) > partBytes {
		return "", 0, 0, nil, ErrPart
	}
	return f[0], k, n, data, nil
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

func base45(b []byte) string {
	var s strings.Builder
	for ; len(b) > 1; b = b[2:] {
		v := int(b[0])<<8 | int(b[1])
		s.Write([]byte{alphabet[v%45], alphabet[v/45%45], alphabet[v/45/45]})
	}
	if len(b) == 1 {
		s.Write([]byte{alphabet[b[0]%45], alphabet[b[0]/45]})
	}
	return s.String()
}

func unbase45(s string) ([]byte, error) {
	if len(s)%3 == 1 {
		return nil, ErrPart
	}
	out := make([]byte, 0, len(s)/3*2+1)
	for len(s) > 0 {
		n := min(3, len(s))
		v, unit := 0, 1
		for _, c := range []byte(s[:n]) {
			i := strings.IndexByte(alphabet, c)
			if i < 0 {
				return nil, ErrPart
			}
			v += i * unit
			unit *= 45
		}
		s = s[n:]
		switch {
		case n == 3 && v <= 0xffff:
			out = append(out, byte(v>>8), byte(v))
		case n == 2 && v <= 0xff:
			out = append(out, byte(v))
		default:
			return nil, ErrPart
		}
	}
	return out, nil
}
