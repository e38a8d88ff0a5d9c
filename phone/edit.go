package phone

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"langso/sync/wire"
)

// Values are a record's fields by name, as decoded from JSON.
type Values map[string]any

// Create stores the edit that makes a record and returns its number and the
// record's id.
func (p *Phone) Create(coll string, v Values) (n int64, id string, err error) {
	id = NewID()
	n, err = p.CreateAs(coll, id, v)
	return n, id, err
}

// CreateAs is Create with an id chosen by the caller.
func (p *Phone) CreateAs(coll, id string, v Values) (int64, error) {
	return p.enqueue(&wire.Edit{Coll: coll, ID: id}, func(e *wire.Edit) (err error) { e.Create, err = raws(v); return err })
}

// Change stores the edit that sets fields of a record.
func (p *Phone) Change(coll, id string, v Values) (int64, error) {
	return p.enqueue(&wire.Edit{Coll: coll, ID: id}, func(e *wire.Edit) (err error) { e.Change, err = raws(v); return err })
}

// Add stores the edit that adds differences to number fields: stock −2.
func (p *Phone) Add(coll, id string, deltas map[string]float64) (int64, error) {
	return p.enqueue(&wire.Edit{Coll: coll, ID: id}, func(e *wire.Edit) error {
		e.Add = map[string]json.Number{}
		for field, d := range deltas {
			e.Add[field] = json.Number(strconv.FormatFloat(d, 'f', -1, 64))
		}
		return nil
	})
}

// Delete stores the edit that removes a record.
func (p *Phone) Delete(coll, id string) (int64, error) {
	return p.enqueue(&wire.Edit{Coll: coll, ID: id, Delete: true}, nil)
}

// Do stores the edit that asks for a named action.
func (p *Phone) Do(action string, args any) (int64, error) {
	return p.enqueue(&wire.Edit{Do: action}, func(e *wire.Edit) (err error) { e.Args, err = json.Marshal(args); return err })
}

func raws(v Values) (map[string]json.RawMessage, error) {
	out := map[string]json.RawMessage{}
	for field, value := range v {
		raw, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", field, err)
		}
		out[field] = raw
	}
	return out, nil
}

// enqueue numbers an edit and stores it, before anybody is told it is done.
func (p *Phone) enqueue(e *wire.Edit, fill func(*wire.Edit) error) (int64, error) {
	if fill != nil {
		if err := fill(e); err != nil {
			return 0, fmt.Errorf("store edit: %w", err)
		}
	}
	p.writing.Lock()
	defer p.writing.Unlock()
	if err := p.transact(func(tx *sql.Tx) error { return p.store(tx, e, true) }); err != nil {
		return 0, fmt.Errorf("store edit: %w", err)
	}
	return e.N, nil
}

// store gives the edit its number and what it depends on; and, when the person
// did it just now, its base and time.
func (p *Phone) store(tx *sql.Tx, e *wire.Edit, now bool) error {
	last, err := getNumber(tx, "n")
	if err != nil {
		return err
	}
	cursor, err := getNumber(tx, "cursor")
	if err != nil {
		return err
	}
	e.N = last + 1
	if now {
		e.Base, e.At = wire.Cursor(cursor), p.now().UTC().Format(time.RFC3339)
	}
	if e.After, err = dependsOn(tx, e); err != nil {
		return err
	}
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if len(body) > wire.MaxEdit {
		return errTooLarge
	}
	if _, err := tx.Exec(`INSERT INTO edits (n, body, state, at) VALUES (?, ?, 'waiting', ?)`, e.N, string(body), e.At); err != nil {
		return err
	}
	return setMeta(tx, "n", strconv.FormatInt(e.N, 10))
}

// dependsOn finds the edits that this one makes no sense without: those that
// make a record which it names, as its own or anywhere in its fields, and which
// the server has not taken.
func dependsOn(q querier, e *wire.Edit) ([]int64, error) {
	names := map[string]bool{}
	if e.Create == nil {
		names[e.ID] = true
	}
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	var any any
	if err := json.Unmarshal(body, &any); err != nil {
		return nil, err
	}
	texts(any, names)
	if e.Create != nil {
		delete(names, e.ID)
	}
	list, err := json.Marshal(slices.Collect(maps.Keys(names)))
	if err != nil {
		return nil, err
	}
	// An index of its own (edits_makes) answers this, or a queue of thousands would
	// be read anew for each edit that joins it.
	rows, err := q.Query(`SELECT n FROM edits WHERE state IN ('waiting', 'parked', 'refused') AND `+makes+` IN (SELECT value FROM json_each(?)) ORDER BY n LIMIT ?`, string(list), wire.MaxAfter)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var after []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		after = append(after, n)
	}
	return after, rows.Err()
}

// makes is the id of the record that a stored edit makes, in SQL.
const makes = `CASE WHEN json_type(body, '$.create') IS NOT NULL THEN json_extract(body, '$.id') ELSE json_extract(body, '$.args.id') END`

func texts(v any, into map[string]bool) {
	switch x := v.(type) {
	case string:
		into[x] = true
	case []any:
		for _, y := range x {
			texts(y, into)
		}
	case map[string]any:
		for _, y := range x {
			texts(y, into)
		}
	}
}

// Pending is an edit with what became of it.
type Pending struct {
	wire.Edit
	// State: waiting, taken, merged, parked, refused, settled (given up or replaced
	// here), decided (parked, and a person decided: see Decision); held: another
	// person's, not sent.
	State    string
	Verdict  wire.Verdict
	Decision Decision
	covered  bool
	body     string
}

