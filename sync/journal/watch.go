package journal

import (
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// Watch has f called after each commit that gave numbers, with the circles in
// which something moved and the last number of that commit. f is called by
// whoever wrote, so it must return at once and must not touch the database. A
// number may be of an edit whose savepoint was rolled back: it says that
// something may be new, never that something is.
//
// Watch is called before the journal is used.
func (j *Journal) Watch(f func(circles []string, seq int64)) { j.watch = f }

// tell has the watcher hear of what moved, once the transaction is committed.
func (a *absorption) tell(tx core.App) error {
	if a.journal.watch == nil || tx.TxInfo() == nil {
		return nil
	}
	names := make([]string, 0, len(a.tally))
	for no := range a.tally {
		name, err := a.circleName(no)
		if err != nil {
			return err
		}
		names = append(names, name)
	}
	seq := a.seq
	tx.TxInfo().OnComplete(func(err error) error {
		if err == nil {
			a.journal.watch(names, seq)
		}
		return nil
	})
	return nil
}

// Measure has f called after each absorption that found something touched, whoever
// asked for it, with the time that it took. It is called before the journal is used.
func (j *Journal) Measure(f func(took time.Duration)) { j.measure = f }
