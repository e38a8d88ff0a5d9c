package journal

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	"langso/sync/text"
)

// kind is how a column's value is written for phones.
type kind byte

const (
	kindText kind = iota
	kindNumber
	kindBool
	kindList // JSON array of texts
	kindJSON
)

// wire writes a column's value as phones read it; nil is the zero of its kind.
// Equal values give equal bytes whatever way SQLite happened to store them: 1
// and 1.0, JSON with and without blanks.
func (k kind) wire(v any) json.RawMessage {
	switch k {
	case kindNumber:
		return wireNumber(v)
	case kindBool:
		if text := str(v); text == "" || text == "0" || text == "false" {
			return nil
		}
		return json.RawMessage("true")
	case kindList, kindJSON:
		return wireJSON(str(v))
	}
	s := str(v)
	if s == "" {
		return nil
	}
	return text.Append(nil, s)
}

func wireNumber(v any) json.RawMessage {
	var f float64
	switch x := v.(type) {
	case nil:
		return nil
	case int64:
		if x == 0 {
			return nil
		}
		return strconv.AppendInt(nil, x, 10)
	case float64:
		f = x
	default:
		f, _ = strconv.ParseFloat(str(v), 64)
	}
	if f == 0 || math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return strconv.AppendInt(nil, int64(f), 10)
	}
	return strconv.AppendFloat(nil, f, 'g', -1, 64)
}

func wireJSON(s string) json.RawMessage {
	if zeroJSON(s) {
		return nil
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD") // raw SQL stored it; a phone would see a cut answer
	}
	var b bytes.Buffer
	if json.Compact(&b, []byte(s)) != nil {
		return text.Append(nil, s) // raw SQL stored something that is not JSON
	}
	if zeroJSON(b.String()) {
		return nil
	}
	if strange(b.Bytes()) {
		return text.Append(nil, s)
	}
	return b.Bytes()
}

// zeroJSON tells whether JSON without blanks is a zero, which phones do not keep
// and do not count when they compare by content.
func zeroJSON(text string) bool {
	switch text {
	case "", "null", "[]", "{}", `""`, "0", "false":
		return true
	}
	if text[0] != '0' && text[0] != '-' {
		return false
	}
	f, err := strconv.ParseFloat(text, 64)
	return err == nil && f == 0
}

// mostNested is how deep lists and objects may lie in each other: a phone's
// reader has a bound, and what is beyond it would look like a damaged answer.
const mostNested = 32

// strange tells whether JSON holds what not every phone can read: numbers that
// are too great for one, or lists in lists without end.
func strange(b []byte) bool {
	depth, digits := 0, 0
	text, great := false, false
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '[' || c == '{':
			if depth++; depth > mostNested {
				return true
			}
		case c == ']' || c == '}':
			depth--
		case '0' <= c && c <= '9':
			digits++
			great = great || digits > 300
			continue
		case (c == 'e' || c == 'E') && digits > 0:
			great = true
		}
		digits = 0
	}
	if !great {
		return false
	}
	var v any
	return json.Unmarshal(b, &v) != nil
}

func str(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case []byte:
		return string(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	case bool:
		if x {
			return "true"
		}
		return "false"
	}
	return ""
}

// hash is the value's fingerprint; zero values have hash 0, others never do.
func hash(salt int64, wire []byte) uint64 {
	if wire == nil {
		return 0
	}
	var d xxhash.Digest
	d.ResetWithSeed(uint64(salt))
	_, _ = d.Write(wire)
	if h := d.Sum64(); h != 0 {
		return h
	}
	return 1
}
