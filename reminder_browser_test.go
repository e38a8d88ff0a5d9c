package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/serviceworker"
	"github.com/chromedp/chromedp"

	"langso/browsertest"
	"langso/notify/webpush"
)

// TestAnAppThatIsClosed: what the browser lets the worker do while no window is
// open. An hour that came is reminded of, once, whoever wakes first; what was written
// without a network is sent when there is one. The page says honestly what to expect.
func TestAnAppThatIsClosed(t *testing.T) {
	t.Parallel()
	s, inbox, cable, url := pushVillage(t, webpush.New(webpush.Settings{}))
	// The last seven o'clock in the morning.
	day := time.Now()
	if day.Hour() < 7 {
		day = day.AddDate(0, 0, -1)
	}
	hour := time.Date(day.Year(), day.Month(), day.Day(), 7, 0, 0, 0, day.Location())
	ahead := day.AddDate(0, 0, 3).Format(time.DateOnly)
	s.Put(t, "announcements", id("a1"), map[string]any{"title": "Họp thôn", "from": hour.Format(time.DateOnly)})
	s.Put(t, "announcements", id("a2"), map[string]any{"title": "Tiêm chủng", "from": ahead})
	must(t, s.Absorb())

	p := browsertest.Open(t, url, 360, 800)
	signInAsLan(t, p, inbox)
	says := func(words string) { t.Helper(); p.Load("#/cach-nhan"); p.Sees(words) }
	permit := func(setting browser.PermissionSetting) {
		t.Helper()
		_, err := chromedp.CallBrowser(p.Ctx, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: "notifications"}, Setting: setting, Origin: url})
		must(t, err)
	}
	permit(browser.PermissionSettingDenied)
	says("chưa được phép hiện thông báo nên không nhắc được")
	permit(browser.PermissionSettingGranted)
	says("chỉ nhắc được khi bà con mở ứng dụng")
	registration := registrationOf(t, p)

	plan := `new Promise(yes => { const r = indexedDB.open('langso-push'); r.onsuccess = () => { const q = r.result.transaction('small').objectStore('small').get('plan'); q.onsuccess = () => { r.result.close(); yes(q.result ?? {}) } } })`
	tag := func(name string) string { return "tin-" + id(name) }
	p.Until(fmt.Sprintf(`%s.then(p => Object.keys(p).join() === %q)`, plan, tag("a2")))
	closed := func() { t.Helper(); p.Run(chromedp.Navigate("about:blank"), chromedp.Navigate(url+"/icon.svg")) }
	shown := func(want string) {
		t.Helper()
		p.Until(fmt.Sprintf(`navigator.serviceWorker.getRegistration(%q).then(r => r.getNotifications()).then(ns => ns.map(n => n.title + ' ' + n.data.link).join('|') === %q)`, url+"/", want))
	}
	wake := func() {
		t.Helper()
		_, err := chromedp.Call(p.Ctx, serviceworker.DispatchPeriodicSyncEvent, serviceworker.DispatchPeriodicSyncEventParams{Origin: url, RegistrationID: registration(), Tag: "langso"})
		must(t, err)
	}
	closed()
	wake()
	// As if the phone had learned of the meeting the day before.
	p.Until(fmt.Sprintf(`new Promise(yes => { const r = indexedDB.open('langso-push'); r.onsuccess = () => { const tx = r.result.transaction('small', 'readwrite'), small = tx.objectStore('small'), q = small.get('plan');
		q.onsuccess = () => small.put({ ...q.result, %q: %d }, 'plan'); tx.oncomplete = () => { r.result.close(); yes(true) } } })`, tag("a1"), hour.UnixMilli()))
	shown("")
	// A browser drops the event while the last one of its name is at work still, so it is
	// told again until it has heard.
	lies := unhurried + `.then(r => r.getNotifications()).then(ns => ns.map(n => n.title + ' ' + n.data.link).join('|'))`
	browsertest.Await(t, func() bool {
		wake()
		now, err := chromedp.Run(p.Ctx, chromedp.Evaluate[string](lies, chromedp.EvalAwaitPromise))
		return err == nil && now == "Họp thôn #/tin/"+id("a1")
	})

	// The person swipes it away; neither the worker nor the app brings it back.
	p.Until(fmt.Sprintf(`navigator.serviceWorker.getRegistration(%q).then(r => r.getNotifications()).then(ns => ns.every(n => (n.close(), true)))`, url+"/"))
	synced := `new Promise(yes => { const r = indexedDB.open('langso'); r.onsuccess = () => { const q = r.result.transaction('small').objectStore('small').get('notes'); q.onsuccess = () => { r.result.close(); yes(q.result.synced) } } })`
	p.Until(synced + `.then(at => { globalThis.before = at; return true })`)
	// It was awake, and met the server.
	browsertest.Await(t, func() bool {
		wake()
		met, err := chromedp.Run(p.Ctx, chromedp.Evaluate[bool](synced+`.then(at => new Promise(yes => setTimeout(() => yes(at !== before), 200)))`, chromedp.EvalAwaitPromise))
		return err == nil && met
	})
	p.Load("#/")
	p.Sees("Chào", "Đã đồng bộ")
	shown("")
	p.Until(fmt.Sprintf(`%s.then(p => Object.keys(p).join() === %q)`, plan, tag("a2")))

	// Written without a network, sent by the worker when there is one.
	cable.pull(true)
	p.Load("#/suc-khoe/" + id("lan") + "/ghi/measurement")
	p.Fill("d_systolic", "120")
	p.Fill("d_diastolic", "80")
	p.Press("Lưu vào sổ")
	p.Sees("Huyết áp 120/80", "chờ gửi")
	p.Run(chromedp.Navigate("about:blank"))
	cable.pull(false)
	_, err := chromedp.Call(p.Ctx, serviceworker.DispatchSyncEvent, serviceworker.DispatchSyncEventParams{Origin: url, RegistrationID: registration(), Tag: "langso", LastChance: false})
	must(t, err)
	browsertest.Await(t, func() bool { n, err := s.App.CountRecords("health_entries"); return err == nil && n == 1 })
}
