package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"langso/browsertest"
	"langso/hooks"
	"langso/notify/sms"
	"langso/signin"
	"langso/villagetest"
)

// photograph stands in for the camera: a drawn paper goes into the form's field for photos.
const photograph = `(async () => {
	const paper = document.createElement('canvas');
	[paper.width, paper.height] = [600, 800];
	const pen = paper.getContext('2d');
	pen.fillStyle = '#fff'; pen.fillRect(0, 0, 600, 800);
	pen.fillStyle = '#000'; pen.font = '40px serif'; pen.fillText('GIẤY CHỨNG SINH ' + Math.random(), 40, 120);
	const blob = await new Promise(yes => paper.toBlob(yes, 'image/jpeg')), list = new DataTransfer(), input = document.querySelector('input[type=file]');
	list.items.add(new File([blob], 'giay.jpg', { type: 'image/jpeg' }));
	input.files = list.files;
	input.dispatchEvent(new Event('change'));
	return true;
})()`

// TestAPaperIsPhotographed: without a network a mother photographs a paper and
// hands the dossier in; the officer looks at the photo, asks for another, and
// gets it.
func TestAPaperIsPhotographed(t *testing.T) {
	inbox := &messages{}
	s := villagetest.New(t, domains, func(o *hooks.Options) {
		o.SignIn = &signin.Service{SMS: &sms.Log{Out: inbox}}
		o.Files = os.DirFS("pb_public")
		o.Now = time.Now
	})
	put := func(coll, name string, fields map[string]any) { t.Helper(); s.Put(t, coll, id(name), fields) }
	put("villages", "v", map[string]any{"name": "Thôn Phúc Đình"})
	put("households", "h", map[string]any{"name": "Hộ", "village": id("v")})
	put("persons", "lan", map[string]any{"name": "Nguyễn Thị Lan", "born": "1990", "household": id("h"), "status": "active", "phone_number": "0912345678"})
	put("persons", "mai", map[string]any{"name": "Đỗ Thị Mai", "born": "1990", "household": id("h"), "status": "active", "phone_number": "0912345679"})
	put("duties", "d1", map[string]any{"person": id("mai"), "role": "onestop"})
	put("procedures", "ks", map[string]any{"name": "Đăng ký khai sinh", "code": "1.001193", "active": true, "components": `[{"key":"chung_sinh","name":"Giấy chứng sinh","required":true}]`})
	web, cable := plugged(t, s)
	enter := func(number string, width int) *browsertest.Page {
		t.Helper()
		p := browsertest.Open(t, strings.Replace(web.URL, "127.0.0.1", "localhost", 1), width, 800)
		p.Load("")
		p.Fill("number", number)
		before := inbox.code()
		p.Press("Gửi mã")
		p.Sees("Nhập mã")
		browsertest.Await(t, func() bool { return inbox.code() != before })
		p.Fill("code", inbox.code())
		p.Press("Vào")
		p.Sees("Chào", "Đã đồng bộ")
		return p
	}
	lan := enter("0912345678", 360)
	lan.Until(`navigator.serviceWorker.ready.then(() => caches.keys()).then(ks => ks.length > 0)`)
	cable.pull(true)
	lan.Load("#/ho-so/moi/" + id("ks"))
	lan.Sees("Chụp ảnh giấy tờ")
	lan.Fill("c_chung_sinh", "số 7, bệnh viện huyện")
	lan.Until(photograph)
	lan.Sees("Đã lưu ảnh", "chờ gửi")
	lan.Until(`document.querySelector('.picture img')?.naturalWidth > 0`)
	lan.Shot("scan-write")
	lan.Press("Nộp hồ sơ")
	lan.Sees("Giấy tờ đã chụp (1 ảnh)", "chờ gửi")
	cable.pull(false)
	lan.Visit("#/tai-khoan")
	lan.Press("Đồng bộ ngay")
	lan.Sees("Không còn việc nào chờ gửi")

	files := func() (n int) {
		_ = s.App.DB().NewQuery(`SELECT count(*) FROM files`).Row(&n)
		return n
	}
	scans := ""
	browsertest.Await(t, func() bool {
		d, err := s.App.FindFirstRecordByData("dossiers", "person", id("lan"))
		if err != nil {
			return false
		}
		scans = d.GetString("scans")
		return files() == 1 && len(scans) == 64
	})
	mai := enter("0912345679", 1280)
	mai.Visit("#/mot-cua")
	mai.Press("Đăng ký khai sinh")
	mai.Press("Giấy tờ đã chụp (1 ảnh)")
	mai.Until(`document.querySelector('details img.photo')?.naturalWidth > 200`)
	mai.Shot("scan-desk")
	mai.Fill("to", "5")
	mai.Press("Ghi bước này")
	mai.Sees("Xin ghi lời cho người dân")
	mai.Fill("say", "Chụp lại mặt sau giúp ạ")
	mai.Press("Ghi bước này")
	browsertest.Await(t, func() bool {
		d, err := s.App.FindFirstRecordByData("dossiers", "person", id("lan"))
		return err == nil && d.GetInt("status") == 5
	})
	lan.Press("Đồng bộ ngay")
	lan.Visit("#/ho-so")
	lan.Press("Đăng ký khai sinh")
	lan.Press("Bổ sung giấy tờ")
	lan.Sees("Chụp lại mặt sau giúp ạ", "Chụp ảnh giấy tờ")
	lan.Until(photograph)
	lan.Sees("Đã lưu ảnh")
	lan.Press("Gửi bổ sung")
	browsertest.Await(t, func() bool {
		d, err := s.App.FindFirstRecordByData("dossiers", "person", id("lan"))
		return err == nil && files() == 2 && d.GetInt("status") == 1 && strings.HasPrefix(d.GetString("scans"), scans+" ")
	})
	lan.Sees("Giấy tờ đã chụp (2 ảnh)")
	lan.Shot("scan-answered")
}
