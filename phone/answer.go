package phone

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"langso/sync/wire"
)

// keep takes an answer line by line until it ends or is cut.
func (p *Phone) keep(ask *wire.Ask, plain io.Reader, report *Report) (*answer, error) {
	a := &answer{p: p, report: report, first: ask.Cursor == 0 && ask.Resume == ""}
	begin := a.first
	lines := wire.ReadAnswer(plain)
	for !a.ended {
		line, ok := lines.Next()
		if !ok {
			break
		}
		if begin {
			// What a cut first answer left may be gone by now, and nobody would tell.
			begin = false
			err := p.transact(func(tx *sql.Tx) error {
				left, err := tx.Exec(`DELETE FROM records`)
				if err != nil {
					return err
				}
				if n, err := left.RowsAffected(); err != nil || n == 0 {
					return err
				}
				return dirty(tx)
			})
			if err != nil {
				return a, err
			}
		}
		if whole, err := a.take(line); err != nil || !whole {
			return a, err
		}
	}
	return a, nil
}

// answer is one answer being kept.
type answer struct {
	p      *Phone
	report *Report
	first  bool // a first sync shows records as they come
	staged []wire.Changes

	ended, complete, again, retried bool
}

// take keeps one line: verdicts, losses and, on a first sync, records at once;
// other changes when the answer has come to its end. whole is false for a line
// that cannot be meant so: it ends the answer like a cut.
func (a *answer) take(line wire.Line) (whole bool, err error) {
	switch {
	case line.Epoch != nil:
		a.first = true
		return true, a.p.transact(func(tx *sql.Tx) error { return forget(tx, line.Epoch.Is) })
	case line.Verdicts != nil || line.Acked != nil || line.SendFrom > 0:
		return true, a.p.transact(func(tx *sql.Tx) error { return a.verdicts(tx, line) })
	case line.Standing != nil:
		return true, a.p.transact(func(tx *sql.Tx) error { return a.stand(tx, line.Standing) })
	case line.Gone != nil:
		return true, a.p.transact(func(tx *sql.Tx) error { return a.gone(tx, line.Gone) })
	case line.Changes != nil:
		return a.changes(*line.Changes)
	case line.More != "":
		a.ended, a.again = true, true
		return true, a.p.transact(func(tx *sql.Tx) error {
			if err := a.applyStaged(tx); err != nil {
				return err
			}
			return setMeta(tx, "resume", line.More)
		})
	case line.Complete != nil:
		a.ended, a.complete, a.report.Complete = true, true, true
		return true, a.p.transact(func(tx *sql.Tx) error { return a.finish(tx, line.Complete) })
	case line.RetryIn > 0:
		a.retried = true
		a.report.RetryIn = time.Duration(line.RetryIn) * time.Second
	}
	return true, nil
}

// changes applies rows at once on a first sync and stages them otherwise, when
// they fit the standing.
func (a *answer) changes(c wire.Changes) (whole bool, err error) {
	standing, err := circles(a.p.db)
	if err != nil {
		return false, err
	}
	for _, row := range c.Rows {
		for _, i := range row.In {
			if i < 0 || i >= len(standing) {
				return false, nil
			}
		}
	}
	if !a.first {
		a.staged = append(a.staged, c)
		return true, nil
	}
	return true, a.p.transact(func(tx *sql.Tx) error { return a.apply(tx, c) })
}

// forget drops all records: the server's history is another. Edits stay.
func forget(tx *sql.Tx, epoch string) error {
	if _, err := tx.Exec(`DELETE FROM records`); err != nil {
		return err
	}
	if _, err := tx.Exec(`DELETE FROM meta WHERE key IN ('cursor', 'standing', 'resume')`); err != nil {
		return err
	}
	if err := dirty(tx); err != nil {
		return err
	}
	return setMeta(tx, "epoch", epoch)
}

