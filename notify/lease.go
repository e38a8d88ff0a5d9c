package notify

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// The states of a delivery.
const (
	waiting = "waiting"
	done    = "done"
	dead    = "dead"
	expired = "expired" // of no more use before all were reached
	stopped = "stopped" // by an officer
)

// The rungs of the ladder: each is a delivery of its own.
const (
	pushRung = "" // phones are woken
	textRung = "sms"
	taskRung = "task"
)

// A pace is the deliveries that one loop of the outbox works through: what
// presses does not wait behind a long broadcast that does not.
type pace struct{ from, to commune.Class }

var (
	pressing = pace{0, commune.Needed}
	leisured = pace{commune.Information, commune.DataOnly}
)

// leaseTime is how long a worker may be silent before another takes over; while
// it works it renews its leases every beat.
const (
	leaseTime = 30 * time.Second
	beat      = 10 * time.Second
)

// errLost says that another worker has the delivery: what we know is old.
var errLost = errors.New("lease lost")

// job is a leased delivery.
type job struct {
	ID      string
	Key     string
	Notice  string
	Circle  commune.Circle
	Class   commune.Class
	Kind    string // of the notice
	Rung    string
	Expires int64
	Attempt int
	Reached int
	// Lease is "<worker>@<last phone done>". It is the fence: each step is
	// written only where this very text still stands, and moves it on.
	Lease string
}

// over tells whether the notice is of no more use.
func (j *job) over(now time.Time) bool { return j.Expires > 0 && now.Unix() >= j.Expires }

// life is how long a service may keep a wake-up; zero: as long as it can.
func (j *job) life(now time.Time) time.Duration {
	if j.Expires == 0 {
		return 0
	}
	return max(time.Second, time.Unix(j.Expires, 0).Sub(now))
}

func newWorker() string { return rand.Text()[:12] }

// cursor is the last phone that is done.
func (j *job) cursor() string { _, at, _ := strings.Cut(j.Lease, "@"); return at }

func (j *job) leaseAt(worker, cursor string) string { return worker + "@" + cursor }

const dueNow = `state = 'waiting' AND next_at <= {:now} AND lease_until <= {:now} AND class BETWEEN {:from} AND {:to}`

// due tells whether there is anything to lease, without a write.
func due(app core.App, p pace, now time.Time) (bool, error) {
	var n int
	err := app.ConcurrentDB().NewQuery(`SELECT EXISTS (SELECT 1 FROM deliveries WHERE ` + dueNow + `)`).
		Bind(params{"now": now.Unix(), "from": p.from, "to": p.to}).Row(&n)
	if err != nil {
		return false, fmt.Errorf("look for due deliveries: %w", err)
	}
	return n != 0, nil
}

// lease takes up to limit due deliveries that nobody holds, pressing ones first.
func lease(app core.App, p pace, worker string, limit int, now time.Time) ([]*job, error) {
	var jobs []*job
	err := app.NonconcurrentDB().NewQuery(`UPDATE deliveries
		SET lease = {:worker} || '@' || ifnull(substr(lease, nullif(instr(lease, '@'), 0) + 1), ''), lease_until = {:until}
		WHERE id IN (SELECT id FROM deliveries WHERE ` + dueNow + ` ORDER BY class, urgent DESC, next_at, rowid LIMIT {:limit})
		RETURNING id, key, notice, circle, rung, expires, attempt, reached, lease,
			CASE WHEN class > 0 THEN class WHEN urgent THEN 1 ELSE 3 END class, ifnull((SELECT kind FROM notices n WHERE n.id = deliveries.notice), '') kind`).
		Bind(params{"worker": worker, "now": now.Unix(), "until": now.Add(leaseTime).Unix(), "limit": limit, "from": p.from, "to": p.to}).All(&jobs)
	if err != nil {
		return nil, fmt.Errorf("lease deliveries: %w", err)
	}
	// RETURNING keeps no order.
	slices.SortStableFunc(jobs, func(a, b *job) int { return cmp.Compare(a.Class, b.Class) })
	return jobs, nil
}

// step is what is written of a delivery under its lease.
type step struct {
	state   string
	lease   string
	until   time.Time // zero: the lease is given back
	nextAt  time.Time // zero: as it was
	attempt int
	reached int // more phones reached
	err     string
}

