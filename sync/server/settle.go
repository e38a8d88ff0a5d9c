package server

import (
	"encoding/json"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/sync/push"
)

// bindSettling lets an administrator decide what waits for a person, by choosing
// "take" on the parked edit in the dashboard: the record is written and the
// maker's phone told in the transaction that saves the choice.
func (s *Server) bindSettling() {
	s.App.OnRecordUpdateRequest("parked_edits").BindFunc(s.asked)
	s.App.OnRecordUpdate("parked_edits").BindFunc(func(e *core.RecordEvent) error {
		who, _ := s.authorOf(e)
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
				return inWords(commune.Refuse("settled_before", "Việc này đã được giải quyết rồi."))
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
		d := push.Decision{Take: take, Author: who, Name: s.Admin, Now: s.Now(), At: s.Now(), Say: e.Record.GetString("note")}
		if take == "value" {
			if err := json.Unmarshal([]byte(e.Record.GetString("value")), &d.Fields); err != nil || len(d.Fields) == 0 {
				return inWords(commune.Refuse("bad_args", "Xin ghi giá trị khác vào ô value, dạng {\"ô\":\"giá trị\"}."))
			}
		}
		e.Record.Set("state", "waiting")
		if err := s.Engine.Settle(e.App, e.Record, d); err != nil {
			return inWords(err)
		}
		return e.Next()
	})
}
