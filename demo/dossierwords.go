package demo

import "langso/commune/publicservice"

// formTexts fill a form, by the key of the component.
var formTexts = map[string]string{
	"ten_con":        "<con>, sinh ngày <ngày>, {nam|nữ}",
	"chung_sinh":     "Giấy chứng sinh số [10-980]/20[24-26], {Trung tâm y tế|Bệnh viện sản nhi|Trạm y tế xã}",
	"nguoi_me":       "<mẹ>, sinh năm [1982-2004], ở <thôn>",
	"nguoi_cha":      "<cha>, sinh năm [1980-2003], làm {vườn|công nhân|lái xe|thợ xây}",
	"ket_hon":        "Giấy chứng nhận kết hôn số [5-140], ngày <ngày>, UBND xã cấp",
	"ben_nam":        "<chồng>, sinh năm [1990-2005], ở <ở>",
	"ben_nu":         "<vợ>, sinh năm [1992-2006], ở <thôn>",
	"xac_nhan":       "Giấy xác nhận số [12-480], ngày <ngày>",
	"to_khai":        "Tờ khai theo mẫu, <tên> kê ngày <ngày>, [1-4] trang",
	"dinh_danh":      "Xuất trình thẻ, <tên>, bản ghi mẫu <mẫu>",
	"muc_dich":       "{Để đăng ký kết hôn với <chồng>|Để vay vốn ngân hàng mua {phân bón|máy sấy vải}|Để bán thửa đất số [10-420]|Để đi lao động nước ngoài}",
	"ly_hon":         "Quyết định số [10-240]/20[10-25] của tòa án",
	"nguoi_mat":      "<cụ>, sinh năm [1928-1955], mất ngày <ngày> tại {nhà|bệnh viện tỉnh}",
	"bao_tu":         "Giấy báo tử số [3-96], {trạm y tế|bệnh viện} cấp ngày <ngày>",
	"giay_cu":        "Bản sao {học bạ|lý lịch|sổ hộ khẩu cũ} ghi ngày sinh <xưa>",
	"noi_dung":       "Sửa {chữ đệm|ngày sinh|tên cha|dân tộc} của <con>: {thiếu dấu|ghi nhầm} trong giấy khai sinh số [20-340]",
	"can_cu":         "{Giấy chứng sinh|Học bạ|Thẻ bảo hiểm y tế cũ|Bằng tốt nghiệp} cấp ngày <xưa>",
	"chung_cu":       "{Kết quả giám định số [100-980]|Thư của <cha>|Lời khai của hai người làm chứng ở <thôn>}",
	"viec":           "{Khai sinh|Kết hôn|Khai tử} của <nhà>, đăng ký năm [1985-2024]",
	"so_ban":         "[1-6] bản",
	"giay_to":        "{Giấy khai sinh|Sổ đăng ký kết hôn} của <nhà>, quyển [1-4], số [2-310]",
	"ban_chinh":      "{Bằng tốt nghiệp|Giấy chứng nhận quyền sử dụng đất|Hợp đồng thuê đất|Bảng điểm|Thẻ đảng viên cũ} của <nhà>, số [1000-9800]",
	"van_ban":        "{Giấy ủy quyền cho <nhà>|Sơ yếu lý lịch|Giấy bán xe|Cam kết trả nợ [10-90] triệu}",
	"doi_tuong":      "{Người trên 75 tuổi không lương hưu|Người khuyết tật nặng|Nuôi con nhỏ một mình}, thuộc diện từ năm [2014-2024]",
	"chung_minh":     "Giấy {xác nhận khuyết tật|khám sức khỏe} số [10-190], ngày <ngày>",
	"chung_tu":       "Trích lục khai tử số [4-120], ngày <ngày>, UBND xã",
	"nguoi_lo":       "<tên>, con của người đã mất, ở <ở>",
	"thanh_vien":     "[2-7] khẩu: <nhà>, <con>; thu nhập bình quân [9-26] trăm nghìn một người",
	"cho_o":          "{Giấy chứng nhận quyền sử dụng đất số [100-980]|Hợp đồng thuê nhà đến <mai>|Giấy ở nhờ nhà <nhà>}, <ở>",
	"chu_ho":         "Chủ hộ <nhà> đồng ý, ký ngày <ngày>",
	"kham_chua_benh": "{Trạm Y tế xã|Trung tâm y tế|Bệnh viện đa khoa tỉnh}",
	"ten_ho":         "Hộ kinh doanh {Tạp hóa|Vải sấy|Cơ khí|May mặc|Ăn uống} <nhà>",
	"dia_chi":        "<ở>",
	"nganh":          "{Bán lẻ lương thực|Sấy, đóng gói quả vải|Sửa chữa xe máy|Dịch vụ ăn uống}, [1-6] lao động",
	"von":            "[20-480] triệu đồng",
}

