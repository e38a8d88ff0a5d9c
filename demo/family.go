package demo

import (
	"fmt"
	"strconv"
	"time"

	"langso/commune"
)

const (
	male   = "nam"
	female = "nữ"
)

// family is a household with those who live in it. The first member is its
// head, of age and alive; in a couple the second is the spouse.
type family struct {
	n       int
	village int
	address string
	members []member
	cares   []care
}

type member struct {
	name, sex string
	born      time.Time
	yearOnly  bool // of old people the papers often know no more
	number    string
	level     int
	status    string
}

// care says that one member looks after another.
type care struct {
	of, by int
	kind   string
	from   string
}

func (f *family) external() string    { return numbered("H", f.n) }
func (f *family) person(i int) string { return personOf(f.n, i) }
func personOf(household, member int) string {
	return numbered("H", household) + "-" + strconv.Itoa(member+1)
}
func (m *member) age(today time.Time) int    { return int(today.Sub(m.born).Hours() / 24 / 365.2425) }
func (m *member) months(today time.Time) int { return int(today.Sub(m.born).Hours() / 24 / 30.44) }

func (m *member) birth() string {
	if m.yearOnly {
		return strconv.Itoa(m.born.Year())
	}
	return commune.Day(m.born)
}

// last is the name that people call somebody by.
func (m *member) last() string {
	for i := len(m.name) - 1; i >= 0; i-- {
		if m.name[i] == ' ' {
			return m.name[i+1:]
		}
	}
	return m.name
}

// family makes household n.
func (w *world) family(n int) *family {
	d := w.dice(diceFamily, n)
	f := &family{n: n, village: w.villageOf(n)}
	f.address = fmt.Sprintf("Số %d, %s", d.between(1, 180), d.one(lanes))
	nth := n - w.first[f.village]
	switch {
	case nth < 4: // those whom duties are given to
		w.couple(f, d, d.between(31, 48), false)
	default:
		switch d.weighted(50, 35, 9, 6) {
		case 0:
			w.couple(f, d, d.between(24, 58), false)
		case 1:
			w.couple(f, d, d.between(27, 50), true)
		case 2:
			w.elders(f, d)
		case 3:
			w.alone(f, d)
		}
	}
	for i := range f.members {
		w.settle(f, i, d)
	}
	w.parents(f)
	w.grants(f, d)
	if nth == 0 || f.village == 0 && nth < 4 {
		w.cast(f, nth)
	}
	return f
}

// birthday is a day on which somebody of that age was born.
func (w *world) birthday(d dice, age int) time.Time {
	return w.Today.AddDate(-age, 0, -d.between(1, 364))
}

func (w *world) couple(f *family, d dice, wife int, elders bool) {
	surname := d.surname()
	husband := wife + d.between(-1, 5)
	f.add(w, d, surname, male, husband)
	f.add(w, d, d.surname(), female, wife)
	// The first child came when the mother was 20 to 27, the next years later.
	for birth, left := d.between(20, 27), d.weighted(6, 26, 48, 20); left > 0; left-- {
		age := wife - birth
		birth += d.between(2, 6)
		if age < 0 || birth > 44 {
			break
		}
		if age > 25 {
			continue // has left home
		}
		sex := male
		if d.in100(48) {
			sex = female
		}
		f.add(w, d, surname, sex, age)
	}
	if !elders {
		return
	}
	father := husband + d.between(23, 32)
	if father < 92 && d.in100(70) {
		f.add(w, d, surname, male, father)
	}
	if mother := husband + d.between(20, 28); mother < 95 {
		f.add(w, d, d.surname(), female, mother)
	}
}

func (w *world) elders(f *family, d dice) {
	age := d.between(60, 88)
	surname := d.surname()
	if d.in100(70) {
		f.add(w, d, surname, male, age+d.between(0, 4))
	}
	f.add(w, d, d.surname(), female, age)
	if d.in100(25) { // a grandchild whose parents work in the factories
		f.add(w, d, surname, []string{male, female}[d.IntN(2)], d.between(2, 15))
	}
}

func (w *world) alone(f *family, d dice) {
	age := d.between(26, 55)
	sex := female
	if d.in100(35) {
		sex = male
	}
	surname := d.surname()
	f.add(w, d, surname, sex, age)
	if d.in100(65) {
		f.add(w, d, surname, []string{male, female}[d.IntN(2)], max(0, age-d.between(20, 35)))
	}
	if d.in100(45) {
		f.add(w, d, d.surname(), female, age+d.between(21, 34))
	}
}

