package hooks

import (
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/sync/wire"
)

// seen remembers what phones said of themselves, to be written together once in
// a while: an exchange that brings nothing must not cost a write.
type seen struct {
	mu     sync.Mutex
	phones map[string]sighting
}

type sighting struct {
	at      time.Time
	app     string
	waiting int
	epoch   string
	cursor  wire.Cursor
}

func (s *seen) note(phone string, ask *wire.Ask, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phones == nil {
		s.phones = map[string]sighting{}
	}
	app := ask.App
	if len(app) > 60 {
		app = app[:60]
	}
	s.phones[phone] = sighting{now, app, ask.Waiting, ask.Epoch, ask.Cursor}
}

// flush writes the sightings into the collection phones, for the administrator.
func (s *seen) flush(app core.App) error {
	s.mu.Lock()
	phones := s.phones
	s.phones = nil
	s.mu.Unlock()
	if len(phones) == 0 {
		return nil
	}
	return app.RunInTransaction(func(tx core.App) error {
		q := tx.NonconcurrentDB().NewQuery(`UPDATE phones SET seen = {:at}, app = {:app}, waiting = {:waiting}, cursor = {:cursor}, cursor_epoch = {:epoch},
			refused = (SELECT count(*) FROM sync_verdicts v WHERE v.phone = {:phone} AND json_extract(v.verdict, '$.is') = 'refused'),
			parked = (SELECT count(*) FROM parked_edits p WHERE p.phone = {:phone} AND p.state = 'waiting') WHERE id = {:phone}`).Prepare()
		defer q.Close()
		for id, p := range phones {
			_, err := q.Bind(dbx.Params{"phone": id, "at": p.at.UTC().Format(time.RFC3339), "app": p.app, "waiting": p.waiting, "cursor": p.cursor, "epoch": p.epoch}).Execute()
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// heard tells at which number of the journal a notice stands: a phone whose cursor
// has passed it has the notice.
func heard(app core.App, notice string) (seq int64, epoch string, err error) {
	err = app.ConcurrentDB().NewQuery(`SELECT m.epoch, ifnull((SELECT r.seq FROM journal_records r JOIN journal_collections c ON c.no = r.coll
		WHERE c.name = 'notices' AND r.rid = {:notice}), 0) FROM journal_meta m`).Bind(dbx.Params{"notice": notice}).Row(&epoch, &seq)
	return seq, epoch, err
}
