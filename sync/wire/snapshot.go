package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A snapshot file is made once and carried to every phone, so its rows are packed
// more tightly than those of an answer (docs/PROTOCOL.md §4.7): in order of id,
// differences in the place of ids, references as places in the file, and columns
// of few values or of whole numbers as digits (digits.go).

// ErrSnapshot is returned for what is no snapshot file, or a damaged one.
var ErrSnapshot = errors.New("not a snapshot file")

// SnapshotVersion is that of the file's form, in its head. Who does not know it
// leaves the file and gets the records in answers.
const SnapshotVersion = 2

const (
	fewRows  = 16 // gain nothing by digits
	fewTimes = 4  // how often, on average, a value stands in a column that is written as a list of its values
)

// fileLine is one line of a snapshot file; it has one of the two.
type fileLine struct {
	Snapshot *SnapshotHead `json:"snapshot,omitempty"`
	Packed   *packed       `json:"packed,omitempty"`
}

// packed are whole rows of one collection.
type packed struct {
	Coll  string            `json:"coll"`
	Steps string            `json:"steps,omitempty"` // the first id, then differences
	IDs   IDs               `json:"ids,omitempty"`   // when one is not of the usual kind
	Seq   column            `json:"seq"`
	In    [][]int           `json:"in,omitempty"`
	Set   map[string]column `json:"set,omitempty"`
}

// column is an array of values, or one of two objects: places in a list of
// values or among the ids of a collection, or whole numbers.
type column struct {
	values []json.RawMessage
	object
}

type object struct {
	At     string          `json:"at,omitempty"`     // base 36
	Of     json.RawMessage `json:"of,omitempty"`     // a list of values; or a collection's name: 0 is none, 1 its first id in the file
	Digits string          `json:"digits,omitempty"` // base 10
}

func (c column) MarshalJSON() ([]byte, error) {
	if c.values != nil {
		return plainJSON(c.values)
	}
	return plainJSON(c.object)
}

func (c *column) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '[' {
		return json.Unmarshal(raw, &c.values)
	}
	return json.Unmarshal(raw, &c.object)
}

// plainJSON writes texts as they are, < and & too.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// WriteSnapshot writes a file, unpacked. The rows of each collection are whole,
// in order of id, in one or several parts.
func WriteSnapshot(head SnapshotHead, parts []Changes) ([]byte, error) {
	places := map[string]map[string]int{} // collection → id → place from 1
	for _, c := range parts {
		if places[c.Coll] == nil {
			places[c.Coll] = map[string]int{}
		}
		for _, id := range c.IDs {
			places[c.Coll][id] = len(places[c.Coll]) + 1
		}
	}
	var out bytes.Buffer
	write := func(l fileLine) error {
		raw, err := plainJSON(l)
		out.Write(append(raw, '\n'))
		return err
	}
	if err := write(fileLine{Snapshot: &head}); err != nil {
		return nil, fmt.Errorf("write snapshot: %w", err)
	}
	for _, c := range parts {
		p := &packed{Coll: c.Coll, Steps: toSteps(c.IDs), Seq: packSeq(c.Seq), In: c.In, Set: map[string]column{}}
		if p.Steps == "" {
			p.IDs = c.IDs
		}
		for field, values := range c.Set {
			p.Set[field] = pack(values, places)
		}
		if err := write(fileLine{Packed: p}); err != nil {
			return nil, fmt.Errorf("write snapshot: %w", err)
		}
	}
	return out.Bytes(), nil
}

// packSeq leaves numbers that ascend as differences and writes others as digits.
func packSeq(steps []int64) column {
	if len(steps) < fewRows || !slices.ContainsFunc(steps, func(d int64) bool { return d < 0 }) {
		return column{values: rawNumbers(steps)}
	}
	seqs := slices.Clone(steps)
	for i := 1; i < len(seqs); i++ {
		seqs[i] += seqs[i-1]
	}
	if text, ok := wholeNumbers(rawNumbers(seqs)); ok {
		return column{object: object{Digits: text}}
	}
	return column{values: rawNumbers(steps)}
}

func rawNumbers(list []int64) []json.RawMessage {
	out := make([]json.RawMessage, len(list))
	for i, n := range list {
		out[i] = fmt.Append(nil, n)
	}
	return out
}

// pack finds the shortest way to write a column.
func pack(values []json.RawMessage, places map[string]map[string]int) column {
	if len(values) < fewRows {
		return column{values: values}
	}
	for _, coll := range slices.Sorted(maps.Keys(places)) {
		if at, ok := references(values, places[coll]); ok {
			return column{object: object{At: toDigits(at), Of: fmt.Appendf(nil, "%q", coll)}}
		}
	}
	if at, of := distinct(values); len(of)*fewTimes <= len(values) {
		list, err := plainJSON(of)
		if err == nil {
			return column{object: object{At: toDigits(at), Of: list}}
		}
	}
	if text, ok := wholeNumbers(values); ok {
		return column{object: object{Digits: text}}
	}
	return column{values: values}
}

