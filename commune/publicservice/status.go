package publicservice

import "strconv"

// Status is a national status code of a dossier (TrangThai, 1–10).
type Status int

// The ten national codes.
const (
	Registered   Status = 1
	Accepted     Status = 2
	NotAccepted  Status = 3
	Processing   Status = 4
	NeedsPapers  Status = 5
	NeedsPayment Status = 6
	Withdrawal   Status = 7
	Stopped      Status = 8
	Done         Status = 9
	Returned     Status = 10
)

var words = map[Status]string{
	Registered:   "Mới đăng ký",
	Accepted:     "Được tiếp nhận",
	NotAccepted:  "Không được tiếp nhận",
	Processing:   "Đang xử lý",
	NeedsPapers:  "Yêu cầu bổ sung giấy tờ",
	NeedsPayment: "Yêu cầu thực hiện nghĩa vụ tài chính",
	Withdrawal:   "Công dân yêu cầu rút hồ sơ",
	Stopped:      "Dừng xử lý",
	Done:         "Đã xử lý xong",
	Returned:     "Đã trả kết quả",
}

// String returns the status in the words of the national list.
func (s Status) String() string {
	if w, ok := words[s]; ok {
		return w
	}
	return "trạng thái " + strconv.Itoa(int(s))
}

// Valid tells whether s is one of the ten codes.
func (s Status) Valid() bool { return words[s] != "" }
