package publicservice

// Procedure is a procedure as a new commune starts with it.
type Procedure struct {
	Code, Name, Field string
	Limit, Fee        string // in words; empty: not known, the officer says it
	Components        []Component
	Verified          bool // an officer compared it with the decision that announces it
}

// Limits and fees that several procedures share.
const (
	sameDay     = "Trong ngày làm việc nếu nộp trước 15 giờ; nộp sau 15 giờ thì ngày làm việc tiếp theo"
	free        = "Miễn phí"
	byProvince  = "Theo nghị quyết của Hội đồng nhân dân tỉnh"
	civilStatus = "Hộ tịch"
	certify     = "Chứng thực"
	welfare     = "Bảo trợ xã hội"
	residence   = "Cư trú"
)

func need(key, name string) Component { return Component{Key: key, Name: name, Required: true} }
func may(key, name string) Component  { return Component{Key: key, Name: name} }

// Papers that several procedures ask for.
var (
	mother      = need("nguoi_me", "Họ tên, ngày sinh người mẹ")
	father      = may("nguoi_cha", "Họ tên, ngày sinh người cha")
	marriage    = may("ket_hon", "Giấy chứng nhận kết hôn của cha mẹ (số, ngày, nơi cấp)")
	personalID  = need("dinh_danh", "Số định danh cá nhân của người yêu cầu")
	newborn     = need("ten_con", "Họ tên con, ngày sinh, nam hay nữ")
	birthPaper  = need("chung_sinh", "Giấy chứng sinh (số, nơi cấp)")
	kinship     = need("chung_cu", "Chứng cứ về quan hệ cha, mẹ, con")
	original    = need("ban_chinh", "Bản chính giấy tờ (tên giấy tờ, số)")
	copies      = need("so_ban", "Số bản cần cấp")
	form        = need("to_khai", "Tờ khai, đơn theo mẫu")
	housing     = need("cho_o", "Giấy tờ về chỗ ở hợp pháp")
	ownerAgrees = may("chu_ho", "Ý kiến đồng ý của chủ hộ, chủ nhà")
)

