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

// page returns up to limit phones of the circle with an id after the given one,
// in order, that have an address on one of the roads. Blocked phones and those
// whose address is gone are passed over.
func page(app core.App, circle commune.Circle, after string, roads []string, limit int, now time.Time) ([]target, error) {
	in, known := people[circle.Kind()]
	if !known {
		return nil, &unknownCircle{circle.Kind()}
	}
	if len(roads) == 0 {
		return nil, nil
	}
	bind := params{"name": circle.Name(), "today": commune.Day(now), "after": after, "limit": limit}
	names := make([]string, len(roads))
	for i, r := range slices.Sorted(slices.Values(roads)) {
		key := fmt.Sprint("road", i)
		names[i], bind[key] = "{:"+key+"}", r
	}
	var out []target
	err := app.ConcurrentDB().NewQuery(`SELECT p.id, p.transport, p.address FROM phones p
		WHERE p.id > {:after} AND ` + in + ` AND p.transport IN (` + strings.Join(names, ", ") + `)
		AND p.address != '' AND p.address_state != 'gone' AND NOT p.blocked
		ORDER BY p.id LIMIT {:limit}`).Bind(bind).All(&out)
	if err != nil {
		return nil, fmt.Errorf("read phones of a circle: %w", err)
	}
	return out, nil
}
