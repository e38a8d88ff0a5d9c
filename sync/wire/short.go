package wire

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"langso/sync/text"
)

// Most values are texts without escapes, whole numbers, and lists and objects of
// such. They go from one form to the other as bytes; what is anything else takes the
// long way, which is also what says whether it is a value at all.

// shortCBOR writes a plain JSON value as CBOR; nil when it is not plain.
func shortCBOR(raw json.RawMessage) cbor.RawMessage {
	b, rest, ok := appendCBOR(make([]byte, 0, len(raw)+4), raw, 0)
	if !ok || len(rest) > 0 {
		return nil
	}
	return b
}

// deepest is how many lists and objects within each other are plain.
const deepest = 40

// appendCBOR appends the JSON value at the beginning of raw as CBOR, as the long way
// would write it, and returns what stands behind it; ok is false when the value is
// not plain: it has blanks, escapes, fractions or the same member twice.
func appendCBOR(b, raw []byte, depth int) (out, rest []byte, ok bool) {
	if len(raw) == 0 || depth > deepest {
		return b, nil, false
	}
	switch raw[0] {
	case '"':
		return appendText(b, raw)
	case 't':
		rest, ok = bytes.CutPrefix(raw, []byte("true"))
		return append(b, cborTrue), rest, ok
	case 'f':
		rest, ok = bytes.CutPrefix(raw, []byte("false"))
		return append(b, cborFalse), rest, ok
	case 'n':
		rest, ok = bytes.CutPrefix(raw, null)
		return append(b, cborNull), rest, ok
	case '[':
		return appendList(b, raw, depth)
	case '{':
		return appendMembers(b, raw, depth)
	}
	return appendWhole(b, raw)
}

func appendText(b, raw []byte) (out, rest []byte, ok bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return b, nil, false
	}
	n := bytes.IndexByte(raw[1:], '"')
	if n < 0 {
		return b, nil, false
	}
	inner := raw[1 : n+1]
	if !text.Plain(inner) || !utf8.Valid(inner) {
		return b, nil, false
	}
	return append(head(b, majorText, uint64(n)), inner...), raw[n+2:], true
}

// appendWhole appends a whole number of at most 18 digits.
func appendWhole(b, raw []byte) (out, rest []byte, ok bool) {
	digits := raw
	negative := raw[0] == '-'
	if negative {
		digits = raw[1:]
	}
	v, n := uint64(0), 0
	for n < len(digits) && n < 19 && '0' <= digits[n] && digits[n] <= '9' {
		v = v*10 + uint64(digits[n]-'0')
		n++
	}
	if n == 0 || n > 18 || digits[0] == '0' && (n > 1 || negative) {
		return b, nil, false
	}
	if rest = digits[n:]; len(rest) > 0 && rest[0] != ',' && rest[0] != ']' && rest[0] != '}' {
		return b, nil, false
	}
	if negative {
		return head(b, majorNegative, v-1), rest, true
	}
	return head(b, majorUint, v), rest, true
}

func appendList(b, raw []byte, depth int) (out, rest []byte, ok bool) {
	at, n := len(b), 0
	rest = raw[1:]
	if len(rest) > 0 && rest[0] == ']' {
		return head(b, majorList, 0), rest[1:], true
	}
	for {
		if b, rest, ok = appendCBOR(b, rest, depth+1); !ok || len(rest) == 0 {
			return b, nil, false
		}
		n++
		end := rest[0]
		rest = rest[1:]
		if end == ']' {
			return headBefore(b, at, majorList, n), rest, true
		}
		if end != ',' {
			return b, nil, false
		}
	}
}

