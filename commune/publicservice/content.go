package publicservice

import (
	"encoding/json"
	"unicode/utf8"

	"langso/commune"
)

// Content is a filled-in form: a text a field.
type Content map[string]string

// Limits of a form, in fields, in characters and in bytes of JSON.
const (
	maxFields = 64
	maxKey    = 64
	maxText   = 4000
	maxForm   = 60 << 10
)

// readContent decodes a form and refuses what no form is.
func readContent(raw string) (Content, error) {
	var content Content
	if raw == "" || raw == `""` {
		return nil, nil
	}
	if len(raw) > maxForm {
		return nil, commune.Refuse("too_big", "Tờ khai dài quá, xin viết ngắn lại.")
	}
	if err := json.Unmarshal([]byte(raw), &content); err != nil {
		return nil, commune.Refuse("bad_content", "Tờ khai không đọc được, xin mở lại và điền lại.")
	}
	if len(content) > maxFields {
		return nil, commune.Refuse("bad_content", "Tờ khai có quá nhiều mục (nhiều nhất %d).", maxFields)
	}
	for key, text := range content {
		if key == "" || utf8.RuneCountInString(key) > maxKey || utf8.RuneCountInString(text) > maxText {
			return nil, commune.Refuse("bad_content", "Mỗi mục của tờ khai dài nhiều nhất %d chữ.", maxText)
		}
	}
	return content, nil
}
