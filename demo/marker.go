package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/load"
)

// Holding is what a database holds.
type Holding string

// The holdings.
const (
	Empty Holding = "empty" // no people, goods or dossiers: the demo may come
	Demo  Holding = "demo"  // the demo commune, whole or broken off
	Other Holding = "other" // somebody's data: hands off
)

// ErrOther is the answer of [Load] to a database that holds other data.
var ErrOther = errors.New("the data folder holds a commune that is not the demo")

// peopled are the tables that only somebody's use fills. Procedures are not
// among them: a new commune may start with those.
var peopled = []string{"villages", "households", "persons", "stalls", "products", "announcements", "health_entries", "dossiers", "orders", "phones"}

// Holds tells what the database of app holds.
func Holds(app core.App) (Holding, error) {
	if m, err := readMarker(app); err != nil || m != nil {
		return Demo, err
	}
	for _, table := range peopled {
		var some bool
		if err := app.DB().NewQuery("SELECT EXISTS (SELECT 1 FROM {{" + table + "}})").Row(&some); err != nil {
			return Other, fmt.Errorf("look into %s: %w", table, err)
		}
		if some {
			return Other, nil
		}
	}
	return Empty, nil
}

// marker is the one row of demo_marker: which demo commune this is, and whether
// it was loaded to the end.
type marker struct {
	Seed       int64  `db:"seed"`
	Households int    `db:"households"`
	Today      string `db:"today"`
	Finished   string `db:"finished"`
}

func (m marker) options() Options {
	today, _ := commune.ParseDay(m.Today)
	return Options{Seed: m.Seed, Households: m.Households, Today: today}
}

func readMarker(app core.App) (*marker, error) {
	var there bool
	err := app.DB().NewQuery("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'demo_marker')").Row(&there)
	if err != nil || !there {
		return nil, err
	}
	var m marker
	err = app.DB().Select("seed", "households", "today", "finished").From("demo_marker").One(&m)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read demo marker: %w", err)
	}
	return &m, nil
}

// writeMarker says that from now on this database is the demo's.
func writeMarker(app core.App, o Options) error {
	return app.RunInTransaction(func(tx core.App) error {
		_, err := tx.NonconcurrentDB().NewQuery(`CREATE TABLE IF NOT EXISTS demo_marker (id INTEGER PRIMARY KEY CHECK (id = 1),
			seed INTEGER NOT NULL, households INTEGER NOT NULL, today TEXT NOT NULL, finished TEXT NOT NULL)`).Execute()
		if err != nil {
			return err
		}
		_, err = tx.NonconcurrentDB().Insert("demo_marker", dbx.Params{"id": 1, "seed": o.Seed, "households": o.Households,
			"today": commune.Day(o.Today), "finished": ""}).Execute()
		return err
	})
}

// Load fills an empty database with the demo commune and marks it. One that
// holds the demo already is left as it is, whatever people did to it since; a
// load that broke off is finished with the options it began with. Other data is
// [ErrOther].
func Load(ctx context.Context, app core.App, domains []commune.Domain, o Options, out io.Writer) error {
	holds, err := Holds(app)
	if err != nil {
		return err
	}
	o = o.complete()
	switch holds {
	case Other:
		return ErrOther
	case Demo:
		m, err := readMarker(app)
		if err != nil || m.Finished != "" {
			return err
		}
		o = m.options()
	default:
		if err := writeMarker(app, o); err != nil {
			return fmt.Errorf("write demo marker: %w", err)
		}
	}
	report, err := load.Run(ctx, app, domains, Source(o), out)
	if err != nil {
		return err
	}
	if bad := report.Total().Bad; bad > 0 {
		return fmt.Errorf("%d rows of the demo commune do not obey the domains: %w", bad, &report.Errors[0])
	}
	_, err = app.NonconcurrentDB().Update("demo_marker", dbx.Params{"finished": commune.Moment(time.Now())}, dbx.HashExp{"id": 1}).Execute()
	if err != nil {
		return fmt.Errorf("finish demo marker: %w", err)
	}
	return nil
}

// LoadedOptions are those of the demo commune that app holds.
func LoadedOptions(app core.App) (Options, error) {
	m, err := readMarker(app)
	if err != nil || m == nil {
		return Options{}, errors.Join(errors.New("no demo commune here"), err)
	}
	return m.options(), nil
}
