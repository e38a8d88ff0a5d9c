package demo

var afterDose = []string{
	"Tiêm {đùi trái|đùi phải|bắp tay trái}, theo dõi [30-40] phút, {không có phản ứng|bé ổn|chỗ tiêm không sưng}. Dặn {nhà|mẹ} {theo dõi sốt|không đắp gì lên chỗ tiêm} trong [24-48] giờ.",
	"{Bé ngoan, bú tốt|Cháu khỏe, ăn được|Cháu khóc một lúc rồi nín}, nhiệt độ trước tiêm 36,[3-9] độ. Hẹn mũi sau ngày <ngày>.",
	"Khám sàng lọc đạt, cân nặng đủ. Ngồi lại {điểm tiêm|trạm} [30-35] phút, {da hồng|thở đều|tỉnh táo}. Số lưu <số>.",
	"Sau tiêm sốt nhẹ 37,[6-9] độ {buổi tối|đêm đầu}, {lau nước ấm|cho bú nhiều}, hôm sau hết. Gia đình {chị|anh} <nhà> báo lại ngày <ngày>.",
	"Tiêm trong buổi tiêm chủng ở <thôn>, lọ số <số>, {còn hạn|bảo quản 2–8 độ}. {Không phản ứng|Chỗ tiêm đỏ nhẹ [1-2] cm rồi hết}.",
	"{Chậm [3-9] ngày vì cháu ho|Đến đúng hẹn|Đổi lịch do mưa}, khám trước tiêm {phổi trong|họng sạch}, đồng ý tiêm. Dặn sốt trên 38,5 độ thì {gọi y tế thôn|đến trạm}.",
	"",
}

var atMeasuring = []string{
	"Đo {sáng|chiều|tối} {trước ăn|sau nghỉ [5-15] phút}, {tay trái|tay phải}, lần [1-3].",
	"{Tự đo ở nhà|Y tế thôn đo tại nhà}, máy {mượn của trạm|của gia đình} số <số>.",
	"Đo trong buổi {khám sức khỏe|cân đo hằng tháng|khám lưu động} ở <thôn>.",
	"{Mới đi làm đồng về|Đêm qua ngủ ít|Vừa uống thuốc [2-4] giờ trước}, đo lại ngày <ngày>.",
	"Nhà <nhà> ghi lại trong sổ giấy, trang [2-48].",
	"So với lần trước {tăng nhẹ|giảm nhẹ|không đổi}, {dặn ăn bớt mặn|dặn uống đủ nước|theo dõi tiếp}.",
}

var comeAgain = []string{
	"Hẹn khám lại ngày <ngày>.", "Tái khám sau [5-14] ngày, mang theo sổ.", "{Nặng hơn|Không đỡ sau [2-4] ngày} thì đến trạm ngay.",
	"Y tế thôn ghé thăm ngày <ngày>.", "Gọi trạm khi cần, phiếu số <số>.", "Không cần khám lại nếu ổn.",
}

type reason struct {
	reason, found string
	advice        []string
}

var visitsOfSmall = []reason{
	{"Ho, sốt", "Cháu <tên> {ho đờm|ho khan|ho về đêm} [2-6] ngày, sốt 38,[0-9] độ, {họng đỏ|mũi chảy nước trong|amidan sưng nhẹ}, phổi {trong|thông khí đều}, ăn {được|kém hơn mọi ngày}.",
		[]string{"Hạ sốt paracetamol theo cân nặng, cách [4-6] giờ, cho uống nhiều nước.", "Rửa mũi nước muối [3-5] lần mỗi ngày, chưa cần kháng sinh.", "Dặn đếm nhịp thở khi ngủ, trên [40-50] lần một phút thì đưa đi ngay."}},
	{"Tiêu chảy", "Đi ngoài [4-9] lần mỗi ngày, phân {lỏng|nhiều nước|có nhầy}, nôn [0-3] lần, {mắt không trũng|uống háo hức|còn nước mắt}.",
		[]string{"Pha oresol [1-2] gói mỗi ngày đúng [200-250] ml, kẽm [10-20] mg trong [10-14] ngày.", "Tiếp tục cho bú, ăn cháo {thịt băm|cà rốt}, không tự mua thuốc cầm.", "Hướng dẫn {chị|anh} <nhà> rửa tay, ăn chín."}},
	{"Khám dinh dưỡng", "Cháu <tên> nặng thêm [1-7] lạng so với tháng trước, {biểu đồ đi lên|biểu đồ đi ngang}, ăn [3-5] bữa.",
		[]string{"Thêm {một thìa dầu|quả trứng|ít cá} vào bát bột mỗi ngày.", "Tẩy giun khi đủ 24 tháng, vitamin A đợt {tháng 6|tháng 12}.", "Mời {mẹ|bà} dự buổi thực hành nấu ăn ở <thôn>."}},
	{"Nổi ban", "Ban đỏ {ở mặt và ngực|sau tai lan xuống|lòng bàn tay, bàn chân} từ [1-3] ngày, {không ngứa|ngứa ít}, {không sốt|sốt nhẹ 37,[5-9] độ}.",
		[]string{"Cho nghỉ lớp [3-7] ngày, vệ sinh đồ chơi, theo dõi giật mình.", "Tắm nước ấm, cắt móng tay, không bôi lá.", "Báo cáo theo dõi dịch, phiếu <số>."}},
	{"Khám sau sinh cho bé", "Bé <tên> {rốn rụng khô|rốn còn ướt}, da {hồng|vàng nhẹ}, bú mẹ [8-12] lần mỗi ngày, tiểu [5-8] lần.",
		[]string{"Dặn cho bú hoàn toàn đến 6 tháng.", "Phơi nắng sớm [10-15] phút, giữ ấm.", "Hẹn tiêm chủng ở <thôn>."}},
}

