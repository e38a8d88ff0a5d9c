package demo

// ware is a kind of goods: what it is called, what it costs, what is said of it.
type ware struct {
	category, unit string
	sorts, grades  []string
	packs          []string
	least, most    int // đồng a unit, of the best but one grade
	grown, tastes  []string
}

var fruitGrades = []string{"VIP", "1", "2", "xô"}

var wares = map[string]*ware{
	"vải sớm": {"vai", "kg", []string{"Vải u hồng", "Vải u trứng", "Vải lai Thanh Hà", "Vải tàu lai", "Vải u thâm"}, fruitGrades,
		[]string{"bó cành", "thùng xốp ướp đá", "cắt cuống", "hái buổi sớm", "hộp 5 kg"}, 28000, 60000,
		[]string{"Vườn {[8-30]|[4-9] sào} ở <thôn>, cây [7-25] năm, chăm theo VietGAP, ngừng thuốc trước hái [10-18] ngày.",
			"Hái lúc [3-5] giờ sáng ở <xóm>, cắt bằng kéo, không để quả chạm đất, cân trong vòng [2-4] giờ.",
			"Vụ này nhà <chủ> bao quả từ đầu tháng, bón {phân chuồng ủ|đậu tương ngâm|phân cá}, tưới nước giếng khoan."},
		[]string{"Vỏ hồng {tươi|ửng đều}, cùi dày, hạt {nhỏ|lép} chừng [40-80] phần trăm, ngọt thanh [16-19] độ Brix, khoảng [28-42] quả một cân.",
			"Quả {tròn đều|hơi dài|to}, cùi {ráo|giòn}, vị ngọt có chút chua nhẹ, để tủ mát được [4-7] ngày.",
			"Chọn lựa từng chùm, bỏ quả nứt, {ít sâu cuống|không sâu đầu}, màu giữ được [2-3] ngày ở nhiệt độ thường."}},
	"vải chính vụ": {"vai", "kg", []string{"Vải thiều", "Vải thiều Phúc Hoà", "Vải thiều Hồng Giang", "Vải thiều cùi dày"}, fruitGrades,
		[]string{"bó cành", "hộp quà 3 kg", "thùng xốp ướp đá", "bao lưới", "cắt cuống"}, 18000, 42000,
		[]string{"Vải thiều đồi <xóm>, cây cổ [18-40] năm, hái từ ngày <ngày>, một ngày chỉ được [2-6] tạ.",
			"Cả nhà <chủ> cùng bẻ, bó chặt lá tươi, ngâm nước đá [10-15] phút rồi mới đóng thùng.",
			"Vườn có nhật ký phun, mẻ gần nhất dừng trước hái [12-20] ngày, mời bà con đến xem sổ."},
		[]string{"Hạt nhỏ, cùi trong, ngọt đậm [18-21] độ Brix, vỏ mỏng dễ bóc, chừng [36-50] quả một cân.",
			"{Chín đều|Chín tám phần} để đi xa được [2-4] ngày, mùi thơm, nước {nhiều|vừa}.",
			"Loại này hợp {ăn tươi|sấy khô|làm quà}, đã bỏ lá già, hao hụt bù [1-3] lạng mỗi thùng."}},
	"vải sấy": {"vai", "kg", []string{"Vải sấy khô", "Long vải sấy dẻo", "Vải khô cả vỏ"}, nil, []string{"túi 500 g", "túi giấy", "hút chân không", "hộp thiếc"}, 90000, 190000,
		[]string{"Sấy lò than {gỗ|hoa} [36-60] giờ ở nhà <chủ>, đảo [4-8] lần, không xông lưu huỳnh.", "Từ vải thiều chín cây, [4-5] cân tươi được một cân khô, mẻ ngày <ngày>."},
		[]string{"Cùi nâu cánh gián, dẻo, ngọt đậm, pha trà hoặc nấu chè đều {thơm|ngon}.", "Độ ẩm dưới [17-20] phần trăm, để {[6-10]|[8-12]} tháng nơi khô, tránh nắng."}},
	"ổi": {"oi", "kg", []string{"Ổi lê", "Ổi Đài Loan", "Ổi bo ruột hồng", "Ổi găng"}, []string{"1", "2"}, []string{"bọc xốp", "hái sáng", "túi lưới", "giỏ 5 kg"}, 10000, 24000,
		[]string{"Ổi bao túi từ khi bằng ngón tay, vườn <thôn> rộng [3-12] sào, hái [2-3] ngày một lứa.", "Nhà <chủ> trồng [60-300] gốc, tưới nhỏ giọt, bón phân gà ủ hoai [4-6] tháng."},
		[]string{"Quả [250-450] gam, giòn, ít hạt, ngọt mát, rửa sạch ăn cả vỏ.", "Ruột {chắc|dày}, hạt mềm, thơm nhẹ, để tủ mát [7-10] ngày vẫn giòn."}},
	"bưởi": {"buoi", "qua", []string{"Bưởi Diễn", "Bưởi da xanh", "Bưởi đào", "Bưởi hoàng"}, []string{"VIP", "1", "2"}, []string{"còn cuống lá", "gói giấy", "cặp đôi", "thùng 10 quả"}, 14000, 45000,
		[]string{"Bưởi vườn <xóm>, gốc [6-20] năm, thu từ ngày <ngày>, để héo cuống [7-20] ngày cho ngọt.", "Nhà <chủ> tỉa quả từ tháng tư, mỗi cây chỉ giữ [40-90] quả, bón vôi và phân chuồng."},
		[]string{"Quả [0-1],[6-9] đến 1,[2-8] cân, tép {ráo|mọng}, không he, mùi thơm để phòng được [3-6] tuần.", "Vỏ mỏng, múi dễ bóc, ngọt [11-14] độ Brix, hạt {ít|vừa}."}},
	"mật ong": {"mat_ong", "chai", []string{"Mật ong hoa vải", "Mật ong hoa nhãn", "Mật ong rừng hoa keo", "Mật ong bạc hà núi"}, nil, []string{"chai 500 ml", "chai 1 lít", "hũ thủy tinh", "quay tháng tư"}, 110000, 260000,
		[]string{"[20-120] đàn ong đặt trong vườn vải <thôn>, quay ngày <ngày> khi mật vít nắp [70-95] phần trăm.", "Nhà <chủ> nuôi ong [5-25] năm, không cho ăn đường vào vụ hoa, lọc hai lần vải màn."},
		[]string{"Màu {hổ phách|vàng chanh}, thơm hoa vải, thủy phần [19-22] phần trăm, trời lạnh có thể kết tinh.", "Sánh, ngọt dịu, hợp pha nước ấm [40-50] độ, ngâm {chanh đào|gừng|tỏi}."}},
	"rượu": {"ruou", "chai", []string{"Rượu nếp cái hoa vàng", "Rượu vải", "Rượu men lá", "Rượu ngô Lục Ngạn"}, nil, []string{"chai 650 ml", "can 2 lít", "chai sứ", "ủ chum"}, 45000, 150000,
		[]string{"Nấu bằng {nếp|gạo lứt|ngô} nhà trồng, men {bắc|lá [16-24] vị}, ủ [12-30] ngày, chưng cất hai lần ở <thôn>.", "Hạ thổ chum sành [6-30] tháng, lọc khử bằng tủ lạnh, mẻ ngày <ngày> được [30-120] lít."},
		[]string{"Nồng độ [28-39] độ, êm, có kết quả kiểm nghiệm số [100-999]; chỉ bán cho người đủ 18 tuổi.", "Thơm {nếp|quả}, không gắt cổ; đã uống rượu thì không lái xe. Chỉ nhận chuyển khoản."}},
	"gạo": {"gao", "kg", []string{"Gạo tẻ thơm", "Gạo nếp cái hoa vàng", "Gạo lứt đỏ", "Gạo bao thai", "Gạo Khang Dân"}, nil, []string{"túi 5 kg", "bao 10 kg", "xát theo đơn", "lúa mới"}, 15000, 38000,
		[]string{"Lúa {vụ mùa|vụ xuân} ruộng <thôn>, phơi nắng [3-5] ngày, xát khi có đơn, không tẩm hương.", "Nhà <chủ> cấy [4-20] sào, gặt ngày <ngày>, bảo quản {thóc trong chum|kho khô}."},
		[]string{"Cơm {dẻo|mềm|xốp}, để nguội không cứng, nấu [1-1],[1-3] nước.", "Hạt {dài|tròn}, tấm dưới [3-8] phần trăm, không sạn, không mọt."}},
	"rau": {"rau", "bo", []string{"Rau muống", "Rau cải ngọt", "Cải bẹ", "Rau ngót", "Bầu non", "Mướp hương", "Cà chua", "Su hào", "Bắp cải", "Hành lá", "Rau dền"}, nil, []string{"hái sáng", "bó 500 g", "bó to", "vườn nhà"}, 4000, 16000,
		[]string{"Vườn sau nhà <chủ> ở <xóm>, tưới nước giếng, bắt sâu bằng tay, cắt lúc [4-6] giờ sáng.", "Luống thứ [2-9] của vụ này, bón tro bếp và phân ủ [2-4] tháng, cách ly [7-14] ngày."},
		[]string{"{Non|Giòn|Ngọt}, rửa [2-3] nước là nấu được, bó chừng [4-7] lạng.", "Nấu canh {cua|tôm khô|thịt băm} đều ngọt, để mát được [2-4] ngày."}},
	"khác": {"khac", "hop", []string{"Mỳ Chũ", "Bánh đa nem", "Trứng gà đồi", "Tương nếp", "Măng khô", "Lạc nhân", "Nấm rơm khô", "Chè dây"}, nil, []string{"gói 500 g", "hộp 1 kg", "khay 10", "loại ngon"}, 22000, 90000,
		[]string{"Làm tại nhà <chủ>, <thôn>, mẻ ngày <ngày>, phơi [2-4] nắng, không phẩm màu.", "Nghề của nhà đã [8-40] năm, mỗi ngày chỉ làm [20-90] gói."},
		[]string{"{Dai|Thơm|Bùi}, dùng trong [2-9] tháng, để nơi khô thoáng.", "Hợp làm quà xa, gói [2-3] lớp, ghi rõ ngày làm."}},
}

