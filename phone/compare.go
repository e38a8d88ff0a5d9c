package phone

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"langso/sync/sum"
	"langso/sync/wire"
)

// A phone compares what it holds with the server by sums (docs/PROTOCOL.md §4.6):
// at each `complete` one sum; when that differs, sums of circles and their parts,
// then lists of single records. Once a week it does so by content.

// deepEvery is how often a phone compares by content.
const deepEvery = 7 * 24 * time.Hour

// rounds bounds one Sync against a comparison that never agrees.
const rounds = 3

// wantCheck notes that a comparison is due: "sums", or "deep" which includes it.
func wantCheck(tx *sql.Tx, kind string) error {
	due, err := getMeta(tx, "check")
	if err != nil || due == "deep" {
		return err
	}
	return setMeta(tx, "check", kind)
}

// member is one of this phone's records in one circle.
type member struct {
	circle, coll, id string
	number           sum.Sum
}

// members are this phone's records in a circle, or in all with "", in order of
// collection and id; deep makes their numbers by content.
func members(q querier, circle string, deep bool) ([]member, error) {
	rows, err := q.Query(`SELECT coll, id, seq, circles, fields FROM records ORDER BY coll, id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []member
	for rows.Next() {
		var coll, id, names, text string
		var seq int64
		if err := rows.Scan(&coll, &id, &seq, &names, &text); err != nil {
			return nil, err
		}
		var in []string
		if json.Unmarshal([]byte(names), &in) != nil {
			continue // damaged: it is in no circle, and the server sends it again
		}
		if circle != "" && !slices.Contains(in, circle) {
			continue
		}
		var content sum.Sum
		if deep {
			content = contentOf(text)
		}
		for _, c := range in {
			if circle != "" && c != circle {
				continue
			}
			place := sum.Place{Circle: c, Coll: coll, ID: id, Seq: seq}
			number := place.Sum()
			if deep {
				number = place.Deep(content)
			}
			out = append(out, member{c, coll, id, number})
		}
	}
	return out, rows.Err()
}

// contentOf is the sum over stored fields; of damaged ones a number that no
// record has by right.
func contentOf(text string) sum.Sum {
	fields := map[string]json.RawMessage{}
	if json.Unmarshal([]byte(text), &fields) != nil {
		return sum.Sum{A: 1}
	}
	for name, raw := range fields {
		var v any
		if json.Unmarshal(raw, &v) == nil && isZero(v) {
			delete(fields, name)
		}
	}
	content, err := sum.Content(fields)
	if err != nil {
		return sum.Sum{A: 1}
	}
	return content
}

// agrees tells whether the sum over all records is the server's. It is made
// anew only when records came, changed or went.
func (p *Phone) agrees(tx *sql.Tx, theirs sum.Sum) (bool, error) {
	text, err := getMeta(tx, "sum")
	if err != nil {
		return false, err
	}
	if text == "" {
		all, err := members(tx, "", false)
		if err != nil {
			return false, err
		}
		var total sum.Sum
		for _, m := range all {
			total = total.Plus(m.number)
		}
		text = total.String()
		if err := setMeta(tx, "sum", text); err != nil {
			return false, err
		}
	}
	return text == theirs.String(), nil
}

// comparison is one that is under way within a Sync.
type comparison struct {
	deep   bool
	rounds int
	next   *wire.Check // what the next ask carries; nil when none is under way
	listed [][]member  // the records of its lists
	differ []string    // circles whose sums were another
	only   []string    // circles that are compared again, the others being right; nil: all
}

// due begins a comparison when one is due.
func (c *comparison) due(p *Phone, ask *wire.Ask) error {
	if c.next != nil || ask.Cursor == 0 || ask.Resume != "" || ask.Compare {
		return nil
	}
	kind, err := getMeta(p.db, "check")
	if err != nil {
		return err
	}
	if kind == "" {
		last, err := getMeta(p.db, "compared")
		if err != nil {
			return err
		}
		at, err := time.Parse(time.RFC3339, last)
		if err == nil && p.now().Sub(at).Abs() < deepEvery {
			return nil
		}
		kind = "deep"
	}
	c.deep = kind == "deep"
	if c.next, err = p.circleSums(c.deep); err != nil || c.only == nil {
		return err
	}
	maps.DeleteFunc(c.next.Sums, func(circle string, _ sum.Sum) bool { return !slices.Contains(c.only, circle) })
	c.only = nil
	return nil
}

// circleSums is the first question: a sum for each circle.
func (p *Phone) circleSums(deep bool) (*wire.Check, error) {
	names, err := circles(p.db)
	if err != nil {
		return nil, err
	}
	all, err := members(p.db, "", deep)
	if err != nil {
		return nil, err
	}
	check := &wire.Check{Sums: map[string]sum.Sum{}, Deep: deep}
	for _, c := range names {
		check.Sums[c] = sum.Sum{}
	}
	for _, m := range all {
		check.Sums[m.circle] = check.Sums[m.circle].Plus(m.number)
	}
	return check, nil
}

// lists is the second question: what this phone has in the parts that differ.
func (p *Phone) lists(theirs []wire.Sums, deep bool) (*wire.Check, [][]member, error) {
	check := &wire.Check{Deep: deep}
	var listed [][]member
	room := wire.MaxListed / 2 // what finds none is left for the next round
	for _, s := range theirs {
		if s.Bits < 0 || s.Bits > sum.MostBits || len(s.List) != 1<<s.Bits {
			continue
		}
		all, err := members(p.db, s.In, deep)
		if err != nil {
			return nil, nil, err
		}
		own, count := make(wire.Numbers, len(s.List)), make([]int, len(s.List))
		for _, m := range all {
			part := sum.Part(m.coll, m.id, s.Bits)
			own[part] += m.number.A
			count[part]++
		}
		list := wire.List{In: s.In, Bits: s.Bits, Has: wire.Numbers{}}
		for part := range own {
			if own[part] != s.List[part] && count[part] < room {
				room -= count[part] + 1
				list.Parts = append(list.Parts, part)
			}
		}
		var in []member
		for _, m := range all {
			if _, differs := slices.BinarySearchFunc(list.Parts, sum.Part(m.coll, m.id, s.Bits), cmp.Compare[int]); differs {
				in = append(in, m)
				list.Has = append(list.Has, m.number.A)
			}
		}
		if len(list.Parts) > 0 {
			check.Lists, listed = append(check.Lists, list), append(listed, in)
		}
	}
	return check, listed, nil
}

// heard goes on after a complete answer; again when there is more to ask.
func (c *comparison) heard(p *Phone, a *answer) (again bool, err error) {
	asked := c.next
	c.next, c.listed = nil, nil
	if asked != nil && asked.Sums != nil && len(a.sums) > 0 {
		c.differ = nil
		for _, s := range a.sums {
			c.differ = append(c.differ, s.In)
		}
		c.next, c.listed, err = p.lists(a.sums, asked.Deep)
		if err != nil {
			return false, err
		}
		if len(c.next.Lists) > 0 {
			a.report.Mismatches++
			return true, nil
		}
		c.next = nil // the changes of the same answer have mended it
	}
	if a.right && asked != nil && asked.Lists != nil && asked.Deep {
		c.only = c.differ
	}
	if !a.right || asked != nil && asked.Lists != nil && asked.Deep {
		if c.rounds++; c.rounds > rounds {
			return false, nil // left for another time
		}
		return true, p.transact(func(tx *sql.Tx) error { return wantCheck(tx, kindOf(c.deep)) })
	}
	if asked == nil {
		due, err := getMeta(p.db, "check")
		return due != "" && c.rounds == 0 && a.complete, err
	}
	return false, p.compared(asked.Deep)
}

func kindOf(deep bool) string {
	if deep {
		return "deep"
	}
	return "sums"
}

// compared notes that this phone and the server agree.
func (p *Phone) compared(deep bool) error {
	return p.transact(func(tx *sql.Tx) error {
		due, err := getMeta(tx, "check")
		if err != nil {
			return err
		}
		if deep {
			if err := setMeta(tx, "compared", p.now().UTC().Format(time.RFC3339)); err != nil {
				return err
			}
		}
		if due == "deep" && !deep {
			return nil
		}
		_, err = tx.Exec(`DELETE FROM meta WHERE key = 'check'`)
		return err
	})
}

// drop takes the circle from listed records that are not in it, or not so; what
// they are instead comes whole in the same answer.
func (a *answer) drop(tx *sql.Tx, line *wire.Drop) error {
	if a.ask.Check == nil {
		return errDamaged
	}
	for i, list := range a.ask.Check.Lists {
		if list.In != line.In {
			continue
		}
		for _, at := range line.At {
			if at < 0 || at >= len(a.ask.listed[i]) {
				return errDamaged
			}
			m := a.ask.listed[i][at]
			_, err := tx.Exec(`UPDATE records SET circles = (SELECT json_group_array(value) FROM json_each(circles) WHERE value != ?3) WHERE coll = ?1 AND id = ?2`, m.coll, m.id, line.In)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(`DELETE FROM records WHERE coll = ? AND id = ? AND circles = '[]'`, m.coll, m.id); err != nil {
				return err
			}
			a.report.Mended++
		}
	}
	return errors.Join(moved(tx), dirty(tx))
}

// isZero tells whether a value is its kind's zero.
func isZero(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case string:
		return x == ""
	case float64:
		return x == 0
	case bool:
		return !x
	case []any:
		return len(x) == 0
	case map[string]any:
		return len(x) == 0
	}
	return false
}
