// Package sum makes the numbers by which a phone and the server find out whether
// they hold the same records, and which do not agree, without sending them
// (docs/PROTOCOL.md §4.6). Each record in a circle has a number; a circle's sum
// is the sum of its records' numbers, so that the journal keeps it with each
// change and a phone can add up its own. It knows no database and no protocol.
package sum

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Sum is an additive checksum: two independent lanes modulo 2³². Adding and
// taking away records keeps it without going through the others. It finds what
// went wrong by mistake, not by intent: who holds the records could make any.
type Sum struct{ A, B uint32 }

// Plus adds two sums.
func (s Sum) Plus(t Sum) Sum { return Sum{s.A + t.A, s.B + t.B} }

// Minus takes one from another.
func (s Sum) Minus(t Sum) Sum { return Sum{s.A - t.A, s.B - t.B} }

// String is 16 hex digits, lane A first.
func (s Sum) String() string { return fmt.Sprintf("%08x%08x", s.A, s.B) }

// MarshalText writes the 16 hex digits.
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

var errSum = errors.New("a sum has 16 hex digits")

// UnmarshalText reads 16 hex digits.
func (s *Sum) UnmarshalText(text []byte) error {
	var raw [8]byte
	if len(text) != 16 {
		return errSum
	}
	if _, err := hex.Decode(raw[:], text); err != nil {
		return errSum
	}
	*s = Sum{binary.BigEndian.Uint32(raw[:4]), binary.BigEndian.Uint32(raw[4:])}
	return nil
}

// hasher makes both lanes over bytes (docs/PROTOCOL.md §4.6): FNV-1a, then the
// finish of MurmurHash3, which both are a few lines in any language without
// 64-bit numbers.
type hasher struct{ a, b uint32 }

func newHasher() hasher { return hasher{2166136261, 2654435769} }

func (h *hasher) text(s string) {
	for i := range len(s) {
		h.a = (h.a ^ uint32(s[i])) * 16777619
		h.b = (h.b ^ uint32(s[i])) * 16777619
	}
}

func (h *hasher) bytes(b []byte) {
	for _, c := range b {
		h.a = (h.a ^ uint32(c)) * 16777619
		h.b = (h.b ^ uint32(c)) * 16777619
	}
}

func (h *hasher) line(s string) { h.text(s); h.text("\n") }

func (h *hasher) sum(s Sum) {
	var raw [8]byte
	binary.BigEndian.PutUint32(raw[:4], s.A)
	binary.BigEndian.PutUint32(raw[4:], s.B)
	h.bytes(raw[:])
}

func (h hasher) done() Sum { return Sum{finish(h.a), finish(h.b)} }

func finish(h uint32) uint32 {
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}

// Place is a record in a circle, whose numbers are added up.
type Place struct {
	Circle, Coll, ID string
	Seq              int64
}

// Sum is the number of a record in a circle.
func (p Place) Sum() Sum { h := p.hash(); return h.done() }

// Deep is the number of a record in a circle with its content, see [Content].
func (p Place) Deep(content Sum) Sum {
	h := p.hash()
	h.text("\n")
	h.sum(content)
	return h.done()
}

func (p Place) hash() hasher {
	h := newHasher()
	h.line(p.Circle)
	h.line(p.Coll)
	h.line(p.ID)
	var raw [20]byte
	h.bytes(strconv.AppendInt(raw[:0], p.Seq, 10))
	return h
}

// Part is the part of a circle, of 2^bits, that a record belongs to.
func Part(coll, id string, bits int) int {
	h := newHasher()
	h.line(coll)
	h.text(id)
	return int(uint64(h.done().A) << bits >> 32)
}

// Content is the sum over a record's fields that are not zero. Two spellings of
// one value (1 and 1.0, members in another order) have one content.
func Content(fields map[string]json.RawMessage) (Sum, error) {
	var total Sum
	for name, raw := range fields {
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			return Sum{}, fmt.Errorf("content of %s: %w", name, err)
		}
		h := newHasher()
		h.line(name)
		value(&h, v)
		total = total.Plus(h.done())
	}
	return total, nil
}

func value(h *hasher, v any) {
	switch x := v.(type) {
	case string:
		h.text("t")
		h.text(x)
	case float64:
		var raw [8]byte
		if x == 0 {
			x = 0 // −0 is 0
		}
		binary.BigEndian.PutUint64(raw[:], math.Float64bits(x))
		h.text("n")
		h.bytes(raw[:])
	case bool:
		if x {
			h.text("y")
		} else {
			h.text("f")
		}
	case []any:
		h.text("l")
		for _, e := range x {
			inner := newHasher()
			value(&inner, e)
			h.sum(inner.done())
		}
	case map[string]any:
		var members Sum
		for k, e := range x {
			inner := newHasher()
			inner.line(k)
			value(&inner, e)
			members = members.Plus(inner.done())
		}
		h.text("o")
		h.sum(members)
	default:
		h.text("0")
	}
}

// MostBits bounds the parts of a circle.
const MostBits = 12

// BitsFor is how finely a circle of n records is compared: parts and the records
// of one part then cost about the same.
func BitsFor(n int) int {
	bits := 2
	for n > 1<<(2*bits) && bits < MostBits {
		bits++
	}
	return bits
}
