package demo

// station is a health station. The second keeps the old commune's people.
var stations = []struct{ external, name string }{
	{"TYT1", "Trạm Y tế xã Phúc Hoà"},
	{"TYT2", "Trạm Y tế phường Chũ, điểm trạm Hồng Giang"},
}

type place struct {
	external, name string
	station        int
	weight         int // how many live there, in proportion
}

var communes = []struct{ code, name string }{{"07330", "Xã Phúc Hoà"}, {"07525", "Phường Chũ"}}

// villages are invented; the first eighteen lie in Phúc Hoà, the rest in what
// was Hồng Giang.
var villages = []place{
	{"T01", "Thôn Phúc Đồng", 0, 12}, {"T02", "Thôn Phúc Thắng", 0, 9}, {"T03", "Thôn Đồng Vải", 0, 11},
	{"T04", "Thôn Ao Sen", 0, 7}, {"T05", "Thôn Đồi Thông", 0, 10}, {"T06", "Thôn Cầu Ngòi", 0, 8},
	{"T07", "Thôn Trại Mới", 0, 9}, {"T08", "Thôn Làng Chùa", 0, 7}, {"T09", "Thôn Gò Lim", 0, 8},
	{"T10", "Thôn Bãi Soi", 0, 6}, {"T11", "Thôn Liên Bình", 0, 9}, {"T12", "Thôn Liên Hạ", 0, 7},
	{"T13", "Thôn Liên Thượng", 0, 8}, {"T14", "Thôn Đền Cả", 0, 6}, {"T15", "Thôn Hợp Tiến", 0, 9},
	{"T16", "Thôn Hợp Lý", 0, 7}, {"T17", "Thôn Đức Thành", 0, 8}, {"T18", "Thôn Bến Đò", 0, 5},
	{"T19", "Tổ dân phố Hồng Bãi", 1, 9}, {"T20", "Tổ dân phố Kép Đồi", 1, 8}, {"T21", "Tổ dân phố Đồng Keo", 1, 9},
	{"T22", "Tổ dân phố Trại Ngọt", 1, 7}, {"T23", "Tổ dân phố Núi Am", 1, 6}, {"T24", "Tổ dân phố Phương Đông", 1, 8},
	{"T25", "Tổ dân phố Hồng Tiến", 1, 7}, {"T26", "Tổ dân phố Suối Bùn", 1, 6},
}

// lanes are parts of a village's addresses.
var lanes = []string{"xóm Đình", "xóm Giữa", "xóm Đông", "xóm Đoài", "xóm Trại", "xóm Chùa", "xóm Bờ Đê", "xóm Cây Gạo",
	"xóm Giếng", "xóm Mới", "ngõ Cây Đa", "ngõ Nhà Văn Hóa", "ngõ Ao Làng", "ngõ Đồi Vải", "ngõ Trường Học", "ngõ Chợ Cũ"}

func (w *world) putStations(row put) {
	for _, s := range stations {
		if !row(cell("external", s.external), cell("name", s.name)) {
			return
		}
	}
}

func (w *world) putVillages(row put) {
	for _, v := range villages {
		c := communes[v.station]
		if !row(cell("external", v.external), cell("name", v.name), cell("commune_code", c.code), cell("commune_name", c.name),
			cell("station", stations[v.station].external)) {
			return
		}
	}
}

// villageOf finds the village of a household.
func (w *world) villageOf(household int) int {
	for v := len(w.first) - 1; v > 0; v-- {
		if household >= w.first[v] {
			return v
		}
	}
	return 0
}
