package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"langso/sync/sum"
	"langso/sync/text"
)

// The binary form says in CBOR (RFC 8949) what the text form says in JSON, with
// numbers for the names of members. Values of fields become CBOR values; edits
// stay the JSON that they are stored as: their bytes are what a number is bound to.

var (
	encoding = must(cbor.EncOptions{Sort: cbor.SortCanonical, ShortestFloat: cbor.ShortestFloat16}.EncMode())
	decoding = must(cbor.DecOptions{MaxNestedLevels: 64, MaxArrayElements: 1 << 20, MaxMapPairs: 1 << 20, DupMapKey: cbor.DupMapKeyEnforcedAPF, UTF8: cbor.UTF8RejectInvalid, IndefLength: cbor.IndefLengthForbidden}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // options that do not fit together
	}
	return v
}

var errValue = errors.New("not a value of JSON")

// cborValue writes a JSON value as CBOR: a number that is whole, as a whole one.
func cborValue(raw json.RawMessage) (cbor.RawMessage, error) {
	if out := shortCBOR(raw); out != nil {
		return out, nil
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return encoding.Marshal(numbers(v))
}

func numbers(v any) any {
	switch x := v.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(x.String(), 10, 64); err == nil {
			return n
		}
		f, _ := x.Float64()
		return f
	case []any:
		for i := range x {
			x[i] = numbers(x[i])
		}
	case map[string]any:
		for k := range x {
			x[k] = numbers(x[k])
		}
	}
	return v
}

// jsonValue writes a CBOR value as the JSON that the text form would have.
func jsonValue(raw cbor.RawMessage) (json.RawMessage, error) {
	if out := shortJSON(raw); out != nil {
		return out, nil
	}
	var v any
	if err := decoding.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	return appendJSON(nil, v)
}

func appendJSON(b []byte, v any) ([]byte, error) {
	switch x := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, x), nil
	case uint64:
		return strconv.AppendUint(b, x, 10), nil
	case int64:
		return strconv.AppendInt(b, x, 10), nil
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, errValue
		}
		return strconv.AppendFloat(b, x, 'g', -1, 64), nil
	case string:
		return text.Append(b, x), nil
	case []any:
		b = append(b, '[')
		for i, e := range x {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = appendJSON(b, e); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case map[any]any:
		return appendObject(b, x)
	}
	return nil, errValue
}

