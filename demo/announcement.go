package demo

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// topic is what an announcement may be about.
type topic struct {
	titles    []string
	opening   []string
	sentences []string
	village   int    // so many in 100 are for one village
	urgent    int    // so many in 100 of the fresh ones are urgent
	days      int    // how long it is good for
	months    string // in which months it comes up, "567" are May to July; empty: always
}

// comesUp tells whether a topic belongs to a month: nobody reads of the lychee
// harvest in November.
func (t *topic) comesUp(m time.Month) bool {
	return t.months == "" || strings.ContainsRune(t.months, rune("0123456789abc"[m]))
}

// freshAnnouncements are still good today; the others tell the year.
const freshAnnouncements = 40

func (w *world) putAnnouncements(row put) {
	for i := range announcementCount {
		d := w.dice(diceAnnouncement, i)
		fresh := i < freshAnnouncements
		ago := d.between(8, 380)
		if fresh {
			ago = d.between(0, 4)
		}
		at, village := w.Today.AddDate(0, 0, -ago), d.IntN(len(villages))
		t := &topics[i%len(topics)]
		for n := i; !t.comesUp(at.Month()); n++ {
			t = &topics[(n+7)%len(topics)]
		}
		// The day that it is about is one day, in the title and in the text.
		day := at.AddDate(0, 0, d.between(1, max(2, t.days-1)))
		word := func(what string) string {
			switch what {
			case "thôn":
				return villages[village].name
			case "thôn khác":
				return villages[(village+d.between(1, len(villages)-1))%len(villages)].name
			case "ngày":
				return dayMonth(day)
			case "sau":
				return dayMonth(day.AddDate(0, 0, d.between(1, 9)))
			case "trời":
				return d.say(weather[at.Month()-1], nil)
			case "qua":
				return dayMonth(at.AddDate(0, 0, -d.between(1, 12)))
			case "xóm":
				return d.one(lanes)
			case "cán bộ":
				return d.name(d.surname(), []string{male, female}[d.IntN(2)], d.between(1972, 1996))
			case "số":
				return strconv.Itoa(d.between(10, 480))
			}
			return what
		}
		body := d.say(d.one(t.opening), word)
		body += " " + d.some(t.sentences, len(t.sentences)-1, word)
		for _, s := range []string{d.say(d.one(closings), word), d.say(d.one(closings), word)} {
			if len([]rune(body)) < 360 {
				body += " " + s
			}
		}
		place := ""
		if d.in100(t.village) {
			place = villages[village].external
		}
		if !row(cell("external", fmt.Sprintf("TB%03d", i+1)), cell("title", d.say(d.one(t.titles), word)), cell("body", body), cell("village", place),
			cell("urgent", fresh && d.in100(t.urgent)), cell("from", w.daysAgo(ago)), cell("to", w.daysAgo(ago-t.days))) {
			return
		}
	}
}

// weather is what each month brings, from January on.
var weather = [12]string{
	"rét đậm, nhiệt độ xuống [6-11] độ", "rét, mưa phùn, có nơi [8-13] độ", "nồm ẩm rồi dông, gió giật cấp [6-7]", "dông lốc, mưa đá, gió giật cấp [6-8]",
	"dông mạnh, mưa [40-90] mi-li-mét", "nắng nóng [37-40] độ rồi dông", "mưa [80-180] mi-li-mét", "mưa [90-220] mi-li-mét, nước suối lên nhanh",
	"bão gây gió giật cấp [7-9], mưa [100-250] mi-li-mét", "mưa [60-150] mi-li-mét do không khí lạnh", "không khí lạnh, gió cấp [5-6], đêm [13-17] độ", "rét, đêm và sáng [9-14] độ",
}