// Seed returns the procedures that a new commune starts with. Codes, limits and
// fees are second-hand: no row is verified, and the app says so until an
// officer has compared it. A limit that is not known stands empty rather than
// promise a day to anybody.
func Seed() []Procedure {
	return []Procedure{
		{Code: "1.001193", Name: "Đăng ký khai sinh", Field: civilStatus, Limit: sameDay,
			Fee:        "Miễn phí nếu đăng ký đúng hạn; quá hạn: theo nghị quyết của Hội đồng nhân dân tỉnh",
			Components: []Component{newborn, birthPaper, mother, father, marriage}},
		{Code: "1.000894", Name: "Đăng ký kết hôn", Field: civilStatus,
			Limit: sameDay + "; cần xác minh thì không quá 5 ngày làm việc", Fee: free,
			Components: []Component{need("ben_nam", "Bên nam: họ tên, ngày sinh, số định danh"), need("ben_nu", "Bên nữ: họ tên, ngày sinh, số định danh"),
				may("xac_nhan", "Giấy xác nhận tình trạng hôn nhân, nếu cư trú ở xã khác")}},
		{Code: "1.004873", Name: "Cấp giấy xác nhận tình trạng hôn nhân", Field: civilStatus,
			Limit: "3 ngày làm việc; cần xác minh thì không quá 23 ngày", Fee: "Miễn phí nếu nộp trực tuyến; nộp trực tiếp: theo nghị quyết của Hội đồng nhân dân tỉnh",
			Components: []Component{form, personalID, need("muc_dich", "Dùng vào việc gì"), may("ly_hon", "Bản án, quyết định ly hôn hoặc giấy chứng tử của vợ, chồng trước")}},
		{Code: "1.000656", Name: "Đăng ký khai tử", Field: civilStatus,
			Limit: sameDay + "; cần xác minh thì không quá 3 ngày làm việc", Fee: "Miễn phí nếu đăng ký đúng hạn",
			Components: []Component{need("nguoi_mat", "Người đã mất: họ tên, ngày sinh, ngày mất"), need("bao_tu", "Giấy báo tử hoặc giấy tờ thay thế"), personalID}},
		{Code: "1.004884", Name: "Đăng ký lại khai sinh", Field: civilStatus,
			Limit: "5 ngày làm việc; cần xác minh thì không quá 25 ngày", Fee: byProvince,
			Components: []Component{form, personalID, need("giay_cu", "Bản sao giấy khai sinh cũ hoặc giấy tờ có ngày sinh, nơi sinh")}},
		{Code: "1.004859", Name: "Thay đổi, cải chính, bổ sung hộ tịch", Field: civilStatus,
			Limit: "3 ngày làm việc; cần xác minh thì thêm 3 ngày làm việc; riêng bổ sung thông tin: trong ngày làm việc", Fee: byProvince,
			Components: []Component{form, personalID, need("noi_dung", "Thông tin cũ và thông tin mới"), need("can_cu", "Giấy tờ làm căn cứ")}},
		{Code: "1.001022", Name: "Đăng ký nhận cha, mẹ, con", Field: civilStatus,
			Limit: "3 ngày làm việc; cần xác minh thì không quá 8 ngày làm việc", Fee: byProvince,
			Components: []Component{form, personalID, kinship}},
		{Code: "1.000689", Name: "Đăng ký khai sinh kết hợp nhận cha, mẹ, con", Field: civilStatus,
			Limit: "3 ngày làm việc; cần xác minh thì không quá 8 ngày làm việc", Fee: byProvince,
			Components: []Component{newborn, birthPaper, mother, father, kinship}},
		{Code: "2.000635", Name: "Cấp bản sao trích lục hộ tịch", Field: civilStatus, Limit: sameDay, Fee: "8.000 đồng một bản",
			Components: []Component{personalID, need("viec", "Việc hộ tịch cần trích lục: khai sinh, kết hôn, khai tử…"), copies}},
		{Code: "2.000908", Name: "Cấp bản sao từ sổ gốc", Field: certify, Limit: sameDay, Fee: free,
			Components: []Component{personalID, need("giay_to", "Giấy tờ cần cấp bản sao"), copies}},
		{Code: "2.000815", Name: "Chứng thực bản sao từ bản chính", Field: certify,
			Limit:      sameDay + "; nhiều trang hoặc phức tạp thì thêm không quá 2 ngày làm việc",
			Fee:        "2.000 đồng một trang với hai trang đầu, từ trang thứ ba 1.000 đồng, nhiều nhất 200.000 đồng một bản",
			Components: []Component{original, copies}},
		{Code: "2.000884", Name: "Chứng thực chữ ký", Field: certify, Limit: sameDay, Fee: "10.000 đồng một trường hợp",
			Components: []Component{personalID, need("van_ban", "Giấy tờ, văn bản sẽ ký")}},
		{Code: "1.001776", Name: "Trợ cấp xã hội hằng tháng", Field: welfare, Limit: "22 ngày làm việc", Fee: free,
			Components: []Component{form, personalID, need("doi_tuong", "Thuộc đối tượng nào: cao tuổi, khuyết tật, nuôi con một mình…"), may("chung_minh", "Giấy tờ chứng minh")}},
		{Code: "1.001731", Name: "Hỗ trợ chi phí mai táng", Field: welfare, Fee: free,
			Components: []Component{form, need("chung_tu", "Giấy chứng tử (số, ngày, nơi cấp)"), need("nguoi_lo", "Người đứng ra lo mai táng: họ tên, số định danh")}},
		{Code: "1.011607", Name: "Công nhận hộ nghèo, hộ cận nghèo", Field: welfare, Limit: "15 ngày", Fee: free,
			Components: []Component{form, need("thanh_vien", "Các thành viên trong hộ")}},
		{Code: "1.004222", Name: "Đăng ký thường trú", Field: residence, Limit: "7 ngày làm việc",
			Fee:        "Nộp trực tiếp 20.000 đồng, trực tuyến 10.000 đồng",
			Components: []Component{form, personalID, housing, ownerAgrees}},
		{Code: "1.004194", Name: "Đăng ký tạm trú", Field: residence, Limit: "3 ngày làm việc",
			Fee:        "Nộp trực tiếp 15.000 đồng, trực tuyến 7.000 đồng",
			Components: []Component{form, personalID, housing, ownerAgrees}},
		{Code: "1.010038", Name: "Tách hộ", Field: residence, Limit: "5 ngày làm việc",
			Fee:        "Nộp trực tiếp 10.000 đồng, trực tuyến 5.000 đồng",
			Components: []Component{form, personalID, ownerAgrees}},
		{Code: "2.000986", Name: "Liên thông đăng ký khai sinh, đăng ký thường trú, cấp thẻ BHYT cho trẻ dưới 6 tuổi", Field: "Liên thông",
			Limit:      "6 ngày làm việc",
			Components: []Component{newborn, birthPaper, mother, father, marriage, need("kham_chua_benh", "Nơi đăng ký khám chữa bệnh ban đầu")}},
		{Code: "1.001612", Name: "Đăng ký thành lập hộ kinh doanh", Field: "Hộ kinh doanh", Limit: "3 ngày làm việc", Fee: byProvince,
			Components: []Component{form, personalID, need("ten_ho", "Tên hộ kinh doanh"), need("dia_chi", "Địa chỉ kinh doanh"), need("nganh", "Ngành, nghề"), may("von", "Vốn kinh doanh")}},
	}
}