func appendObject(b []byte, m map[any]any) ([]byte, error) {
	keys := make([]string, 0, len(m))
	for k := range m {
		s, ok := k.(string)
		if !ok {
			return nil, errValue
		}
		keys = append(keys, s)
	}
	slices.Sort(keys)
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(text.Append(b, k), ':')
		var err error
		if b, err = appendJSON(b, m[k]); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// The shapes of the binary form. Member numbers are never used again for
// something else.

type binaryAsk struct {
	App       string            `cbor:"1,keyasint,omitempty"`
	Epoch     string            `cbor:"2,keyasint,omitempty"`
	Cursor    Cursor            `cbor:"3,keyasint,omitempty"`
	Standing  hash16            `cbor:"4,keyasint,omitzero"`
	Told      hash16            `cbor:"5,keyasint,omitzero"`
	Resume    string            `cbor:"6,keyasint,omitempty"`
	Compare   bool              `cbor:"7,keyasint,omitempty"`
	Snapshots bool              `cbor:"8,keyasint,omitempty"`
	Loaded    map[string]Cursor `cbor:"9,keyasint,omitempty"`
	Check     *binaryCheck      `cbor:"10,keyasint,omitempty"`
	Confirmed int64             `cbor:"11,keyasint,omitempty"`
	Want      int               `cbor:"12,keyasint,omitempty"`
	Waiting   int               `cbor:"13,keyasint,omitempty"`
	Clock     string            `cbor:"14,keyasint,omitempty"`
	Edits     []string          `cbor:"15,keyasint,omitempty"` // JSON
	Shape     hash16            `cbor:"16,keyasint,omitzero"`
	Lost      []string          `cbor:"17,keyasint,omitempty"`
}

type binaryCheck struct {
	Sums  map[string][]byte `cbor:"1,keyasint,omitempty"`
	Lists []binaryList      `cbor:"2,keyasint,omitempty"`
	Deep  bool              `cbor:"3,keyasint,omitempty"`
}

type binaryList struct {
	In    string `cbor:"1,keyasint"`
	Bits  int    `cbor:"2,keyasint"`
	Parts []int  `cbor:"3,keyasint"`
	Has   []byte `cbor:"4,keyasint"`
}

type binaryLine struct {
	Epoch    *binaryEpoch        `cbor:"1,keyasint,omitempty"`
	Verdicts []binaryVerdict     `cbor:"2,keyasint,omitempty"`
	Acked    *int64              `cbor:"3,keyasint,omitempty"`
	SendFrom int64               `cbor:"4,keyasint,omitempty"`
	Problems []Problem           `cbor:"5,keyasint,omitempty"`
	Standing *binaryStanding     `cbor:"6,keyasint,omitempty"`
	Load     []Snapshot          `cbor:"7,keyasint,omitempty"`
	Drop     *Drop               `cbor:"8,keyasint,omitempty"`
	Gone     map[string][]string `cbor:"9,keyasint,omitempty"`
	Changes  *binaryChanges      `cbor:"10,keyasint,omitempty"`
	Sums     *binarySums         `cbor:"11,keyasint,omitempty"`
	Check    string              `cbor:"12,keyasint,omitempty"`
	Mark     *string             `cbor:"13,keyasint,omitempty"`
	More     string              `cbor:"14,keyasint,omitempty"`
	Complete *binaryComplete     `cbor:"15,keyasint,omitempty"`
	RetryIn  int                 `cbor:"16,keyasint,omitempty"`
	// Verdicts that only say "taken", as most do: first number and how many.
	Taken []int64 `cbor:"17,keyasint,omitempty"`
	Shape hash16  `cbor:"18,keyasint,omitzero"`
}

type binaryEpoch struct {
	Is      string `cbor:"1,keyasint"`
	Reset   bool   `cbor:"2,keyasint,omitempty"`
	Compare bool   `cbor:"3,keyasint,omitempty"`
}

type binaryVerdict struct {
	N    int64  `cbor:"1,keyasint"`
	Is   string `cbor:"2,keyasint"`
	Was  string `cbor:"3,keyasint,omitempty"`
	Code string `cbor:"4,keyasint,omitempty"`
	Say  string `cbor:"5,keyasint,omitempty"`
	More string `cbor:"6,keyasint,omitempty"` // met and result, JSON
}

type binaryStanding struct {
	Hash    hash16   `cbor:"1,keyasint"`
	Circles []string `cbor:"2,keyasint"`
}

type binaryChanges struct {
	Coll  string                       `cbor:"1,keyasint"`
	IDs   any                          `cbor:"2,keyasint"` // text or texts
	Seq   []int64                      `cbor:"3,keyasint"`
	Whole bool                         `cbor:"4,keyasint,omitempty"`
	In    [][]int                      `cbor:"5,keyasint,omitempty"`
	Set   map[string][]cbor.RawMessage `cbor:"6,keyasint,omitempty"`
}

type binarySums struct {
	In   string `cbor:"1,keyasint"`
	Bits int    `cbor:"2,keyasint"`
	List []byte `cbor:"3,keyasint"`
}

type binaryComplete struct {
	Cursor Cursor `cbor:"1,keyasint"`
	Epoch  string `cbor:"2,keyasint"`
	Sum    []byte `cbor:"3,keyasint"`
}

// hash16 is 16 hex digits, in 8 bytes where it is that.
type hash16 string

// MarshalCBOR implements cbor.Marshaler.
func (h hash16) MarshalCBOR() ([]byte, error) {
	var s sum.Sum
	if s.UnmarshalText([]byte(h)) == nil && s.String() == string(h) {
		return encoding.Marshal(sumBytes(s))
	}
	return encoding.Marshal(string(h))
}

// UnmarshalCBOR implements cbor.Unmarshaler.
func (h *hash16) UnmarshalCBOR(b []byte) error {
	var v any
	if err := decoding.Unmarshal(b, &v); err != nil {
		return err
	}
	switch x := v.(type) {
	case string:
		*h = hash16(x)
		return nil
	case []byte:
		s, err := sumOf(x)
		*h = hash16(s.String())
		return err
	}
	return errValue
}

func sumBytes(s sum.Sum) []byte {
	raw, _ := Numbers{s.A, s.B}.MarshalBinary()
	return raw
}

func sumOf(raw []byte) (sum.Sum, error) {
	var n Numbers
	if err := n.UnmarshalBinary(raw); err != nil || len(n) != 2 {
		return sum.Sum{}, errNumbers
	}
	return sum.Sum{A: n[0], B: n[1]}, nil
}

func (c Changes) binary() (*binaryChanges, error) {
	out := &binaryChanges{Coll: c.Coll, Seq: c.Seq, Whole: c.Whole, In: c.In}
	ids, err := c.IDs.MarshalJSON()
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(ids, &out.IDs); err != nil {
		return nil, err
	}
	if len(c.Set) > 0 {
		out.Set = make(map[string][]cbor.RawMessage, len(c.Set))
	}
	for f, column := range c.Set {
		values := make([]cbor.RawMessage, len(column))
		for i, v := range column {
			if values[i], err = cborValue(v); err != nil {
				return nil, fmt.Errorf("field %s: %w", f, err)
			}
		}
		out.Set[f] = values
	}
	return out, nil
}

// appendTo appends the columns as the encoder would write c.binary(); ok is false
// for what only that can.
func (c *Changes) appendTo(b []byte) (out []byte, ok bool) {
	members := 3
	for _, there := range []bool{c.Whole, len(c.In) > 0, len(c.Set) > 0} {
		if there {
			members++
		}
	}
	text := func(s string) {
		ok = ok && utf8.ValidString(s)
		b = append(head(b, majorText, uint64(len(s))), s...)
	}
	whole := func(n int64) {
		if n < 0 {
			b = head(b, majorNegative, uint64(-1-n))
		} else {
			b = head(b, majorUint, uint64(n))
		}
	}
	ok = true
	b = append(head(b, majorMap, uint64(members)), 1)
	text(c.Coll)
	b = append(b, 2)
	if c.IDs.usual() {
		b = head(b, majorText, uint64(idLength*len(c.IDs)))
		for _, id := range c.IDs {
			b = append(b, id...)
		}
	} else {
		b = head(b, majorList, uint64(len(c.IDs)))
		for _, id := range c.IDs {
			text(id)
		}
	}
	b = head(append(b, 3), majorList, uint64(len(c.Seq)))
	for _, n := range c.Seq {
		whole(n)
	}
	if c.Whole {
		b = append(b, 4, cborTrue)
	}
	if len(c.In) > 0 {
		b = head(append(b, 5), majorList, uint64(len(c.In)))
		for _, in := range c.In {
			b = head(b, majorList, uint64(len(in)))
			for _, n := range in {
				whole(int64(n))
			}
		}
	}
	if len(c.Set) > 0 {
		b = head(append(b, 6), majorMap, uint64(len(c.Set)))
	}
	names := slices.SortedFunc(maps.Keys(c.Set), func(x, y string) int { return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)) })
	for _, name := range names {
		text(name)
		b = head(b, majorList, uint64(len(c.Set[name])))
		for _, v := range c.Set[name] {
			next, rest, plain := appendCBOR(b, v, 0)
			if plain && len(rest) == 0 {
				b = next
				continue
			}
			long, err := cborValue(v)
			if err != nil {
				return nil, false
			}
			b = append(b, long...)
		}
	}
	return b, ok
}

func (c *binaryChanges) text() (*Changes, error) {
	out := &Changes{Coll: c.Coll, Seq: c.Seq, Whole: c.Whole, In: c.In}
	ids, err := json.Marshal(c.IDs)
	if err != nil {
		return nil, err
	}
	if err := out.IDs.UnmarshalJSON(ids); err != nil {
		return nil, err
	}
	if len(c.Set) > 0 {
		out.Set = make(map[string][]json.RawMessage, len(c.Set))
	}
	for f, column := range c.Set {
		values := make([]json.RawMessage, len(column))
		for i, v := range column {
			if values[i], err = jsonValue(v); err != nil {
				return nil, err
			}
		}
		out.Set[f] = values
	}
	return out, nil
}
