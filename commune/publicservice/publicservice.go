// Package publicservice is the one-stop shop (bộ phận một cửa): procedures,
// a person's drafts, dossiers on the national status codes 1 to 10, and each
// step of a dossier.
//
// A draft is an ordinary record that its owner edits without a network. A
// dossier moves by actions alone: submitting gives a receipt that the phone
// checks without a network, and every step is a row of [edges], taken by an
// officer or by the applicant, written down as an event and told to the
// applicant.
package publicservice

import "langso/commune"

// Domain declares the public services.
var Domain = commune.Domain{
	Name:  "publicservice",
	Title: "Dịch vụ công",
	Collections: []commune.Collection{{
		Name:     "procedures",
		Title:    "Thủ tục hành chính",
		Read:     commune.Circles{commune.Everyone()},
		Snapshot: []commune.Circle{commune.Commune},
		Rank:     commune.Catalogue,
		Check:    checkProcedure,
	}, {
		Name:     "drafts",
		Title:    "Bản nháp hồ sơ",
		Read:     commune.Circles{commune.Person("person")},
		Write:    commune.Circles{commune.Person("person")},
		Personal: true,
		Owner:    "person",
		Files:    []string{"scans"},
		Check:    checkDraft,
	}, {
		Name:     "dossiers",
		Title:    "Hồ sơ",
		Read:     commune.Circles{commune.Person("person"), commune.Person("filed_by"), commune.Duty("onestop")},
		Personal: true,
		Owner:    "person",
		Files:    []string{"scans"},
		Check:    checkDossier,
		Raise:    raiseDossier,
	}, {
		Name:     "dossier_events",
		Title:    "Bước của hồ sơ",
		Read:     commune.Circles{commune.Person("person"), commune.Person("filed_by"), commune.Duty("onestop")},
		Personal: true,
		Owner:    "person",
	}},
	Actions: []commune.Action{{
		Name:   "publicservice.submit",
		Title:  "Nộp hồ sơ",
		Writes: []string{"dossiers", "dossier_events", "drafts"},
		By:     "the person, who cares for them, or a one-stop officer at the counter",
		Do:     submit,
	}, {
		Name:   "publicservice.step",
		Title:  "Chuyển bước hồ sơ",
		Writes: []string{"dossiers", "dossier_events"},
		By:     "a one-stop officer; the applicant to complete (5) and to withdraw (7), for whom an officer does it if it came over the counter",
		Do:     step,
	}},
}
