package hooks

import (
	"encoding/json"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/sync/push"
)

// settledBy is not stored: it tells within one request which administrator asks.
const settledBy = "@settledBy"

// bindSettling lets an administrator decide what waits for a person, by choosing
// "take" on the parked edit in the dashboard: the record is written and the
// maker's phone told in the transaction that saves the choice.
func (c *Commune) bindSettling() {
	// PocketBase saves what its API was asked for without the request's context:
	// who asked travels on the record.
	c.App.OnRecordUpdateRequest("parked_edits").BindFunc(func(e *core.RecordRequestEvent) error {
		if e.Auth != nil && e.Auth.IsSuperuser() {
			e.Record.SetRaw(settledBy, e.Auth.Id)
		}
		return e.Next()
	})
	c.App.OnRecordUpdate("parked_edits").BindFunc(func(e *core.RecordEvent) error {
		who := commune.Author{Admin: e.Record.GetString(settledBy)}
		before := e.Record.Original()
		if who.Admin == "" {
			return e.Next()
		}
		// What is kept is what the person sent; only the decision is the administrator's.
		for _, field := range []string{"phone", "n", "person", "code", "coll", "record", "edit", "theirs", "circles", "seq", "maker", "at"} {
			e.Record.Set(field, before.Get(field))
		}
		if before.GetString("state") != "waiting" {
			if e.Record.GetString("take") != before.GetString("take") || e.Record.GetString("state") != before.GetString("state") {
				return commune.Refuse("settled_before", "Việc này đã được giải quyết rồi.")
			}
			return e.Next()
		}
		take, state := e.Record.GetString("take"), e.Record.GetString("state")
		if take == "" && state == "waiting" {
			return e.Next()
		}
		if take == "" {
			take = "theirs" // put aside by hand: what stands stays
		}
		d := push.Decision{Take: take, Author: who, Name: "Quản trị xã", Now: c.Now(), At: c.Now(), Say: e.Record.GetString("note")}
		if take == "value" {
			if err := json.Unmarshal([]byte(e.Record.GetString("value")), &d.Fields); err != nil || len(d.Fields) == 0 {
				return commune.Refuse("bad_args", "Xin ghi giá trị khác vào ô value, dạng {\"ô\":\"giá trị\"}.")
			}
		}
		e.Record.Set("state", "waiting")
		if err := c.Engine.Settle(e.App, e.Record, d); err != nil {
			return err
		}
		return e.Next()
	})
}
