// Package people is who lives in the commune: villages, households, persons,
// who cares for whom, and who holds which duty from which day to which day.
//
// Everything else that is shared follows from it: a person's standing is
// computed here, from the household, the care and the duties of today. No role
// is ever written on a person; it is a duty that begins and ends.
package people

import "langso/commune"

// Domain declares the people of the commune.
var Domain = commune.Domain{
	Name:  "people",
	Title: "Dân cư",
	Standing: commune.Standing{
		Of:   standing,
		From: []string{"persons", "guardians", "duties"},
	},
	Collections: []commune.Collection{{
		Name:     "stations",
		Title:    "Trạm y tế",
		Read:     commune.Circles{commune.Everyone()},
		Snapshot: []commune.Circle{commune.Commune},
		Rank:     commune.Catalogue,
	}, {
		Name:     "villages",
		Title:    "Thôn",
		Read:     commune.Circles{commune.Everyone()},
		Snapshot: []commune.Circle{commune.Commune},
		Rank:     commune.Catalogue,
	}, {
		Name:         "households",
		Title:        "Hộ gia đình",
		Read:         commune.Circles{commune.Household("id"), commune.VillageHealth("village"), commune.Duty("onestop")},
		Write:        commune.Circles{commune.Duty("onestop")},
		ServerFields: []string{"external"},
		Rank:         commune.Near,
		Check:        checkHousehold,
	}, {
		Name:  "persons",
		Title: "Người dân",
		Read: commune.Circles{commune.Person("id"), commune.Guardian("id"), commune.VillageHealth("village"),
			commune.Station("station"), commune.Duty("onestop")},
		Write: commune.Circles{commune.Duty("onestop")},
		// Who somebody is does not go to whoever typed last, and is not corrected in
		// silence: the reason is kept, and the person is told.
		Fields: commune.Policies{"born": commune.Ask, "sex": commune.Ask, "status": commune.Ask},
		Routes: commune.Routes{
			"village": {Via: "household", Of: "households", From: "village"},
			"station": {Via: "village", Of: "villages", From: "station"},
		},
		ServerFields: []string{"search", "external", "corrections"},
		Personal:     true,
		Fill:         fillPerson,
		Check:        checkPerson,
		Raise:        raisePerson,
	}, {
		Name:  "guardians",
		Title: "Ai chăm sóc ai",
		Read:  commune.Circles{commune.Person("person"), commune.Person("guardian"), commune.Duty("onestop")},
		Write: commune.Circles{commune.Duty("onestop")},
		// Who is cared for does not have the other's record, but may know the name.
		Routes:   commune.Routes{"guardian_name": {Via: "guardian", Of: "persons", From: "name", Shown: true}},
		Personal: true,
		Owner:    "person",
		Check:    checkGuardian,
	}, {
		Name:  "duties",
		Title: "Nhiệm vụ",
		Read:  commune.Circles{commune.Person("person"), commune.Duty("leader"), commune.Duty("onestop")},
		Check: checkDuty,
	}, {
		Name:  "access_log",
		Title: "Ai đã xem hồ sơ của tôi",
		Read:  commune.Circles{commune.Person("person")},
	}},
	Actions: []commune.Action{{
		Name:   "people.grant",
		Title:  "Cho người thân xem và ghi hộ sổ của tôi",
		Writes: []string{"guardians"},
		By:     "the person themself",
		Do:     grant,
	}, {
		Name:   "people.revoke_grant",
		Title:  "Thôi không cho nữa",
		Writes: []string{"guardians"},
		By:     "the person who granted it",
		Do:     revokeGrant,
	}},
}
