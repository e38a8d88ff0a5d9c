package phone

import (
	"database/sql"
	"errors"
	"slices"

	"langso/sync/wire"
)

// unknown is where an edit is parked because the server knows its collection, field
// or action not yet: it may be of an older program than this phone's.
const unknown = `n > 0 AND state = 'parked' AND json_extract(verdict, '$.code') IN ('unknown_collection', 'unknown_field', 'unknown_action')`

// shape is what an ask says of the server's shape: nothing, unless an edit is parked
// that another shape may take; "?" when it was not told.
func (p *Phone) shape() (string, error) {
	var some bool
	err := p.db.QueryRow(`SELECT EXISTS (SELECT 1 FROM edits WHERE ` + unknown + `)`).Scan(&some)
	if err != nil || !some {
		return "", err
	}
	shape, err := getMeta(p.db, "shape")
	if shape == "" {
		shape = "?"
	}
	return shape, err
}

// offerAgain sends, when the server's shape is another than it was, all edits again
// that it did not know, under new numbers and with what waited for them: once, for a
// verdict is the last word until the shape changes again.
func (p *Phone) offerAgain(tx *sql.Tx, shape string) (again bool, err error) {
	was, err := getMeta(tx, "shape")
	if err != nil || was == shape {
		return false, err
	}
	edits, err := readEdits(tx, unknown)
	if err != nil {
		return false, err
	}
	for _, e := range edits {
		_, err := p.resend(tx, e, nil, false)
		if errors.Is(err, errTooLarge) {
			continue
		}
		if err != nil {
			return false, err
		}
		again = true
		if err := p.resendDependants(tx, e.N); err != nil {
			return false, err
		}
	}
	return again, setMeta(tx, "shape", shape)
}

// forgetShape is for verdicts that were given some time before: nobody knows by
// which shape.
func forgetShape(tx *sql.Tx, verdicts []wire.Verdict) error {
	if !slices.ContainsFunc(verdicts, func(v wire.Verdict) bool {
		return v.Is == wire.Known && v.Was == wire.Parked && slices.Contains([]string{"unknown_collection", "unknown_field", "unknown_action"}, v.Code)
	}) {
		return nil
	}
	_, err := tx.Exec(`DELETE FROM meta WHERE key = 'shape'`)
	return err
}