// shop is a kind of stall.
type shop struct {
	names []string
	wares []string
}

var shops = []shop{
	{[]string{"Vải sớm nhà <chủ>", "Vườn vải <chủ> {đồi|ven đê|đầu làng}", "Vải ngon <thôn> – <chủ>", "{Hợp tác|Tổ} vải <chủ> và {anh em|bà con}", "Vải thiều <chủ> số [2-98]"}, []string{"vải sớm", "vải chính vụ", "vải sớm", "vải chính vụ", "vải sấy"}},
	{[]string{"Ổi bưởi nhà <chủ>", "Trái cây vườn <chủ>", "Vườn <chủ> [2-98]", "Quả sạch <thôn> – <chủ>"}, []string{"ổi", "bưởi", "ổi", "bưởi", "vải chính vụ"}},
	{[]string{"Mật ong <chủ>", "Ong hoa vải <chủ>", "Trại ong <chủ> – <thôn>"}, []string{"mật ong", "mật ong", "vải sấy"}},
	{[]string{"Rau nhà <chủ>", "Rau sạch <thôn> – <chủ>", "Vườn rau bà <chủ>", "Rau sáng <chủ> [2-98]"}, []string{"rau", "rau", "rau", "ổi"}},
	{[]string{"Gạo quê <chủ>", "Xay xát <chủ>", "Gạo nếp <chủ> – <thôn>"}, []string{"gạo", "gạo", "khác"}},
	{[]string{"Rượu nếp <chủ>", "Rượu men lá nhà <chủ>", "Hầm rượu <chủ> – <thôn>"}, []string{"rượu", "rượu", "gạo"}},
	{[]string{"Quà quê <chủ>", "Mỳ Chũ nhà <chủ>", "Đặc sản <chủ> [2-98]", "Hàng khô <chủ> – <thôn>"}, []string{"khác", "vải sấy", "mật ong", "khác"}},
}

