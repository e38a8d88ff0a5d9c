package journal

import (
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// How long the journal remembers what went, whether phones ask or not; whoever is
// away for longer finds out by comparing.
const (
	rememberLeast = 30 * 24 * time.Hour
	rememberMost  = 400 * 24 * time.Hour
)

// Prune forgets what went so long ago that every phone seen lately knows it:
// deleted records, and that records were in circles. passed is the number that
// all those phones have passed, 0 when there are none. It is to be called once a
// day, with nothing touched.
func (j *Journal) Prune(now time.Time, passed int64) error {
	return j.app.RunInTransaction(func(tx core.App) error {
		db := &writer{db: tx.NonconcurrentDB()}
		defer db.close()
		if err := db.exec(`INSERT INTO journal_days (day, seq) SELECT {:p0}, seq FROM journal_meta WHERE true ON CONFLICT DO NOTHING`, day(now)); err != nil {
			return err
		}
		floor, err := j.forgettable(db, now, passed)
		if err != nil || floor == 0 {
			return err
		}
		for _, sql := range []string{
			`DELETE FROM journal_entries WHERE out = 1 AND seq <= {:p0}`,
			`DELETE FROM journal_records WHERE gone > 0 AND gone <= {:p0}`,
			`UPDATE journal_meta SET floor = max(floor, {:p0})`,
		} {
			if err := db.exec(sql, floor); err != nil {
				return err
			}
		}
		return db.exec(`DELETE FROM journal_days WHERE day < {:p0}`, day(now.Add(-rememberMost-24*time.Hour)))
	})
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// forgettable is the number up to which what went may be forgotten.
func (j *Journal) forgettable(db *writer, now time.Time, passed int64) (int64, error) {
	at := func(age time.Duration) (seq int64, err error) {
		err = scanOne(db, `SELECT coalesce(max(seq), 0) FROM journal_days WHERE day <= {:p0}`, []any{day(now.Add(-age))}, &seq)
		return seq, err
	}
	old, err := at(rememberMost)
	if err != nil {
		return 0, err
	}
	young, err := at(rememberLeast)
	if err != nil {
		return 0, err
	}
	if passed > 0 {
		young = min(young, passed)
	}
	return max(old, young), nil
}
