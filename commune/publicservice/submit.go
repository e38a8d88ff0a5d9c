package publicservice

import (
	"encoding/json"
	"maps"
	"strings"
	"unicode/utf8"

	"langso/commune"
)

// submission is what a phone sends to hand in a dossier.
type submission struct {
	ID        string          `json:"id"`    // of the dossier, made by the phone
	Draft     string          `json:"draft"` // the draft it was, or empty
	Person    string          `json:"person"`
	Procedure string          `json:"procedure"`
	Content   json.RawMessage `json:"content"`
	Note      string          `json:"note"`
	Scans     string          `json:"scans"` // names of files, parted by a space
}

// submit takes a dossier and tells receipt, submitted_at and status. The same
// submission again is told the same; the id with another content is refused.
func submit(c *commune.Call) error {
	var ask submission
	if err := c.Read(&ask); err != nil {
		return err
	}
	channel, ok := ask.channel(c.Author)
	if !ok {
		return commune.Refuse("not_yours", "Bác chỉ nộp được hồ sơ của mình hoặc của người mình chăm sóc.")
	}
	content, err := readContent(string(ask.Content))
	if err != nil {
		return err
	}
	if known, err := c.App.FindRecordById("dossiers", ask.ID); err == nil {
		return again(c, ask, content, dossier{known})
	}
	if utf8.RuneCountInString(ask.Note) > 1000 {
		return commune.Refuse("too_long", "Lời nhắn dài nhiều nhất 1000 chữ.")
	}
	if err := ask.complete(c, content); err != nil {
		return err
	}
	r, err := c.New("dossiers", ask.ID)
	if err != nil {
		return err
	}
	at := commune.Moment(c.Now)
	r.Load(map[string]any{
		"person":       ask.Person,
		"procedure":    ask.Procedure,
		"status":       int(Registered),
		"content":      content,
		"note":         ask.Note,
		"scans":        ask.Scans,
		"channel":      channel,
		"filed_by":     ask.filedBy(c.Author, channel),
		"submitted_at": at,
		// The text is fixed by docs/PROTOCOL.md §8.
		"receipt": c.Sign("dossier\n" + ask.ID + "\n" + ask.Person + "\n" + ask.Procedure + "\n" + at),
	})
	d := dossier{r}
	if err := c.Save(r); err != nil {
		return err
	}
	if err := recordEvent(c, d, 0, ask.Note); err != nil {
		return err
	}
	if err := dropDraft(c, ask.Draft); err != nil {
		return err
	}
	tellReceipt(c, d)
	return nil
}

// channel tells by which road the author may hand this in.
func (s submission) channel(a commune.Author) (string, bool) {
	switch {
	case s.Person == "":
		return "", false
	case a.Stands(commune.Named("person", s.Person)), a.Stands(commune.Named("guardian", s.Person)):
		return "app", true
	}
	return "counter", a.Stands(commune.Named("duty", "onestop"))
}

// filedBy is who cares for the person and hands in for them: they follow the
// dossier too.
func (s submission) filedBy(a commune.Author, channel string) string {
	if channel == "counter" || a.Person == s.Person {
		return ""
	}
	return a.Person
}

// complete refuses a dossier that an officer would have to send back.
func (s submission) complete(c *commune.Call, content Content) error {
	r, err := c.App.FindRecordById("procedures", s.Procedure)
	if err != nil || !(procedure{r}).active() {
		return commune.Refuse("procedure_closed", "Thủ tục này hiện không nhận hồ sơ. Xin hỏi bàn một cửa.")
	}
	missing, err := procedure{r}.missing(content)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return commune.Refuse("incomplete", "Hồ sơ còn thiếu: %s.", strings.Join(missing, "; "))
	}
	if _, err := c.App.FindRecordById("persons", s.Person); err != nil {
		return commune.Refuse("not_found", "Không tìm thấy người nộp hồ sơ. Bác chọn lại người nộp giúp ạ.")
	}
	return nil
}

// again answers a submission that was taken before.
func again(c *commune.Call, s submission, content Content, d dossier) error {
	was, err := d.content()
	if err != nil {
		return err
	}
	if d.person() != s.Person || d.procedure() != s.Procedure || d.note() != s.Note || d.scans() != s.Scans || !maps.Equal(was, content) {
		return commune.Refuse("exists", "Mã này đã dùng cho hồ sơ khác. Hãy nộp lại từ bản nháp.")
	}
	tellReceipt(c, d)
	return nil
}

func tellReceipt(c *commune.Call, d dossier) {
	c.Tell("receipt", d.receipt())
	c.Tell("submitted_at", d.submittedAt())
	c.Tell("status", int(d.status()))
}
