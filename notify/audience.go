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
	choice
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

// sentOf is all that a wake-up needs to know of a phone, as one text: each column
// that crosses from SQLite costs as much as finding the row. The address is last,
// for it may hold anything.
const sentOf = `concat_ws(' ', p.rowid, p.registered_at, p.address_state = 'suspect', p.id, p.transport, p.address)`

// read takes apart what sentOf put together.
func (p *target) read(text string) error {
	var row, registered, suspect string
	for _, part := range []*string{&row, &registered, &suspect, &p.ID, &p.Transport} {
		var ok bool
		if *part, text, ok = strings.Cut(text, " "); !ok {
			return errors.New("read a phone of a circle: a part is missing")
		}
	}
	var err1, err2 error
	p.Row, err1 = strconv.ParseInt(row, 10, 64)
	p.Registered, err2 = strconv.ParseInt(registered, 10, 64)
	p.Suspect, p.Address = suspect == "1", text
	return errors.Join(err1, err2)
}

// Several pages are read at once: each write makes SQLite forget what it had read,
// and a look at 1,500 phones costs little more than one at 150. What was read is
// used for so long.
const (
	readAhead = 2 * maxWindow
	stillNew  = 2 * time.Second
)

// ahead is phones of a delivery that were read and not sent yet.
type ahead struct {
	phones []target
	all    bool // there are none after them
	at     time.Time
}

// page returns the next page, after the delivery's cursor, and whether there are more.
func (a *ahead) page(o *Outbox, j *job, has heard) (phones []target, more bool, err error) {
	now := o.Now()
	if len(a.phones) == 0 || now.Sub(a.at).Abs() > stillNew {
		if a.phones, err = page(o.App, j, o.roads(), has, readAhead, now); err != nil {
			return nil, false, err
		}
		a.all, a.at = len(a.phones) < readAhead, now
	}
	n := min(len(a.phones), int(o.window.Load()))
	phones, a.phones = a.phones[:n], a.phones[n:]
	return phones, len(a.phones) > 0 || !a.all, nil
}

// page returns up to limit phones of the delivery's circle after its cursor, in
// order, that have an address on one of the roads. Passed over are blocked
// phones, those whose address is gone, those that have the notice, and for what
// does not press those that nobody has used for long.
func page(app core.App, j *job, roads []string, has heard, limit int, now time.Time) ([]target, error) {
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
	order, chosen, choices := inOrder(j.Circle), "", ""
	if chooses(j.Class, j.Kind) {
		chosen, choices = `, ifnull(c.quiet_from || '|' || c.quiet_to || '|' || c.digest || '|' || c.off, '')`, ` LEFT JOIN notice_choices c ON c.person = p.person`
	}
	rows, err := app.ConcurrentDB().NewQuery(`SELECT ` + sentOf + chosen + ` FROM phones p` + choices + `
		WHERE ` + order + ` > ifnull((SELECT rowid FROM phones WHERE id = {:id}), {:row}) AND ` + where + ` ORDER BY ` + order + ` LIMIT {:limit}`).Bind(bind).Rows()
	if err != nil {
		return nil, fmt.Errorf("read phones of a circle: %w", err)
	}
	defer rows.Close()
	out := make([]target, 0, limit)
	var sent, chose string
	into := []any{&sent, &chose}[:1+min(1, len(chosen))]
	for rows.Next() {
		if err := rows.Rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("read a phone of a circle: %w", err)
		}
		var p target
		if err := p.read(sent); err != nil {
			return nil, err
		}
		if c := strings.SplitN(chose, "|", 4); len(c) == 4 {
			p.choice = choice{c[0], c[1], c[2], c[3]}
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
