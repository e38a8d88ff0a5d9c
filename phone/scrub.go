package phone

import (
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// failed does what a refusal of the whole ask demands of the phone.
func (p *Phone) failed(err error) error {
	var f *Failure
	if errors.As(err, &f) && f.Wipe {
		// Only what the server has not seen stays; what it has taken for a person to
		// look at is kept to be read.
		_, err := p.db.Exec(`UPDATE edits SET state = 'parked', verdict = json_object('n', n, 'is', 'parked', 'code', ?, 'say', ?), at = ? WHERE state = 'waiting' AND n <= ?`,
			f.Code, f.Say, p.now().UTC().Format(time.RFC3339), f.Acked)
		if err != nil {
			return fmt.Errorf("wipe records: %w", err)
		}
		if _, err := p.db.Exec(`DELETE FROM records; DELETE FROM kept; DELETE FROM edits WHERE state IN ('taken', 'merged', 'settled', 'decided');
			DELETE FROM meta WHERE key IN ('cursor', 'standing', 'told', 'circles', 'resume', 'epoch', 'compare', 'loaded', 'check', 'sum', 'lost')`); err != nil {
			return fmt.Errorf("wipe records: %w", err)
		}
		return errors.Join(f, p.scrub(), p.SweepFiles())
	}
	return err
}

// scrub leaves nothing of deleted records in the file or its log.
func (p *Phone) scrub() error {
	if _, err := p.db.Exec(`VACUUM`); err != nil {
		return fmt.Errorf("scrub: %w", err)
	}
	if _, err := p.db.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		return fmt.Errorf("scrub: %w", err)
	}
	return nil
}

// dirty notes, in the transaction that deletes, that the log still holds what
// was deleted.
func dirty(tx *sql.Tx) error { return setMeta(tx, "scrub", "1") }

// scrubIfDue empties the log after records left: nothing of them may stay on
// the disk. The note outlives a phone that dies in between.
func (p *Phone) scrubIfDue() error {
	due, err := getMeta(p.db, "scrub")
	if err != nil || due == "" {
		return err
	}
	if _, err := p.db.Exec(`DELETE FROM meta WHERE key = 'scrub'`); err != nil {
		return err
	}
	if _, err := p.db.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		return errors.Join(fmt.Errorf("scrub: %w", err), p.setMeta("scrub", "1"))
	}
	return nil
}
