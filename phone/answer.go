package phone

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"langso/sync/wire"
)

// keep takes an answer chunk by chunk until it ends or is cut. Each chunk is one
// transaction: it counts whole or not at all.
func (p *Phone) keep(ask *asking, from chunks, report *Report) (*answer, error) {
	a := &answer{p: p, ask: ask, report: report, first: ask.Cursor == 0}
	begun := false
	for !a.ended && !a.retried {
		lines, ok := from.Next()
		if !ok {
			break
		}
		err := p.transact(func(tx *sql.Tx) error {
			if err := p.stands(tx); err != nil {
				return err
			}
			if !begun {
				if err := a.begin(tx); err != nil {
					return err
				}
			}
			for _, line := range lines {
				if err := a.take(tx, line); err != nil {
					return err
				}
			}
			return nil
		})
		if errors.Is(err, errDamaged) || errors.Is(err, errOvertaken) {
			a.ended, a.complete, a.again = false, false, false
			break
		}
		if err != nil {
			return a, err
		}
		begun = true
	}
	return a, nil
}

// chunks is an answer being read, in either form.
type chunks interface {
	Next() (lines []wire.Line, ok bool)
}

// errDamaged undoes a chunk that cannot be meant so: the answer ends like a cut one.
var errDamaged = errors.New("the answer is damaged")

// answer is one answer being kept.
type answer struct {
	p      *Phone
	ask    *asking
	report *Report
	first  bool // a first sync shows records as they come
	sums   []wire.Sums
	load   []wire.Snapshot
	right  bool // at complete, this phone's sum is the server's

	ended, complete, again, retried bool
}

// begin forgets what an earlier answer left that this one does not go on from:
// it may be gone by now, and nobody would tell.
func (a *answer) begin(tx *sql.Tx) error {
	if a.ask.Resume != "" {
		return nil
	}
	if _, err := tx.Exec(`DELETE FROM kept`); err != nil {
		return err
	}
	if a.ask.Cursor > 0 || len(a.ask.Loaded) > 0 {
		return nil
	}
	return forgetRecords(tx)
}

// take carries out one line.
func (a *answer) take(tx *sql.Tx, line wire.Line) error {
	switch {
	case line.Epoch != nil:
		return a.epoch(tx, line.Epoch)
	case line.Shape != "":
		again, err := a.p.offerAgain(tx, line.Shape)
		a.again = a.again || again
		return err
	case line.Verdicts != nil || line.Acked != nil || line.SendFrom > 0:
		return a.verdicts(tx, line)
	case line.Standing != nil:
		return a.stand(tx, line.Standing)
	case line.Drop != nil:
		return a.drop(tx, line.Drop)
	case line.Gone != nil:
		return a.gone(tx, line.Gone)
	case line.Changes != nil:
		return a.changes(tx, *line.Changes)
	case line.Sums != nil:
		a.sums = append(a.sums, *line.Sums)
	case line.Check != "":
		return wantCheck(tx, line.Check)
	case line.Load != nil:
		a.ended, a.again, a.load = true, true, line.Load
	case line.Mark != nil && *line.Mark != "":
		return setMeta(tx, "resume", *line.Mark)
	case line.More != "":
		a.ended, a.again = true, true
		return setMeta(tx, "resume", line.More)
	case line.Complete != nil:
		return a.finish(tx, line.Complete)
	case line.RetryIn > 0:
		a.retried = true
		a.report.RetryIn = time.Duration(line.RetryIn) * time.Second
	}
	return nil
}

// epoch: the server's history is another than this phone's.
func (a *answer) epoch(tx *sql.Tx, line *wire.EpochLine) error {
	// What was taken was taken in a history that is no more: it is sent again. Most
	// is known; but a copy of this phone may have used the same numbers since, and
	// then `acked` alone would hide that ours are lost.
	again, err := tx.Exec(`UPDATE edits SET state = 'waiting', verdict = '', covered = 0 WHERE state IN ('taken', 'merged') AND n > 0`)
	if err != nil {
		return err
	}
	if n, err := again.RowsAffected(); err != nil {
		return err
	} else if n > 0 {
		a.again = true
	}
	// A restored server may not know which app this is.
	if _, err := tx.Exec(`DELETE FROM meta WHERE key = 'app'`); err != nil {
		return err
	}
	if line.Compare && !line.Reset {
		if _, err := tx.Exec(`DELETE FROM kept`); err != nil {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM meta WHERE key = 'resume'`); err != nil {
			return err
		}
		if err := errors.Join(setMeta(tx, "compare", "1"), wantCheck(tx, "deep")); err != nil {
			return err
		}
		return setMeta(tx, "epoch", line.Is)
	}
	a.first = true
	if err := forgetRecords(tx); err != nil {
		return err
	}
	if _, err := tx.Exec(`DELETE FROM meta WHERE key IN ('cursor', 'standing', 'resume', 'compare', 'check', 'lost')`); err != nil {
		return err
	}
	return setMeta(tx, "epoch", line.Is)
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
	forked := int64(0)
	for _, v := range line.Verdicts {
		if v.Code == "fork" && v.Is == wire.Refused {
			if forked == 0 || v.N < forked {
				forked = v.N
			}
			continue
		}
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
	if err := forgetShape(tx, line.Verdicts); err != nil {
		return err
	}
	if line.Acked != nil {
		again, err := a.renumber(tx, forked, *line.Acked)
		if err != nil {
			return err
		}
		a.again = a.again || again
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
