package exchange

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/sync/journal"
	"langso/sync/wire"
)

// standings computes in which circles a person is and remembers it until a
// record that it was read from changes. Terms are kept with their dates, so a
// duty that ends at midnight ends at midnight, without any write.
type standings struct {
	app     core.App
	domains []commune.Domain
	journal *journal.Journal
	from    []string // collections that a standing is read from

	mu    sync.RWMutex
	terms map[string]dated // by person

	sets map[string][]string // by hash; never changes, so never forgotten while it is small
}

// dated are a person's terms as of a number of the journal: they hold every
// change up to it, and perhaps later ones.
type dated struct {
	terms []commune.Term
	asOf  int64
	now   *standing // as it was asked for last
}

// standing is where a person stands at a moment. It is shared: nobody changes it.
type standing struct {
	circles     []string // sorted
	hash        string
	asOf        int64
	from, until time.Time // no term begins or ends in between; zero: ever
}

// holds tells whether the standing is still so.
func (s *standing) holds(at time.Time) bool {
	return commune.Term{From: s.from, To: s.until}.Holds(at)
}

// at makes the standing of terms at a moment.
func (d dated) at(now time.Time) *standing {
	s := &standing{circles: make([]string, 0, len(d.terms)), asOf: d.asOf}
	for _, t := range d.terms {
		if t.Holds(now) {
			s.circles = append(s.circles, string(t.Circle))
		}
		for _, edge := range []time.Time{t.From, t.To} {
			switch {
			case edge.IsZero():
			case edge.After(now):
				if s.until.IsZero() || edge.Before(s.until) {
					s.until = edge
				}
			case s.from.IsZero() || edge.After(s.from):
				s.from = edge
			}
		}
	}
	slices.Sort(s.circles)
	s.circles = slices.Clip(slices.Compact(s.circles))
	s.hash = wire.StandingHash(s.circles)
	return s
}

// most keeps the memory of a large commune bounded.
const most = 20_000

func newStandings(app core.App, j *journal.Journal, domains []commune.Domain) *standings {
	s := &standings{app: app, journal: j, domains: domains, terms: map[string]dated{}, sets: map[string][]string{}}
	for _, d := range domains {
		s.from = append(s.from, d.Standing.From...)
	}
	return s
}

// of returns where a person stands at a moment, from terms that are at least as new
// as number least.
func (s *standings) of(person string, now time.Time, least int64) (*standing, error) {
	s.mu.RLock()
	d, ok := s.terms[person]
	s.mu.RUnlock()
	var err error
	switch {
	case !ok || d.asOf < least:
		if d, err = s.read(person); err != nil {
			return nil, err
		}
	case d.now != nil && d.now.holds(now):
		return d.now, nil
	}
	d.now = d.at(now)
	s.mu.Lock()
	defer s.mu.Unlock()
	if is, ok := s.terms[person]; ok && is.asOf == d.asOf {
		s.terms[person] = d
	}
	return d.now, nil
}

// read asks the domains. The number is read first: what changes meanwhile gets
// a greater one, and makes the terms too old for whoever needs it.
func (s *standings) read(person string) (d dated, err error) {
	if d.asOf, err = s.journal.Seq(); err != nil {
		return d, err
	}
	for _, domain := range s.domains {
		if domain.Standing.Of == nil {
			continue
		}
		more, err := domain.Standing.Of(s.app, person)
		if err != nil {
			return d, fmt.Errorf("standing of a person in %s: %w", domain.Name, err)
		}
		d.terms = append(d.terms, more...)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.terms) >= most {
		s.terms = map[string]dated{}
	}
	s.terms[person] = d
	return d, nil
}

// remember stores a standing under its hash, so that a phone which names the
// hash in a year is understood.
func (s *standings) remember(hash string, circles []string) error {
	s.mu.RLock()
	_, known := s.sets[hash]
	s.mu.RUnlock()
	if known {
		return nil
	}
	text, err := json.Marshal(circles)
	if err != nil {
		return err
	}
	_, err = s.app.NonconcurrentDB().NewQuery(`INSERT INTO sync_standings (hash, circles) VALUES ({:hash}, {:circles}) ON CONFLICT DO NOTHING`).
		Bind(dbx.Params{"hash": hash, "circles": string(text)}).Execute()
	if err == nil {
		s.keep(hash, circles)
	}
	return err
}

// remembered returns the standing of a hash; nil when it was never given out.
func (s *standings) remembered(hash string) ([]string, error) {
	s.mu.RLock()
	circles, known := s.sets[hash]
	s.mu.RUnlock()
	if known {
		return circles, nil
	}
	var text string
	err := s.app.ConcurrentDB().NewQuery(`SELECT circles FROM sync_standings WHERE hash = {:hash}`).Bind(dbx.Params{"hash": hash}).Row(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(text), &circles); err != nil {
		return nil, err
	}
	s.keep(hash, circles)
	return circles, nil
}

func (s *standings) keep(hash string, circles []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sets) >= most {
		s.sets = map[string][]string{}
	}
	s.sets[hash] = circles
}