func readEdits(q querier, where string, args ...any) ([]*Pending, error) {
	rows, err := q.Query(`SELECT body, state, verdict, covered FROM edits WHERE `+where+` ORDER BY n`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*Pending
	for rows.Next() {
		var e Pending
		var verdict string
		if err := rows.Scan(&e.body, &e.State, &verdict, &e.covered); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(e.body), &e.Edit); err != nil {
			return nil, err
		}
		if verdict != "" {
			if err := json.Unmarshal([]byte(verdict), &e.Verdict); err != nil {
				return nil, err
			}
		}
		out = append(out, &e)
	}
	return out, rows.Err()
}

// Edits returns the edits in these states, in order; all without any.
func (p *Phone) Edits(states ...string) ([]*Pending, error) {
	all, err := readEdits(p.db, `1`)
	if err != nil {
		return nil, err
	}
	decided, err := settlements(p.db)
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if e.State == "decided" {
			e.Decision = decided[e.N]
		}
	}
	if len(states) == 0 {
		return all, nil
	}
	var out []*Pending
	for _, e := range all {
		for _, s := range states {
			if e.State == s {
				out = append(out, e)
			}
		}
	}
	return out, nil
}

// Fix sends a refused or parked edit again with other fields (or arguments)
// under a new number, and after it the edits that waited for it. Either all of
// that is stored or nothing is.
func (p *Phone) Fix(n int64, v Values) (int64, error) {
	var again int64
	p.writing.Lock()
	defer p.writing.Unlock()
	err := p.transact(func(tx *sql.Tx) error {
		found, err := readEdits(tx, `n = ? AND state IN ('refused', 'parked')`, n)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return errors.New("it is not refused or parked")
		}
		if again, err = p.resend(tx, found[0], v, true); err != nil {
			return err
		}
		return p.resendDependants(tx, n)
	})
	if err != nil {
		return 0, fmt.Errorf("fix edit %d: %w", n, err)
	}
	return again, nil
}

// resendDependants sends again what was parked because it waited for edit n.
func (p *Phone) resendDependants(tx *sql.Tx, n int64) error {
	parked, err := readEdits(tx, `state = 'parked'`)
	if err != nil {
		return err
	}
	replaced := map[int64]bool{n: true}
	for _, e := range parked {
		if e.Verdict.Code == "waits_for" && slices.ContainsFunc(e.After, func(a int64) bool { return replaced[a] }) {
			replaced[e.N] = true
			if _, err := p.resend(tx, e, nil, false); err != nil && !errors.Is(err, errTooLarge) {
				return err
			}
		}
	}
	return nil
}

// resendFixed sends again edits that were parked for one which the person has
// put right meanwhile: they were typed between the refusal and the repair.
func (p *Phone) resendFixed(tx *sql.Tx, verdicts []wire.Verdict) error {
	for _, v := range verdicts {
		if v.Code != "waits_for" || v.Final() != wire.Parked {
			continue
		}
		found, err := readEdits(tx, `n = ? AND state = 'parked'`, v.N)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			continue
		}
		for _, after := range found[0].After {
			var settled bool
			err := tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM edits WHERE json_extract(body, '$.fixes') = ?)`, after).Scan(&settled)
			if err != nil {
				return err
			}
			if settled {
				if _, err := p.resend(tx, found[0], nil, false); err != nil && !errors.Is(err, errTooLarge) {
					return err
				}
				break
			}
		}
	}
	return nil
}

// errTooLarge: an edit finds no room for what it has to say more when it is sent
// again. It stays where it is, for the person.
var errTooLarge = errors.New("the edit is too large")

// moreWhenAgain is room for `fixes` and `after` of an edit that is sent again.
const moreWhenAgain = 1024

// resend puts an edit aside and stores it anew, with other values where given.
// What the person did not touch now keeps what they saw then.
func (p *Phone) resend(tx *sql.Tx, old *Pending, v Values, now bool) (int64, error) {
	if v == nil && len(old.body) > wire.MaxEdit-moreWhenAgain {
		return 0, errTooLarge
	}
	e := old.Edit
	e.Fixes, e.After = old.N, nil
	if err := amend(&e, v); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(`UPDATE edits SET state = 'settled', covered = 1 WHERE n = ?`, old.N); err != nil {
		return 0, err
	}
	err := p.store(tx, &e, now)
	return e.N, err
}

// amend puts other values into an edit, where it holds values of that kind.
func amend(e *wire.Edit, v Values) error {
	if len(v) == 0 {
		return nil
	}
	more, err := raws(v)
	if err != nil {
		return err
	}
	switch {
	case e.Do != "":
		into := map[string]json.RawMessage{}
		if len(e.Args) > 0 {
			if err := json.Unmarshal(e.Args, &into); err != nil {
				return err
			}
		}
		maps.Copy(into, more)
		e.Args, err = json.Marshal(into)
		return err
	case e.Create != nil:
		maps.Copy(e.Create, more)
		return nil
	}
	for field, raw := range more {
		if _, sum := e.Add[field]; sum {
			e.Add[field] = json.Number(raw)
			continue
		}
		if e.Change == nil {
			e.Change = map[string]json.RawMessage{}
		}
		e.Change[field] = raw
	}
	return nil
}
