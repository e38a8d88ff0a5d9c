package phone

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"langso/sync/wire"
)

// Decision is what a person decided about a parked edit.
type Decision struct {
	Take string // mine: as the edit asked; theirs: what stood stays; value: another value
	By   string // who decided
	At   string // when, as PocketBase writes dates
	Say  string // why, where they said it
}

// Settle puts a refused or parked edit aside: the person has seen it and gives
// it up. It stays in the file. Of a parked one the server is told, so that nobody
// decides about what is not wanted any more.
func (p *Phone) Settle(n int64) error {
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
		if _, err := tx.Exec(`UPDATE edits SET state = 'settled' WHERE n = ?`, n); err != nil {
			return err
		}
		if found[0].State != "parked" || found[0].Do == "phone.forgotten" {
			return nil
		}
		args, err := json.Marshal(map[string]int64{"n": n})
		if err != nil {
			return err
		}
		return p.store(tx, &wire.Edit{Do: "sync.withdraw", Args: args}, true)
	})
	if err != nil {
		return fmt.Errorf("settle edit %d: %w", n, err)
	}
	return nil
}

// SettleFor is an officer's decision about somebody's parked edit: a record of
// the collection parked_edits on this phone. take is "mine" (the sender's),
// "theirs" (what stands) or "value" (the fields given).
func (p *Phone) SettleFor(parked Record, take string, v Values) (int64, error) {
	args := map[string]any{"phone": parked.Fields["phone"], "n": parked.Fields["n"], "take": take}
	if len(v) > 0 {
		args["fields"] = v
	}
	return p.Do("sync.settle", args)
}

// settlements are the decisions about this phone's edits that it was told, by number.
func settlements(q querier) (map[int64]Decision, error) {
	phone, err := getMeta(q, "phone")
	if err != nil {
		return nil, err
	}
	rows, err := q.Query(`SELECT fields FROM records WHERE coll = 'settlements'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64]Decision{}
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		var of struct {
			Phone         string
			N             float64
			Take, At, Say string
			By            string `json:"by_name"`
		}
		if json.Unmarshal([]byte(text), &of) == nil && of.Phone == phone {
			out[int64(of.N)] = Decision{Take: of.Take, By: of.By, At: of.At, Say: of.Say}
		}
	}
	return out, rows.Err()
}

// heed marks the parked edits that somebody decided about, and sends again what
// waited for one that was done; again tells that there is more to send.
func (p *Phone) heed() (again bool, err error) {
	p.writing.Lock()
	defer p.writing.Unlock()
	err = p.transact(func(tx *sql.Tx) error {
		decided, err := settlements(tx)
		if err != nil || len(decided) == 0 {
			return err
		}
		parked, err := readEdits(tx, `state = 'parked'`)
		if err != nil {
			return err
		}
		for _, e := range parked {
			d, ok := decided[e.N]
			if !ok {
				continue
			}
			if _, err := tx.Exec(`UPDATE edits SET state = 'decided', covered = 1 WHERE n = ?`, e.N); err != nil {
				return err
			}
			if d.Take == "theirs" {
				continue
			}
			before, err := getNumber(tx, "n")
			if err != nil {
				return err
			}
			if err := p.resendDependants(tx, e.N); err != nil {
				return err
			}
			after, err := getNumber(tx, "n")
			if err != nil {
				return err
			}
			again = again || after > before
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("heed decisions: %w", err)
	}
	return again, nil
}