var visitsOfSchool = []reason{
	{"Khám sức khỏe học sinh", "Cháu <tên> thị lực {10/10|8/10|6/10}, răng {sâu [1-3] cái|tốt}, cột sống {thẳng|hơi lệch}, tim phổi bình thường.",
		[]string{"Nhắc ngồi học cách bàn [25-35] cm, đủ sáng.", "Đi khám {mắt|răng} ở trung tâm y tế trong tháng.", "Ăn sáng trước khi đến trường, ngủ trước [21-22] giờ."}},
	{"Đau bụng", "Đau quanh rốn [1-3] ngày, {không sốt|sốt 37,[5-8] độ}, bụng mềm, ấn {không đau|đau nhẹ}, đi ngoài bình thường.",
		[]string{"Tẩy giun một liều, theo dõi tại nhà.", "Nếu đau chuyển sang bên phải thì đi viện ngay.", "Ăn nhẹ, uống nước ấm, nghỉ học [1-2] ngày."}},
	{"Ngã xe, xây xát", "Ngã xe đạp ngày <ngày>, xước {đầu gối|khuỷu tay|cẳng chân} [2-8] cm, không gãy, tỉnh táo.",
		[]string{"Rửa nước muối, băng gạc, thay băng sau [1-2] ngày.", "Đã hỏi mũi uốn ván, còn đủ.", "Theo dõi nôn, đau đầu trong [24-48] giờ."}},
	{"Viêm họng", "Đau họng [2-5] ngày, amidan {sưng|có mủ}, sốt 38,[0-6] độ, hạch cổ {nhỏ|không sờ thấy}.",
		[]string{"Súc miệng nước muối, {amoxicillin theo cân nặng [5-7] ngày|chưa dùng kháng sinh}.", "Không uống nước đá, nghỉ học [1-3] ngày.", "Uống đủ thuốc dù đã đỡ."}},
}

var visitsOfGrown = []reason{
	{"Đau lưng", "Đau thắt lưng sau {gánh vải|bốc hàng|cúi lâu ngoài đồng} [2-12] ngày, {không tê chân|tê nhẹ chân trái}, đi lại được.",
		[]string{"Nghỉ việc nặng [3-7] ngày, chườm ấm, giảm đau theo đơn số <số>.", "Tập duỗi lưng [10-15] phút mỗi sáng.", "Chụp X-quang nếu sau [2-3] tuần không đỡ."}},
	{"Đau dạ dày", "Đau thượng vị {lúc đói|sau ăn|về đêm}, ợ chua, [1-4] tuần nay, {không sụt cân|sụt [1-2] cân}.",
		[]string{"Bỏ rượu, cà phê, ăn đúng bữa, thuốc [14-28] ngày.", "Giấy giới thiệu nội soi số <số>.", "Kê thêm gối cao [10-15] cm khi ngủ."}},
	{"Ngộ độc thuốc bảo vệ thực vật", "Choáng, buồn nôn sau phun thuốc {vườn vải|vườn ổi} [2-5] giờ, huyết áp 1[1-3]0/[6-8]0, đồng tử bình thường.",
		[]string{"Tắm rửa, thay quần áo, theo dõi tại trạm [4-8] giờ, ổn định.", "Nhắc đeo khẩu trang, phun xuôi gió, không phun giữa trưa.", "Ghi sổ theo dõi ngộ độc số <số>."}},
	{"Cúm", "Sốt 38,[2-9] độ, đau người, ho khan [2-4] ngày, phổi trong, ăn kém.",
		[]string{"Nghỉ ngơi, uống nhiều nước, paracetamol khi sốt.", "Đeo khẩu trang trong nhà có trẻ nhỏ.", "Theo dõi khó thở."}},
	{"Vết thương do dao, cuốc", "Vết {đứt|rách} {ngón tay|bàn chân|cẳng tay} [1-6] cm khi {bẻ vải|phát cỏ|cắt cành}, máu đã cầm.",
		[]string{"Khâu [2-6] mũi, thay băng cách ngày, cắt chỉ sau [7-10] ngày.", "Tiêm uốn ván, hẹn mũi nhắc.", "Giữ khô, không ngâm nước ruộng."}},
	{"Khám sức khỏe định kỳ", "Anh chị <tên> huyết áp 1[0-3][0-9]/[6-8][0-9], tim đều, phổi trong, BMI [19-26],[0-9].",
		[]string{"Giảm rượu bia, đi bộ [20-40] phút mỗi ngày.", "Xét nghiệm máu, kết quả hẹn ngày <ngày>.", "Bình thường, năm sau khám lại."}},
}

