package dashboard

import (
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// everything names an opening of all personal collections, backups and views.
const everything = "*"

// personal is one collection that is closed until a reason is given.
type personal struct {
	key   string // what an opening must name
	title string // what people call a page of it
	// owner returns the person concerned, or "".
	owner func(commune.Fields) string
}

// written are collections that the server alone writes: the books in which it
// keeps who looked and who typed.
var written = map[string]bool{"access_log": true, "openings": true, "console_log": true}

// superusersOnly are collections outside the domains that must never get an
// API rule: a rule would let others past the superusers' gate.
var superusersOnly = map[string]bool{"parked_edits": true, "phones": true, "deliveries": true, "notice_rungs": true, "openings": true, "console_log": true}

// personals lists the closed collections: what the domains declare personal,
// the access log itself, and edits that wait for a person.
func personals(domains []commune.Domain) map[string]*personal {
	out := map[string]*personal{}
	add := func(c commune.Collection) {
		out[c.Name] = &personal{key: c.Name, title: c.Title, owner: c.OwnerOf}
	}
	for _, d := range domains {
		for _, c := range d.Collections {
			if c.Personal {
				add(c)
			}
		}
	}
	add(commune.Collection{Name: "access_log", Title: "Sổ ai đã xem hồ sơ", Owner: "person"})
	add(commune.Collection{Name: "parked_edits", Title: "Việc đang chờ xử lý", Owner: "person"})
	return out
}

// view stands for every view collection: its query may read anything.
var view = &personal{key: everything, title: "Bảng tổng hợp (view)", owner: func(commune.Fields) string { return "" }}

// find returns what closes the collection, or nil.
func (g *gate) find(c *core.Collection) *personal {
	if c.IsView() {
		return view
	}
	return g.personals[c.Name]
}
