package files_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"langso/browsertest"
	"langso/hooks"
	"langso/notify/sms"
	"langso/signin"
)

// inbox is where codes come by SMS.
type inbox struct {
	mu   sync.Mutex
	text string
}

func (i *inbox) Write(b []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.text += string(b)
	return len(b), nil
}

func (i *inbox) code() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	all := regexp.MustCompile(`\b\d{6}\b`).FindAllString(i.text, -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

// breaking cuts every third request for files: an upload's answer is lost, a
// download ends in the middle.
type breaking struct {
	http.Handler
	n    atomic.Int32
	cuts atomic.Int32
}

type halfWriter struct {
	http.ResponseWriter
	left int
}

func (h *halfWriter) Write(b []byte) (int, error) {
	if len(b) > h.left {
		_, _ = h.ResponseWriter.Write(b[:h.left])
		if f, ok := h.ResponseWriter.(http.Flusher); ok {
			f.Flush()
		}
		panic(http.ErrAbortHandler)
	}
	h.left -= len(b)
	return h.ResponseWriter.Write(b)
}

func (b *breaking) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/api/files/") || r.Method == "HEAD" || b.n.Add(1)%3 != 0 {
		b.Handler.ServeHTTP(w, r)
		return
	}
	b.cuts.Add(1)
	if r.Method == "GET" {
		b.Handler.ServeHTTP(&halfWriter{w, 700}, r)
		return
	}
	b.Handler.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// TestAPhotoInTheBrowser: Lan adds a photo to her goods in the app and Mai sees
// it in the market, over a road that breaks; nobody learns where it was taken.
func TestAPhotoInTheBrowser(t *testing.T) {
	sent := &inbox{}
	v := newVillage(t, func(o *hooks.Options) {
		o.SignIn = &signin.Service{SMS: &sms.Log{Out: sent}}
		o.Files = os.DirFS("../../pb_public")
		o.Now = time.Now
	})
	for person, number := range map[string]string{lan: "0912345678", mai: "0912345679"} {
		r, err := v.App.FindRecordById("persons", person)
		if err != nil {
			t.Fatal(err)
		}
		r.Set("phone_number", number)
		r.Set("born", "1990")
		if err := v.App.Save(r); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := v.App.NonconcurrentDB().NewQuery(`UPDATE duties SET "to" = ''`).Execute(); err != nil {
		t.Fatal(err)
	}
	v.Put(t, "products", "product00000001", map[string]any{"stall": "stall0000000001", "name": "Vải sớm", "unit": "kg", "category": "vai", "price": 45000, "stock": 10})
	v.Put(t, "products", "product00000002", map[string]any{"stall": "stall0000000001", "name": "Mật ong hoa vải", "unit": "chai", "category": "mat_ong", "price": 180000, "stock": 3})
	road := &breaking{Handler: v.Handler()}
	web := httptest.NewServer(road)
	defer web.Close()
	url := strings.Replace(web.URL, "127.0.0.1", "localhost", 1)
	enter := func(number string) *browsertest.Page {
		t.Helper()
		p := browsertest.Open(t, url, 360, 800)
		p.Load("")
		p.Fill("number", number)
		before := sent.code()
		p.Press("Gửi mã")
		p.Sees("Nhập mã")
		browsertest.Await(t, func() bool { return sent.code() != before })
		p.Fill("code", sent.code())
		p.Press("Vào")
		p.Sees("Chào", "Đã đồng bộ")
		return p
	}
	lans := enter("0912345678")
	lans.Visit("#/gian-hang/stall0000000001/hang/product00000001")
	lans.Sees("Thêm ảnh")
	lans.Until(fmt.Sprintf(`(() => {
		const bytes = Uint8Array.from(atob(%q), c => c.charCodeAt(0)), list = new DataTransfer(), input = document.querySelector('input[type=file]');
		list.items.add(new File([bytes], 'vai.jpg', { type: 'image/jpeg' }));
		input.files = list.files;
		input.dispatchEvent(new Event('change'));
		return true;
	})()`, base64.StdEncoding.EncodeToString(lychees(t))))
	lans.Sees("Đã lưu ảnh")
	lans.Until(`document.querySelector('.picture img')?.naturalWidth > 0`)
	lans.Shot("files-seller")
	name := ""
	browsertest.Await(t, func() bool {
		var n int
		err := v.App.DB().NewQuery(`SELECT count(*) FROM files WHERE EXISTS (SELECT 1 FROM products WHERE photos = files.hash)`).Row(&n)
		_ = v.App.DB().NewQuery(`SELECT photos FROM products WHERE id = 'product00000001'`).Row(&name)
		return err == nil && n == 1
	})
	lans.Visit("#/gian-hang/stall0000000001")
	lans.Press("Hàng của tôi")
	lans.Until(`document.querySelector('.row img.thumb')?.naturalWidth > 0`)
	lans.Shot("files-stall")

	mais := enter("0912345679")
	mais.Visit("#/cho")
	mais.Until(`document.querySelector('.row img.thumb')?.naturalWidth > 0`)
	mais.Shot("files-market")
	mais.Visit("#/cho/hang/product00000001")
	mais.Until(`document.querySelector('img.photo')?.naturalWidth > 96`)
	mais.Shot("files-product")
	if road.cuts.Load() < 2 {
		t.Errorf("the road broke %d times", road.cuts.Load())
	}
	for _, size := range []string{"", "?size=thumb", "?size=screen"} {
		w := v.key(mai).do("GET", "/api/files/"+name+size, nil)
		if w.Code != 200 || strings.Contains(w.Body.String(), "NHA-BA-LAN") {
			t.Errorf("%q: %d, with the position", size, w.Code)
		}
	}
	// When the goods are hidden from her, the photo leaves her phone.
	r, err := v.App.FindRecordById("products", "product00000001")
	if err != nil {
		t.Fatal(err)
	}
	r.Set("adult", true)
	r.Set("stall", "stall0000000001")
	if err := v.App.Save(r); err != nil {
		t.Fatal(err)
	}
	if _, err := v.App.NonconcurrentDB().NewQuery(`UPDATE persons SET born = '2015-01-01'`).Execute(); err != nil {
		t.Fatal(err)
	}
	mais.Visit("#/tai-khoan")
	mais.Press("Đồng bộ ngay")
	mais.Until(`new Promise(yes => { const r = indexedDB.open('langso-files'); r.onsuccess = () => { const q = r.result.transaction('files').objectStore('files').count(); q.onsuccess = () => { r.result.close(); yes(q.result === 0); }; }; })`)
}
