package phone

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"langso/sync/wire"
)

// Records are shown, kept rows wait to be shown together with the `complete` of
// their answer: what one transaction of the server wrote is never seen by halves.

// forgetRecords drops all that came from the server. Edits stay.
func forgetRecords(tx *sql.Tx) error {
	if _, err := tx.Exec(`DELETE FROM kept`); err != nil {
		return err
	}
	if _, err := tx.Exec(`DELETE FROM meta WHERE key = 'loaded'`); err != nil {
		return err
	}
	left, err := tx.Exec(`DELETE FROM records`)
	if err != nil {
		return err
	}
	if n, err := left.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return errors.Join(moved(tx), dirty(tx))
}

// moved notes that the sum of the records is to be made anew.
func moved(tx *sql.Tx) error {
	_, err := tx.Exec(`DELETE FROM meta WHERE key = 'sum'`)
	return err
}

func (a *answer) gone(tx *sql.Tx, gone map[string][]string) error {
	for coll, ids := range gone {
		for _, id := range ids {
			for _, table := range []string{"records", "kept"} {
				if _, err := tx.Exec(`DELETE FROM `+table+` WHERE coll = ? AND id = ?`, coll, id); err != nil {
					return err
				}
			}
			a.report.Gone++
		}
	}
	return errors.Join(moved(tx), dirty(tx))
}

// changes shows rows at once on a first sync and keeps them otherwise.
func (a *answer) changes(tx *sql.Tx, c wire.Changes) error {
	standing, err := circles(tx)
	if err != nil {
		return err
	}
	rows, err := c.Rows()
	if err != nil {
		return errDamaged
	}
	for _, row := range rows {
		var in []string
		if row.In != nil {
			in = []string{}
		}
		for _, i := range row.In {
			if i < 0 || i >= len(standing) {
				return errDamaged
			}
			in = append(in, standing[i])
		}
		if a.first {
			err = a.p.show(tx, c.Coll, row, in)
			a.report.Changed++
		} else {
			err = keepRow(tx, c.Coll, row, in)
		}
		if err != nil {
			return err
		}
	}
	return moved(tx)
}

// keepRow stores a row until its answer is complete.
func keepRow(tx *sql.Tx, coll string, row wire.Row, in []string) error {
	set, err := json.Marshal(row.Set)
	if err != nil {
		return err
	}
	var names any // NULL when the circles did not change
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		names = string(text)
	}
	if row.Whole {
		if _, err := tx.Exec(`DELETE FROM kept WHERE coll = ? AND id = ?`, coll, row.ID); err != nil {
			return err
		}
	}
	_, err = tx.Exec(`INSERT INTO kept (coll, id, seq, whole, circles, fields) VALUES (?, ?, ?, ?, ?, ?)`, coll, row.ID, int64(row.Seq), row.Whole, names, string(set))
	return err
}

// showKept shows the rows that were kept.
func (a *answer) showKept(tx *sql.Tx) error {
	rows, err := tx.Query(`SELECT coll, id, seq, whole, circles, fields FROM kept ORDER BY at`)
	if err != nil {
		return err
	}
	defer rows.Close()
	type keptRow struct {
		coll string
		row  wire.Row
		in   []string
	}
	var all []keptRow
	for rows.Next() {
		var k keptRow
		var names sql.NullString
		var set string
		if err := rows.Scan(&k.coll, &k.row.ID, &k.row.Seq, &k.row.Whole, &names, &set); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(set), &k.row.Set); err != nil {
			return err
		}
		if names.Valid {
			if err := json.Unmarshal([]byte(names.String), &k.in); err != nil {
				return err
			}
		}
		all = append(all, k)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, k := range all {
		if err := a.p.show(tx, k.coll, k.row, k.in); err != nil {
			return err
		}
		a.report.Changed++
	}
	if len(all) == 0 {
		return nil
	}
	_, err = tx.Exec(`DELETE FROM kept`)
	return err
}

// show puts a row into the records. A difference to a record that is not there
// says nothing; in is nil when the circles did not change.
func (p *Phone) show(tx *sql.Tx, coll string, row wire.Row, in []string) error {
	fields, names := row.Set, ""
	if !row.Whole {
		var text string
		err := tx.QueryRow(`SELECT fields, circles FROM records WHERE coll = ? AND id = ?`, coll, row.ID).Scan(&text, &names)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		fields = map[string]json.RawMessage{}
		if err := json.Unmarshal([]byte(text), &fields); err != nil {
			return err
		}
		for field, raw := range row.Set {
			if bytes.Equal(raw, []byte("null")) {
				delete(fields, field)
				continue
			}
			fields[field] = raw
		}
	}
	if row.Whole || in != nil {
		if in == nil {
			in = []string{}
		}
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		names = string(text)
	}
	if fields == nil {
		fields = map[string]json.RawMessage{}
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO records (coll, id, seq, circles, fields) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (coll, id) DO UPDATE SET seq = excluded.seq, circles = excluded.circles, fields = excluded.fields`, coll, row.ID, int64(row.Seq), names, string(text))
	return err
}

// finish moves the cursor: the phone equals the server at it.
func (a *answer) finish(tx *sql.Tx, c *wire.Complete) error {
	a.ended, a.complete, a.report.Complete = true, true, true
	if err := a.showKept(tx); err != nil {
		return err
	}
	// The standing of this cursor is the one that was told last, in this answer or before.
	standing, err := getMeta(tx, "told")
	if err != nil {
		return err
	}
	for key, value := range map[string]string{
		"cursor": strconv.FormatInt(int64(c.Cursor), 10), "epoch": c.Epoch, "standing": standing,
		"last_sync": a.p.now().UTC().Format(time.RFC3339),
	} {
		if err := setMeta(tx, key, value); err != nil {
			return err
		}
	}
	if a.ask.App != "" {
		if err := setMeta(tx, "app", a.ask.App); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(`DELETE FROM meta WHERE key IN ('resume', 'compare', 'loaded', 'lost')`); err != nil {
		return err
	}
	if a.right, err = a.p.agrees(tx, c.Sum); err != nil {
		return err
	}
	// A phone that was just filled need not compare by content for a week.
	if _, err := tx.Exec(`INSERT INTO meta (key, value) VALUES ('compared', ?) ON CONFLICT DO NOTHING`, a.p.now().UTC().Format(time.RFC3339)); err != nil {
		return err
	}
	// What the server took it has now also told: the records show it.
	if _, err := tx.Exec(`UPDATE edits SET covered = 1 WHERE state IN ('taken', 'merged') AND covered = 0`); err != nil {
		return err
	}
	// Taken edits are kept a week for a server that is restored from a backup.
	_, err = tx.Exec(`DELETE FROM edits WHERE state IN ('taken', 'merged', 'settled', 'decided') AND covered = 1 AND at < ?`, a.p.now().Add(-7*24*time.Hour).UTC().Format(time.RFC3339))
	return err
}
