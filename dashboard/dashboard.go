// Package dashboard makes PocketBase's dashboard fit for a commune.
//
// Whoever enters the dashboard is a superuser, and PocketBase's rules do not
// bind superusers. So personal records are closed to them here, on every road
// that the API has:
//
//	a superuser states a reason        → an opening, for one collection and a time   (opening.go)
//	a personal record is asked for     → 403 reason_needed unless it is opened       (gate.go)
//	a personal record is shown         → first a line in the person's access log     (shown.go)
//	a filter, a sort, an expand, a rule → may not lead into personal collections     (path.go)
//	backups, SQL, views                → hold everything: opened with "*", or off    (whole.go)
//
// The access log is a synced collection: the villager reads on the own phone
// who looked at what, and why. No log, no data.
//
// The package also serves the dashboard's own pages: the phones (phones.go) and
// the dialog that asks for a reason (ui/).
package dashboard

import (
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// Options are what the dashboard must know of the commune.
type Options struct {
	Domains []commune.Domain
	Now     func() time.Time // the server's clock; nil: the computer's
	// SQL switches the SQL console and view collections on. Each statement is
	// written to console_log first.
	SQL bool
	// AfterSQL is called after a statement that may have changed a table's
	// shape; nil: nothing.
	AfterSQL func() error
	// Lag tells how many records a phone of the person lacks whose cursor is at a
	// number of an epoch; −1: not known. nil: nobody knows.
	Lag func(person, epoch string, cursor int64) (int, error)
	// Status is shown as it is on the page of phones, an object of numbers or
	// short texts; nil: nothing.
	Status func() any
}

const bound = "communeDashboard"

// Bind hangs the dashboard on the app's events, before the server starts. Only
// the first call for an app counts: two gates would ask twice.
func Bind(app core.App, o Options) {
	if app.Store().Has(bound) {
		return
	}
	app.Store().Set(bound, true)
	if o.Now == nil {
		o.Now = time.Now
	}
	g := newGate(app, o)
	g.bindRecords()
	g.bindWhole()
	app.OnServe().BindFunc(func(se *core.ServeEvent) error {
		g.bindRequests(se)
		g.bindOpenings(se)
		bindPhones(se, o)
		bindPages(se)
		return se.Next()
	})
}
