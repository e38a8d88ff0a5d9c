package notify

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

type params = dbx.Params

// target is a phone that can be woken.
type target struct {
	Row                    int64 // where it lies in the table: pages go in this order
	ID, Transport, Address string
	Suspect                bool // the address, and so far
	Registered             int64
	*choice                // nil: none
}

// place is what a cursor says of a phone. The number is enough unless somebody
// packs the table anew; the id finds it again then.
func (p target) place() string { return strconv.FormatInt(p.Row, 10) + "." + p.ID }

// placeOf reads a cursor. One of another form, which an older program wrote,
// is the beginning: rather twice than never.
func placeOf(cursor string) (row int64, id string) {
	number, id, ok := strings.Cut(cursor, ".")
	row, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil {
		return 0, ""
	}
	return row, id
}

// running narrows rows with first and last day to those that hold today.
const running = `("from" = '' OR "from" <= {:today}) AND ("to" = '' OR "to" >= {:today})`

// people finds, for each kind of circle, the persons in it; {:name} is the part
// after the colon. It answers who is to be woken, never who may read: that is
// decided by standing alone, at the exchange that follows.
var people = map[string]string{
	"person":         `p.person = {:name}`,
	"guardian":       `p.person IN (SELECT guardian FROM guardians WHERE person = {:name} AND ` + running + `)`,
	"household":      `p.person IN (SELECT id FROM persons WHERE household = {:name})`,
	"village":        `p.person IN (SELECT id FROM persons WHERE village = {:name})`,
	"stall":          `p.person IN (SELECT person FROM duties WHERE place = {:name} AND role IN ('seller', 'clerk') AND ` + running + `)`,
	"station":        `p.person IN (SELECT person FROM duties WHERE place = {:name} AND role = 'station' AND ` + running + `)`,
	"village-health": `p.person IN (SELECT person FROM duties WHERE place = {:name} AND role = 'village_health' AND ` + running + `)`,
	"village-head":   `p.person IN (SELECT person FROM duties WHERE place = {:name} AND role = 'village_head' AND ` + running + `)`,
	"duty":           `p.person IN (SELECT person FROM duties WHERE role = {:name} AND ` + running + `)`,
	"commune":        `1`,
	onePhone:         `p.id = {:name}`,
}

// onePhone is the kind of circle of a delivery that is left for one phone after
// it failed.
const onePhone = "phone"

// unknownCircle says that no phone can be found from a circle of this kind.
type unknownCircle struct{ kind string }

func (e *unknownCircle) Error() string { return fmt.Sprintf("no road to circles of kind %q", e.kind) }

// heard is what is known of a notice's place in the order of changes: a phone
// whose cursor of this epoch has passed it has the notice. The zero value says
// that nothing is known.
type heard struct {
	seq   int64
	epoch string
}

// audience is the condition on phones p of a circle, with its parameters.
func audience(circle commune.Circle, roads []string, now time.Time) (where string, bind params, err error) {
	in, known := people[circle.Kind()]
	if !known {
		return "", nil, &unknownCircle{circle.Kind()}
	}
	bind = params{"name": circle.Name(), "today": commune.Day(now)}
	names := make([]string, len(roads))
	for i, r := range slices.Sorted(slices.Values(roads)) {
		key := fmt.Sprint("road", i)
		names[i], bind[key] = "{:"+key+"}", r
	}
	return in + ` AND p.transport IN (` + strings.Join(names, ", ") + `)
		AND p.address != '' AND p.address_state != 'gone' AND NOT p.blocked`, bind, nil
}

// inOrder is by which a circle's phones are read: those of the whole commune as
// they lie in the table, so that a million of them cost one walk through it; the
// others are found by their persons and put in order, which the plus tells SQLite.
func inOrder(circle commune.Circle) string {
	if circle.Kind() == "commune" {
		return "p.rowid"
	}
	return "+p.rowid"
}

// numbersOf and sentOf are all that a wake-up needs to know of a phone, as one number
// and one text: each column that crosses from SQLite costs as much as finding the
// row, and a number made a text as much again. The address is last, for it may hold
// anything. The number has room for a billion rows and for seconds until 2106.
const (
	// To SQLite, unlike to Go, << and | are of one rank.
	numbersOf = `(p.rowid << 33) | ((p.registered_at & 0xffffffff) << 1) | (p.address_state = 'suspect')`
	sentOf    = `concat_ws(' ', p.id, p.transport, p.address)`
	ownedOf   = `concat_ws(' ', p.person, p.id, p.transport, p.address)`
)

// number takes apart what numbersOf put together.
func (p *target) number(n int64) {
	p.Row, p.Registered, p.Suspect = n>>33, n>>1&0xffffffff, n&1 == 1
}

