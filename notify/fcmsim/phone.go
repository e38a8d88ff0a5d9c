package fcmsim

import (
	"time"
)

// FCM's limits of one phone.
const (
	perPhoneMinute = 240
	perPhoneHour   = 5000
	bucketSize     = 20
	bucketRefill   = 3 * time.Minute
	mostKeys       = 4
	mostPending    = 100
)

// Phone is one address and the app behind it. It is read by [Sim.Phone].
type Phone struct {
	Received []Message      // what the app got, in order, repeats included
	Shown    map[string]int // how often each tag was shown anew; "" are those without a tag
	Wipes    int            // times the app was told that messages were thrown away
	Waiting  int            // messages that wait: the phone is away or its bucket empty

	away    bool
	gone    bool
	pending []stored
	tokens  float64
	tokenAt time.Time
	minute  window
	hour    window
}

// Message is what an app gets.
type Message struct {
	At          time.Time
	Data        map[string]string
	CollapseKey string
	Alert       bool // the system shows it
	Tag         string
	High        bool
}

type stored struct {
	m       Message
	expires time.Time
}

// window counts in a stretch of time that begins with its first message.
type window struct {
	from time.Time
	n    int
}

func (w *window) take(now time.Time, length time.Duration, most int) bool {
	if now.Sub(w.from) >= length {
		w.from, w.n = now, 0
	}
	w.n++
	return w.n <= most
}

// Register makes an address known.
func (s *Sim) Register(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phone(address).gone = false
}

// Unregister makes an address gone: the app was removed.
func (s *Sim) Unregister(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phone(address).gone = true
}

// Away takes the phone's network or gives it back; then it gets what waits.
func (s *Sim) Away(address string, away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.phone(address)
	p.away = away
	p.deliver(s.options.Now())
}

// Phone is a copy of what is known of an address, brought up to now.
func (s *Sim) Phone(address string) Phone {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.phone(address)
	p.deliver(s.options.Now())
	p.Waiting = len(p.pending)
	return *p
}

// Phones calls f for every address, in no order. f must not call the simulator.
func (s *Sim) Phones(f func(address string, p *Phone)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for address, p := range s.phones {
		f(address, p)
	}
}

func (s *Sim) phone(address string) *Phone {
	p := s.phones[address]
	if p == nil {
		p = &Phone{Shown: map[string]int{}, tokens: bucketSize, tokenAt: s.options.Now()}
		s.phones[address] = p
	}
	return p
}

// store keeps a message for the phone. What is collapsible replaces what waits
// under its key; a hundred that are not are thrown away together.
func (s *Sim) store(p *Phone, m Message, life time.Duration, now time.Time) {
	if m.CollapseKey != "" {
		keys := map[string]bool{}
		for i, w := range p.pending {
			if w.m.CollapseKey == m.CollapseKey {
				p.pending[i] = stored{m, now.Add(life)}
				s.throttle(p, now)
				return
			}
			if w.m.CollapseKey != "" {
				keys[w.m.CollapseKey] = true
			}
		}
		if len(keys) >= mostKeys {
			for i, w := range p.pending { // which one is not promised
				if w.m.CollapseKey != "" {
					p.pending = append(p.pending[:i], p.pending[i+1:]...)
					break
				}
			}
		}
	} else {
		waiting := 0
		for _, w := range p.pending {
			if w.m.CollapseKey == "" {
				waiting++
			}
		}
		if waiting >= mostPending {
			s.wiped.Add(int64(len(p.pending)))
			p.pending = nil
			p.Wipes++
			return
		}
	}
	p.pending = append(p.pending, stored{m, now.Add(life)})
	if m.CollapseKey != "" {
		s.throttle(p, now)
	}
	p.deliver(now)
}

// throttle counts a collapsible message that has to wait for the bucket.
func (s *Sim) throttle(p *Phone, now time.Time) {
	p.refill(now)
	if !p.away && p.tokens < 1 {
		s.throttled.Add(1)
	}
	p.deliver(now)
}

func (p *Phone) refill(now time.Time) {
	p.tokens = min(bucketSize, p.tokens+float64(now.Sub(p.tokenAt))/float64(bucketRefill))
	p.tokenAt = now
}

// deliver hands over what waits and may go now.
func (p *Phone) deliver(now time.Time) {
	p.refill(now)
	var left []stored
	for _, w := range p.pending {
		switch {
		case !now.Before(w.expires):
		case p.away, w.m.CollapseKey != "" && p.tokens < 1:
			left = append(left, w)
		default:
			if w.m.CollapseKey != "" {
				p.tokens--
			}
			w.m.At = now
			p.Received = append(p.Received, w.m)
			if w.m.Alert {
				p.show(w.m.Tag)
			}
		}
	}
	p.pending = left
}

// show is the operating system's list of notifications: a tag that is there is
// replaced and a person sees no second one; without a tag each is another.
func (p *Phone) show(tag string) {
	if tag == "" || p.Shown[tag] == 0 {
		p.Shown[tag]++
	}
}