// references are the places of values among ids, if all that are not null are there.
func references(values []json.RawMessage, ids map[string]int) ([]int, bool) {
	at, some := make([]int, len(values)), false
	for i, v := range values {
		if bytes.Equal(v, null) {
			continue
		}
		if len(v) != idLength+2 || v[0] != '"' || ids[string(v[1:idLength+1])] == 0 {
			return nil, false
		}
		at[i], some = ids[string(v[1:idLength+1])], true
	}
	return at, some
}

// distinct are the values without repetition, and where each stands among them.
func distinct(values []json.RawMessage) (at []int, of []json.RawMessage) {
	place := map[string]int{}
	for _, v := range values {
		k, ok := place[string(v)]
		if !ok {
			k = len(of)
			place[string(v)] = k
			of = append(of, v)
		}
		at = append(at, k)
	}
	return at, of
}

// ReadSnapshot reads a file, unpacked. Lines it does not know are passed over; the
// error is ErrSnapshot.
func ReadSnapshot(plain []byte) (*SnapshotHead, []Changes, error) {
	var head *SnapshotHead
	var parts []*packed
	for len(plain) > 0 {
		raw, rest, _ := bytes.Cut(plain, []byte("\n"))
		plain = rest
		var line fileLine
		if json.Unmarshal(raw, &line) != nil {
			return nil, nil, ErrSnapshot
		}
		if head == nil {
			head = line.Snapshot
			if head == nil || head.V != SnapshotVersion || len(head.Circles) == 0 || head.Seq <= 0 {
				return nil, nil, ErrSnapshot
			}
		} else if line.Packed != nil {
			parts = append(parts, line.Packed)
		}
	}
	if head == nil {
		return nil, nil, ErrSnapshot
	}
	ids := map[string][]json.RawMessage{} // collection → null, then its ids as JSON
	for _, p := range parts {
		if p.Steps != "" {
			var err error
			if p.IDs, err = fromSteps(p.Steps); err != nil {
				return nil, nil, err
			}
		}
		if ids[p.Coll] == nil {
			ids[p.Coll] = []json.RawMessage{null}
		}
		for _, id := range p.IDs {
			ids[p.Coll] = append(ids[p.Coll], fmt.Appendf(nil, "%q", id))
		}
	}
	var out []Changes
	size := 0 // a value that stands once in the file may stand in many rows
	for _, p := range parts {
		c, err := p.changes(ids)
		if err != nil {
			return nil, nil, err
		}
		for _, values := range c.Set {
			for _, v := range values {
				size += len(v)
			}
		}
		if size > 4*MaxSnapshot {
			return nil, nil, ErrSnapshot
		}
		out = append(out, c)
	}
	return head, out, nil
}

// changes are the rows as an answer would have them.
func (p *packed) changes(ids map[string][]json.RawMessage) (Changes, error) {
	n := len(p.IDs)
	c := Changes{Coll: p.Coll, IDs: p.IDs, Whole: true, In: p.In, Set: map[string][]json.RawMessage{}}
	seqs, err := p.Seq.read(n, nil)
	if err != nil {
		return c, err
	}
	c.Seq = make([]int64, n)
	for i, raw := range seqs {
		if json.Unmarshal(raw, &c.Seq[i]) != nil {
			return c, ErrSnapshot
		}
	}
	if p.Seq.Digits != "" { // numbers, not differences
		for i := n - 1; i > 0; i-- {
			c.Seq[i] -= c.Seq[i-1]
		}
	}
	for field, col := range p.Set {
		if c.Set[field], err = col.read(n, ids); err != nil {
			return c, err
		}
	}
	return c, nil
}

// read returns the n values of a column.
func (c column) read(n int, ids map[string][]json.RawMessage) ([]json.RawMessage, error) {
	if c.Digits != "" {
		return readNumbers(c.Digits, n)
	}
	if len(c.Of) == 0 {
		if len(c.values) != n {
			return nil, ErrSnapshot
		}
		return c.values, nil
	}
	var of []json.RawMessage
	var coll string
	if json.Unmarshal(c.Of, &coll) == nil {
		of = ids[coll]
	} else if json.Unmarshal(c.Of, &of) != nil {
		return nil, ErrSnapshot
	}
	at, err := fromDigits(c.At, n)
	if err != nil {
		return nil, err
	}
	out := make([]json.RawMessage, n)
	for i, k := range at {
		if k >= len(of) {
			return nil, ErrSnapshot
		}
		out[i] = of[k]
	}
	return out, nil
}

// idsAscend tells whether ids are of the usual kind and in order.
func idsAscend(ids []string) bool {
	for i, id := range ids {
		if len(id) != idLength || strings.Trim(id, digits) != "" || i > 0 && id <= ids[i-1] {
			return false
		}
	}
	return true
}
