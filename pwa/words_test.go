package pwa_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// hard are words of those who make programs. Whoever is seventy reads past them.
var hard = regexp.MustCompile(`(?i)máy chủ|dữ liệu|cập nhật|hệ thống|phiên bản|thiết bị|xác thực|cấu hình|thao tác|truy cập|kết nối|hợp lệ|đồng bộ hóa|tải lên|tải xuống`)

// longest is how many syllables a sentence may have: two lines on a small phone
// with large letters are about twelve.
const longest = 22

// TestPlainWords reads every sentence of the app that is written in it.
func TestPlainWords(t *testing.T) {
	literal := regexp.MustCompile("'((?:[^'\\\\\n]|\\\\.)*)'|`((?:[^`\\\\]|\\\\.)*)`")
	comment := regexp.MustCompile(`(?s)/\*.*?\*/|(?:^|[\s])//[^\n]*`)
	vietnamese := regexp.MustCompile(`[À-ỹĐđ]`)
	ends := regexp.MustCompile(`[.;!?:]\s`)
	sentences := 0
	err := fs.WalkDir(os.DirFS("../pb_public"), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".js") {
			return err
		}
		src, err := os.ReadFile("../pb_public/" + path)
		if err != nil {
			return err
		}
		for _, m := range literal.FindAllStringSubmatch(comment.ReplaceAllString(string(src), " "), -1) {
			text := m[1] + m[2]
			if !vietnamese.MatchString(text) || strings.HasPrefix(text, "Bản thử:") { // which only who tries the program reads
				continue
			}
			for _, s := range ends.Split(text, -1) {
				sentences++
				if w := hard.FindString(s); w != "" {
					t.Errorf("%s: %q is a word of programmers: %s", path, w, s)
				}
				if n := len(strings.Fields(s)); n > longest {
					t.Errorf("%s: %d syllables in one breath: %s", path, n, s)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if sentences < 300 {
		t.Errorf("only %d sentences were found", sentences)
	}
	t.Logf("%d sentences", sentences)
}
