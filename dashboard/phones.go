package dashboard

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// mostPhones is how many phones one answer lists; a search finds the others.
const mostPhones = 200

// phoneRow is one phone as the administrator sees it: whose it is by name
// alone, and how it stands with the server.
type phoneRow struct {
	ID      string `db:"id" json:"id"`
	Person  string `db:"person" json:"person"` // the name
	Label   string `db:"label" json:"label"`
	App     string `db:"app" json:"app"`
	Seen    string `db:"seen" json:"seen"`       // last exchange, RFC 3339; "" never
	Waiting int    `db:"waiting" json:"waiting"` // edits on the phone, as it said then
	Refused int    `db:"refused" json:"refused"`
	Parked  int    `db:"parked" json:"parked"`
	// Missing are edit numbers that the server counts as judged but whose
	// verdict it no longer has, though the phone has not confirmed it.
	Missing int  `db:"missing" json:"missing"`
	Blocked bool `db:"blocked" json:"blocked"`

	Lag     int    `db:"-" json:"lag"`            // records that moved since its last exchange; −1 not known
	Day     string `db:"day" json:"day"`          // that Up and Down, in bytes, are of
	Up      int    `db:"up" json:"up"`            // bodies as sent
	Down    int    `db:"down" json:"down"`        //
	Skew    int    `db:"skew" json:"skew"`        // seconds by which its clock is ahead
	Repairs int    `db:"repairs" json:"repairs"`  // times its records were not the server's
	Check   string `db:"deep_check" json:"check"` // "asked": a deep check is to be done

	PersonID string `db:"person_id" json:"-"`
	Cursor   int64  `db:"cursor" json:"-"`
	Epoch    string `db:"cursor_epoch" json:"-"`
}

// figures are the server's own state.
type figures struct {
	Records int `db:"records" json:"records"` // shared records that are there
	Touched int `db:"touched" json:"touched"` // written, not yet numbered
	Seq     int `db:"seq" json:"seq"`         // the last number
	Phones  int `db:"phones" json:"phones"`
	Blocked int `db:"blocked" json:"blocked"`
	Parked  int `db:"parked" json:"parked"`   // edits that wait for a person
	Waiting int `db:"waiting" json:"waiting"` // deliveries under way
	Dead    int `db:"dead" json:"dead"`       // deliveries given up
}

func bindPhones(se *core.ServeEvent, o Options) {
	se.Router.GET("/api/dashboard/phones", func(e *core.RequestEvent) error {
		rows, err := phoneRows(e.App, e.Request.URL.Query().Get("search"))
		if err != nil {
			return err
		}
		for i := range rows {
			r := &rows[i]
			if r.Lag = -1; o.Lag == nil || r.PersonID == "" || r.Epoch == "" {
				continue
			}
			if r.Lag, err = o.Lag(r.PersonID, r.Epoch, r.Cursor); err != nil {
				return fmt.Errorf("count what a phone lacks: %w", err)
			}
		}
		var sums figures
		err = e.App.ConcurrentDB().NewQuery(`SELECT (SELECT count(*) FROM journal_records WHERE gone = 0) records,
			(SELECT count(*) FROM journal_touched) touched, coalesce((SELECT seq FROM journal_meta), 0) seq,
			(SELECT count(*) FROM phones) phones, (SELECT count(*) FROM phones WHERE blocked) blocked,
			(SELECT count(*) FROM parked_edits WHERE state = 'waiting') parked,
			(SELECT count(*) FROM deliveries WHERE state = 'waiting') waiting, (SELECT count(*) FROM deliveries WHERE state = 'dead') dead`).One(&sums)
		if err != nil {
			return fmt.Errorf("count the journal: %w", err)
		}
		answer := map[string]any{"now": o.Now().UTC(), "items": rows, "most": mostPhones, "figures": sums, "sql": o.SQL}
		if o.Status != nil {
			answer["status"] = o.Status()
		}
		return e.JSON(http.StatusOK, answer)
	}).Bind(apis.RequireSuperuserAuth())
}

// phoneRows lists phones, those with something to settle first. A search finds
// the owner's name with or without accents, and the phone's label.
func phoneRows(app core.App, wanted string) ([]phoneRow, error) {
	rows := []phoneRow{}
	wanted = strings.TrimSpace(wanted)
	err := app.ConcurrentDB().NewQuery(`SELECT f.id, coalesce(p.name, '') person, f.label, f.app, f.seen, f.waiting, f.refused, f.parked, f.blocked,
			f.day, f.up, f.down, f.skew, f.repairs, f.deep_check, coalesce(p.id, '') person_id, f.cursor, f.cursor_epoch,
			coalesce(max(0, s.acked - s.confirmed - (SELECT count(*) FROM sync_verdicts v WHERE v.phone = f.id AND v.n > s.confirmed AND v.n <= s.acked)), 0) missing
		FROM phones f LEFT JOIN persons p ON p.id = f.person LEFT JOIN sync_phones s ON s.phone = f.id
		WHERE {:wanted} = '' OR instr(p.search, {:plain}) > 0 OR instr(lower(f.label), {:lower}) > 0 OR f.id = {:wanted}
		ORDER BY (f.refused > 0 OR f.parked > 0) DESC, f.seen DESC, f.id LIMIT {:most}`).
		Bind(dbx.Params{"wanted": wanted, "plain": plain(wanted), "lower": strings.ToLower(wanted), "most": mostPhones}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("list phones: %w", err)
	}
	return rows, nil
}