// wantAgain makes edits wait again, from number n on, whose effects the server
// does not have, and tells whether there are any.
func wantAgain(tx *sql.Tx, from int64) (bool, error) {
	// What the person gave up or replaced is not to be done after all.
	if _, err := tx.Exec(`DELETE FROM edits WHERE n >= ? AND state = 'settled'`, from); err != nil {
		return false, err
	}
	result, err := tx.Exec(`UPDATE edits SET state = 'waiting', verdict = '', covered = 0 WHERE n >= ? AND state NOT IN ('waiting', 'held')`, from)
	if err != nil {
		return false, err
	}
	again, err := result.RowsAffected()
	if err != nil {
		return false, err
	}
	last, err := getNumber(tx, "n")
	if err != nil {
		return false, err
	}
	var have int64
	if err := tx.QueryRow(`SELECT count(*) FROM edits WHERE n >= ?`, from).Scan(&have); err != nil {
		return false, err
	}
	if have == last-from+1 || from > last {
		return again > 0, nil
	}
	// An edit that this phone no longer has is sent empty, so that the others are
	// not held up by a hole.
	for n := from; n <= last; n++ {
		forgotten := fmt.Sprintf(`{"n":%d,"do":"phone.forgotten","args":{}}`, n)
		if _, err := tx.Exec(`INSERT INTO edits (n, body, state, at) VALUES (?, ?, 'waiting', '') ON CONFLICT DO NOTHING`, n, forgotten); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (a *answer) verdicts(tx *sql.Tx, line wire.Line) error {
	for _, v := range line.Verdicts {
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE edits SET state = ?, verdict = ?, at = ? WHERE n = ? AND state = 'waiting'`,
			string(v.Final()), string(text), a.p.now().UTC().Format(time.RFC3339), v.N); err != nil {
			return err
		}
		a.report.Verdicts = append(a.report.Verdicts, v)
	}
	if err := a.p.resendFixed(tx, line.Verdicts); err != nil {
		return err
	}
	from := line.SendFrom
	if line.Acked != nil && (from == 0 || *line.Acked+1 < from) {
		from = *line.Acked + 1
	}
	if from <= 0 {
		return nil
	}
	again, err := wantAgain(tx, from)
	a.again = a.again || again || line.SendFrom > 0
	return err
}

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
		list, err := json.Marshal(lost)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE records SET circles = (SELECT json_group_array(value) FROM json_each(circles) WHERE value NOT IN (SELECT value FROM json_each(?1)))
			WHERE EXISTS (SELECT 1 FROM json_each(circles) WHERE value IN (SELECT value FROM json_each(?1)))`, string(list))
		if err != nil {
			return err
		}
		left, err := tx.Exec(`DELETE FROM records WHERE circles = '[]'`)
		if err != nil {
			return err
		}
		n, err := left.RowsAffected()
		if err != nil {
			return err
		}
		a.report.Gone += int(n)
		if n > 0 {
			if err := dirty(tx); err != nil {
				return err
			}
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

func (a *answer) gone(tx *sql.Tx, gone map[string][]string) error {
	if err := dirty(tx); err != nil {
		return err
	}
	for coll, ids := range gone {
		for _, id := range ids {
			if _, err := tx.Exec(`DELETE FROM records WHERE coll = ? AND id = ?`, coll, id); err != nil {
				return err
			}
			a.report.Gone++
		}
	}
	return nil
}

func (a *answer) applyStaged(tx *sql.Tx) error {
	for _, c := range a.staged {
		if err := a.apply(tx, c); err != nil {
			return err
		}
	}
	a.staged = nil
	return nil
}

// apply puts rows of one collection into the records.
func (a *answer) apply(tx *sql.Tx, c wire.Changes) error {
	standing, err := circles(tx)
	if err != nil {
		return err
	}
	for _, row := range c.Rows {
		fields, in := map[string]json.RawMessage{}, `[]`
		if !row.Whole {
			var text string
			err := tx.QueryRow(`SELECT fields, circles FROM records WHERE coll = ? AND id = ?`, c.Coll, row.ID).Scan(&text, &in)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(text), &fields); err != nil {
				return err
			}
		}
		for field, raw := range row.Set {
			if bytes.Equal(raw, []byte("null")) {
				delete(fields, field)
				continue
			}
			fields[field] = raw
		}
		if row.Whole || row.In != nil {
			names := []string{}
			for _, i := range row.In {
				names = append(names, standing[i])
			}
			text, err := json.Marshal(names)
			if err != nil {
				return err
			}
			in = string(text)
		}
		text, err := json.Marshal(fields)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO records (coll, id, seq, circles, fields) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (coll, id) DO UPDATE SET seq = excluded.seq, circles = excluded.circles, fields = excluded.fields`, c.Coll, row.ID, int64(row.Seq), in, string(text))
		if err != nil {
			return err
		}
		a.report.Changed++
	}
	return nil
}

// finish moves the cursor: the phone equals the server at it.
func (a *answer) finish(tx *sql.Tx, c *wire.Complete) error {
	if err := a.applyStaged(tx); err != nil {
		return err
	}
	// The standing of this cursor is the one that was told last, in this answer or before.
	standing, err := getMeta(tx, "told")
	if err != nil {
		return err
	}
	for key, value := range map[string]string{
		"cursor": strconv.FormatInt(int64(c.Cursor), 10), "epoch": c.Epoch, "standing": standing, "resume": "",
		"last_sync": a.p.now().UTC().Format(time.RFC3339),
	} {
		if err := setMeta(tx, key, value); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(`DELETE FROM meta WHERE key = 'want'`); err != nil {
		return err
	}
	// What the server took it has now also told: the records show it.
	if _, err := tx.Exec(`UPDATE edits SET covered = 1 WHERE state IN ('taken', 'merged') AND covered = 0`); err != nil {
		return err
	}
	// Taken edits are kept a week for a server that is restored from a backup.
	_, err = tx.Exec(`DELETE FROM edits WHERE state IN ('taken', 'merged', 'settled') AND covered = 1 AND at < ?`, a.p.now().Add(-7*24*time.Hour).UTC().Format(time.RFC3339))
	return err
}
