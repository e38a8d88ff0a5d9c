package health

import (
	"time"

	"langso/commune"
)

// raiseEntry tells of a dangerous reading, of a prescription that the person
// cannot bear, of an allergy that somebody says there is not, and of a correction by
// another.
func raiseEntry(c *commune.Case) ([]commune.Notice, error) {
	if !c.Creating() {
		return nil, nil
	}
	e := entry{c.New}
	clash, err := warnOfAllergy(c, e)
	if err != nil {
		return nil, err
	}
	doubt, err := doubtNone(c, e)
	if err != nil {
		return nil, err
	}
	clash = append(clash, doubt...)
	switch {
	case e.op() == "add" && dangerous(e) && recent(e, c.Now):
		return append(clash, warn(e)...), nil
	case e.op() != "add" && c.Author.Person != "" && c.Author.Person != e.person():
		return append(clash, commune.Notice{
			To:    commune.Named("person", e.person()),
			Key:   "health_amended:" + e.Id,
			Kind:  "health_amended",
			Title: "Sổ sức khỏe của bác vừa được đính chính",
			Body:  "Bản cũ vẫn còn. Bác mở sổ để xem lý do.",
			Link:  "#/suc-khoe/" + e.person(),
		}), nil
	}
	return clash, nil
}

// dangerous is a blood pressure of 180/110 or more (hypertensive crisis in the
// guidelines of the Ministry of Health): advice to go, never a diagnosis.
func dangerous(e entry) bool {
	if e.kind() != "measurement" || e.code() != "bp" {
		return false
	}
	figures, _ := e.data()
	systolic, _ := figures["systolic"].(float64)
	diastolic, _ := figures["diastolic"].(float64)
	return systolic >= 180 || diastolic >= 110
}

// recent keeps old paper from alarming anybody, and lets a phone be away.
func recent(e entry, now time.Time) bool {
	day, ok := commune.ParseDay(e.occurredOn())
	return ok && now.Sub(day) < 30*24*time.Hour
}

// warn tells the person and those who care for them.
func warn(e entry) []commune.Notice {
	n := commune.Notice{
		To:     commune.Named("person", e.person()),
		Key:    "health_danger:" + e.Id,
		Kind:   "health_danger",
		Title:  "Huyết áp rất cao, cần đi khám ngay",
		Body:   "Nghỉ yên 5 phút rồi đo lại. Nếu vẫn cao, hoặc đau đầu, đau ngực, yếu tay chân: gọi 115 hoặc đến trạm y tế ngay.",
		Link:   "#/suc-khoe/" + e.person(),
		Urgent: true,
	}
	carer := n
	carer.To = commune.Named("guardian", e.person())
	return []commune.Notice{n, carer}
}
