package wire

import (
	"encoding/binary"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"langso/sync/text"
)

// Most values are short texts without escapes and whole numbers. They go from
// one form to the other as bytes; what is anything else takes the long way,
// which is also what says whether it is a value at all.

// shortCBOR writes a plain JSON value as CBOR; nil when it is not plain.
func shortCBOR(raw json.RawMessage) cbor.RawMessage {
	n := len(raw)
	if n >= 2 && raw[0] == '"' && raw[n-1] == '"' {
		inner := raw[1 : n-1]
		if !text.Plain(inner) || !utf8.Valid(inner) {
			return nil
		}
		return append(head(make([]byte, 0, n+4), majorText, uint64(len(inner))), inner...)
	}
	if n == 0 || n > 18 || raw[0] < '0' || raw[0] > '9' || raw[0] == '0' && n > 1 {
		return nil
	}
	for _, c := range raw {
		if c < '0' || c > '9' {
			return nil
		}
	}
	v, err := strconv.ParseUint(string(raw), 10, 64)
	if err != nil {
		return nil
	}
	return head(make([]byte, 0, 9), majorUint, v)
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
	majorUint = 0
	majorText = 3
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