var dossierNotes = []string{
	"Nhờ cán bộ xem giúp, tôi đi làm ca đến [17-22] giờ.", "Bố mẹ tôi già, {xin|nhờ} trả kết quả tại nhà văn hóa <thôn>.", "Tôi đã nộp [1-2] lần nhưng thiếu giấy, lần này đủ.",
	"Cháu cần trước ngày <mai> để {nhập học|đi khám}.", "Điện thoại yếu sóng, {nhắn tin|gọi buổi tối} giúp.", "Giấy cũ {mờ|rách góc}, bản chụp trang [1-3].",
	"Kính nhờ giải quyết trong [3-10] ngày.", "Nếu thiếu gì xin báo sớm, tôi ở <ở>.", "Tôi nộp hộ <nhà>.",
}

// officerSays are words with which an officer takes a step.
var officerSays = map[publicservice.Status][]string{
	publicservice.Accepted:     {"Đã nhận đủ giấy tờ, hẹn trả theo giấy hẹn.", "Hồ sơ hợp lệ, [3-9] trang, chuyển {tư pháp|địa chính|văn hóa}.", "Đã tiếp nhận, bác giữ giấy hẹn để lấy kết quả."},
	publicservice.NotAccepted:  {"Không thuộc thẩm quyền xã, mời bác nộp ở {công an xã|sở|xã nơi thường trú}.", "Thiếu {giấy chứng sinh|bản chính|chữ ký}, bác chuẩn bị rồi nộp lại.", "Người nộp chưa đủ giấy ủy quyền."},
	publicservice.Processing:   {"Cán bộ chuyên môn đang xem.", "Đang tra sổ gốc năm [1980-2015].", "Đã chuyển xác minh ở <thôn>, [1-3] ngày."},
	publicservice.NeedsPapers:  {"Xin bổ sung {bản chính để đối chiếu|trang [2-4] của tờ khai|chữ ký của <nhà>}.", "Ảnh chụp mờ, xin gửi lại mặt {trước|sau}.", "Thiếu {giấy ra viện|sổ cũ}, bác gửi trước ngày <mai>."},
	publicservice.NeedsPayment: {"Xin nộp lệ phí [8-120] nghìn đồng tại quầy hoặc chuyển khoản.", "Lệ phí {[2-6] bản|một lần} là [16-60] nghìn, nộp rồi chờ [1-2] ngày."},
	publicservice.Withdrawal:   {"Tôi xin rút, {nộp nhầm thủ tục|sẽ nộp ở nơi khác}.", "Gia đình đổi ý, xin rút hồ sơ."},
	publicservice.Stopped:      {"Dừng theo đề nghị của người nộp.", "Dừng vì quá [15-30] ngày không bổ sung giấy tờ.", "Đã trả lại giấy tờ gốc, [2-6] trang."},
	publicservice.Done:         {"Đã ký, mời bác đến quầy số [1-3] nhận kết quả.", "Kết quả số [10-990] đã có, trả {sáng|chiều} các ngày làm việc."},
	publicservice.Returned:     {"Đã trả kết quả cho <tên>, ký nhận đủ.", "Trả tại {quầy|nhà văn hóa <thôn>}, ngày <ngày>.", "Gửi bưu điện, mã phiếu [1000-9999], đã nhận."},
}
