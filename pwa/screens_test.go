package pwa_test

import (
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"langso/browsertest"
	"langso/pwa"
)

// screens are all places of the app, with words that each must show.
var screens = []struct{ name, hash, words string }{
	{"home", "#/", "Tin mới"},
	{"health", "#/suc-khoe", "Sổ của tôi"},
	{"health-book", "#/suc-khoe/lan000000000000", "2 ý kiến"},
	{"health-entry", "#/suc-khoe/lan000000000000/e00000000000003", "2 ý kiến khác nhau"},
	{"health-danger", "#/suc-khoe/lan000000000000/e00000000000001", "Huyết áp rất cao"},
	{"health-measure", "#/suc-khoe/lan000000000000/ghi/measurement", "tâm thu"},
	{"health-vaccination", "#/suc-khoe/con000000000000/ghi/vaccination", "Số lô"},
	{"health-allergy", "#/suc-khoe/con000000000000/ghi/allergy", "Dị ứng với gì"},
	{"health-no-allergy", "#/suc-khoe/con000000000000/ghi/no_allergy", "Hỏi ngày nào"},
	{"health-not-asked", "#/suc-khoe/con000000000000", "Chưa hỏi về dị ứng"},
	{"health-visit", "#/suc-khoe/con000000000000/ghi/visit", "Thuốc đã cho"},
	{"health-amend", "#/suc-khoe/lan000000000000/e00000000000001/dinh-chinh", "Vì sao đính chính"},
	{"dossiers", "#/ho-so", "Cần bổ sung"},
	{"procedures", "#/ho-so/moi", "Đăng ký khai sinh"},
	{"dossier-write", "#/ho-so/moi/p00000000000001", "Giấy chứng sinh"},
	{"dossier", "#/ho-so/d00000000000001", "Các bước"},
	{"market", "#/cho", "45.000 đ"},
	{"product", "#/cho/hang/h0000000000000a", "Thành tiền"},
	{"stall", "#/cho/gian/s00000000000001", "Nơi nhận hàng"},
	{"sheet", "#/cho/gian/s00000000000001/dat", "Chưa chọn món nào"},
	{"orders", "#/don-hang", "Đã nhận đơn"},
	{"order", "#/don-hang/o00000000000001", "Tổng cộng"},
	{"inbox", "#/thong-bao", "Gửi cho tôi"},
	{"notice", "#/thong-bao/n00000000000001", "Hẹn trả ngày 1/12"},
	{"announcement", "#/tin/a00000000000001", "sổ tiêm của cháu"},
	{"account", "#/tai-khoan", "Ai đã xem hồ sơ"},
	{"courier", "#/gui-giup", "Mang giúp hàng xóm"},
	{"station", "#/tram", "Trần Gia Bảo"},
	{"queue", "#/mot-cua", "Chờ dân (1)"},
	{"queue-dossier", "#/mot-cua/d00000000000002", "Bước tiếp theo"},
	{"persons", "#/nguoi-dan", "Trần Gia Bảo"},
	{"person", "#/nguoi-dan/con000000000000", "Nộp hồ sơ hộ"},
	{"person-correct", "#/nguoi-dan/con000000000000/sua", "Vì sao sửa"},
	{"person-corrected", "#/nguoi-dan/sau000000000000", "giấy khai sinh số 12"},
	{"counter", "#/gian-hang/s00000000000001", "Cần gói"},
	{"goods-new", "#/gian-hang/s00000000000001/them", "Bày bán"},
	{"dossier-answer", "#/ho-so/d00000000000001/bo-sung", "Gửi bổ sung"},
	{"counter-order", "#/gian-hang/s00000000000001/don/o00000000000001", "Đã gói hàng"},
	{"goods", "#/gian-hang/s00000000000001/hang/h0000000000000a", "Bán tại chỗ"},
	{"broadcast", "#/truyen-thanh", "Viết tin mới"},
	{"broadcast-write", "#/truyen-thanh/moi", "Đăng tin"},
	{"broadcast-compose", "#/truyen-thanh/soan", "Lưu và xem trước"},
	{"broadcast-preview", "#/truyen-thanh/b00000000000001", "mỗi tin 1 phần"},
	{"broadcast-arrival", "#/truyen-thanh/b00000000000002", "1.780 trên 2.400"},
	{"errands", "#/viec-thon", "Đã ghé báo"},
	{"choices", "#/cach-nhan", "Yên lặng từ"},
	{"settling", "#/viec-cho", "Trần Gia Bảo"},
	{"settling-birth", "#/viec-cho/w00000000000001", "Lấy của người gửi"},
	{"settling-deletion", "#/viec-cho/w00000000000002", "Giữ lại hay xóa"},
}

