package health

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/text/unicode/norm"

	"langso/commune"
)

// families are drugs of which who cannot bear one may not bear another, by the
// contraindications of Dược thư quốc gia Việt Nam. The table only warns: what it
// does not name is compared word by word, and a clinician decides. The phone
// has the same table, in pb_public/domains/later/entry.js.
var families = [][]string{
	{"penicillin", "amoxicillin", "ampicillin", "augmentin", "cloxacillin", "oxacillin", "unasyn", "piperacillin"},
	{"cephalosporin", "cefalexin", "cephalexin", "cefixim", "cefuroxim", "cefotaxim", "ceftriaxon", "cefadroxil", "cefaclor", "cefpodoxim"},
	{"sulfa", "sulfamid", "sulfamethoxazol", "sulfadiazin", "cotrimoxazol", "biseptol", "bactrim"},
	{"aspirin", "ibuprofen", "diclofenac", "meloxicam", "naproxen", "piroxicam", "ketoprofen", "indomethacin"},
}

// shortestName is the least number of letters by which a word of an allergy is
// taken for a drug's name; Vietnamese syllables are shorter.
const shortestName = 6

// clashes tells whether a prescription names what an allergy is about, or a drug
// of its family, however it is spelt: amoxicilin, Amoxicillin, amoxixilin.
func clashes(allergy, drug string) bool {
	allergy, drug = plainName(allergy), plainName(drug)
	for _, family := range families {
		names := func(text string) bool {
			return slices.ContainsFunc(family, func(name string) bool { return strings.Contains(text, plainName(name)) })
		}
		if names(allergy) && names(drug) {
			return true
		}
	}
	words := strings.FieldsFunc(allergy, func(r rune) bool { return !unicode.IsLetter(r) })
	return slices.ContainsFunc(words, func(w string) bool { return len(w) >= shortestName && strings.Contains(drug, w) })
}

// plainName writes a drug's name in one of the ways people write it.
func plainName(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(s))
	return strings.NewReplacer("ll", "l", "x", "c", "y", "i", "ph", "f", "đ", "d").Replace(s)
}

// drug is what a visit says was prescribed.
func (e entry) drug() string {
	figures, _ := e.data()
	drug, _ := figures["drug"].(string)
	return drug
}

// warnOfAllergy tells who prescribed that the person's book holds an allergy to
// it, whichever of the two came to the server first. Nothing is refused: a drug
// that was given was given.
func warnOfAllergy(c *commune.Case, e entry) ([]commune.Notice, error) {
	if e.op() == "void" || e.kind() != "allergy" && (e.kind() != "visit" || e.drug() == "") {
		return nil, nil
	}
	all, err := standingEntries(c.App, e)
	if err != nil {
		return nil, err
	}
	var out []commune.Notice
	for _, o := range all {
		allergy, visit := o, e
		if e.kind() == "allergy" {
			allergy, visit = e, o
		}
		if allergy.kind() == "allergy" && visit.kind() == "visit" && recent(visit, c.Now) && clashes(allergy.code(), visit.drug()) {
			out = append(out, askPrescriber(allergy, visit))
		}
	}
	return out, nil
}

// noKnownAllergy says that the person was asked and has none: SNOMED CT 716186003, "No
// known allergy", which FHIR puts as the code of an AllergyIntolerance.
const noKnownAllergy = "716186003"

// doubtNone tells who wrote that the person has no allergy that the book holds one.
// Both entries stand; while an allergy stands, it is what counts.
func doubtNone(c *commune.Case, e entry) ([]commune.Notice, error) {
	if e.kind() != "no_allergy" || e.op() == "void" || c.Author.Person == "" {
		return nil, nil
	}
	all, err := standingEntries(c.App, e)
	if err != nil || !slices.ContainsFunc(all, func(o entry) bool { return o.kind() == "allergy" }) {
		return nil, err
	}
	return []commune.Notice{{
		To:    commune.Named("person", c.Author.Person),
		Key:   "health_allergy_doubt:" + e.Id,
		Kind:  "health_allergy_doubt",
		Title: "Xin hỏi lại về dị ứng",
		Body:  "Vừa ghi là không dị ứng, nhưng sổ đang có mục dị ứng. Mục dị ứng vẫn được tính. Nếu mục ấy ghi nhầm thì mở sổ, hủy mục ấy.",
		Link:  "#/suc-khoe/" + e.person(),
		Class: commune.Needed,
	}}, nil
}

// standingEntries are the allergies and visits of e's person that nobody amended or struck out, besides
// e and what e itself amends.
func standingEntries(app core.App, e entry) ([]entry, error) {
	// Of every kind: what amends an allergy may be of another.
	found, err := app.FindAllRecords("health_entries", dbx.HashExp{"person": e.person()})
	if err != nil {
		return nil, fmt.Errorf("find entries: %w", err)
	}
	own, _ := e.amends()
	set := []Entry{{ID: e.Id, Amends: own}}
	byID := map[string]entry{}
	for _, r := range found {
		if r.Id == e.Id {
			continue
		}
		ids, _ := entry{r}.amends()
		set, byID[r.Id] = append(set, Entry{ID: r.Id, Amends: ids}), entry{r}
	}
	var out []entry
	for _, id := range Heads(set) {
		if o, ok := byID[id]; ok && o.op() != "void" && (o.kind() == "allergy" || o.kind() == "visit") {
			out = append(out, o)
		}
	}
	return out, nil
}

// askPrescriber is for the inbox of who wrote the prescription; the station's
// when that is not known. It names neither person nor drug: the book does.
func askPrescriber(allergy, visit entry) commune.Notice {
	to := commune.Named("person", visit.GetString("author"))
	if visit.GetString("author") == "" {
		to = commune.Named("station", visit.GetString("station"))
	}
	return commune.Notice{
		To:     to,
		Key:    "health_allergy:" + visit.Id + ":" + allergy.Id,
		Kind:   "health_allergy",
		Title:  "Xem lại đơn thuốc: người bệnh có ghi dị ứng",
		Body:   "Thuốc đã ghi trùng với thuốc mà sổ ghi là dị ứng. Mở sổ để xem. Nếu thuốc đã phát, gọi ngay cho người bệnh.",
		Link:   "#/suc-khoe/" + visit.person(),
		Urgent: true,
	}
}
