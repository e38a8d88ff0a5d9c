// Package commune is the language in which a domain of the commune is declared.
//
// A domain (health, market …) is one folder below this one. It says, in one
// readable place, which collections it has; for each, the circles of people who
// read and write it; what becomes of edits that two people made apart; which
// edits it refuses and in which words; which named actions it offers; which
// notices it raises; and what it does by the clock. The declaration is data:
// the sync engine obeys it, docs/CHARTER.txt is printed from it, and nothing
// else in the program decides who may read or write a synced record.
//
// A domain imports this package and no other of ours: never another domain,
// never sync, never notify. Two domains meet by change: one follows a field of
// the other's record ([Route]) or raises a notice.
package commune

import (
	"slices"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// Domain is one part of the commune's life, declared.
type Domain struct {
	Name  string // lower-case, unique, also its folder: "health"
	Title string // what people call it: "Sổ sức khỏe"

	Collections []Collection
	Actions     []Action
	Standing    Standing
	Jobs        []Job
}

// Collection declares one synced PocketBase collection. Its fields are made by
// a migration; here stands what they mean for sharing.
type Collection struct {
	Name  string // PocketBase's name of the collection
	Title string // what people call one page of it: "Mũi tiêm, lần khám, lần đo"

	// Read names the circles a record is in; whoever stands in one of them has
	// the record on the phone.
	Read Circles
	// Write names the circles whose people may create, change or delete a
	// record by an edit. They must hold before AND after the edit. Empty: the
	// collection moves by actions and by the server alone.
	Write Circles

	// Settle names the circles whose people decide what waits for a person: both
	// values of a record's field, a deletion that met a change. Empty: the
	// officers among those who write; see [Collection.Settlers].
	Settle Circles

	Conflict Policy   // what becomes of the same field changed apart; zero: [Merge]
	Fields   Policies // the fields for which it is another policy

	// Routes are fields that the server keeps equal to a field of another
	// record, to know who shares the record. They are never taken from phones.
	Routes Routes
	// Aliases are old names of fields, from which edits of older apps are taken
	// until a day; later such an edit is parked.
	Aliases Aliases
	// ServerFields are sent to phones but never taken from them.
	ServerFields []string

	// Personal collections open in the dashboard only after a reason is given,
	// for a limited time, and each person read of learns it. Owner is the field
	// that holds the person concerned, as an id or as a circle (person:<id>);
	// empty: the record itself is the person. See [Collection.OwnerOf].
	Personal bool
	Owner    string

	// Files are text fields that hold the names of files, one or several parted
	// by a space: who reads the record may read them. See package files.
	Files []string

	// Rank orders what comes down in one answer; smaller is sooner.
	Rank Rank
	// Alone: each record is compressed by itself on its way to a phone, for they are
	// words of people who are to learn nothing of each other by the length of what
	// stands beside. It costs bytes: for few records.
	Alone bool
	// Snapshot names circles in which these records lie ready in a file for every
	// phone that begins. The file is kept by caches and carried by card: only for
	// circles that are open to the whole commune, never for what is a person's own.
	Snapshot []Circle

	// Fill completes a new or changed record before it is checked (a folded
	// search key, a server's date). It may set fields, nothing else.
	Fill func(*Case) error
	// Check refuses what cannot be, with a [Refusal]. It never writes.
	Check func(*Case) error
	// Raise returns the notices that a written record causes. It never sends.
	Raise func(*Case) ([]Notice, error)
}

// Rank is the order in which kinds of records come down to a phone. What is of
// different ranks is compressed apart: who can write into one and see lengths go
// by learns nothing of another.
type Rank int

// The ranks, from first to last.
const (
	Urgent       Rank = iota - 2 // what may be about life and limb: the inbox
	Confidential                 // words that nobody else's may stand beside: the health book
	Own                          // the person's own: dossiers, orders
	Near                         // the village's and the household's
	Catalogue                    // what everybody has
)

// Policies gives single fields another policy than their collection's.
type Policies map[string]Policy

// Routes maps a field of this collection to where its value comes from.
type Routes map[string]Route

// Route says that a field always equals field From of the record of collection
// Of whose id stands in field Via. When that record changes, by whatever road,
// the journal rewrites the field, so a family that moves takes its records along.
//
// A routed field is not sent to phones unless it is Shown: then who shares this
// record may know that one field of the other, as the name of a guardian whose
// person record is not theirs.
type Route struct {
	Via, Of, From string
	Shown         bool
}

// Author is who wrote.
type Author struct {
	Person string // id of the person; empty for the dashboard and the server
	Phone  string // id of the phone; empty for the dashboard and the server
	Admin  string // id of the dashboard superuser; empty otherwise
	// Circles the person stood in when the edit was judged.
	Circles []Circle
}

// Stands tells whether the author stands in circle c.
func (a Author) Stands(c Circle) bool { return slices.Contains(a.Circles, c) }

// Server tells whether the writer is the program itself.
func (a Author) Server() bool { return a.Person == "" && a.Admin == "" }

// Case is one write of one record, as Fill, Check and Raise see it.
type Case struct {
	App    core.App // inside the write's transaction; never keep it
	Old    *core.Record
	New    *core.Record // nil when the record is deleted
	Author Author
	Now    time.Time // server time
	At     time.Time // when the person did it, by the phone's corrected clock; else Now
}

// Creating tells whether the record is new.
func (c *Case) Creating() bool { return c.Old == nil && c.New != nil }

// Deleting tells whether the record is going.
func (c *Case) Deleting() bool { return c.New == nil }

// Changed tells whether the write gives field another value.
func (c *Case) Changed(field string) bool {
	if c.Old == nil || c.New == nil {
		return true
	}
	return c.Old.GetString(field) != c.New.GetString(field)
}

// Action is a named operation with rules that a phone asks for in an edit:
// place an order, submit a dossier. The server decides; the decision is durable.
type Action struct {
	Name   string   // "<domain>.<verb>": "market.order"
	Title  string   // what people call it: "Đặt hàng"
	Writes []string // collections it writes; for the charter
	By     string   // who may do it, in words; for the charter
	// Do decides and writes inside the edit's transaction. A [Refusal] is kept
	// as the verdict and nothing of the action stays; a business "no" (out of
	// stock) is not a refusal but a written, taken decision.
	Do func(*Call) error
}

// Standing tells in which circles a person stands.
type Standing struct {
	// Of returns the terms of one person, past and future ones included: the
	// engine applies the clock.
	Of func(app core.App, person string) ([]Term, error)
	// From names the collections that Of reads. A change in one of them makes
	// the engine ask again; anything else does not.
	From []string
}

// Term is a standing in one circle from a moment (included) to a moment
// (excluded). A zero time is open.
type Term struct {
	Circle   Circle
	From, To time.Time
}

// Holds tells whether the term holds at t.
func (t Term) Holds(at time.Time) bool {
	return (t.From.IsZero() || !at.Before(t.From)) && (t.To.IsZero() || at.Before(t.To))
}

// Job is work by the clock.
type Job struct {
	Name string
	At   string // cron expression, UTC
	Do   func(app core.App, now time.Time) error
}

// Notice is words for people: the record that an inbox shows. Push is only a
// faster road to it.
type Notice struct {
	To    Circle // whose inbox: usually person:<id>
	Key   string // what it is about: the same To and Key make the same notice, once
	Kind  string // short and stable: "dossier_step"
	Title string // one line
	Body  string
	Link  string // where the app opens: "#/ho-so/<id>"
	// Urgent notices pierce quiet hours and debounce, unless Class says otherwise.
	Urgent bool
	Class  Class
	// Expires is when the notice is of no more use: no road carries it after.
	// Zero: it stays of use.
	Expires time.Time
}

// Find returns the declaration of a collection and its domain, or nil.
func Find(domains []Domain, collection string) (*Domain, *Collection) {
	for i := range domains {
		for j := range domains[i].Collections {
			if domains[i].Collections[j].Name == collection {
				return &domains[i], &domains[i].Collections[j]
			}
		}
	}
	return nil, nil
}

// Sources are the collections from which fields of a collection come by route, at
// once or by way of others.
func Sources(domains []Domain, collection string) (out []string) {
	from := []string{collection}
	for len(from) > 0 {
		_, c := Find(domains, from[0])
		from = from[1:]
		if c == nil {
			continue
		}
		for _, r := range c.Routes {
			if r.Of != collection && !slices.Contains(out, r.Of) {
				out, from = append(out, r.Of), append(from, r.Of)
			}
		}
	}
	return out
}
