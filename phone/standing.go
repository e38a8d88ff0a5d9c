package phone

import (
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"langso/sync/wire"
)

// A standing counts as it comes: what it takes away goes at once, though its
// answer may never come to its end. The server is told so in the next ask, or it
// would think that this phone still has those records as of its cursor, and send
// only what changed since when the circle comes back.

// stand takes away what the person no longer shares.
func (a *answer) stand(tx *sql.Tx, line *wire.StandingLine) error {
	now := line.Circles
	before, err := circles(tx)
	if err != nil {
		return err
	}
	var lost []string
	for _, c := range before {
		if !slices.Contains(now, c) {
			lost = append(lost, c)
		}
	}
	if len(lost) > 0 {
		if err := errors.Join(a.lose(tx, lost), noteLost(tx, line, lost)); err != nil {
			return err
		}
	}
	text, err := json.Marshal(now)
	if err != nil {
		return err
	}
	if err := setMeta(tx, "told", line.Hash); err != nil {
		return err
	}
	return setMeta(tx, "circles", string(text))
}

// lose takes circles from every record, and drops records left without any.
func (a *answer) lose(tx *sql.Tx, lost []string) error {
	list, err := json.Marshal(lost)
	if err != nil {
		return err
	}
	for _, table := range []string{"records", "kept"} {
		_, err = tx.Exec(`UPDATE `+table+` SET circles = (SELECT json_group_array(value) FROM json_each(circles) WHERE value NOT IN (SELECT value FROM json_each(?1)))
			WHERE EXISTS (SELECT 1 FROM json_each(circles) WHERE value IN (SELECT value FROM json_each(?1)))`, string(list))
		if err != nil {
			return err
		}
		left, err := tx.Exec(`DELETE FROM ` + table + ` WHERE circles = '[]'`)
		if err != nil {
			return err
		}
		n, err := left.RowsAffected()
		if err != nil {
			return err
		}
		if table == "records" {
			a.report.Gone += int(n)
		}
	}
	return errors.Join(moved(tx), dirty(tx), unload(tx, lost))
}

// unload forgets that snapshot files brought circles whose records are gone.
func unload(tx *sql.Tx, lost []string) error {
	text, err := getMeta(tx, "loaded")
	if err != nil || text == "" {
		return err
	}
	var have map[string]wire.Cursor
	if err := json.Unmarshal([]byte(text), &have); err != nil {
		return err
	}
	for _, c := range lost {
		delete(have, c)
	}
	left, err := json.Marshal(have)
	if err != nil {
		return err
	}
	return setMeta(tx, "loaded", string(left))
}

// losses are what standings took away since the cursor.
type losses struct {
	Hash    string   `json:"hash"` // of a standing without all of them but Untold
	Circles []string `json:"circles"`
	Untold  []string `json:"untold,omitempty"`
}

// lostSince returns the losses since the cursor; nil when there are none.
func lostSince(q querier) (*losses, error) {
	text, err := getMeta(q, "lost")
	if err != nil || text == "" {
		return nil, err
	}
	l := &losses{}
	return l, json.Unmarshal([]byte(text), l)
}

// noteLost remembers what a standing took away, under the hash of one that tells
// the server all of it: the newest, unless an earlier loss is back in that. Then
// one hash cannot tell all, and the rest is told by name.
func noteLost(tx *sql.Tx, line *wire.StandingLine, lost []string) error {
	before, err := lostSince(tx)
	if err != nil {
		return err
	}
	l := losses{Hash: line.Hash, Circles: lost}
	if before != nil {
		if slices.ContainsFunc(before.Circles, func(c string) bool { return slices.Contains(line.Circles, c) }) {
			l.Hash, l.Untold = before.Hash, both(before.Untold, lost)
		}
		l.Circles = both(before.Circles, lost)
	}
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return setMeta(tx, "lost", string(text))
}

// both are the circles of two lists, sorted.
func both(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// tell puts into an ask what standings took away since the cursor.
func tell(q querier, ask *wire.Ask) error {
	lost, err := lostSince(q)
	if err != nil {
		return err
	}
	told, err := getMeta(q, "told")
	if err != nil {
		return err
	}
	if lost != nil {
		told, ask.Lost = lost.Hash, lost.Untold
	}
	if told != ask.Standing {
		ask.Told = told
	}
	return nil
}
