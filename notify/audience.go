package notify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

type params = dbx.Params

// target is a phone that can be woken.
type target struct {
	ID, Transport, Address string
	State                  string // of the address
	Registered             int64
	choice
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

// page returns up to limit phones of the delivery's circle after its cursor, in
// order, that have an address on one of the roads. Passed over are blocked
// phones, those whose address is gone, those that have the notice, and for what
// does not press those that nobody has used for long.
func page(app core.App, j *job, roads []string, has heard, limit int, now time.Time) ([]target, error) {
	where, bind, err := audience(j.Circle, roads, now)
	if err != nil || len(roads) == 0 {
		return nil, err
	}
	bind["after"], bind["limit"], bind["seq"], bind["epoch"] = j.cursor(), limit, has.seq, has.epoch
	if !j.Class.Shown() {
		where += ` AND (p.seen = '' OR p.seen >= {:stale})`
		bind["stale"] = now.Add(-staleAfter).UTC().Format(time.RFC3339)
	}
	if has.seq > 0 {
		where += ` AND NOT (p.cursor_epoch = {:epoch} AND p.cursor >= {:seq})`
	}
	rows, err := app.ConcurrentDB().NewQuery(`SELECT p.id, p.transport, p.address, p.address_state, p.registered_at,
			ifnull(c.quiet_from || '|' || c.quiet_to || '|' || c.digest || '|' || c.off, '')
		FROM phones p LEFT JOIN notice_choices c ON c.person = p.person
		WHERE p.id > {:after} AND ` + where + ` ORDER BY p.id LIMIT {:limit}`).Bind(bind).Rows()
	if err != nil {
		return nil, fmt.Errorf("read phones of a circle: %w", err)
	}
	defer rows.Close()
	out := make([]target, 0, limit)
	for rows.Next() {
		var p target
		var chosen string
		if err := rows.Rows.Scan(&p.ID, &p.Transport, &p.Address, &p.State, &p.Registered, &chosen); err != nil {
			return nil, fmt.Errorf("read a phone of a circle: %w", err)
		}
		if c := strings.SplitN(chosen, "|", 4); len(c) == 4 {
			p.choice = choice{c[0], c[1], c[2], c[3]}
		}
		out = append(out, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read phones of a circle: %w", err)
	}
	return out, nil
}

// reach counts the phones of a circle that can be woken.
func reach(app core.App, circle commune.Circle, roads []string, now time.Time) (int, error) {
	where, bind, err := audience(circle, roads, now)
	if err != nil || len(roads) == 0 {
		return 0, err
	}
	var n int
	if err := app.ConcurrentDB().NewQuery(`SELECT count(*) FROM phones p WHERE ` + where).Bind(bind).Row(&n); err != nil {
		return 0, fmt.Errorf("count phones of a circle: %w", err)
	}
	return n, nil
}
