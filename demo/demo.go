// Package demo is an invented commune to try the program on: real places,
// invented people.
//
// The communes are real: xã Phúc Hoà (code 07330, from Hợp Đức, Liên Chung and
// Phúc Hòa) and Hồng Giang, today a part of phường Chũ (07525). Everything else
// is made up by this package: the names of the villages (thôn) sound like the
// region and are not its real ones; people, families, illnesses, dossiers,
// stalls and goods are drawn by dice, and whoever bears such a name is not
// meant. Phone numbers begin with 053, a block that to our knowledge no
// operator holds; personal id numbers are left out, for any 12 digits may be
// somebody's.
//
// The same options give the same bytes. Nothing is held in memory: a
// household's members, entries, dossiers and orders are a function of the seed
// and the household's number, made anew whenever a row needs them.
package demo

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"time"

	"langso/commune"
	"langso/load"
)

// Options choose a demo commune.
type Options struct {
	Seed       int64
	Households int       // 0: 2,500; at least 130, so that each village has some
	Today      time.Time // the day on which the commune looks fresh; zero: now
}

const (
	usualHouseholds = 2500
	leastHouseholds = 130

	stallCount        = 200
	productsOfStall   = 10
	announcementCount = 300
	entriesOfFamily   = 60
	dossiersOfFamily  = 10
	ordersOfFamily    = 40
)

func (o Options) complete() Options {
	if o.Households == 0 {
		o.Households = usualHouseholds
	}
	o.Households = max(o.Households, leastHouseholds)
	if o.Today.IsZero() {
		o.Today = time.Now()
	}
	o.Today, _ = commune.ParseDay(commune.Day(o.Today)) // its first moment
	return o
}

// Source gives the demo commune to the loader, row by row.
func Source(o Options) load.Source { return newWorld(o.complete()) }

// world is what all rows share: small tables.
type world struct {
	Options
	first    []int // by village: its first household
	products []good
	open     []time.Time // see openDays
}

func newWorld(o Options) *world {
	w := &world{Options: o}
	w.open = openDays(w.Today)
	weights := 0
	for _, v := range villages {
		weights += v.weight
	}
	at, sum := 0, 0
	for _, v := range villages {
		w.first = append(w.first, at)
		sum += v.weight
		at = max(at+4, o.Households*sum/weights)
	}
	for i := range stallCount * productsOfStall {
		w.products = append(w.products, w.good(i))
	}
	return w
}

// dice are the dice of one thing: the same for the same seed, kind and number,
// whatever was drawn before.
func (w *world) dice(kind uint32, number int) dice {
	return dice{rand.New(rand.NewPCG(uint64(w.Seed), uint64(kind)<<40|uint64(number)))}
}

// The kinds of things that have dice of their own.
const (
	diceFamily = iota + 1
	diceHealth
	diceDossier
	diceOrder
	diceStall
	diceGood
	diceWords
	diceAnnouncement
	diceDuty
)

// Count is how many rows a collection has, or about as many.
func (w *world) Count(collection string) int {
	switch collection {
	case "stations":
		return len(stations)
	case "villages":
		return len(villages)
	case "households":
		return w.Households
	case "persons":
		return w.Households * 4
	case "guardians":
		return w.Households * 2
	case "stalls":
		return stallCount
	case "products":
		return len(w.products)
	case "announcements":
		return announcementCount
	case "health_entries":
		return w.Households * entriesOfFamily
	case "dossiers":
		return w.Households * dossiersOfFamily
	case "orders":
		return w.Households * ordersOfFamily
	}
	return 0
}

// Rows gives the rows of a collection.
func (w *world) Rows(collection string) iter.Seq2[load.Row, error] {
	make, has := makers[collection]
	return func(yield func(load.Row, error) bool) {
		if !has {
			return
		}
		line := 0
		make(w, func(cells ...load.Cell) bool {
			line++
			return yield(load.Row{File: collection + ".jsonl", Line: line, Cells: slices.Clone(cells)}, nil)
		})
	}
}

// put gives one row on; false ends.
type put func(cells ...load.Cell) bool

var makers = map[string]func(*world, put){
	"stations":       (*world).putStations,
	"villages":       (*world).putVillages,
	"households":     (*world).putHouseholds,
	"persons":        (*world).putPersons,
	"guardians":      (*world).putGuardians,
	"duties":         (*world).putDuties,
	"stalls":         (*world).putStalls,
	"products":       (*world).putProducts,
	"procedures":     (*world).putProcedures,
	"announcements":  (*world).putAnnouncements,
	"health_entries": (*world).putEntries,
	"dossiers":       (*world).putDossiers,
	"dossier_events": (*world).putEvents,
	"orders":         (*world).putOrders,
}

func cell(name string, value any) load.Cell { return load.Cell{Name: name, Value: value} }

// daysAgo is a day as records write it.
func (w *world) daysAgo(days int) string { return commune.Day(w.Today.AddDate(0, 0, -days)) }

// dayMonth is a day as people write it.
func dayMonth(t time.Time) string { return fmt.Sprintf("%d/%d", t.Day(), int(t.Month())) }

func numbered(kind string, n int) string { return fmt.Sprintf("%s%05d", kind, n) }
