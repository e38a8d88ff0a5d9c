package demo

import "langso/load"

// Character is somebody of the demo commune worth signing in as.
type Character struct {
	Name   string
	Number string // as a person types it: 0530000001
	Why    string // a Vietnamese sentence: what there is to see
	Person string // id of the record in persons
}

// The places of the cast: household of a village (from 0), member.
type seat struct{ village, nth, member int }

var (
	lan   = seat{0, 0, 1}
	hoa   = seat{0, 1, 1}
	tu    = seat{0, 2, 0}
	trang = seat{1, 0, 2}
	duc   = seat{2, 0, 0}
	mai   = seat{3, 0, 1}
	bich  = seat{4, 0, 1}
	khoa  = seat{5, 0, 0}
	vinh  = seat{6, 0, 0}
	thuy  = seat{7, 0, 1}
)

var cast = []struct {
	seat
	name, why string
}{
	{lan, "Nguyễn Thị Lan", "Mẹ của bé Khôi mới bốn tháng và cháu An học lớp ba: xem mũi tiêm sắp tới của con, nộp hồ sơ, đặt vải."},
	{tu, "Giáp Văn Tư", "Ông 75 tuổi, huyết áp cao, tự đo ở nhà; đã cho cháu gái Thu Trang xem sổ của mình."},
	{trang, "Giáp Thu Trang", "Cháu gái ông Tư, sống ở thôn khác: xem và ghi giúp sổ sức khỏe của ông."},
	{hoa, "Thân Thị Hoa", "Y tế thôn Phúc Đồng: thấy sổ của người trong thôn, ghi lần đo tại nhà."},
	{duc, "Trần Minh Đức", "Bác sĩ Trạm Y tế xã Phúc Hoà: ghi lần khám, đính chính mục ghi sai."},
	{mai, "Đỗ Thị Mai", "Cán bộ một cửa: tiếp nhận hồ sơ, yêu cầu bổ sung, trả kết quả."},
	{bich, "Vi Thị Bích", "Chủ gian hàng «Vải sớm nhà Bích»: sửa giá, bán tại chỗ, nhận và giao đơn."},
	{khoa, "Vũ Đình Khoa", "Người mua: đặt vải lúc không có mạng, nhận câu trả lời khi có mạng lại."},
	{vinh, "Lương Quang Vinh", "Lãnh đạo xã: xem ai đang giữ nhiệm vụ gì."},
	{thuy, "Hoàng Thị Thúy", "Cán bộ truyền thanh: đăng thông báo cho cả xã hoặc một thôn."},
}

// Cast lists the people worth signing in as, with their phone numbers. They
// are the same for every seed.
func Cast(o Options) []Character {
	w := newWorld(o.complete())
	var out []Character
	for i, c := range cast {
		out = append(out, Character{Name: c.name, Number: "0" + castNumber(i)[len("+84"):], Why: c.why,
			Person: load.ID("persons", w.seated(c.seat))})
	}
	return out
}

func castNumber(i int) string { return phoneNumber(i + 1) }

// seated is the external id of the person at a seat.
func (w *world) seated(s seat) string { return personOf(w.first[s.village]+s.nth, s.member) }

// cast puts the cast into a family that holds one of them.
func (w *world) cast(f *family, nth int) {
	here := seat{village: f.village, nth: nth}
	switch here {
	case seat{lan.village, lan.nth, 0}:
		w.castLan(f)
	case seat{tu.village, tu.nth, 0}:
		w.castTu(f)
	case seat{trang.village, trang.nth, 0}:
		w.castTrang(f)
	}
	for i, c := range cast {
		if c.village == f.village && c.nth == nth {
			m := &f.members[c.member]
			m.name, m.number, m.level, m.status = c.name, castNumber(i), 3, "active"
			if c.member == 0 && c.seat != tu {
				f.rename(c.name)
			}
		}
	}
}

// rename gives the children the surname of the new head.
func (f *family) rename(head string) {
	surname := firstWord(head)
	for i := 2; i < len(f.members); i++ {
		m := &f.members[i]
		if old := firstWord(m.name); old != surname {
			m.name = surname + m.name[len(old):]
		}
	}
}

func firstWord(s string) string {
	for i := range s {
		if s[i] == ' ' {
			return s[:i]
		}
	}
	return s
}

func (w *world) castLan(f *family) {
	f.members = []member{
		{name: "Nguyễn Văn Toàn", sex: male, born: w.Today.AddDate(-34, -5, -3), number: phoneNumber(900_001), level: 2, status: "active"},
		{name: "Nguyễn Thị Lan", sex: female, born: w.Today.AddDate(-32, -2, -11)},
		{name: "Nguyễn Bảo An", sex: female, born: w.Today.AddDate(-8, -3, -6), status: "active"},
		{name: "Nguyễn Minh Khôi", sex: male, born: w.Today.AddDate(0, -4, -2), status: "active"},
	}
	f.cares = nil
	w.parents(f)
}

func (w *world) castTu(f *family) {
	f.members = []member{
		{name: "Giáp Văn Tư", sex: male, born: w.Today.AddDate(-75, -1, -20)},
		{name: "Nguyễn Thị Mùi", sex: female, born: w.Today.AddDate(-72, -6, -9), level: 2, status: "active", yearOnly: true},
	}
	f.cares = nil
}

func (w *world) castTrang(f *family) {
	f.members = []member{
		{name: "Giáp Văn Sơn", sex: male, born: w.Today.AddDate(-49, -7, -2), number: phoneNumber(900_002), level: 2, status: "active"},
		{name: "Lê Thị Hạnh", sex: female, born: w.Today.AddDate(-46, -1, -25), number: phoneNumber(900_003), level: 2, status: "active"},
		{name: "Giáp Thu Trang", sex: female, born: w.Today.AddDate(-23, -4, -17)},
	}
	f.cares = nil
}

// grantOfTu lets the granddaughter into ông Tư's health book.
func (w *world) grantOfTu() (of, by string) { return w.seated(tu), w.seated(trang) }
