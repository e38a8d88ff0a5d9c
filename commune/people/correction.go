package people

import (
	"encoding/json"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// identity are the fields that say who somebody is. One that was empty is filled in;
// one that held something is corrected, and that is never done in silence.
var identity = []string{"name", "born", "sex"}

// mostCorrections is how many are kept with a person. None is forgotten: beyond them
// somebody has to look why.
const mostCorrections = 200

// Correction is one change of who somebody is, as the record keeps it.
type Correction struct {
	At  string            `json:"at"`            // of the server
	By  string            `json:"by,omitempty"`  // id of the officer; none: the dashboard or an import
	Who string            `json:"who,omitempty"` // how people call them
	Was map[string]string `json:"was"`           // by field
	Now map[string]string `json:"now"`
	Why string            `json:"why,omitempty"` // the papers that were looked at
}

// keepCorrection adds to a person's corrections what this write changes of who they
// are, with the reason that came beside it. The list is the server's own: nobody
// shortens it, the dashboard neither.
func keepCorrection(c *commune.Case) error {
	why := strings.TrimSpace(c.New.GetString("why"))
	c.New.Set("why", "") // it is kept with what it explains
	if c.Old == nil {
		c.New.Set("corrections", nil)
		return nil
	}
	k := Correction{At: commune.Moment(c.Now), By: c.Author.Person, Was: map[string]string{}, Now: map[string]string{}, Why: why}
	for _, field := range identity {
		if was := c.Old.GetString(field); was != "" && was != c.New.GetString(field) {
			k.Was[field], k.Now[field] = was, c.New.GetString(field)
		}
	}
	c.New.Set("corrections", c.Old.Get("corrections"))
	if len(k.Was) == 0 {
		return nil
	}
	if k.By != "" {
		if officer, err := c.App.FindRecordById("persons", k.By); err == nil {
			k.Who = person{officer}.name()
		}
	}
	all := append(corrections(c.Old), k)
	if len(all) > mostCorrections {
		return commune.Refuse("too_many_corrections", "Thông tin của người này đã sửa quá nhiều lần. Xin báo quản trị xem lại.")
	}
	c.New.Set("corrections", all)
	return nil
}

// corrections reads a person's list; one that cannot be read is empty.
func corrections(r *core.Record) (all []Correction) {
	_ = json.Unmarshal([]byte(r.GetString("corrections")), &all)
	return all
}

// correction is what this write has just added to the list; none: nothing.
func correction(c *commune.Case) (k Correction, ok bool) {
	if c.Old == nil || c.New == nil || !c.Changed("corrections") {
		return k, false
	}
	if all := corrections(c.New); len(all) > 0 {
		return all[len(all)-1], true
	}
	return k, false
}

// checkCorrection refuses an officer's correction without a reason: in a year nobody
// would know on which paper it stands.
func checkCorrection(c *commune.Case) error {
	if k, ok := correction(c); ok && k.By != "" && k.Why == "" {
		return commune.Refuse("why_missing", "Xin ghi vì sao sửa họ tên, ngày sinh hay giới tính: đã xem giấy tờ gì.")
	}
	return nil
}

// raisePerson tells the person, and the parents of a child, that an officer corrected
// who they are. It names no value: the record does.
func raisePerson(c *commune.Case) ([]commune.Notice, error) {
	k, ok := correction(c)
	if !ok || k.By == "" || k.By == c.New.Id {
		return nil, nil
	}
	n := commune.Notice{
		To:    commune.Named("person", c.New.Id),
		Key:   "person_corrected:" + c.New.Id + ":" + k.At,
		Kind:  "person_corrected",
		Title: "Xã vừa sửa thông tin của bác",
		Body:  "Bác mở xem có đúng không. Chưa đúng thì báo cán bộ một cửa.",
		Link:  "#/nguoi-dan/" + c.New.Id,
		Class: commune.Information,
	}
	notices := []commune.Notice{n}
	if from, known := adultFrom(person{c.New}.born()); known && c.Now.Before(from) {
		n.To, n.Title = commune.Named("guardian", c.New.Id), "Xã vừa sửa thông tin của cháu"
		notices = append(notices, n)
	}
	return notices, nil
}