var besides = []string{"vải sớm", "vải chính vụ", "ổi", "bưởi", "mật ong", "gạo", "rau", "rau", "khác"}

var stories = []string{
	"Nhà <chủ> làm vườn ở <thôn> từ năm [1985-2018].",
	"Vườn {[4-30] sào|[1-3] héc-ta} trên {đồi|bãi soi|đất ven sông}, có sổ ghi chép từng lần bón.",
	"Đã tham gia {tổ liên kết [12-40] hộ|lớp tập huấn VietGAP năm 20[18-25]|mã vùng trồng của xã}.",
	"Vụ vừa rồi bán được [2-40] {tấn|tạ}, phần lớn cho khách quen.",
	"Hàng hỏng đổi trong [1-3] ngày, chụp ảnh gửi lại là được.",
	"Ai mua nhiều xin báo trước [1-4] ngày để nhà sắp người hái.",
	"Khách đến vườn được ăn thử, chỗ để xe {trước cổng|cạnh nhà văn hóa|dưới gốc gạo}.",
}

var pickups = []string{"Cổng nhà văn hóa <thôn>, từ [5-8] giờ sáng", "Tại vườn, <xóm>, gọi trước [15-40] phút", "Điểm cân đầu <thôn>, {buổi sáng|buổi chiều}",
	"Chợ xã, dãy [1-6], ô số [2-60]", "Giao tận nhà trong <thôn>, đơn từ [2-5] cân", "Quán nước {cây đa|cầu ngòi|ngã ba} gần <xóm>, [16-18] giờ"}