// everything is the standing of somebody with every duty of the commune.
var everything = []string{"commune", "market", "person:lan000000000000", "duty:onestop", "duty:broadcast", "station:t1", "stall:s00000000000001", "duty:leader", "village-head:v00000000000001"}

// flaws lists what an elderly reader, or one who listens to the screen, stumbles
// over: a page wider than the screen, words that are cut, letters below 18 pixels,
// targets below 48, words too pale (WCAG 2.2, 1.4.3: 4.5 to 1), what has no name, words
// over each other, what is said twice.
const flaws = `(() => {
  const out = [], seen = el => el.offsetParent !== null && el.checkVisibility() && el.getClientRects().length > 0;
  if (document.documentElement.scrollWidth > innerWidth + 1) out.push('wider than the screen: ' + document.documentElement.scrollWidth);
  for (const el of document.querySelectorAll('a, button, input, select, textarea, summary')) {
    if (!seen(el)) continue;
    const target = el.closest('label.check') ?? el, r = target.getBoundingClientRect();
    if (r.height < 47.5 && !el.closest('dd')) out.push('target of ' + Math.round(r.height) + ' px: ' + (el.innerText || el.name));
    if (r.right > innerWidth + 1 || r.left < -1) out.push('beyond the edge: ' + (el.innerText || el.name));
  }
  for (const el of document.querySelectorAll('body *')) {
    if (!seen(el) || ![...el.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    if (parseFloat(getComputedStyle(el).fontSize) < 17) out.push('letters of ' + getComputedStyle(el).fontSize + ': ' + el.innerText.slice(0, 40));
    if ((el.scrollWidth > el.clientWidth + 1 || el.scrollHeight > el.clientHeight + 8) && getComputedStyle(el).overflow === 'hidden') out.push('cut: ' + el.innerText.slice(0, 40));
  }
  const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const rgb = s => s.match(/[\d.]+/g).map(Number), ground = el => { for (; el; el = el.parentElement) { const c = rgb(getComputedStyle(el).backgroundColor); if (c.length < 4 || c[3] > 0.9) return c; } return [255, 255, 255]; };
  for (const el of document.querySelectorAll('body *')) {
    if (!seen(el) || el.disabled || ![...el.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const [a, b] = [light(rgb(getComputedStyle(el).color).slice(0, 3)), light(ground(el).slice(0, 3))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) out.push('too pale: ' + el.innerText.slice(0, 40));
  }
  for (const el of document.querySelectorAll('[placeholder]')) {
    const [a, b] = [light(rgb(getComputedStyle(el, '::placeholder').color).slice(0, 3)), light(ground(el).slice(0, 3))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) out.push('too pale: ' + el.placeholder);
  }
  for (const el of document.querySelectorAll('a, button, summary, input, select, textarea, img:not([alt=""]), [role=group]')) {
    if (seen(el) && !(el.getAttribute('aria-label') || el.labels?.length || el.getAttribute('alt') || (!['INPUT', 'SELECT', 'TEXTAREA'].includes(el.tagName) && el.getAttribute('role') !== 'group' && el.innerText.trim()))) out.push('without a name: ' + el.outerHTML.slice(0, 80));
  }
  if ([...document.querySelectorAll('main .button.main')].filter(seen).length > 2) out.push('too many main actions');
  const words = [...document.querySelectorAll('main *, header *')].filter(seen).flatMap(el => [...el.childNodes].filter(n => n.nodeType === 3 && n.textContent.trim()).map(n => { const r = document.createRange(); r.selectNodeContents(n); return { el, n, rects: [...r.getClientRects()], bar: !!el.closest('header') }; }));
  for (const [i, a] of words.entries()) for (const b of words.slice(i + 1)) {
    if (a.bar === b.bar && a.rects.some(p => b.rects.some(q => Math.min(p.right, q.right) - Math.max(p.left, q.left) > 3 && Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 0.45 * Math.min(p.height, q.height)))) out.push('over each other: ' + a.n.textContent.slice(0, 30) + ' / ' + b.n.textContent.slice(0, 30));
  }
  const said = [...document.querySelectorAll('main p')].filter(seen).map(p => p.innerText.split(' ').slice(0, 6).join(' ')).filter(w => w.split(' ').length === 6);
  for (const w of said) if (said.indexOf(w) !== said.lastIndexOf(w)) out.push('said twice: ' + w);
  if (/undefined|NaN|\[object/.test(document.body.innerText)) out.push('a hole in the words');
  return out.join('\n');
})()`

