// Package health is the electronic health book (sổ sức khỏe điện tử): what was
// measured, given and advised, by the villager at home or by the station.
//
// An entry is written once. Whoever was wrong writes another that amends it;
// both stay. Of the entries of one root the heads count: those that nobody
// amends. Two people who amend the same entry apart leave two heads, and both
// are shown until a clinician amends both.
//
// An allergy is an entry too. Who prescribes what the person cannot bear is warned,
// on the phone if the allergy is there, else when both have met at the server. That
// somebody was asked and has none is an entry of its own: a book that holds neither
// says that nobody asked, which is not the same to who prescribes.
//
// A household does not see its members' entries; who cares for a person does.
package health

import "langso/commune"

// Domain declares the health book.
var Domain = commune.Domain{
	Name:  "health",
	Title: "Sổ sức khỏe điện tử",
	Collections: []commune.Collection{{
		Name:     "health_entries",
		Title:    "Mũi tiêm, lần khám, lần đo, dị ứng",
		Read:     whoCares,
		Write:    whoCares,
		Conflict: commune.AppendOnly,
		Routes: commune.Routes{
			"village": {Via: "person", Of: "persons", From: "village"},
			"station": {Via: "person", Of: "persons", From: "station"},
		},
		ServerFields: []string{"author", "root", "external"},
		Rank:         commune.Confidential,
		Personal:     true,
		Owner:        "person",
		Fill:         fillEntry,
		Check:        checkEntry,
		Raise:        raiseEntry,
	}},
}

// whoCares are the person, those who care for them, the village's health
// workers and the station's staff on duty.
var whoCares = commune.Circles{commune.Person("person"), commune.Guardian("person"),
	commune.VillageHealth("village"), commune.Station("station")}