var keeping = []string{
	"Giao trong xã trước [9-17] giờ, ngoài xã gửi xe khách {sáng|chiều}.",
	"Để ngăn mát [2-9] ngày, không để chung với {chuối|đồ sống}.",
	"Nhận đổi quả dập trong [12-36] giờ, cân lại trước mặt khách.",
	"Đặt trước ngày <mai> thì có, sau đó chờ lứa mới [4-12] ngày.",
	"Cân đủ, {bù [1-3] lạng bì|không tính bì}, có dây và {lá tươi|túi giấy}.",
	"Mua từ [5-20] trở lên bớt [2-8] phần trăm, {trả sau khi nhận|chuyển khoản hoặc tiền mặt}.",
}

var buying = []string{
	"Hôm nay còn [2-20] lượt cân, bà con nhắn sớm.", "Mỗi nhà nhận nhiều nhất [10-60] để chia đều.", "Ai ở <thôn> qua lấy được bớt [1-4] nghìn.",
	"Nhà có [2-6] người làm nên mưa to thì giao chậm [1-2] ngày.", "Ảnh chụp ngày <ngày>, hàng thật như ảnh.",
}

var orderNotes = []string{
	"Giao giúp {trước|sau} [8-17] giờ, nhà ở <xóm>.", "Chọn hộ {quả to|chùm đều|loại để được lâu}, tôi gửi cho con ở {Hà Nội|Bắc Ninh|Thái Nguyên}.",
	"Để ở {nhà văn hóa|quán đầu ngõ|nhà hàng xóm <chủ>}, ngày <mai> tôi qua lấy.", "Gọi trước [10-30] phút vì hay ra đồng.", "{Bọc|Gói} riêng [2-4] túi giúp tôi nhé.",
	"Trả tiền mặt khi nhận, có [100-500] nghìn lẻ.", "Nếu hết thì đổi sang loại {kế|rẻ hơn|tương tự} cũng được.", "Cho xin hóa đơn viết tay, số lượng ghi rõ.", "Giỗ ngày <mai>, {đừng trễ|nhờ giao sớm} giúp.",
}

var cancelWhy = []string{"Người mua đổi ý, báo trước [2-20] giờ.", "{Mưa to|Đường ngập} không giao được, hai bên đồng ý hủy.", "Nhà có việc, hẹn vụ sau.", "Người mua đặt nhầm {loại|số lượng}.", "Quá hẹn lấy [1-3] ngày."}

var rejectWhy = []string{"Hết hàng, chỉ còn [1-4] cân.", "Gian hàng nghỉ {giỗ|cưới|gặt} ngày [1-28].", "Giá đã đổi trước khi đơn tới máy chủ.", "Mặt hàng vừa bán hết ở chợ."}
