// Package text writes texts as JSON. Both sides hash and compare what they write,
// so there is one way to do it: nothing is escaped that need not be, and bytes
// that are not UTF-8 become the replacement character.
package text

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Append appends a text as JSON to b.
func Append(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if Plain(s) {
		return append(append(append(b, '"'), s...), '"')
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a text always encodes
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte{'\n'})...)
}

// Plain tells whether a text stands between quotation marks as it is.
func Plain[T ~string | ~[]byte](s T) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c == '"' || c == '\\':
			return false
		case c == 0xE2 && i+2 < len(s) && s[i+1] == 0x80 && (s[i+2] == 0xA8 || s[i+2] == 0xA9):
			return false // ends of lines, which JSON in a page may not hold
		}
	}
	return true
}
