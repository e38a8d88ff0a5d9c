package people

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// resident is what standing needs to know of a person.
type resident struct {
	Status    string
	Born      string
	Household string
	Village   string
	Level     float64 `db:"identity_level"`
}

// care is one row of guardians seen from the carer, with the other's birth.
type care struct {
	Person, Kind, First, Last, Born string
}

// charge is one row of duties.
type charge struct {
	Role, Place, First, Last string
}

// standing returns the terms of one person: three small reads by index, since
// it is asked at every exchange. Who has moved away keeps what is their own;
// who is dead, or unknown, stands nowhere.
func standing(app core.App, id string) ([]commune.Term, error) {
	var who resident
	err := app.DB().Select("status", "born", "household", "village", "identity_level").
		From("persons").Where(dbx.HashExp{"id": id}).One(&who)
	if errors.Is(err, sql.ErrNoRows) || who.Status == "dead" {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read person's standing: %w", err)
	}
	terms := []commune.Term{{Circle: commune.Named("person", id)}}
	if who.Status == "moved" {
		return terms, nil
	}
	terms = append(terms, who.home()...)

	var cared []care
	err = app.DB().NewQuery(`SELECT g.person, g.kind, g."from" AS first, g."to" AS last, p.born
		FROM guardians g JOIN persons p ON p.id = g.person WHERE g.guardian = {:id}`).
		Bind(dbx.Params{"id": id}).All(&cared)
	if err != nil {
		return nil, fmt.Errorf("read person's care: %w", err)
	}
	for _, c := range cared {
		terms = appendTerm(terms, c.term)
	}

	var held []charge
	err = app.DB().NewQuery(`SELECT role, place, "from" AS first, "to" AS last FROM duties WHERE person = {:id}`).
		Bind(dbx.Params{"id": id}).All(&held)
	if err != nil {
		return nil, fmt.Errorf("read person's duties: %w", err)
	}
	for _, c := range held {
		terms = appendTerm(terms, c.term)
	}
	return terms, nil
}

func appendTerm(terms []commune.Term, of func() (commune.Term, bool)) []commune.Term {
	if t, ok := of(); ok {
		return append(terms, t)
	}
	return terms
}

// home returns the terms of everybody who lives here.
func (r resident) home() []commune.Term {
	terms := []commune.Term{{Circle: commune.Commune}, {Circle: commune.Market}}
	if r.Household != "" {
		terms = append(terms, commune.Term{Circle: commune.Named("household", r.Household)})
	}
	if r.Village != "" {
		terms = append(terms, commune.Term{Circle: commune.Named("village", r.Village)})
	}
	// A birth date counts when an officer or VNeID has seen it (level 2 or 3).
	if from, ok := adultFrom(r.Born); ok && r.Level >= 2 {
		terms = append(terms, commune.Term{Circle: commune.Market18, From: from})
	}
	return terms
}

// term is the care of somebody. A parent's ends when the child is surely 18;
// an unknown birth ends nothing, the officer's last day does.
func (c care) term() (commune.Term, bool) {
	from, to, ok := span(c.First, c.Last)
	if grown, known := adultFrom(c.Born); known && c.Kind == "parent" && (to.IsZero() || grown.Before(to)) {
		to = grown
	}
	return commune.Term{Circle: commune.Named("guardian", c.Person), From: from, To: to}, ok
}

func (c charge) term() (commune.Term, bool) {
	circle, known := dutyCircle(c.Role, c.Place)
	from, to, ok := span(c.First, c.Last)
	return commune.Term{Circle: circle, From: from, To: to}, ok && known
}

// span turns a first and a last day, both included, into moments. A day that
// cannot be read gives no term at all: better nothing than for ever.
func span(first, last string) (from, to time.Time, ok bool) {
	if first != "" {
		if from, ok = commune.ParseDay(first); !ok {
			return from, to, false
		}
	}
	if last != "" {
		if to, ok = commune.ParseDay(last); !ok {
			return from, to, false
		}
		to = to.AddDate(0, 0, 1)
	}
	return from, to, true
}
