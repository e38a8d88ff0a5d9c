package server

import (
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// askedBy is not stored: PocketBase saves what its API was asked for without the
// request's context, so who asked travels on the record.
const askedBy = "@askedBy"

// asked notes on a record who asks for its writing over PocketBase's API: an
// administrator in the dashboard, or a person with a token of the app's own.
func (s *Server) asked(e *core.RecordRequestEvent) error {
	switch {
	case e.Auth == nil:
	case e.Auth.IsSuperuser():
		e.Record.SetRaw(askedBy, commune.Author{Admin: e.Auth.Id})
	case e.Auth.Collection().Name == s.People:
		circles, err := s.Engine.Circles(e.Auth.Id)
		if err != nil {
			return err
		}
		who := commune.Author{Person: e.Auth.Id}
		for _, c := range circles {
			who.Circles = append(who.Circles, commune.Circle(c))
		}
		e.Record.SetRaw(askedBy, who)
	}
	return e.Next()
}

// authorOf is who writes a record, and when they did it.
func (s *Server) authorOf(e *core.RecordEvent) (commune.Author, time.Time) {
	who, at := commune.AuthorOf(e.Context)
	if at.IsZero() {
		at = s.Now()
	}
	if who.Server() {
		if asked, ok := e.Record.GetRaw(askedBy).(commune.Author); ok {
			who = asked
		}
	}
	return who, at
}
