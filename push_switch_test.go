package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/serviceworker"
	"github.com/chromedp/chromedp"
	"github.com/pocketbase/pocketbase/core"

	"langso/browsertest"
	"langso/commune"
	"langso/hooks"
	"langso/notify"
)

// standIn takes the place of Chromium's road to Google's push service, which no
// test can reach: it knows the subscriptions of one key, and forgets and refuses
// as a browser does. What is woken by it is Chromium's own worker.
const standIn = `{
	const made = %s, all = () => JSON.parse(localStorage.getItem('stand-in') ?? '{"calls":[]}');
	const put = (s, call) => localStorage.setItem('stand-in', JSON.stringify({ ...s, calls: [...s.calls, call] }));
	const sub = json => json && { endpoint: json.endpoint, toJSON: () => json, unsubscribe: async () => { put({ ...all(), now: undefined }, 'unsubscribe'); return true; } };
	PushManager.prototype.getSubscription = async () => sub(all().now);
	PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
		const key = btoa(String.fromCharCode(...applicationServerKey)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
		if (!userVisibleOnly || Notification.permission !== 'granted') throw new DOMException('not allowed', 'NotAllowedError');
		if (all().now) throw new DOMException('subscribed to another key', 'InvalidStateError');
		if (!made[key]) throw new DOMException('no push service', 'AbortError');
		put({ ...all(), now: made[key] }, 'subscribe');
		return sub(made[key]);
	};
}`

