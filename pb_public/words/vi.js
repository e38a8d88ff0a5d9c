// @ts-check
// Words for the codes that records carry. Sentences of one screen stand in that screen.

/** @param {Record<string, string>} of @param {any} code */
export const word = (of, code) => of[String(code ?? '')] ?? String(code ?? '');

export const healthKinds = { vaccination: 'Mũi tiêm', visit: 'Lần khám', measurement: 'Số đo', allergy: 'Dị ứng', no_allergy: 'Không dị ứng' };

export const vaccines = {
  HBV0: 'Viêm gan B sơ sinh', BCG: 'Lao (BCG)', PENTA: '5 trong 1', BOPV: 'Bại liệt uống', IPV: 'Bại liệt tiêm', MEASLES: 'Sởi', MV: 'Sởi', MR: 'Sởi – Rubella',
  JE: 'Viêm não Nhật Bản', DPT: 'Bạch hầu – Ho gà – Uốn ván', TD: 'Uốn ván – Bạch hầu', ROTA: 'Tiêu chảy Rota', PCV: 'Phế cầu', HPV: 'HPV', FLU: 'Cúm', RABIES: 'Dại', TT: 'Uốn ván', COVID: 'COVID-19',
};

/** A measurement: its name, unit and fields. */
export const measures = {
  bp: { name: 'Huyết áp', unit: 'mmHg', fields: [['systolic', 'Số trên (tâm thu)', '120'], ['diastolic', 'Số dưới (tâm trương)', '80']] },
  weight: { name: 'Cân nặng', unit: 'kg', fields: [['value', 'Cân nặng (kg)', '52,5']] },
  height: { name: 'Chiều cao', unit: 'cm', fields: [['value', 'Chiều cao (cm)', '158']] },
  glucose: { name: 'Đường huyết', unit: 'mmol/L', fields: [['value', 'Đường huyết (mmol/L)', '5,6']] },
  temperature: { name: 'Nhiệt độ', unit: '°C', fields: [['value', 'Nhiệt độ (°C)', '37']] },
};

export const sources = { measured: 'đo tại chỗ', told: 'tự khai', paper: 'chép từ giấy' };

/** The national status codes of a dossier, as a villager reads them. */
export const dossierStatus = {
  1: 'Mới nộp, chờ tiếp nhận', 2: 'Đã tiếp nhận', 3: 'Không được tiếp nhận', 4: 'Đang xử lý', 5: 'Cần bổ sung giấy tờ', 6: 'Cần nộp lệ phí',
  7: 'Đã rút hồ sơ', 8: 'Dừng xử lý', 9: 'Đã có kết quả', 10: 'Đã trả kết quả',
};

export const orderStates = { confirmed: 'Đã nhận đơn', rejected: 'Không bán được', packed: 'Đã gói hàng', delivered: 'Đã giao', cancelled: 'Đã hủy' };

export const units = { kg: 'kg', hop: 'hộp', chai: 'chai', lit: 'lít', qua: 'quả', bo: 'bó' };

export const categories = { vai: 'Vải', oi: 'Ổi', buoi: 'Bưởi', mat_ong: 'Mật ong', ruou: 'Rượu', gao: 'Gạo', rau: 'Rau', khac: 'Hàng khác' };

export const guardianKinds = { parent: 'cha mẹ', guardian: 'người giám hộ', granted: 'được cho phép' };

/** What an edit is about, for the list of what waits. */
export const collections = {
  health_entries: 'Sổ sức khỏe', drafts: 'Hồ sơ nháp', products: 'Hàng trong gian', stalls: 'Gian hàng', announcements: 'Tin loa', notice_marks: 'Đánh dấu đã đọc', broadcasts: 'Tin để gửi', errands: 'Việc cần ghé nhà', notice_choices: 'Cách nhận thông báo', persons: 'Thông tin người dân',
};

export const actions = {
  'publicservice.submit': 'Nộp hồ sơ', 'publicservice.step': 'Xử lý hồ sơ', 'market.order': 'Đặt hàng', 'market.step': 'Xử lý đơn hàng', 'market.sale': 'Bán tại chỗ',
  'broadcast.ask': 'Trình duyệt tin', 'broadcast.approve': 'Duyệt tin', 'broadcast.stop': 'Dừng tin',
  'sync.settle': 'Chọn giá trị đúng', 'sync.withdraw': 'Rút việc đã gửi',
  'people.grant': 'Cho người thân xem sổ', 'people.revoke_grant': 'Thôi cho xem sổ',
};