// text takes apart what sentOf put together.
func (p *target) text(text string) (ok bool) {
	for _, part := range []*string{&p.ID, &p.Transport} {
		if *part, text, ok = strings.Cut(text, " "); !ok {
			return false
		}
	}
	p.Address = text
	return true
}

// Several pages are read at once: each write makes SQLite forget what it had read,
// and it reads the faster the further it may walk. As many as are used while they
// are new: stillNew after they were read the rest is read again.
const (
	leastAhead = 2 * maxWindow
	mostAhead  = 4 * maxWindow
	stillNew   = 5 * time.Second
)

// ahead is phones of a delivery that were read and not sent yet.
type ahead struct {
	phones []target
	all    bool // there are none after them
	at     time.Time
	size   int // that were asked for
	chosen chosen
}

// page returns the next page, after the delivery's cursor, and whether there are more.
func (a *ahead) page(o *Outbox, j *job, has heard) (phones []target, more bool, err error) {
	now := o.Now()
	old := now.Sub(a.at).Abs() > stillNew
	if len(a.phones) == 0 || old {
		switch {
		case a.size == 0 || old:
			a.size = leastAhead
		default:
			a.size = min(mostAhead, 2*a.size)
		}
		if a.phones, err = page(o.App, j, o.roads(), has, a.size, now, &a.chosen); err != nil {
			return nil, false, err
		}
		a.all, a.at = len(a.phones) < a.size, now
	}
	n := min(len(a.phones), o.pageOf(j.Class))
	phones, a.phones = a.phones[:n], a.phones[n:]
	return phones, len(a.phones) > 0 || !a.all, nil
}

// page returns up to limit phones of the delivery's circle after its cursor, in
// order, that have an address on one of the roads. Passed over are blocked
// phones, those whose address is gone, those that have the notice, and for what
// does not press those that nobody has used for long.
func page(app core.App, j *job, roads []string, has heard, limit int, now time.Time, all *chosen) ([]target, error) {
	where, bind, err := audience(j.Circle, roads, now)
	if err != nil || len(roads) == 0 {
		return nil, err
	}
	bind["row"], bind["id"] = placeOf(j.cursor())
	bind["limit"], bind["seq"], bind["epoch"] = limit, has.seq, has.epoch
	if !j.Class.Shown() {
		where += ` AND (p.seen = '' OR p.seen >= {:stale})`
		bind["stale"] = now.Add(-staleAfter).UTC().Format(time.RFC3339)
	}
	if has.seq > 0 {
		where += ` AND NOT (p.cursor_epoch = {:epoch} AND p.cursor >= {:seq})`
	}
	order, sent := inOrder(j.Circle), sentOf
	if chooses(j.Class, j.Kind) {
		sent = ownedOf
		if err := all.read(app, j.Circle, now); err != nil {
			return nil, err
		}
	}
	rows, err := app.ConcurrentDB().NewQuery(`SELECT ` + numbersOf + `, ` + sent + ` FROM phones p
		WHERE ` + order + ` > ifnull((SELECT rowid FROM phones WHERE id = {:id}), {:row}) AND ` + where + ` ORDER BY ` + order + ` LIMIT {:limit}`).Bind(bind).Rows()
	if err != nil {
		return nil, fmt.Errorf("read phones of a circle: %w", err)
	}
	defer rows.Close()
	out := make([]target, 0, min(limit, leastAhead))
	var number int64
	var text, person string
	for rows.Next() {
		if err := rows.Rows.Scan(&number, &text); err != nil {
			return nil, fmt.Errorf("read a phone of a circle: %w", err)
		}
		var p target
		p.number(number)
		if sent == ownedOf {
			person, text, _ = strings.Cut(text, " ")
			p.choice = all.of(person)
		}
		if !p.text(text) {
			return nil, errors.New("read a phone of a circle: a part is missing")
		}
		out = append(out, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read phones of a circle: %w", err)
	}
	return out, nil
}

// reach counts the phones of a circle that can be woken, up to most.
func reach(app core.App, circle commune.Circle, roads []string, most int, now time.Time) (int, error) {
	where, bind, err := audience(circle, roads, now)
	if err != nil || len(roads) == 0 {
		return 0, err
	}
	bind["most"] = most
	var n int
	if err := app.ConcurrentDB().NewQuery(`SELECT count(*) FROM (SELECT 1 FROM phones p WHERE ` + where + ` LIMIT {:most})`).Bind(bind).Row(&n); err != nil {
		return 0, fmt.Errorf("count phones of a circle: %w", err)
	}
	return n, nil
}
