package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/serviceworker"
	"github.com/chromedp/chromedp"

	"langso/browsertest"
	"langso/commune"
	"langso/hooks"
	"langso/notify/sms"
	"langso/notify/webpush"
	"langso/signin"
	"langso/villagetest"
)

// pushVillage is a commune with one villager, on a cable that can be pulled.
func pushVillage(t *testing.T, road *webpush.Sender, more ...func(*hooks.Options)) (s *villagetest.Server, inbox *messages, cable *plug, url string) {
	t.Helper()
	inbox = &messages{}
	s = villagetest.New(t, domains, append([]func(*hooks.Options){func(o *hooks.Options) {
		o.SignIn = &signin.Service{SMS: &sms.Log{Out: inbox}, WebPush: road}
		o.WebPush = road
		o.Files = os.DirFS("pb_public")
		o.Now = time.Now // the browser has a clock of its own
	}}, more...)...)
	s.Put(t, "villages", id("v"), map[string]any{"name": "Thôn Phúc Đình"})
	s.Put(t, "households", id("h"), map[string]any{"name": "Hộ", "village": id("v")})
	s.Put(t, "persons", id("lan"), map[string]any{"name": "Nguyễn Thị Lan", "born": "1990", "household": id("h"), "status": "active", "phone_number": "0912345678"})
	web, cable := plugged(t, s)
	return s, inbox, cable, strings.Replace(web.URL, "127.0.0.1", "localhost", 1)
}

// note puts a notice for Lan into the inbox, as a domain would.
func note(t *testing.T, s *villagetest.Server, name, title, link string, class commune.Class) {
	t.Helper()
	s.Put(t, "notices", id(name), map[string]any{"circle": "person:" + id("lan"), "kind": "dossier", "title": title, "body": "Xin mang bản sao tới.",
		"link": link, "class": int(class), "at": commune.Moment(time.Now())})
	if err := s.Absorb(); err != nil {
		t.Fatal(err)
	}
}

// signInAsLan signs in, and waits for the worker that hears wake-ups.
func signInAsLan(t *testing.T, w browsertest.Window, inbox *messages) {
	t.Helper()
	w.Load("")
	w.Fill("number", "0912345678")
	w.Press("Gửi mã")
	w.Sees("Nhập mã")
	browsertest.Await(t, func() bool { return inbox.code() != "" })
	w.Fill("code", inbox.code())
	w.Press("Vào")
	w.Sees("Chào", "Đã đồng bộ")
	w.Until(`navigator.serviceWorker.ready.then(r => r.active.scriptURL.endsWith('/worker.js'))`)
}

// TestAWakeUpInTheBrowser: the app is closed; a wake-up without a word arrives. The
// worker syncs in the background and shows what the inbox says, once however often it
// is woken; without a network it still shows something; a tap opens what it is about and
// marks it as read.
func TestAWakeUpInTheBrowser(t *testing.T) {
	t.Parallel()
	s, inbox, cable, url := pushVillage(t, webpush.New(webpush.Settings{}))
	p := browsertest.Open(t, url, 360, 800)
	signInAsLan(t, p, inbox)
	p.Visit("#/tai-khoan")
	p.Sees("Báo tin khi có việc mới")
	p.Shot("push-switch")
	if _, err := chromedp.CallBrowser(p.Ctx, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "notifications"}, Setting: browser.PermissionSettingGranted, Origin: url}); err != nil {
		t.Fatal(err)
	}

	registration := registrationOf(t, p)
	push := func(word string) {
		t.Helper()
		if _, err := chromedp.Call(p.Ctx, serviceworker.DeliverPushMessage, serviceworker.DeliverPushMessageParams{
			Origin: url, RegistrationID: registration(), Data: word}); err != nil {
			t.Fatal(err)
		}
	}
	// shown waits until the notices on the phone's screen are these.
	shown := func(want string) {
		t.Helper()
		p.Until(fmt.Sprintf(unhurried+`.then(r => r.getNotifications()).then(ns => ns.map(n => n.tag.slice(0, 2) + ':' + n.title).sort().join('|') === %q)`, want))
	}
	closed := func() { // no window of the app: only a page of the same server that runs no script of it
		t.Helper()
		p.Run(chromedp.Navigate("about:blank"), chromedp.Navigate(url+"/icon.svg"))
	}

	note(t, s, "n1", "Hồ sơ cần bổ sung", "#/tai-khoan", commune.Needed)
	closed()
	push(`{"t":"s","j":0,"g":"` + id("n1") + `","u":true}`)
	shown("n1:Hồ sơ cần bổ sung")
	push(`{"t":"s","j":0,"g":"` + id("n1") + `","u":true}`)
	push(`{"t":"s","j":0}`)
	shown("la:Làng Số|n1:Hồ sơ cần bổ sung")

	cable.pull(true)
	note(t, s, "n2", "Có kết quả", "", commune.Information)
	push(`{"t":"s","j":0,"g":"` + id("n2") + `"}`)
	shown("la:Làng Số|n1:Hồ sơ cần bổ sung|n2:Làng Số") // nothing but that there is something
	cable.pull(false)
	push(`{"t":"s","j":0,"g":"` + id("n2") + `"}`)
	shown("la:Làng Số|n1:Hồ sơ cần bổ sung|n2:Có kết quả") // in its place

	p.Load("#/")
	p.Sees("Chào")
	tap(p, id("n1"))
	p.Until(`location.hash === '#/tai-khoan'`)
	browsertest.Await(t, func() bool {
		n, err := s.App.CountRecords("notice_marks")
		return err == nil && n == 1
	})
	p.Until(unhurried + `.then(r => r.getNotifications({ tag: '` + id("n1") + `' })).then(ns => ns.length === 0)`)
}

