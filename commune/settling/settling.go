// Package settling is what waits for a person, shown to those who may decide.
//
// An edit that the server could not judge alone is kept word for word as a
// parked edit: two values of one field, a deletion that met a change. Whoever
// may decide about the record now has the parked edit on the phone, decides
// there without a network, and it leaves again. Its maker never sees it: it may
// hold values of a record that is no longer theirs; they have their own edit,
// and learn the decision by a record that holds no value of any field.
package settling

import "langso/commune"

// Domain declares what waits for a person and what became of it. Both
// collections are written by the engine alone; docs/PROTOCOL.md §4.6.
var Domain = commune.Domain{
	Name:  "settling",
	Title: "Việc chờ quyết định",
	Collections: []commune.Collection{{
		Name:     "parked_edits",
		Title:    "Việc đang chờ xử lý",
		Read:     commune.Circles{commune.Stated("circles")},
		Personal: true,
		Owner:    "person",
		Rank:     commune.Own,
		Alone:    true, // word for word what anybody wrote about anything
	}, {
		Name:     "settlements",
		Title:    "Việc đã có người quyết định",
		Read:     commune.Circles{commune.Person("person")},
		Personal: true,
		Owner:    "person",
		Rank:     commune.Own,
		Raise:    tellMaker,
	}},
	Actions: []commune.Action{{
		Name:  commune.SettleAction,
		Title: "Chọn giá trị đúng",
		By:    "who settles for the record's collection, as the record stands now",
	}, {
		Name:  commune.WithdrawAction,
		Title: "Thôi không gửi việc này nữa",
		By:    "who made the edit",
	}},
}

// tellMaker says that somebody decided; what and where, the app shows.
func tellMaker(c *commune.Case) ([]commune.Notice, error) {
	if !c.Creating() {
		return nil, nil
	}
	return []commune.Notice{{
		To:    commune.Named("person", c.New.GetString("person")),
		Key:   "settled/" + c.New.Id,
		Kind:  "edit_settled",
		Title: "Việc bà con gửi đã có người xem",
		Body:  "Mở ứng dụng để xem xã chọn giá trị nào.",
		Link:  "#/tai-khoan",
	}}, nil
}
