// Package broadcast is what the commune says to its people: announcements to
// all or to one village, and everybody's inbox of notices.
//
// An announcement is written and is there. A broadcast is composed first: its
// writer sees whom it reaches, a leader approves it, it goes at its hour, and
// officers see by which road it arrived and may stop it. When it goes it becomes
// an announcement with a notice.
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
		Rank:     commune.Urgent,
		Personal: true,
		Owner:    "circle",
	}, {
		Name:   "notice_marks",
		Title:  "Đã đọc",
		Read:   commune.Circles{commune.Person("person")},
		Write:  commune.Circles{commune.Person("person")},
		Fields: commune.Policies{"read_at": commune.FirstWins},
	}, {
		Name:     "notice_choices",
		Title:    "Cách nhận thông báo",
		Read:     commune.Circles{commune.Person("person")},
		Write:    commune.Circles{commune.Person("person")},
		Personal: true,
		Owner:    "person",
		Fill:     dateConsent,
		Check:    checkChoice,
	}, {
		Name:         "errands",
		Title:        "Việc cần ghé nhà",
		Read:         commune.Circles{commune.VillageHead("village")},
		Write:        commune.Circles{commune.VillageHead("village")},
		ServerFields: []string{"village", "household", "person", "names", "at"},
		Fields:       commune.Policies{"done_at": commune.FirstWins},
		Personal:     true,
		Owner:        "person",
		Check:        checkErrand,
	}, {
		Name:  "broadcasts",
		Title: "Tin soạn để gửi",
		Read:  commune.Circles{commune.Duty("broadcast"), commune.Duty("leader")},
		Write: commune.Circles{commune.Duty("broadcast")},
		ServerFields: []string{"state", "by", "approved_by", "sent_at", "people", "phones", "texts", "notice",
			"woken", "received", "read", "texted", "errands"},
		Fill:  fillBroadcast,
		Check: checkBroadcast,
		Raise: raiseBroadcast,
	}},
	Actions: []commune.Action{
		{Name: "broadcast.ask", Title: "Xin duyệt tin", Writes: []string{"broadcasts"}, By: "duty broadcast", Do: askFor},
		{Name: "broadcast.approve", Title: "Duyệt tin", Writes: []string{"broadcasts", "announcements"}, By: "duty leader, not its writer unless it is an emergency", Do: approve},
		{Name: "broadcast.stop", Title: "Dừng tin", Writes: []string{"broadcasts", "announcements"}, By: "duty broadcast or leader", Do: stop},
	},
	Jobs: []commune.Job{{Name: "send and count broadcasts", At: "* * * * *", Do: tend}},
}