// TestTheSwitchInChromium: what the person sees and what the server knows while
// permission is denied, given and taken away, the push service is out of reach, the
// server gets another key, and the person switches it off. Messages are sealed for the
// subscription, opened with its keys, and handed to Chromium's worker.
func TestTheSwitchInChromium(t *testing.T) {
	t.Parallel()
	service, _, road := pushTown(t)
	s, inbox, _, url := pushVillage(t, road, func(o *hooks.Options) {
		o.Outbox = &notify.Outbox{Senders: []notify.Sender{road}, Now: time.Now}
	})
	p := browsertest.Open(t, url, 360, 800)
	// From the next page on the push service has a subscription for the key of now.
	subscribable := func(name string) {
		t.Helper()
		made := map[string]json.RawMessage{}
		if name != "" {
			made[road.PublicKey()] = json.RawMessage(service.Subscribe(name, road.PublicKey()))
		}
		text, err := json.Marshal(made)
		must(t, err)
		_, err = chromedp.Call(p.Ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: fmt.Sprintf(standIn, text)})
		must(t, err)
	}
	permit := func(setting browser.PermissionSetting) {
		t.Helper()
		_, err := chromedp.CallBrowser(p.Ctx, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: "notifications"}, Setting: setting, Origin: url})
		must(t, err)
	}
	phone := func() *core.Record {
		t.Helper()
		all, err := s.App.FindRecordsByFilter("phones", "person = {:p}", "-registered_at", 1, 0, map[string]any{"p": id("lan")})
		if err != nil || len(all) == 0 {
			t.Fatalf("no phone: %v", err)
		}
		return all[0]
	}
	stands := func(words, transport, name string) {
		t.Helper()
		p.Sees(words)
		if r := phone(); r.GetString("transport") != transport || name != "" && !strings.Contains(r.GetString("address"), "/push/"+name+`"`) {
			t.Fatalf("%q is on the screen, and the server wakes the phone by %q at %s", words, r.GetString("transport"), r.GetString("address"))
		}
	}
	flip := func() {
		t.Helper()
		p.Until(`(b => b && !b.disabled && (b.click(), true))(document.querySelector('[name=bao-tin]'))`)
	}
	account := func() { t.Helper(); p.Load("#/tai-khoan"); p.Sees("Báo tin khi có việc mới") }

	subscribable("")
	permit(browser.PermissionSettingDenied)
	signInAsLan(t, p, inbox)
	account()
	stands("Trình duyệt đang chặn thông báo", "", "")
	p.Until(`document.querySelector('[name=bao-tin]').disabled`)

	permit(browser.PermissionSettingGranted)
	account()
	flip()
	stands("Máy chưa nối được với dịch vụ báo tin", "", "")
	p.Sees("Đang tắt. Thông báo vẫn có")

	subscribable("one")
	account()
	flip()
	p.Sees("Đang bật. Có việc mới")
	stands("Đang bật. Có việc mới", "webpush", "one")
	p.Shot("push-on")

	registration := registrationOf(t, p)
	wake := func(key, title, name string) {
		t.Helper()
		n := commune.Notice{To: commune.Named("person", id("lan")), Key: key, Kind: "dossier", Title: title, Body: "Mang bản sao.", Link: "#/tai-khoan", Class: commune.Emergency}
		must(t, notify.Raise(s.App, n, time.Now()))
		must(t, s.Absorb())
		plain := ""
		browsertest.Await(t, func() bool {
			for _, m := range service.Take() {
				if m.Phone == name {
					plain = m.Plain
				}
			}
			return plain != ""
		})
		if !strings.Contains(plain, `"g":"`+notify.ID(n.To, n.Key)+`"`) || strings.Contains(plain, title) {
			t.Fatalf("the phone was told %s", plain)
		}
		_, err := chromedp.Call(p.Ctx, serviceworker.DeliverPushMessage, serviceworker.DeliverPushMessageParams{Origin: url, RegistrationID: registration(), Data: plain})
		must(t, err)
		p.Until(fmt.Sprintf(unhurried+`.then(r => r.getNotifications({ tag: %q })).then(ns => ns[0]?.title === %q)`, notify.ID(n.To, n.Key), title))
	}
	wake("n1", "Hồ sơ cần bổ sung", "one")

	// The server lost its key: at the next start of the app the phone is under the new one.
	must(t, os.Remove(filepath.Join(s.Dir(), "webpush.key")))
	s.Restart(t)
	subscribable("two")
	account()
	browsertest.Await(t, func() bool { return strings.Contains(phone().GetString("address"), `/push/two"`) })
	stands("Đang bật. Có việc mới", "webpush", "two")
	p.Until(`JSON.parse(localStorage.getItem('stand-in')).calls.join() === 'subscribe,unsubscribe,subscribe'`)
	wake("n2", "Có kết quả", "two")

	// The same again changes nothing; the phone is not subscribed anew each time.
	account()
	p.Sees("Đang bật. Có việc mới", "Đã đồng bộ")
	p.Until(`JSON.parse(localStorage.getItem('stand-in')).calls.length === 3`)

	// The person takes the permission away in the browser: it says so, and comes back as it was.
	permit(browser.PermissionSettingDenied)
	account()
	p.Sees("Trình duyệt đang chặn thông báo")
	permit(browser.PermissionSettingGranted)
	account()
	stands("Đang bật. Có việc mới", "webpush", "two")

	flip()
	p.Sees("Đang tắt. Thông báo vẫn có")
	stands("Đang tắt. Thông báo vẫn có", "none", "")
	p.Until(`JSON.parse(localStorage.getItem('stand-in')).calls.at(-1) === 'unsubscribe'`)

	// On again, and then the phone is handed on: nothing of hers stays on its screen, and nothing wakes it.
	flip()
	p.Sees("Đang bật. Có việc mới")
	stands("Đang bật. Có việc mới", "webpush", "two")
	p.Until(unhurried + `.then(r => r.getNotifications()).then(ns => ns.length >= 2)`)
	p.Press("Đăng xuất")
	p.Until(`[...document.querySelectorAll('dialog button')].some(b => b.innerText === 'Đăng xuất' && (b.click(), true))`)
	p.Sees("Đăng nhập")
	p.Until(unhurried + `.then(r => r.getNotifications()).then(ns => ns.length === 0)`)
	p.Until(`JSON.parse(localStorage.getItem('stand-in')).now === undefined`)
	if got := phone().GetString("transport"); got != "none" {
		t.Errorf("after she signed out the server wakes the phone by %q", got)
	}
	if faults := service.Faults(); len(faults) != 0 {
		t.Errorf("against the rules: %v", faults)
	}
}
