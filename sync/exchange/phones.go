package exchange

import (
	"database/sql"
	"errors"

	"github.com/pocketbase/dbx"

	"langso/sync/push"
)

// phone reads the phone's place in its own order of edits, giving it a number
// in the journal when it is new.
func (x *Engine) phone(p Phone) (push.Phone, error) {
	out := push.Phone{ID: p.ID}
	read := func(db dbx.Builder) error {
		return db.NewQuery(`SELECT no, acked FROM sync_phones WHERE phone = {:phone}`).Bind(dbx.Params{"phone": p.ID}).Row(&out.No, &out.Acked)
	}
	err := read(x.app.ConcurrentDB())
	if !errors.Is(err, sql.ErrNoRows) {
		return out, err
	}
	_, err = x.app.NonconcurrentDB().NewQuery(`INSERT INTO sync_phones (phone) VALUES ({:phone}) ON CONFLICT DO NOTHING`).Bind(dbx.Params{"phone": p.ID}).Execute()
	if err != nil {
		return out, err
	}
	return out, read(x.app.NonconcurrentDB())
}

// acked is the last edit of the phone that was judged.
func (x *Engine) acked(p Phone) (int64, error) {
	var acked int64
	err := x.app.ConcurrentDB().NewQuery(`SELECT coalesce(max(acked), 0) FROM sync_phones WHERE phone = {:phone}`).Bind(dbx.Params{"phone": p.ID}).Row(&acked)
	return acked, err
}
