package phone

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"langso/sync/wire"
)

// failed does what a refusal of the whole ask demands of the phone.
func (p *Phone) failed(err error) error {
	var f *Failure
	if errors.As(err, &f) && f.Wipe {
		// Only what the server has not seen stays; what it has taken for a person to
		// look at is kept to be read. What was judged before is as it was judged: the
		// answer that said so was lost.
		err := p.transact(func(tx *sql.Tx) error {
			if err := p.stands(tx); err != nil {
				return err
			}
			const answered = `UPDATE edits SET state = ?1, verdict = json_object('n', n, 'is', ?1, 'code', ?2, 'say', ?3), at = ?4 WHERE state = 'waiting' AND `
			at := p.now().UTC().Format(time.RFC3339)
			for _, v := range f.Verdicts {
				if v.Is != wire.Taken && v.Is != wire.Merged && v.Is != wire.Refused {
					continue
				}
				if _, err := tx.Exec(answered+`n = ?5`, string(v.Is), f.Code, f.Say, at, v.N); err != nil {
					return err
				}
			}
			if _, err := tx.Exec(answered+`n <= ?5`, string(wire.Parked), f.Code, f.Say, at, f.Acked); err != nil {
				return err
			}
			_, err := tx.Exec(`DELETE FROM records; DELETE FROM kept; DELETE FROM edits WHERE state IN ('taken', 'merged', 'settled', 'decided');
				DELETE FROM meta WHERE key IN ('cursor', 'standing', 'told', 'circles', 'resume', 'epoch', 'compare', 'loaded', 'check', 'sum', 'lost')`)
			return errors.Join(err, soiled(tx))
		})
		if errors.Is(err, errOvertaken) {
			return fmt.Errorf("%w: %w", ErrCut, err)
		}
		if err != nil {
			return fmt.Errorf("wipe records: %w", err)
		}
		return errors.Join(f, p.scrubIfDue(), p.SweepFiles())
	}
	return err
}

// The note "scrub" says what is due, the log emptied, or before that the whole file
// written anew and nothing left of downloads; and since when, as a number that no
// other note has. Two programs may have one phone's file open: what one of them
// deletes while the other is scrubbing is in the log again, under another note.
const allDue = "all"

const since = `lower(hex(randomblob(8)))`

// dirty notes, in the transaction that deletes, that the log still holds what
// was deleted.
func dirty(tx *sql.Tx) error {
	_, err := tx.Exec(`INSERT INTO meta (key, value) VALUES ('scrub', 'log ' || ` + since + `)
		ON CONFLICT DO UPDATE SET value = iif(value LIKE 'all%', 'all ', 'log ') || ` + since)
	if err != nil {
		return fmt.Errorf("note what is to be scrubbed: %w", err)
	}
	return nil
}

// soiled notes, in the transaction that deletes everything, that nothing may be left.
func soiled(tx *sql.Tx) error {
	_, err := tx.Exec(`INSERT OR REPLACE INTO meta (key, value) VALUES ('scrub', 'all ' || ` + since + `)`)
	if err != nil {
		return fmt.Errorf("note what is to be scrubbed: %w", err)
	}
	return nil
}

// scrubIfDue leaves nothing of what was deleted in the file or its log. The note goes
// last, when it is done: it outlives a phone that dies in between, and another
// program that is reading the file just now. Then it is done after the next
// exchange, or when the phone is opened the next time.
func (p *Phone) scrubIfDue() error {
	due, err := getMeta(p.db, "scrub")
	if err != nil || due == "" {
		return err
	}
	if done, err := p.scrub(due); err != nil || !done {
		return err
	}
	return p.scrubbed(due)
}

// scrub does what a note says; false when somebody is reading, so that it cannot be done.
func (p *Phone) scrub(due string) (done bool, err error) {
	if strings.HasPrefix(due, allDue) {
		if err := p.sweepParts(""); err != nil {
			return false, err
		}
		if _, err := p.db.Exec(`VACUUM`); err != nil {
			return false, fmt.Errorf("scrub: %w", err)
		}
	}
	return p.emptyLog()
}

// scrubbed forgets the note that was carried out, and no newer one.
func (p *Phone) scrubbed(due string) error {
	if _, err := p.db.Exec(`DELETE FROM meta WHERE key = 'scrub' AND value = ?`, due); err != nil {
		return fmt.Errorf("scrub: %w", err)
	}
	return nil
}

// emptyLog moves the log into the file and cuts it to nothing; false when somebody
// is reading what it holds.
func (p *Phone) emptyLog() (bool, error) {
	var busy, frames, moved int
	if err := p.db.QueryRow(`PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved); err != nil {
		return false, fmt.Errorf("scrub: %w", err)
	}
	return busy == 0, nil
}

// sweepParts deletes snapshot files that were begun, but not that of path keep.
func (p *Phone) sweepParts(keep string) error {
	parts, err := filepath.Glob(filepath.Join(p.dir, "snapshot-*.part"))
	if err != nil {
		return fmt.Errorf("sweep downloads: %w", err)
	}
	for _, part := range parts {
		if part == keep {
			continue
		}
		if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("sweep downloads: %w", err)
		}
	}
	return nil
}

// tidy does, when the phone is opened, what an earlier end left undone. What cannot
// be done now, on a full disk or while another program reads, stays noted: it must
// not keep anybody from their records, and the next exchange tries and tells.
func (p *Phone) tidy() {
	_ = p.scrubIfDue()
	if cursor, err := getNumber(p.db, "cursor"); err == nil && cursor > 0 { // else a first sync goes on where it was cut
		_ = p.sweepParts("")
	}
}