// TestAnEmergencyDoesNotWaitForTheNetwork: the road is jammed when a wake-up says that
// somebody should look now. Something is on the screen at once, and sounds; the words
// take its place without a second sound. What was read on another phone meanwhile is
// taken away, and something quiet stands there, or nothing when the app is before the
// person's eyes. An ordinary one waits for its words, but not for ever.
func TestAnEmergencyDoesNotWaitForTheNetwork(t *testing.T) {
	t.Parallel()
	s, inbox, cable, url := pushVillage(t, webpush.New(webpush.Settings{}))
	p := browsertest.Open(t, url, 360, 800)
	signInAsLan(t, p, inbox)
	if _, err := chromedp.CallBrowser(p.Ctx, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "notifications"}, Setting: browser.PermissionSettingGranted, Origin: url}); err != nil {
		t.Fatal(err)
	}
	registration := registrationOf(t, p)
	last := ""
	push := func(word string) {
		t.Helper()
		last = word
		if _, err := chromedp.Call(p.Ctx, serviceworker.DeliverPushMessage, serviceworker.DeliverPushMessageParams{
			Origin: url, RegistrationID: registration(), Data: word}); err != nil {
			t.Fatal(err)
		}
	}
	onScreen := unhurried + `.then(r => r.getNotifications()).then(ns => ns.map(n => [n.tag.slice(0, 2), n.title, n.body, n.silent ? 'quiet' : 'sounds', n.renotify ? 'again' : 'once'].join('/')).sort().join('|'))`
	shown := func(want ...string) {
		t.Helper()
		// A wake-up may be lost, here as on the way from a push service: it comes again.
		for tries := 0; ; tries++ {
			ctx, cancel := context.WithTimeout(p.Ctx, 6*time.Second)
			err := chromedp.Do(ctx, chromedp.Poll[chromedp.Void](onScreen+fmt.Sprintf(`.then(now => now === %q)`, strings.Join(want, "|"))))
			cancel()
			if err == nil {
				return
			}
			if tries == 5 {
				p.Fail(err)
			}
			push(last)
		}
	}
	const anything = "/Làng Số/Xã có thông báo cần xem ngay. Chạm để mở./sounds/once"

	p.Run(chromedp.Navigate("about:blank"), chromedp.Navigate(url+"/icon.svg")) // before: the app would fetch it itself
	note(t, s, "n1", "Bão số 9", "", commune.Emergency)
	road, release := cable.hold(t, "/api/sync", 0)
	push(`{"t":"s","j":0,"g":"` + id("n1") + `","u":true}`)
	shown("n1" + anything)
	browsertest.Await(t, func() bool { return road.waiting.Load() > 0 }) // it came before any answer
	release()
	storm := "n1/Bão số 9/Xin mang bản sao tới./quiet/once"
	shown(storm)

	note(t, s, "n2", "Đã đọc ở máy khác", "", commune.Needed)
	s.Put(t, "notice_marks", "", map[string]any{"person": id("lan"), "notice": id("n2"), "read_at": commune.Moment(time.Now())})
	if err := s.Absorb(); err != nil {
		t.Fatal(err)
	}
	_, release = cable.hold(t, "/api/sync", 0)
	push(`{"t":"s","j":0,"g":"` + id("n2") + `","u":true}`)
	shown(storm, "n2"+anything)
	release()
	over := "la/Làng Số/Việc vừa báo đã được xem, hoặc đã hết hạn./quiet/once"
	shown(over, storm)

	note(t, s, "n3", "Họp thôn", "", commune.Information)
	road, release = cable.hold(t, "/api/sync", 0)
	push(`{"t":"s","j":0,"g":"` + id("n3") + `"}`)
	browsertest.Await(t, func() bool { return road.waiting.Load() > 0 })
	shown(over, storm) // still without a word of it
	release()
	meeting := "n3/Họp thôn/Xin mang bản sao tới./quiet/once"
	shown(over, storm, meeting)

	// With the app open a wake-up about what was read leaves nothing behind.
	p.Load("#/")
	p.Sees("Chào", "Đã đồng bộ")
	_, release = cable.hold(t, "/api/sync", 0)
	push(`{"t":"s","j":0,"g":"` + id("n2") + `","u":true}`)
	shown(over, storm, "n2"+anything, meeting)
	release()
	shown(over, storm, meeting)

	if testing.Short() {
		return
	}
	p.Run(chromedp.Navigate("about:blank"), chromedp.Navigate(url+"/icon.svg"))
	cable.hold(t, "/api/sync", 0)
	push(`{"t":"s","j":0,"g":"` + id("n4") + `"}`)
	browsertest.Await(t, func() bool {
		now, err := chromedp.Run(p.Ctx, chromedp.Evaluate[string](onScreen, chromedp.EvalAwaitPromise))
		return err == nil && strings.Contains(now, "n4/Làng Số/Bà con có thông báo mới từ xã. Chạm để xem./quiet/once")
	})
}

