package server

import (
	"strings"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/sync/phones"
	"langso/sync/wire"
)

// seen remembers what phones said of themselves, to be written together once in
// a while: an exchange that brings nothing must not cost a write.
type seen struct {
	mu     sync.Mutex
	phones map[string]*sighting
}

// sighting is what happened to one phone since the last flush.
type sighting struct {
	at       time.Time // of the last exchange; zero: only bytes were counted
	app      string
	waiting  int
	epoch    string
	cursor   wire.Cursor
	skew     int    // seconds by which the phone's clock is ahead
	timed    bool   // skew is known
	day      string // the commune's day that up and down are of
	up, down int
	repairs  int // times that the phone's sums were not the server's
}

func (s *seen) note(phone string, ask *wire.Ask, apart bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.of(phone)
	p.at, p.waiting, p.epoch, p.cursor = now, ask.Waiting, ask.Epoch, ask.Cursor
	if ask.App != "" { // else what it said before
		p.app = clip(ask.App, mostApp)
	}
	if clock, err := time.Parse(time.RFC3339, ask.Clock); err == nil {
		p.skew, p.timed = int(clock.Sub(now).Seconds()), true
	}
	if apart {
		p.repairs++
	}
}

// noteApp writes at once which program a phone is, when it is another than before:
// a phone says it once, and a server that was killed within the minute would not
// know it until the next edit.
func (s *Server) noteApp(phone *phones.Phone, ask *wire.Ask) {
	app := clip(ask.App, mostApp)
	if app == "" || app == phone.App {
		return
	}
	_, err := s.App.NonconcurrentDB().NewQuery(`UPDATE phones SET app = {:app} WHERE id = {:id}`).Bind(dbx.Params{"app": app, "id": phone.ID}).Execute()
	if err != nil { // on a full disk phones are answered all the same
		s.App.Logger().Error("a phone's program was not noted", "error", err)
	}
}

// mostApp is how many bytes of a program's name are kept.
const mostApp = 60

// clip cuts a text to some bytes, never through a letter.
func clip(s string, bytes int) string {
	if len(s) > bytes {
		return strings.ToValidUTF8(s[:bytes], "")
	}
	return s
}

// carried counts the bytes of an ask and its answer.
func (s *seen) carried(phone string, up, down int, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.of(phone)
	if day := commune.Day(now); p.day != day {
		p.day, p.up, p.down = day, 0, 0 // what was not written of yesterday is forgotten
	}
	p.up += up
	p.down += down
}

func (s *seen) of(phone string) *sighting {
	if s.phones == nil {
		s.phones = map[string]*sighting{}
	}
	p := s.phones[phone]
	if p == nil {
		p = &sighting{}
		s.phones[phone] = p
	}
	return p
}

// NotePhones writes what phones said of themselves into the collection phones, for
// the administrator. It is done each minute.
func (s *Server) NotePhones() error {
	s.compared.forget(s.Now())
	return s.seen.flush(s.App)
}

func (s *seen) flush(app core.App) error {
	s.mu.Lock()
	phones := s.phones
	s.phones = nil
	s.mu.Unlock()
	if len(phones) == 0 {
		return nil
	}
	return app.RunInTransaction(func(tx core.App) error {
		met := tx.NonconcurrentDB().NewQuery(`UPDATE phones SET seen = {:at}, app = iif({:app} = '', app, {:app}), waiting = {:waiting}, cursor = {:cursor}, cursor_epoch = {:epoch},
			refused = (SELECT count(*) FROM sync_verdicts v WHERE v.phone = {:phone} AND json_extract(v.verdict, '$.is') = 'refused'),
			parked = (SELECT count(*) FROM parked_edits p WHERE p.phone = {:phone} AND p.state = 'waiting') WHERE id = {:phone}`).Prepare()
		defer met.Close()
		counted := tx.NonconcurrentDB().NewQuery(`UPDATE phones SET up = iif({:day} IN ('', day), up, 0) + {:up}, down = iif({:day} IN ('', day), down, 0) + {:down}, day = iif({:day} = '', day, {:day}),
			skew = iif({:timed}, {:skew}, skew), repairs = repairs + {:repairs} WHERE id = {:phone}`).Prepare()
		defer counted.Close()
		for id, p := range phones {
			if !p.at.IsZero() {
				_, err := met.Bind(dbx.Params{"phone": id, "at": p.at.UTC().Format(time.RFC3339), "app": p.app, "waiting": p.waiting, "cursor": p.cursor, "epoch": p.epoch}).Execute()
				if err != nil {
					return err
				}
			}
			_, err := counted.Bind(dbx.Params{"phone": id, "day": p.day, "up": p.up, "down": p.down, "timed": p.timed, "skew": p.skew, "repairs": p.repairs}).Execute()
			if err != nil {
				return err
			}
		}
		return nil
	})
}
