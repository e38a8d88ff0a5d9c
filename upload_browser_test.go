package main

import (
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"langso/browsertest"
	"langso/hooks"
	"langso/notify/sms"
	"langso/signin"
	"langso/villagetest"
)

// largePhoto is a photo of which little can be left out: more than a megabyte after the
// app has drawn it anew.
const largePhoto = `(async () => {
	const paper = document.createElement('canvas'), pen = paper.getContext('2d');
	[paper.width, paper.height] = [1600, 1600];
	const dots = pen.createImageData(1600, 1600);
	for (let i = 0; i < dots.data.length; i += 65536) crypto.getRandomValues(dots.data.subarray(i, i + 65536));
	pen.putImageData(dots, 0, 0);
	const blob = await new Promise(yes => paper.toBlob(yes, 'image/jpeg', 0.9)), list = new DataTransfer(), input = document.querySelector('input[type=file]');
	list.items.add(new File([blob], 'giay.jpg', { type: 'image/jpeg' }));
	input.files = list.files;
	input.dispatchEvent(new Event('change'));
	return true;
})()`

// TestAPhotoSaysHowFarItIs: a large photo goes up in pieces. While it goes the app
// says the share and the bytes that the server has said it has; when the network goes it
// says that it goes on later and claims nothing more, also after the app was closed; and
// it does go on, not from the beginning. Who signs out before is asked.
func TestAPhotoSaysHowFarItIs(t *testing.T) {
	t.Parallel()
	inbox := &messages{}
	var begun, pieces atomic.Int32
	s := villagetest.New(t, domains, func(o *hooks.Options) {
		o.SignIn = &signin.Service{SMS: &sms.Log{Out: inbox}}
		o.Files = os.DirFS("pb_public")
		o.Now = time.Now
	})
	s.Put(t, "villages", id("v"), map[string]any{"name": "Thôn Phúc Đình"})
	s.Put(t, "households", id("h"), map[string]any{"name": "Hộ", "village": id("v")})
	s.Put(t, "persons", id("lan"), map[string]any{"name": "Nguyễn Thị Lan", "born": "1990", "household": id("h"), "status": "active", "phone_number": "0912345678"})
	s.Put(t, "procedures", id("ks"), map[string]any{"name": "Đăng ký khai sinh", "code": "1.001193", "active": true, "components": `[{"key":"chung_sinh","name":"Giấy chứng sinh","required":true}]`})
	web, cable := plugged(t, s)
	inner := web.Config.Handler
	web.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/files/uploads") {
			switch r.Method {
			case http.MethodPost:
				begun.Add(1)
			case http.MethodPatch:
				pieces.Add(1)
			}
		}
		inner.ServeHTTP(w, r)
	})
	p := browsertest.Open(t, strings.Replace(web.URL, "127.0.0.1", "localhost", 1), 360, 800)
	signInAsLan(t, p, inbox)

	road, release := cable.hold(t, "/api/files/uploads", 4) // 32, 64, 128 and 256 kB of it
	p.Visit("#/ho-so/moi/" + id("ks"))
	p.Sees("Chụp ảnh giấy tờ")
	p.Until(largePhoto)
	browsertest.Await(t, func() bool { return road.waiting.Load() == 1 })
	// What the fourth answer said: 491,520 bytes, a fifth or so of the whole.
	const share = `(() => { const all = document.querySelector('progress').max; return all > 1e6 && document.body.innerText.includes('Đang gửi: ' + Math.floor(491520 / all * 100) + '% (0,4 trên ' + String(Math.ceil(all / 1e5) / 10).replace('.', ',') + ' MB)') && document.querySelector('progress').value === 491520; })()`
	p.Until(share)
	p.Sees("1 việc chờ gửi")
	p.Shot("upload-going")
	p.Fill("c_chung_sinh", "mang bản giấy")
	p.Press("Nộp hồ sơ")
	p.Sees("Giấy tờ đã chụp (1 ảnh)", "Đang gửi: ")

	cable.pull(true)
	p.Sees("Mới gửi được 0,4 trên", "Có mạng thì gửi tiếp")
	p.Until(`!document.body.innerText.includes('Đang gửi')`)
	p.Shot("upload-cut")
	p.Load("#/tai-khoan")
	p.Sees("Ảnh:", "Mới gửi được 0,4 trên", "2 việc chờ gửi")
	p.Until(`!document.body.innerText.includes('Không còn việc nào chờ gửi')`)
	p.Shot("upload-closed")
	p.Press("Đăng xuất")
	p.Sees("CHƯA GỬI")
	p.Press("Thôi")

	release()
	cable.pull(false)
	before := pieces.Load()
	p.Press("Đồng bộ ngay")
	p.Sees("Không còn việc nào chờ gửi", "Đã đồng bộ")
	browsertest.Await(t, func() bool {
		n, err := s.App.CountRecords("dossiers")
		return err == nil && n == 1
	})
	var files int
	if err := s.App.DB().NewQuery(`SELECT count(*) FROM files`).Row(&files); err != nil || files != 1 {
		t.Errorf("%d files at the server (%v)", files, err)
	}
	if begun.Load() != 1 || pieces.Load() == before {
		t.Errorf("it was begun %d times, and went on with %d pieces", begun.Load(), pieces.Load()-before)
	}
}