var closings = []string{
	"Cần hỏi thêm, bà con gặp <cán bộ>, {trưởng thôn|cán bộ phụ trách|chi hội trưởng}, hoặc đến bộ phận một cửa, quầy [1-4].",
	"Đề nghị các gia đình báo cho nhau cùng biết, nhất là nhà có người già ở một mình.",
	"Loa <thôn> phát lại lúc [5-6] giờ [10-50] và [17-18] giờ trong [2-4] ngày.",
	"Mọi ý kiến gửi về ủy ban trước ngày <sau>, ghi rõ họ tên và xóm.",
	"Thông báo này thay cho thông báo số <số> ra ngày <qua>.",
	"Ai không có điện thoại thì nhờ y tế thôn hoặc chi hội phụ nữ đọc giúp.",
}

var topics = []topic{
	{[]string{"Tiêm chủng tháng này ở <thôn>", "Lịch tiêm chủng cho trẻ, ngày <ngày>", "Mời đưa trẻ đi tiêm ngày <ngày>"},
		[]string{"Trạm Y tế mời các gia đình có con {dưới 24 tháng|từ 2 đến 18 tháng} đưa cháu đi tiêm ngày <ngày>, từ [7-8] giờ tại {trạm|nhà văn hóa <thôn>}.", "Buổi tiêm chủng tháng này mở ngày <ngày> tại {nhà văn hóa <thôn>|trạm y tế}, nhận từ [7-8] giờ đến [10-11] giờ."},
		[]string{"Có các mũi {5 trong 1|sởi – rubella|viêm não Nhật Bản|bại liệt tiêm}, còn [20-90] liều, cháu trễ hẹn cũng được tiêm bù.", "Mang theo {sổ tiêm|điện thoại có ứng dụng}, mặc áo dễ cởi, cho cháu ăn no trước [30-60] phút.", "Cháu đang sốt từ 37,5 độ hoặc uống kháng sinh thì {báo hoãn|gọi trạm hẹn ngày khác}.", "Sau tiêm ngồi lại 30 phút, về nhà theo dõi [24-48] giờ, sốt cao thì gọi trạm ngay."}, 60, 0, 10, ""},
	{[]string{"Thu hoạch vải sớm: giữ giá, giữ hàng", "Vào vụ vải: những điều cần nhớ", "Điểm cân vải mở từ ngày <ngày>"},
		[]string{"Vải {u hồng|u trứng|lai} ở <thôn> chín sớm hơn năm ngoái [3-9] ngày, xã mở [3-12] điểm cân từ ngày <ngày>.", "Tổ thu mua báo giá hôm <qua> từ [18-30] đến [35-62] nghìn một cân, tùy hạng và giờ cân."},
		[]string{"Bà con hái trước [6-8] giờ, bó [3-5] cân một chùm, không ngâm nước bẩn.", "Xe trên [3-8] tấn đi đường {đê|liên xã}, không đỗ ở ngã ba <xóm> từ [15-16] giờ đến [18-20] giờ.", "Nhà nào có mã vùng trồng ghi sổ từng lần phun; đoàn kiểm tra đến <thôn khác> ngày <sau>.", "Đá cây, thùng xốp có ở [2-6] đại lý, giá niêm yết; ai bị ép giá gọi {ủy ban|công an xã}."}, 20, 0, 14, "567"},
	{[]string{"Cắt điện ngày <ngày> ở <thôn>", "Lịch ngừng cấp điện để sửa đường dây", "Mất điện có kế hoạch, ngày <ngày>"},
		[]string{"Điện lực thông báo ngừng cấp điện ngày <ngày>, từ [5-8] giờ đến [11-17] giờ, ở <thôn> và một phần <thôn khác>, để {thay trạm biến áp|phát quang hành lang|đấu nối đường dây}."},
		[]string{"Trong giờ ấy coi như đường dây vẫn có điện, không trèo cột, không hái vải sát dây.", "Nhà có {tủ đông|lò sấy|máy bơm} chuẩn bị trước; máy thở, người bệnh gọi trạm y tế để được giúp.", "Xong sớm thì đóng điện sớm, không báo lại; trời mưa thì lùi sang ngày <sau>.", "Số trực của đội quản lý điện in ở hóa đơn tháng, mã trạm <số>."}, 70, 15, 6, ""},
	{[]string{"Nước sạch: súc rửa bể, {yếu|đục} trong [1-3] ngày", "Tạm ngừng cấp nước ở <thôn>", "Lịch bơm nước vụ này"},
		[]string{"Trạm cấp nước {súc rửa bể lắng|thay ống phi [60-110]} ngày <ngày>, nước ở <thôn> {yếu|đục nhẹ} từ [7-9] đến [15-20] giờ.", "Tổ thủy nông bơm nước cho cánh đồng <xóm> từ ngày <ngày>, mỗi xứ đồng [4-9] giờ."},
		[]string{"Bà con trữ đủ dùng [1-2] ngày, đậy kín, không để {lăng quăng|bọ gậy}.", "Nước đục thì xả [5-15] phút, chưa trong gọi tổ vận hành.", "Không đục bờ, chặn mương; vi phạm lập biên bản và đền [200-900] nghìn.", "Chỉ số đồng hồ tháng này chốt ngày <sau>, tiền nộp trước ngày [20-28]."}, 60, 5, 7, ""},
	{[]string{"Phòng cháy trong mùa hanh", "Cảnh báo cháy {rừng|đồi vải}", "Kiểm tra lò sấy, bếp, dây điện"},
		[]string{"Trời hanh khô nhiều ngày, cấp dự báo cháy ở đồi <thôn> lên cấp {III|IV}, hôm <qua> đã có một đám cháy [200-900] mét vuông.", "Vào vụ sấy, xã kiểm tra [20-80] lò ở <thôn> và <thôn khác> từ ngày <ngày>."},
		[]string{"Không đốt {cành vải|rơm rạ|vàng mã} khi có gió, đốt thì có người trông và [2-4] thùng nước.", "Mỗi nhà có bình chữa cháy còn hạn, lối ra thứ hai, không khóa trong ban đêm.", "Xe máy điện không sạc qua đêm trong buồng ngủ, không dùng sạc [36-72] vôn lẫn loại.", "Cháy thì gọi 114, báo trưởng thôn, cắt cầu dao, bò thấp khi có khói."}, 30, 25, 12, "9abc1234567"},
	{[]string{"Cảnh giác: gọi điện giả công an, giả ngân hàng", "Thủ đoạn lừa mới ở <thôn khác>", "Đừng chuyển tiền theo lời người lạ"},
		[]string{"Ngày <qua>, một người ở <thôn khác> mất [8-190] triệu vì tin cuộc gọi {giả công an|giả nhân viên điện lực|báo con cấp cứu}.", "Có nhóm người nhận là {cán bộ VNeID|bưu cục|ngân hàng} gọi cho nhiều nhà ở <thôn>, bảo cài ứng dụng lạ."},
		[]string{"Công an không làm việc qua điện thoại, không bắt chuyển tiền để {chứng minh|giữ hộ}.", "Không đọc mã OTP, không bấm đường dẫn lạ, không cho người lạ mượn {căn cước|điện thoại} quá [1-2] phút.", "Nghi ngờ thì tắt máy, gọi lại số in sau thẻ, hỏi con cháu, hoặc ra trụ sở công an xã.", "Lỡ chuyển rồi gọi ngân hàng khóa trong [10-30] phút đầu, giữ tin nhắn làm chứng."}, 15, 20, 20, ""},
	{[]string{"Họp thôn ngày <ngày>", "Mời họp nhân dân <thôn>", "Họp lấy ý kiến {làm đường|quy ước thôn|hộ nghèo}"},
		[]string{"<thôn> họp lúc [19-20] giờ ngày <ngày> tại nhà văn hóa, mỗi nhà một người, bàn {[2-4] việc|việc làm đường bê tông [300-950] mét|bình xét hộ nghèo}."},
		[]string{"Dự toán [80-620] triệu, nhà nước [40-70] phần trăm, còn lại đóng theo {khẩu|hộ|mét mặt đường}.", "Danh sách dán ở bảng tin từ ngày <qua>, ai thấy thiếu báo trước [1-3] ngày.", "Chi hội {phụ nữ|cựu chiến binh} báo cáo quỹ, thu [6-38] triệu, chi [4-30] triệu.", "Vắng thì ủy quyền bằng giấy, nghị quyết có hiệu lực khi quá nửa số hộ đồng ý."}, 90, 0, 8, ""},
	{[]string{"Thời tiết xấu từ ngày <ngày>", "Tin thời tiết nguy hiểm, {nhà nhà|bà con} đề phòng", "Ứng phó thời tiết [2-4] ngày tới"},
		[]string{"Đài khí tượng báo từ đêm <ngày> có <trời>, đáng lo nhất ở {bờ suối|sườn đồi|bãi soi} <thôn>."},
		[]string{"Chằng chống {mái tôn|giàn ổi|nhà lưới}, thu hoạch trước những gì đã chín [80-90] phần trăm.", "Không qua ngầm khi nước trên [20-40] phân, ban đêm không soi cá.", "[5-22] hộ dưới chân đồi <xóm> chuẩn bị đồ, sang nhà văn hóa khi có lệnh.", "Ủ ấm {trâu bò|lợn con|cây giống}, cho ăn thêm, không thả trước [8-9] giờ sáng."}, 25, 45, 5, ""},
	{[]string{"Khám sức khỏe người cao tuổi", "Đo huyết áp, đường huyết miễn phí ở <thôn>", "Khám mắt cho các cụ ngày <ngày>"},
		[]string{"Trạm Y tế cùng {bệnh viện tỉnh|trung tâm y tế|đoàn thanh niên} khám cho các cụ từ [60-70] tuổi ngày <ngày> tại nhà văn hóa <thôn>, từ [7-8] giờ."},
		[]string{"Nhịn ăn sáng nếu thử đường huyết, mang đơn thuốc đang dùng, đơn kính cũ.", "Mỗi buổi nhận [40-120] cụ, lấy số trước ở y tế thôn, cụ yếu có xe đón từ [6-7] giờ.", "Ai huyết áp trên [140-160] hẹn khám lại, cấp thuốc [28-30] ngày.", "Mổ đục thủy tinh thể đợt này [10-35] ca, bảo hiểm trả, đi lại có hỗ trợ [100-300] nghìn."}, 60, 0, 12, ""},
	{[]string{"Trừ sâu cuống quả: phun từ ngày <ngày>", "Sâu bệnh hại vải tuần này", "Khuyến nông: chăm {vải|ổi|lúa} tháng này"},
		[]string{"Sâu đục cuống ở <thôn> lên [3-14] con một bẫy, bướm rộ từ ngày <ngày>, phun muộn là hỏng lứa.", "Tổ khuyến nông xem [8-30] vườn ngày <qua>: {sương mai|thán thư|nhện lông nhung} chớm ở [4-19] phần trăm lộc."},
		[]string{"Chỉ dùng thuốc trong danh mục, pha đúng nhãn, [16-25] lít một sào, phun chiều mát.", "Ghi nhật ký, ngừng phun trước hái [10-18] ngày, vỏ chai bỏ vào bể ở {đầu đồng|<xóm>}.", "Không phun lúc ong đi lấy mật; báo các nhà nuôi ong trước [1-2] ngày.", "Lớp hướng dẫn tại vườn nhà <cán bộ>, [14-15] giờ ngày <sau>."}, 35, 0, 9, "3456"},
	{[]string{"Một cửa: giờ tiếp, ngày trả", "Nộp hồ sơ qua ứng dụng, đỡ một lần đi", "Lịch làm việc của bộ phận một cửa"},
		[]string{"Bộ phận một cửa tiếp từ [7-8] giờ [15-30] đến 11 giờ 30 và từ 13 giờ 30 đến [16-17] giờ; ngày <ngày> nghỉ {tập huấn|kiểm kê} buổi chiều."},
		[]string{"Tháng trước giải quyết [180-620] hồ sơ, [94-99] phần trăm đúng hẹn, còn [2-19] việc chờ xác minh.", "Khai sinh, khai tử, chứng thực nộp trước 15 giờ thì trả trong ngày; nhớ mang bản chính.", "Nộp qua ứng dụng được biên nhận ngay, mất mạng vẫn viết trước được.", "Cán bộ không thu tiền ngoài biên lai; ai bị gây khó gọi lãnh đạo xã, phòng [1-9]."}, 5, 0, 30, ""},
	{[]string{"Ra quân vệ sinh, diệt bọ gậy", "Thu gom rác: đổi ngày ở <thôn>", "Phòng sốt xuất huyết"},
		[]string{"Sáng <ngày>, các nhà ở <thôn> quét đường, khơi rãnh, lật úp chum vại từ [5-6] giờ; tuần trước có [1-6] ca sốt xuất huyết ở <thôn khác>."},
		[]string{"Rác thu [2-3] buổi mỗi tuần, để ra trước [5-6] giờ, túi buộc kín, không bỏ cành cây.", "Phí [4-9] nghìn một khẩu mỗi tháng, nộp cho <cán bộ> trước ngày [10-25].", "Phun hóa chất ở <xóm> từ [16-17] giờ, che bể nước, đưa trẻ ra ngoài [30-60] phút.", "Sốt cao [2-3] ngày không đỡ thì đến trạm, không tự truyền nước."}, 55, 5, 9, ""},
	{[]string{"Tuyển quân, đăng ký nghĩa vụ", "Lớp học nghề {may|điện|sấy quả}", "Tuyển công nhân, xe đưa đón"},
		[]string{"{Ban chỉ huy quân sự|Trung tâm dịch vụ việc làm|Hội phụ nữ} nhận đăng ký đến ngày <ngày> cho [18-45] {thanh niên|lao động} trong xã."},
		[]string{"Mang căn cước, [2-4] ảnh, giấy khám sức khỏe trong [3-6] tháng.", "Lớp học [15-60] buổi, miễn học phí, hỗ trợ ăn [20-50] nghìn mỗi ngày.", "Lương thử [6-9] triệu, xe đón ở {ngã ba|cổng chợ|cầu ngòi} lúc [5-6] giờ [10-50].", "Không nộp tiền cọc cho môi giới; nghi ngờ thì hỏi {văn phòng ủy ban|<cán bộ>}."}, 10, 0, 21, ""},
	{[]string{"Lễ hội, giao thông {quanh đình|đường đê}", "Hội làng <thôn>", "Giải bóng chuyền, văn nghệ"},
		[]string{"Hội {đình|đền|chùa} <thôn> mở từ ngày <ngày>, [2-3] ngày, có {rước|vật|hát quan họ}, khách về chừng [400-2800] người."},
		[]string{"Gửi xe ở {sân trường|sân kho}, [3-10] nghìn một lượt, đường <xóm> cấm ô tô từ [7-8] đến [18-21] giờ.", "Hàng quán đăng ký chỗ, ký cam kết an toàn thực phẩm, không cờ bạc.", "Mỗi xóm góp [1-3] tiết mục, tập ở nhà văn hóa từ [19-20] giờ.", "Trẻ đi lạc đưa về bàn ban tổ chức, gặp <cán bộ>."}, 45, 0, 7, "1234"},
	{[]string{"Trợ cấp, quà: danh sách và ngày phát", "Chi trả lương hưu, trợ cấp tháng này", "Hộ nghèo, cận nghèo: rà soát năm nay"},
		[]string{"Trợ cấp tháng này chi ngày <ngày>, từ [7-8] giờ, {qua tài khoản|tại bưu điện văn hóa|tại nhà văn hóa <thôn>}, [30-240] người trong danh sách."},
		[]string{"Người không đi được thì ủy quyền, hoặc cán bộ đến nhà sau [1-3] ngày.", "Mức chuẩn từ tháng [1-9] là [400-900] nghìn, truy lĩnh [2-6] tháng nếu có.", "Rà soát hộ theo [8-10] tiêu chí, tổ [3-5] người ghi tại nhà, nhà ký vào phiếu.", "Khiếu nại gửi trong [5-10] ngày, bộ phận một cửa trả lời bằng văn bản."}, 40, 0, 12, ""},
}