// unhurried stands before a look at what lies on the screen. Chromium forgets a notice
// for which somebody looks in the moment that it is being shown, so nobody looks
// without a pause.
const unhurried = `new Promise(yes => setTimeout(yes, 400)).then(() => navigator.serviceWorker.ready)`

// registrationOf tells by which id Chromium knows the app's worker.
func registrationOf(t *testing.T, p *browsertest.Page) func() serviceworker.RegistrationID {
	t.Helper()
	var last atomic.Value
	if err := chromedp.Listen(p.Ctx, func(ev any) {
		if e, ok := ev.(*serviceworker.EventWorkerRegistrationUpdated); ok {
			for _, r := range e.Registrations {
				if strings.HasPrefix(r.ScopeURL, p.URL) && !r.IsDeleted {
					last.Store(r.RegistrationID)
				}
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(p.Ctx, serviceworker.Enable, struct{}{}); err != nil {
		t.Fatal(err)
	}
	browsertest.Await(t, func() bool { return last.Load() != nil })
	return func() serviceworker.RegistrationID { return last.Load().(serviceworker.RegistrationID) }
}

// tap fires the event of a tapped notice in the worker, which no command of the
// browser's does.
func tap(p *browsertest.Page, tag string) {
	p.T.Helper()
	targets, err := chromedp.Targets(p.Ctx)
	if err != nil {
		p.T.Fatal(err)
	}
	for _, target := range targets {
		if target.Type != "service_worker" || !strings.HasPrefix(target.URL, p.URL) {
			continue
		}
		ctx, cancel := chromedp.NewContext(p.Ctx, chromedp.WithTargetID(target.TargetID))
		p.T.Cleanup(cancel) // it ends the worker, too
		_, err := chromedp.Run(ctx, chromedp.Evaluate[int](fmt.Sprintf(`self.registration.getNotifications({ tag: %q }).then(ns => { for (const n of ns) self.dispatchEvent(Object.defineProperty(new NotificationEvent('notificationclick', { notification: n }), 'waitUntil', { value: () => {} })); return ns.length })`, tag), chromedp.EvalAwaitPromise))
		if err != nil {
			p.T.Fatal(err)
		}
		return
	}
	p.T.Fatal("no worker runs")
}
