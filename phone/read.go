package phone

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strings"
)

// Record is one record as the person sees it.
type Record struct {
	Coll    string   `json:"coll"`
	ID      string   `json:"id"`
	Seq     int64    `json:"seq"` // 0 while the server does not know it
	Circles []string `json:"circles,omitempty"`
	Fields  Values   `json:"fields"`
	Pending bool     `json:"pending,omitempty"` // an unanswered edit shows in it
}

// Held returns the server's words on a collection's records, without the edits
// that wait on top, by id.
func (p *Phone) Held(coll string) ([]Record, error) {
	seen, err := p.held(coll)
	return sorted(seen), err
}

// List returns the records of a collection as the person sees them, by id.
func (p *Phone) List(coll string) ([]Record, error) {
	seen, err := p.held(coll)
	if err != nil {
		return nil, err
	}
	edits, err := readEdits(p.db, overlaid)
	if err != nil {
		return nil, err
	}
	overlay(seen, coll, edits)
	return sorted(seen), nil
}

func sorted(seen map[string]*Record) []Record {
	out := make([]Record, 0, len(seen))
	for _, r := range seen {
		out = append(out, *r)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out
}

func (p *Phone) held(coll string) (map[string]*Record, error) {
	rows, err := p.db.Query(`SELECT id, seq, circles, fields FROM records WHERE coll = ?`, coll)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", coll, err)
	}
	seen := map[string]*Record{}
	for rows.Next() {
		r := Record{Coll: coll}
		var circles, fields string
		if err := rows.Scan(&r.ID, &r.Seq, &circles, &fields); err != nil {
			rows.Close()
			return nil, err
		}
		if err := decode(circles, &r.Circles, fields, &r.Fields); err != nil {
			rows.Close()
			return nil, fmt.Errorf("list %s: %w", coll, err)
		}
		seen[r.ID] = &r
	}
	return seen, errors.Join(rows.Err(), rows.Close())
}

// Show returns one record as the person sees it; false when there is none.
func (p *Phone) Show(coll, id string) (Record, bool, error) {
	all, err := p.List(coll)
	if err != nil {
		return Record{}, false, err
	}
	for _, r := range all {
		if r.ID == id {
			return r, true, nil
		}
	}
	return Record{}, false, nil
}

// Collections returns the names of the collections of which the phone has records.
func (p *Phone) Collections() ([]string, error) {
	rows, err := p.db.Query(`SELECT DISTINCT coll FROM records ORDER BY coll`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var c string
		if err := rows.Scan(&c); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

func decode(circles string, c *[]string, fields string, f *Values) error {
	if err := json.Unmarshal([]byte(circles), c); err != nil {
		return err
	}
	return json.Unmarshal([]byte(fields), f)
}

// overlaid selects the edits that show on top of the records: unanswered ones,
// and taken ones until a complete answer has brought what became of them.
const overlaid = `state = 'waiting' OR (state IN ('taken', 'merged') AND covered = 0)`

// overlay puts the edits of one collection on top of its records, in order.
func overlay(seen map[string]*Record, coll string, edits []*Pending) {
	for _, e := range edits {
		if e.Coll != coll {
			continue
		}
		r := seen[e.ID]
		if e.Delete {
			delete(seen, e.ID)
			continue
		}
		if r == nil {
			if e.Create == nil {
				continue // it left this phone's circles; the edit goes up all the same
			}
			r = &Record{Coll: coll, ID: e.ID, Fields: Values{}}
			seen[e.ID] = r
		}
		r.Pending = true
		for _, fields := range []map[string]json.RawMessage{e.Create, e.Change} {
			for field, raw := range fields {
				var v any
				if json.Unmarshal(raw, &v) == nil {
					r.Fields[field] = differ(r.Fields[field], v)
				}
			}
		}
		for field, d := range e.Add {
			have, _ := r.Fields[field].(float64)
			more, _ := d.Float64()
			r.Fields[field] = have + more
		}
	}
}

// differ makes the change that an edit of a list carries, {"+":[…],"-":[…]}; any
// other value replaces what was there.
func differ(have, v any) any {
	d, ok := v.(map[string]any)
	plus, isPlus := d["+"].([]any)
	minus, isMinus := d["-"].([]any)
	signs := 0
	for _, is := range []bool{isPlus, isMinus} {
		if is {
			signs++
		}
	}
	if !ok || signs == 0 || signs != len(d) {
		return v
	}
	list, _ := have.([]any)
	if one, is := have.(string); is && one != "" {
		list = []any{one}
	}
	out := []any{}
	put := func(items, skip []any) {
		for _, x := range items {
			same := func(y any) bool { return reflect.DeepEqual(x, y) }
			if !slices.ContainsFunc(skip, same) && !slices.ContainsFunc(out, same) {
				out = append(out, x)
			}
		}
	}
	put(list, minus)
	put(plus, nil)
	return out
}

// Notice is one entry of the inbox.
type Notice struct {
	ID, Title, Body, At, Link string
	Read                      bool
}

// Inbox returns the notices of the phone's person, the newest first.
func (p *Phone) Inbox() ([]Notice, error) {
	notices, err := p.List("notices")
	if err != nil {
		return nil, err
	}
	marks, err := p.List("notice_marks")
	if err != nil {
		return nil, err
	}
	read := map[string]bool{}
	for _, m := range marks {
		read[m.Fields.text("notice")] = m.Fields.text("read_at") != ""
	}
	out := make([]Notice, 0, len(notices))
	for _, n := range notices {
		out = append(out, Notice{ID: n.ID, Title: n.Fields.text("title"), Body: n.Fields.text("body"),
			At: n.Fields.text("at"), Link: n.Fields.text("link"), Read: read[n.ID]})
	}
	slices.SortStableFunc(out, func(a, b Notice) int { return strings.Compare(b.At, a.At) })
	return out, nil
}

func (v Values) text(field string) string { s, _ := v[field].(string); return s }

// Status is how the phone stands with the server.
type Status struct {
	Phone, Person, Name string
	Server              string
	Cursor              int64
	LastSync            string // RFC 3339, the phone's clock; "" when never
	Waiting             int    // edits without an answer
	Refused, Parked     int    // edits that the person should look at
	Records             int
	Circles             []string
}

// Status returns how the phone stands with the server.
func (p *Phone) Status() (Status, error) {
	var s Status
	for key, into := range map[string]*string{"phone": &s.Phone, "person": &s.Person, "name": &s.Name, "server": &s.Server, "last_sync": &s.LastSync} {
		var err error
		if *into, err = getMeta(p.db, key); err != nil {
			return s, err
		}
	}
	var err error
	if s.Cursor, err = getNumber(p.db, "cursor"); err != nil {
		return s, err
	}
	if s.Circles, err = circles(p.db); err != nil {
		return s, err
	}
	err = p.db.QueryRow(`SELECT (SELECT count(*) FROM records), count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'refused'),
		count(*) FILTER (WHERE state = 'parked' AND json_extract(body, '$.do') IS NOT 'phone.forgotten') FROM edits`).Scan(&s.Records, &s.Waiting, &s.Refused, &s.Parked)
	return s, err
}

func circles(q querier) ([]string, error) {
	text, err := getMeta(q, "circles")
	if err != nil || text == "" {
		return nil, err
	}
	var out []string
	return out, json.Unmarshal([]byte(text), &out)
}
