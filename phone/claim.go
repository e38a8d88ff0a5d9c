package phone

import (
	"database/sql"
	"errors"
	"fmt"
)

// An answer is kept in many steps, and meanwhile two things may happen that make
// it worthless: another program that has the same file open meets the server, too,
// or the phone becomes somebody else's. So who meets the server claims the file,
// and each step looks whether the claim still stands.

// nobody is the claim of a phone that just became somebody else's, or nobody's.
const nobody = "nobody"

// errOvertaken ends an answer that came too late, as one that is cut.
var errOvertaken = errors.New("another exchange has begun, or the phone is another's")

// claim makes this program the one that meets the server.
func (p *Phone) claim() error {
	was, err := getMeta(p.db, "meeting")
	if err != nil || was == p.name {
		return err
	}
	if err := p.setMeta("meeting", p.name); err != nil {
		return fmt.Errorf("claim the phone: %w", err)
	}
	return nil
}

// stands returns errOvertaken when the claim of this program stands no more.
func (p *Phone) stands(tx *sql.Tx) error {
	now, err := getMeta(tx, "meeting")
	if err == nil && now != "" && now != p.name {
		err = errOvertaken
	}
	return err
}
