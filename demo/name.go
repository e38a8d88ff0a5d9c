package demo

// Surnames of the region, and how often each is drawn. Giáp, Thân, Vi, Nông
// are at home in Tân Yên and Lục Ngạn.
var (
	surnames = []string{"Nguyễn", "Trần", "Giáp", "Thân", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng", "Bùi", "Đỗ", "Ngô", "Dương",
		"Lương", "Vi", "Nông", "Chu", "Tạ", "Phùng", "Hà", "Đào", "Trịnh", "Lý", "Ong", "La", "Ninh", "Khổng", "Tống"}
	surnameWeights = []int{34, 11, 9, 8, 7, 6, 6, 5, 4, 4, 4, 4, 4, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1}
)

// given holds the names of one sex in one generation.
type given struct{ middle, last []string }

// The generations: born before 1970, before 2000, and since.
var women = [3]given{
	{[]string{"Thị", "Thị", "Thị", "Thị", "Thị Kim"}, []string{"Mùi", "Sửu", "Tý", "Nhàn", "Bảy", "Tám", "Chín", "Lựu", "Đào", "Mận", "Cúc", "Sen",
		"Nụ", "Bưởi", "Thơm", "Hợi", "Dần", "Ngọ", "Thìn", "Tuất", "Lành", "Hiền", "Thảo", "Mơ", "Vân", "Liên", "Tâm", "Thành", "Khoát", "Lượt", "Tươi", "Gái", "Thoa", "Nhung"}},
	{[]string{"Thị", "Thị", "Thị", "Thị Thu", "Thị Thanh", "Thị Ngọc", "Thị Minh", "Thị Bích"}, []string{"Hương", "Hằng", "Nga", "Thủy", "Hoa", "Lan", "Huệ", "Mai", "Yến", "Oanh",
		"Phượng", "Loan", "Hạnh", "Dung", "Hà", "Hải", "Thúy", "Trang", "Thảo", "Nhung", "Quyên", "Tuyết", "Xuân", "Hiên", "Ngân", "Lý", "Luyến", "Thắm", "Duyên", "Chinh", "Huyền", "Vân", "Hòa", "Bình"}},
	{[]string{"Thị", "Ngọc", "Bảo", "Thu", "Minh", "Khánh", "Phương", "Thanh", "Hà", "Quỳnh", "Gia", "Tuệ", "An", "Hải"}, []string{"Anh", "Linh", "Chi", "Vy", "Trâm", "Ngân", "Nhi", "My",
		"Châu", "Hân", "Ly", "Thư", "Mai", "Như", "Diệp", "Trang", "Phương", "Thảo", "Giang", "Hà", "Yến", "Uyên", "Nguyên", "Lam", "Khuê", "Băng", "Tâm", "Ngọc"}},
}

var men = [3]given{
	{[]string{"Văn", "Văn", "Văn", "Đình", "Xuân", "Ngọc", "Hữu"}, []string{"Tư", "Năm", "Bính", "Đắc", "Sáu", "Thìn", "Tỵ", "Hợi", "Cương", "Quý", "Lộc", "Thọ", "Đoàn", "Khang",
		"Chiến", "Thắng", "Lợi", "Phúc", "Sự", "Ngọ", "Mão", "Đức", "Kỷ", "Nhâm", "Tuất", "Cẩn", "Toản", "Bảy", "Tấn", "Hòa", "Luận", "Mạnh", "Thuận", "Viết"}},
	{[]string{"Văn", "Văn", "Đức", "Quang", "Xuân", "Mạnh", "Minh", "Trọng", "Đình", "Công", "Hữu"}, []string{"Hùng", "Tuấn", "Dũng", "Sơn", "Hải", "Cường", "Thành", "Toàn", "Nam", "Long", "Kiên",
		"Tùng", "Huy", "Hưng", "Khánh", "Quyết", "Tiến", "Thịnh", "Vinh", "Phương", "Chung", "Hiếu", "Trường", "Quân", "Thanh", "Lâm", "Đạt", "Duy", "Giang", "Thắng", "Bắc", "Tân", "Nghĩa", "Việt"}},
	{[]string{"Minh", "Gia", "Đức", "Quang", "Tuấn", "Bảo", "Hải", "Nhật", "Anh", "Thành", "Đăng", "Khánh", "Việt", "Hoàng"}, []string{"Khang", "Bảo", "Huy", "Minh", "Phúc", "Khôi", "Anh", "Nam", "Đăng", "Duy",
		"Kiên", "Long", "Lâm", "Quân", "Phong", "Tùng", "Hiếu", "Đạt", "Nguyên", "Thiên", "Vũ", "Dương", "Sơn", "Hưng", "An", "Hoàng", "Trí", "Tuấn"}},
}

func (d dice) surname() string { return surnames[d.weighted(surnameWeights...)] }

func (d dice) name(surname, sex string, born int) string {
	generation := 2
	switch {
	case born < 1970:
		generation = 0
	case born < 2000:
		generation = 1
	}
	g := women[generation]
	if sex == male {
		g = men[generation]
	}
	middle, last := d.one(g.middle), d.one(g.last)
	if middle == last {
		middle = "Thị"
		if sex == male {
			middle = "Văn"
		}
	}
	return surname + " " + middle + " " + last
}