// write moves the delivery on, or returns errLost.
func (j *job) write(tx core.App, s step) error {
	bind := params{"id": j.ID, "have": j.Lease, "state": s.state, "lease": s.lease, "attempt": s.attempt, "more": s.reached,
		"until": unix(s.until), "next": unix(s.nextAt), "error": shorten(s.err, 300), "now": commune.Moment(time.Now())}
	res, err := tx.NonconcurrentDB().NewQuery(`UPDATE deliveries SET state = {:state}, lease = {:lease}, lease_until = {:until},
		attempt = {:attempt}, reached = reached + {:more}, updated = {:now},
		next_at = CASE {:next} WHEN 0 THEN next_at ELSE {:next} END,
		last_error = CASE {:error} WHEN '' THEN last_error ELSE {:error} END
		WHERE id = {:id} AND lease = {:have} AND state = 'waiting'`).Bind(bind).Execute()
	if err != nil {
		return fmt.Errorf("write delivery: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(errLost, err)
	}
	j.Lease, j.Attempt = s.lease, s.attempt
	return nil
}

// renew keeps the worker's other leases while one of them takes long.
func renew(tx core.App, worker string, now time.Time) error {
	_, err := tx.NonconcurrentDB().NewQuery(`UPDATE deliveries SET lease_until = {:until}
		WHERE state = 'waiting' AND lease_until > 0 AND substr(lease, 1, {:n}) = {:worker}`).
		Bind(params{"until": now.Add(leaseTime).Unix(), "n": len(worker) + 1, "worker": worker + "@"}).Execute()
	if err != nil {
		return fmt.Errorf("renew leases: %w", err)
	}
	return nil
}

// release gives back all that the worker holds; how far each came stays.
func release(app core.App, worker string) error {
	_, err := app.NonconcurrentDB().NewQuery(`UPDATE deliveries SET lease_until = 0, lease = substr(lease, {:n})
		WHERE state = 'waiting' AND lease_until > 0 AND substr(lease, 1, {:n}) = {:worker}`).
		Bind(params{"n": len(worker) + 1, "worker": worker + "@"}).Execute()
	if err != nil {
		return fmt.Errorf("release leases: %w", err)
	}
	return nil
}

// leave writes a delivery for one phone, to be tried at nextAt or, with state
// dead, to be seen by an officer. There is at most one for each phone, however
// many notices failed or have to wait: one wake-up brings them all. attempt is 0
// when nothing was tried yet.
func leave(tx core.App, j *job, phone, state, why string, attempt int, nextAt time.Time) error {
	key := onePhone + ":" + phone
	_, err := tx.NonconcurrentDB().NewQuery(`INSERT INTO deliveries
		(id, key, notice, circle, state, urgent, class, expires, attempt, next_at, last_error, created, updated)
		VALUES ({:id}, {:key}, {:notice}, {:key}, {:state}, {:urgent}, {:class}, {:expires}, {:attempt}, {:next}, {:error}, {:now}, {:now})
		ON CONFLICT (key) DO UPDATE SET state = excluded.state, last_error = excluded.last_error, updated = excluded.updated,
			lease = '', lease_until = 0,
			notice = CASE WHEN state = 'waiting' AND class < excluded.class THEN notice ELSE excluded.notice END,
			urgent = CASE state WHEN 'waiting' THEN max(urgent, excluded.urgent) ELSE excluded.urgent END,
			class = CASE state WHEN 'waiting' THEN min(class, excluded.class) ELSE excluded.class END,
			expires = CASE WHEN state = 'waiting' AND (expires = 0 OR excluded.expires = 0) THEN 0
				WHEN state = 'waiting' THEN max(expires, excluded.expires) ELSE excluded.expires END,
			attempt = CASE state WHEN 'waiting' THEN max(attempt, excluded.attempt) ELSE excluded.attempt END,
			next_at = CASE state WHEN 'waiting' THEN min(next_at, excluded.next_at) ELSE excluded.next_at END`).
		Bind(params{"id": ID(commune.Circle(key), "delivery"), "key": key, "notice": j.Notice, "state": state, "urgent": j.Class.Shown(), "class": j.Class,
			"expires": j.Expires, "attempt": attempt, "next": unix(nextAt), "error": shorten(why, 300), "now": commune.Moment(time.Now())}).Execute()
	if err != nil {
		return fmt.Errorf("leave delivery for one phone: %w", err)
	}
	return nil
}

// mark notes what a service said of a phone's address, unless the phone has
// registered since, be it with the same address.
func mark(tx core.App, p target, state string, now time.Time) error {
	_, err := tx.NonconcurrentDB().NewQuery(`UPDATE phones SET address_state = {:state}, gone_at = CASE {:state} WHEN 'gone' THEN {:now} ELSE 0 END
		WHERE id = {:id} AND address = {:address} AND registered_at = {:registered}`).
		Bind(params{"state": state, "id": p.ID, "address": p.Address, "registered": p.Registered, "now": now.Unix()}).Execute()
	if err != nil {
		return fmt.Errorf("mark address: %w", err)
	}
	return nil
}

// revive takes back what a road said of phones since then: it was the road that
// was wrong.
func revive(tx core.App, road string, since time.Time) error {
	_, err := tx.NonconcurrentDB().NewQuery(`UPDATE phones SET address_state = 'ok', gone_at = 0
		WHERE address_state = 'gone' AND gone_at >= {:since} AND transport = {:road}`).
		Bind(params{"since": since.Unix(), "road": road}).Execute()
	if err != nil {
		return fmt.Errorf("revive addresses: %w", err)
	}
	return nil
}

// forget drops the addresses that were gone before the given moment: they are
// secrets that nobody needs any more. The phones stay.
func forget(app core.App, before time.Time) error {
	_, err := app.NonconcurrentDB().NewQuery(`UPDATE phones SET address = '', transport = 'none' WHERE address_state = 'gone' AND gone_at > 0 AND gone_at < {:before}`).
		Bind(params{"before": before.Unix()}).Execute()
	if err != nil {
		return fmt.Errorf("forget addresses: %w", err)
	}
	return nil
}

// sweep deletes deliveries that were done before the given moment, some at a
// time. Dead ones stay until an officer has seen to them.
func sweep(app core.App, before time.Time) error {
	_, err := app.NonconcurrentDB().NewQuery(`DELETE FROM deliveries WHERE id IN
		(SELECT id FROM deliveries WHERE state IN ('done', 'expired', 'stopped') AND next_at < {:before} LIMIT 1000)`).
		Bind(params{"before": before.Unix()}).Execute()
	if err != nil {
		return fmt.Errorf("sweep deliveries: %w", err)
	}
	return nil
}

// unix is t in seconds, rounded up: never sooner than asked. A zero time is 0.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Add(time.Second - 1).Unix()
}
