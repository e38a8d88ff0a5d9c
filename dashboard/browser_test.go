package dashboard_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"langso/browsertest"
)

// window is one browser window on the dashboard, signed in as Lan.
type window struct {
	t   *testing.T
	ctx context.Context
	url string
}

func (s *server) window(t *testing.T) *window {
	t.Helper()
	live := httptest.NewServer(s.handler)
	t.Cleanup(live.Close)
	page := browsertest.Open(t, live.URL, 1280, 800)
	w := &window{t, page.Ctx, live.URL}
	account := s.account(t, "lan")
	record, err := json.Marshal(map[string]any{"token": s.tokens["lan"], "record": map[string]any{"id": account.Id, "email": account.Email(), "collectionId": account.Collection().Id, "collectionName": "_superusers"}})
	if err != nil {
		t.Fatal(err)
	}
	w.run(chromedp.Navigate(live.URL+"/api/langso"),
		chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`localStorage.setItem("__pb_superusers__/_", %q)`, record)))
	return w
}

func (w *window) run(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		w.shot("failed")
		w.t.Fatalf("browser: %v\non the screen:\n%s", err, w.text())
	}
}

func (w *window) text() string {
	text, _ := chromedp.Run(w.ctx, chromedp.Evaluate[string](`document.body.innerText`))
	return text
}

// goes opens a page of the dashboard anew.
func (w *window) goes(hash string) {
	w.t.Helper()
	w.run(chromedp.Navigate("about:blank"), chromedp.Navigate(w.url+"/_/"+hash))
}

// sees waits until the words are on the screen.
func (w *window) sees(words ...string) {
	w.t.Helper()
	for _, word := range words {
		w.run(chromedp.Poll[chromedp.Void](fmt.Sprintf(`document.body.innerText.includes(%q)`, word), chromedp.WithPollingInterval(30*time.Millisecond)))
	}
}

// shot keeps a picture of the screen in the folder SHOTS names.
func (w *window) shot(name string) {
	w.t.Helper()
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		w.t.Logf("screenshot: %v", err)
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func TestDashboardInTheBrowser(t *testing.T) {
	s := serve(t)
	for i, p := range []map[string]any{
		{"person": tam, "label": "Máy của Tám", "app": "web/1.0.0", "seen": "2026-11-24T00:58:00Z"},
		{"person": tam, "label": "Máy bàn trạm y tế", "app": "web/0.9.2", "seen": "2026-11-16T00:58:00Z", "waiting": 11, "refused": 1, "parked": 2,
			"day": "2026-11-16", "up": 1240, "down": 88_300, "skew": -7200, "repairs": 2},
		{"person": hoa, "label": "Máy đã mất", "app": "cli/1.0.0", "seen": "2026-11-22T20:00:00Z", "blocked": true},
		{"person": hoa, "label": "Máy mới", "seen": ""},
	} {
		p["public_key"] = fmt.Sprintf("ed25519:%d", i)
		s.put(t, "phones", "", p)
	}
	w := s.window(t)

	w.goes("#/phones")
	w.sees("Máy của Tám", "2 phút trước", "8 ngày trước", "chưa lần nào", "Đang chặn")
	w.sees("Máy «Máy bàn trạm y tế» còn giữ 11 việc chưa gửi, 8 ngày chưa đồng bộ.", "Đồng hồ máy chậm 120 phút.", "đã phải sửa 2 lần", "1,2 kB / 88,3 kB")
	w.shot("phones")
	w.run(chromedp.EmulateViewport(360, 800))
	w.shot("phones-small")
	w.run(chromedp.EmulateViewport(1280, 800))
	w.run(chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll(".commune-check")].find(b => b.closest("tr").innerText.includes("Máy của Tám")).click()`))
	w.sees("Nhờ máy «Máy của Tám» kiểm tra dữ liệu?")
	w.run(chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll(".modal button, dialog button")].find(b => b.innerText.trim() === "Kiểm tra").click()`))
	w.sees("Đã nhờ kiểm tra")

	w.goes("#/collections?collection=health_entries")
	w.sees("Lý do mở", "Không mở")
	if strings.Contains(w.text(), secret) {
		t.Fatal("the secret is on the screen before a reason is given")
	}
	w.run(chromedp.SendKeys(`#commune-reason-text`, "Bà Hoa gọi điện nhờ sửa ngày khám"))
	w.shot("reason")
	w.run(chromedp.Click(`.commune-reason button[type=submit]`))
	w.sees(secret)
	w.shot("opened")
	if got := s.logged(t, hoa); len(got) != 1 || !strings.HasSuffix(got[0], "| Bà Hoa gọi điện nhờ sửa ngày khám") {
		t.Errorf("Hoa's log says %q", got)
	}

	w.goes("#/collections?collection=duties")
	w.sees("village_health", "Hồ sơ riêng")
	w.shot("duties")

	w.goes("#/phones")
	w.sees("đang mở, còn 15 phút", "Đóng lại")
	w.shot("open")
	w.run(chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll(".commune-actions button:not(.commune-check)")].find(b => b.closest("tr").innerText.includes("Máy của Tám")).click()`))
	w.sees("Chặn máy «Máy của Tám»")
	w.shot("block")

	w.goes("#/collections?collection=persons")
	w.sees("Lý do mở", "Không mở")
	w.run(chromedp.Click(`.commune-reason .modal-footer button[type=button]`))
	w.sees("Mục này là hồ sơ riêng. Xin nêu lý do trước khi mở.")
	if _, answer := s.ask("lan", "GET", "/api/collections/persons/records", ""); code(answer) != "reason_needed" {
		t.Errorf("a superuser who declines has persons open: %s", answer)
	}

	if status, answer := s.ask("lan", "POST", "/api/backups", `{"name":"a.zip"}`); status != 204 {
		t.Fatalf("make a backup: %d %s", status, answer)
	}
	w.goes("#/settings/backups")
	w.sees("a.zip")
	w.run(chromedp.Evaluate[chromedp.Void](`document.querySelector(".ri-download-line, .ri-download-2-line").closest("button").click()`))
	w.sees("mọi hồ sơ riêng của cả xã")
	w.shot("backup")
}
