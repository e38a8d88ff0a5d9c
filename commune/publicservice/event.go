package publicservice

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// recordEvent writes down one step of a dossier: its history.
func recordEvent(c *commune.Call, d dossier, from Status, say string) error {
	r, err := c.New("dossier_events", core.GenerateDefaultRandomId())
	if err != nil {
		return err
	}
	r.Load(map[string]any{
		"dossier":  d.Id,
		"person":   d.person(),
		"filed_by": d.filedBy(),
		"from":     int(from),
		"to":       int(d.status()),
		"say":      say,
		"actor":    c.Author.Person,
		"at":       commune.Moment(c.Now),
	})
	return c.Save(r)
}

// cameFrom returns the status in which a dossier last was before it entered
// the present one; coming back from a withdrawal is no entering.
func cameFrom(app core.App, d dossier) (Status, error) {
	var from []int
	err := app.DB().NewQuery(`SELECT "from" FROM dossier_events
		WHERE dossier = {:id} AND "to" = {:status} AND "from" != {:withdrawal} ORDER BY at DESC, rowid DESC LIMIT 1`).
		Bind(dbx.Params{"id": d.Id, "status": int(d.status()), "withdrawal": int(Withdrawal)}).Column(&from)
	if err != nil {
		return 0, fmt.Errorf("read dossier's events: %w", err)
	}
	if len(from) == 0 {
		return 0, nil
	}
	return Status(from[0]), nil
}
