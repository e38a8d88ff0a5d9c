package exchange

import (
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// standings computes in which circles a person is and remembers it until a
// record that it was read from changes. Terms are kept with their dates, so a
// duty that ends at midnight ends at midnight, without any write.
type standings struct {
	app     core.App
	domains []commune.Domain
	from    map[string]bool // collections that a standing is read from

	mu    sync.RWMutex
	terms map[string][]commune.Term // by person
	round int                       // grows when terms are thrown away

	sets map[string][]string // by hash; never changes, so never forgotten while it is small
}

// most keeps the memory of a large commune bounded.
const most = 20_000

func newStandings(app core.App, domains []commune.Domain) *standings {
	s := &standings{app: app, domains: domains, from: map[string]bool{}, terms: map[string][]commune.Term{}, sets: map[string][]string{}}
	for _, d := range domains {
		for _, c := range d.Standing.From {
			s.from[c] = true
		}
	}
	return s
}

// moved forgets what was read from a collection that changed.
func (s *standings) moved(collection string) {
	if !s.from[collection] {
		return
	}
	s.mu.Lock()
	s.terms = map[string][]commune.Term{}
	s.round++
	s.mu.Unlock()
}

func (s *standings) of(person string, now time.Time) ([]string, error) {
	s.mu.RLock()
	terms, ok := s.terms[person]
	round := s.round
	s.mu.RUnlock()
	if !ok {
		for _, d := range s.domains {
			if d.Standing.Of == nil {
				continue
			}
			more, err := d.Standing.Of(s.app, person)
			if err != nil {
				return nil, err
			}
			terms = append(terms, more...)
		}
		s.mu.Lock()
		// What changed while we read may not be in what we read.
		if round == s.round {
			if len(s.terms) >= most {
				s.terms = map[string][]commune.Term{}
			}
			s.terms[person] = terms
		}
		s.mu.Unlock()
	}
	circles := make([]string, 0, len(terms))
	for _, t := range terms {
		if t.Holds(now) {
			circles = append(circles, string(t.Circle))
		}
	}
	slices.Sort(circles)
	return slices.Compact(circles), nil
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
