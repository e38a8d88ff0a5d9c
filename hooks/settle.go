package hooks

import (
	"encoding/json"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/sync/push"
)

// bindSettling lets an administrator decide what waits for a person, by choosing
// "take" on the parked edit in the dashboard: the record is written and the
// maker's phone told in the transaction that saves the choice.
func (c *Commune) bindSettling() {
	c.App.OnRecordUpdate("parked_edits").BindFunc(func(e *core.RecordEvent) error {
		who, at := commune.AuthorOf(e.Context)
		before := e.Record.Original()
		if who.Admin == "" || before.GetString("state") != "waiting" {
			return e.Next()
		}
		// What is kept is what the person sent; only the decision is the administrator's.
		for _, field := range []string{"phone", "n", "person", "code", "coll", "record", "edit", "theirs", "circles", "seq", "maker", "at"} {
			e.Record.Set(field, before.Get(field))
		}
		take, state := e.Record.GetString("take"), e.Record.GetString("state")
		if take == "" && state == "waiting" {
			return e.Next()
		}
		if take == "" {
			take = "theirs" // put aside by hand: what stands stays
		}
		d := push.Decision{Take: take, Author: who, Name: "Quản trị xã", Now: c.Now(), At: at, Say: e.Record.GetString("note")}
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
