// Package broadcast is what the commune says to its people: announcements to
// all or to one village, and everybody's inbox of notices.
//
// The inbox is the truth. A push, a text message, a loudspeaker are faster
// roads to the same record, and none of them is needed for it to arrive.
package broadcast

import "langso/commune"

// Domain declares the announcements and the inbox.
var Domain = commune.Domain{
	Name:  "broadcast",
	Title: "Thông báo",
	Collections: []commune.Collection{{
		Name:         "announcements",
		Title:        "Thông báo của xã",
		Read:         commune.Circles{commune.Village("village").When("village"), commune.Everyone().Unless("village"), commune.Duty("broadcast")},
		Snapshot:     []commune.Circle{commune.Commune},
		Write:        commune.Circles{commune.Duty("broadcast")},
		ServerFields: []string{"external"},
		Rank:         commune.Near,
		Check:        checkAnnouncement,
		Raise:        raiseAnnouncement,
	}, {
		Name:     "notices",
		Title:    "Hộp thông báo",
		Read:     commune.Circles{commune.Stated("circle")},
		Personal: true,
		Owner:    "circle",
	}, {
		Name:   "notice_marks",
		Title:  "Đã đọc",
		Read:   commune.Circles{commune.Person("person")},
		Write:  commune.Circles{commune.Person("person")},
		Fields: commune.Policies{"read_at": commune.FirstWins},
	}},
}