// appendMembers appends an object, its members in the order of RFC 7049, section
// 3.9: the shorter name first.
func appendMembers(b, raw []byte, depth int) (out, rest []byte, ok bool) {
	type member struct{ from, value, to int }
	var some [16]member
	members := some[:0]
	at := len(b)
	rest = raw[1:]
	if len(rest) > 0 && rest[0] == '}' {
		return head(b, majorMap, 0), rest[1:], true
	}
	sorted := true
	for {
		m := member{from: len(b)}
		if b, rest, ok = appendText(b, rest); !ok || len(rest) == 0 || rest[0] != ':' {
			return b, nil, false
		}
		m.value = len(b)
		if b, rest, ok = appendCBOR(b, rest[1:], depth+1); !ok || len(rest) == 0 {
			return b, nil, false
		}
		m.to = len(b)
		if n := len(members); n > 0 {
			last := members[n-1]
			sorted = sorted && shorterFirst(b[last.from:last.value], b[m.from:m.value]) < 0
		}
		members = append(members, m)
		end := rest[0]
		rest = rest[1:]
		if end == '}' {
			break
		}
		if end != ',' {
			return b, nil, false
		}
	}
	if !sorted {
		was := bytes.Clone(b[at:])
		name := func(m member) []byte { return was[m.from-at : m.value-at] }
		slices.SortFunc(members, func(x, y member) int { return shorterFirst(name(x), name(y)) })
		b = b[:at]
		for i, m := range members {
			if i > 0 && bytes.Equal(name(m), name(members[i-1])) {
				return b, nil, false // the last one counts: the long way knows
			}
			b = append(b, was[m.from-at:m.to-at]...)
		}
	}
	return headBefore(b, at, majorMap, len(members)), rest, true
}

func shorterFirst(a, b []byte) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), bytes.Compare(a, b))
}

// headBefore puts the head of n items before those that begin at a place.
func headBefore(b []byte, at int, major byte, n int) []byte {
	var space [9]byte
	return slices.Insert(b, at, head(space[:0], major, uint64(n))...)
}

// shortJSON writes a plain CBOR value as JSON; nil when it is not plain.
func shortJSON(raw cbor.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return nil
	}
	v, rest, ok := readHead(raw)
	switch raw[0] >> 5 {
	case majorUint:
		if ok && len(rest) == 0 {
			return strconv.AppendUint(nil, v, 10)
		}
	case majorText:
		if ok && uint64(len(rest)) == v && text.Plain(rest) && utf8.Valid(rest) {
			return append(append(append(make([]byte, 0, len(rest)+2), '"'), rest...), '"')
		}
	}
	return nil
}

// Major types of CBOR (RFC 8949, section 3.1).
const (
	majorUint     = 0
	majorNegative = 1
	majorText     = 3
	majorList     = 4
	majorMap      = 5

	cborFalse = 0xf4
	cborTrue  = 0xf5
	cborNull  = 0xf6
)

// head appends the head of a data item: its major type with a length or value in
// the shortest form (RFC 8949, section 4.2.1).
func head(b []byte, major byte, v uint64) []byte {
	m := major << 5
	switch {
	case v < 24:
		return append(b, m|byte(v))
	case v < 1<<8:
		return append(b, m|24, byte(v))
	case v < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, m|25), uint16(v))
	case v < 1<<32:
		return binary.BigEndian.AppendUint32(append(b, m|26), uint32(v))
	}
	return binary.BigEndian.AppendUint64(append(b, m|27), v)
}

// readHead reads the head of a data item of a known length.
func readHead(b []byte) (v uint64, rest []byte, ok bool) {
	more := b[0] & 31
	switch {
	case more < 24:
		return uint64(more), b[1:], true
	case more == 24 && len(b) >= 2:
		return uint64(b[1]), b[2:], true
	case more == 25 && len(b) >= 3:
		return uint64(binary.BigEndian.Uint16(b[1:])), b[3:], true
	case more == 26 && len(b) >= 5:
		return uint64(binary.BigEndian.Uint32(b[1:])), b[5:], true
	case more == 27 && len(b) >= 9:
		return binary.BigEndian.Uint64(b[1:]), b[9:], true
	}
	return 0, nil, false
}