var visitsOfMothers = []reason{
	{"Khám thai", "Thai [12-37] tuần, huyết áp 1[0-2]0/[6-7]0, cân tăng [2-11] kg, tim thai [130-155] lần một phút, {không phù|phù nhẹ chân}.",
		[]string{"Viên sắt mỗi ngày, tiêm uốn ván mũi [1-2].", "Siêu âm ở trung tâm y tế trước ngày <ngày>.", "Dặn dấu hiệu nguy hiểm: ra máu, đau đầu, thai ít máy."}},
	{"Khám phụ khoa", "Khám định kỳ, {không viêm|viêm nhẹ}, kinh đều [27-32] ngày.",
		[]string{"Thuốc đặt [6-10] ngày, giữ khô sạch.", "Tầm soát cổ tử cung đợt tới ở <thôn>.", "Tư vấn kế hoạch hóa gia đình, phiếu <số>."}},
	{"Khám sau sinh", "Sau sinh [3-42] ngày, {vết khâu khô|tử cung co tốt}, sữa về {nhiều|đủ}, tinh thần {vui|hơi mệt}.",
		[]string{"Ăn đủ, ngủ khi con ngủ, có người đỡ.", "Uống vitamin A, sắt thêm [30-60] ngày.", "Theo dõi sản dịch, sốt."}},
}

var visitsOfOld = []reason{
	{"Tăng huyết áp", "Cụ <tên> huyết áp 1[4-6][0-9]/[8-9][0-9], {đau đầu nhẹ|không đau đầu|chóng mặt khi đứng dậy}, uống thuốc {đều|quên [1-4] lần trong tuần}.",
		[]string{"Cấp thuốc [28-30] ngày, uống buổi sáng, đo tại nhà [2-3] lần mỗi tuần.", "Ăn bớt mắm muối, bỏ dưa cà muối.", "Nhờ <nhà> nhắc uống thuốc mỗi sáng."}},
	{"Đái tháo đường", "Đường huyết đói [6-11],[0-9], chân {không loét|chai nhẹ}, mắt {mờ ít|bình thường}, cân [44-66] kg.",
		[]string{"Tiếp tục metformin, ăn [3-5] bữa nhỏ, bớt cơm trắng.", "Kiểm tra bàn chân mỗi tối, không đi chân đất.", "Chuyển xét nghiệm HbA1c, giấy số <số>."}},
	{"Đau khớp gối", "Đau gối {phải|trái|hai bên} [2-9] tháng, {lục khục|cứng buổi sáng [10-25] phút}, lên xuống bậc khó.",
		[]string{"Chườm ấm, tập co duỗi [15-20] lần, giảm cân.", "Thuốc giảm đau khi cần, không tự mua thuốc gói.", "Dùng gậy bên chân lành."}},
	{"Ho kéo dài", "Ho đờm [2-8] tuần, {không sốt|gầy đi [1-3] kg}, phổi {ran ít|thông khí giảm nhẹ}, hút thuốc lào {đã bỏ|còn hút}.",
		[]string{"Lấy đờm xét nghiệm, trả kết quả ngày <ngày>.", "Giữ ấm, bỏ thuốc lào.", "Chụp phổi ở trung tâm y tế."}},
	{"Mất ngủ", "Ngủ [2-5] giờ mỗi đêm, hay thức lúc [1-4] giờ, {lo việc nhà|tiểu đêm [2-4] lần}.",
		[]string{"Không uống chè đặc sau [15-17] giờ, đi bộ buổi chiều.", "Tâm sen, vận động nhẹ, chưa dùng thuốc ngủ.", "Kiểm tra lại huyết áp lúc thức giấc."}},
	{"Khám người cao tuổi", "Buổi khám ở <thôn>: huyết áp 1[2-5][0-9]/[7-8][0-9], mắt {đục nhẹ|sáng}, tai {nghễnh ngãng|nghe rõ}, đi lại {vững|chậm}.",
		[]string{"Tiêm phòng cúm đợt tới, đăng ký số <số>.", "Giới thiệu khám mắt miễn phí ngày <ngày>.", "Ăn thêm cá, sữa, đi bộ [15-30] phút."}},
}