func (f *family) add(w *world, d dice, surname, sex string, age int) {
	m := member{sex: sex, born: w.birthday(d, age)}
	m.name = d.name(surname, sex, m.born.Year())
	f.members = append(f.members, m)
}

// settle gives a member what depends on age: a phone, an identity level.
func (w *world) settle(f *family, i int, d dice) {
	m := &f.members[i]
	age := m.age(w.Today)
	m.status = "active"
	m.yearOnly = age > 65 && d.in100(35)
	phone, level, leaves := d.in100(85), d.weighted(12, 22, 30, 36), d.in100(1)
	switch {
	case age < 15:
		return
	case i > 1 && leaves && age < 60:
		m.status = "moved"
	case i > 1 && leaves:
		m.status = "dead"
		return
	case age > 68 && i > 0 && d.in100(40):
		// An old person is reached by the number of the head of the family.
		m.number = f.members[0].number
	case phone || i == 0:
		m.number = phoneNumber(1_000_000 + f.n*10 + i)
	}
	m.level = level
	if i < 2 {
		m.level = max(2, level)
	}
}

// phoneNumber is a number of the block 053, which nobody holds.
func phoneNumber(n int) string { return fmt.Sprintf("+8453%07d", n) }

// parents makes the couple, or the one parent, look after the children. In a
// house of elders the grandparents are guardians.
func (w *world) parents(f *family) {
	for i := range f.members {
		if f.members[i].age(w.Today) >= 18 {
			continue
		}
		kind := "parent"
		if f.members[0].age(w.Today) >= 58 {
			kind = "guardian"
		}
		for by := 0; by < min(2, i); by++ {
			if f.members[by].age(w.Today) >= 18 {
				f.cares = append(f.cares, care{of: i, by: by, kind: kind})
			}
		}
	}
}

// grants lets some old people's books be seen by a younger one in the house.
func (w *world) grants(f *family, d dice) {
	for i := 2; i < len(f.members); i++ {
		if f.members[i].age(w.Today) > 60 && f.members[i].status == "active" && d.in100(55) {
			f.cares = append(f.cares, care{of: i, by: d.IntN(2), kind: "granted", from: w.daysAgo(d.between(20, 300))})
		}
	}
}

// adults are the members who may act for themselves.
func (f *family) adults(today time.Time) []int {
	var out []int
	for i := range f.members {
		if m := &f.members[i]; m.age(today) >= 18 && m.status == "active" {
			out = append(out, i)
		}
	}
	return out
}

// speaker is who tells for a member: an adult for themself, else the head.
func (f *family) speaker(today time.Time, member int) int {
	if m := &f.members[member]; m.age(today) >= 18 && m.status != "dead" {
		return member
	}
	return 0
}

// families calls each for every household until it returns false.
func (w *world) families(each func(*family) bool) {
	for n := range w.Households {
		if !each(w.family(n)) {
			return
		}
	}
}

func (w *world) putHouseholds(row put) {
	w.families(func(f *family) bool {
		return row(cell("external", f.external()), cell("name", f.members[0].name),
			cell("village", villages[f.village].external), cell("address", f.address))
	})
}

func (w *world) putPersons(row put) {
	w.families(func(f *family) bool {
		for i, m := range f.members {
			if !row(cell("external", f.person(i)), cell("name", m.name), cell("sex", m.sex), cell("born", m.birth()),
				cell("household", f.external()), cell("phone_number", m.number), cell("identity_level", m.level), cell("status", m.status)) {
				return false
			}
		}
		return true
	})
}

func (w *world) putGuardians(row put) {
	give := func(of, by, kind, from string) bool {
		return row(cell("external", of+"/"+by), cell("person", of), cell("guardian", by), cell("kind", kind), cell("from", from))
	}
	if of, by := w.grantOfTu(); !give(of, by, "granted", w.daysAgo(200)) {
		return
	}
	w.families(func(f *family) bool {
		for _, c := range f.cares {
			if !give(f.person(c.of), f.person(c.by), c.kind, c.from) {
				return false
			}
		}
		return true
	})
}
