package files

import (
	"errors"
	"net/http"
	"syscall"

	"langso/sync/files/picture"
	"langso/sync/phones"
	"langso/sync/wire"
)

// statusChecksum is tus's own: the bytes are not those that were announced.
const statusChecksum = 460

func refuse(status int, code, say string) error {
	return &wire.AskError{Status: status, Failure: wire.Failure{Code: code, Say: say}}
}

var (
	errNotFound = refuse(http.StatusNotFound, "not_found", "Không tìm thấy tệp này.")
	errAsk      = refuse(http.StatusBadRequest, "bad_ask", "Máy chủ không đọc được yêu cầu này.")
	errType     = refuse(http.StatusUnsupportedMediaType, "bad_type", "Chỉ nhận ảnh JPEG, PNG, WebP và tệp PDF. Tệp này hỏng hoặc thuộc loại khác.")
	errPixels   = refuse(http.StatusUnprocessableEntity, "too_many_pixels", "Ảnh quá lớn, hãy giảm kích thước ảnh rồi gửi lại.")
	errMany     = refuse(http.StatusTooManyRequests, "too_many_files", "Hôm nay bác đã gửi quá nhiều tệp, xin gửi tiếp vào ngày mai.")
	errChecksum = refuse(statusChecksum, "bad_checksum", "Dữ liệu hỏng trên đường đi, máy sẽ gửi lại.")
	errOffset   = refuse(http.StatusConflict, "offset", "Chỗ gửi tiếp không khớp, máy sẽ hỏi lại máy chủ.")
	errExpired  = refuse(http.StatusGone, "upload_expired", "Lần gửi này đã quá 7 ngày, máy sẽ gửi lại từ đầu.")
	errLocked   = refuse(http.StatusLocked, "busy", "Tệp này đang được gửi ở chỗ khác, xin thử lại sau.")
	errFull     = refuse(http.StatusInsufficientStorage, "disk_full", "Máy chủ hết chỗ ghi, sẽ tự gửi lại sau. Ảnh vẫn còn trên máy của bác.")
)

func (s *Store) tooBig() error {
	return &wire.AskError{Status: http.StatusRequestEntityTooLarge, Failure: wire.Failure{
		Code: "too_big", Say: "Tệp quá lớn, hãy chọn ảnh nhỏ hơn.", Limit: int(s.MaxBytes)}}
}

// answer writes what became of a request that was not answered yet. What is no
// refusal is logged, and told to nobody.
func (s *Store) answer(w http.ResponseWriter, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, syscall.ENOSPC) {
		err = errFull
		w.Header().Set("Retry-After", "60")
	}
	var f *wire.AskError
	if !errors.As(err, &f) {
		s.App.Logger().Error("a file's request failed", "error", err)
	}
	return phones.WriteError(w, err)
}

// inWords turns what is wrong with a picture into its refusal.
func inWords(err error) error {
	switch {
	case errors.Is(err, picture.ErrPixels):
		return errPixels
	case errors.Is(err, picture.ErrKind):
		return errType
	}
	return err
}