func TestEveryScreenFits(t *testing.T) {
	site, err := pwa.Load(os.DirFS("../pb_public"))
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []struct {
		name          string
		width, height int
	}{{"phone", 360, 800}, {"letters twice as large", 180, 400}, {"on its side", 800, 360}, {"desk", 1280, 800}} {
		t.Run(size.name, func(t *testing.T) {
			f := newFake(t, site)
			f.circles = everything
			f.furnish()
			f.put("broadcasts", "b00000000000001", map[string]any{"title": "Mời họp thôn bàn việc nước sạch", "body": "19 giờ tại nhà văn hóa.", "class": 2, "state": "asked", "by": "minh00000000000", "people": 612, "phones": 340, "texts": 41})
			f.put("broadcasts", "b00000000000002", map[string]any{"title": "Bão số 5", "class": 1, "state": "sent", "sent_at": "2026-11-24 01:00:00.000Z", "people": 2900, "phones": 2400, "woken": 1780, "received": 1500, "read": 900, "texted": 210, "errands": 12})
			f.put("errands", "g00000000000001", map[string]any{"village": "v00000000000001", "names": "Nguyễn Văn Bình, Trần Thị Hoa", "state": "open", "at": "2026-11-24 01:00:00.000Z"})
			f.put("parked_edits", "w00000000000001", map[string]any{"phone": "phonez", "n": 4, "coll": "persons", "record": "con000000000000", "code": "needs_person", "maker": "Lê Thị Yến", "at": "2026-11-24 02:10:00.000Z", "state": "waiting",
				"edit": map[string]any{"n": 4, "coll": "persons", "id": "con000000000000", "at": "2026-11-22T08:00:00Z", "change": map[string]any{"born": "2024-05-16", "name": "Trần Gia Bảo Anh"}}, "theirs": map[string]any{"born": map[string]any{"theirs": "2024-06-15"}}})
			f.put("parked_edits", "w00000000000002", map[string]any{"phone": "phonez", "n": 9, "coll": "products", "record": "h0000000000000d", "code": "changed_since", "maker": "Nguyễn Thị Mai", "at": "2026-11-24 03:10:00.000Z", "state": "waiting",
				"edit": map[string]any{"n": 9, "coll": "products", "id": "h0000000000000d", "at": "2026-11-24T02:00:00Z", "delete": true}})
			f.put("orders", "o00000000000001", map[string]any{"buyer": "lan000000000000", "stall": "s00000000000001", "state": "confirmed", "code": "PZ7K2M", "total": 135000,
				"lines": []map[string]any{{"product": "h0000000000000a", "name": "Vải thiều Phúc Hòa", "unit": "kg", "price": 45000, "quantity": 3}}, "placed_at": "2026-11-24 01:00:00.000Z", "note": "Cháu lấy buổi chiều ạ"})
			srv := httptest.NewServer(f)
			defer srv.Close()
			p := browsertest.Open(t, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), size.width, size.height)
			signIn(p)
			for _, s := range screens {
				p.Visit(s.hash)
				p.Sees(s.words)
				p.Shot(size.name + "-" + s.name)
				found, err := chromedp.Run(p.Ctx, chromedp.Evaluate[string](flaws))
				if err != nil {
					t.Fatal(err)
				}
				if found != "" {
					t.Errorf("%s at %d px:\n%s", s.hash, size.width, found)
				}
			}
		})
	}
}
