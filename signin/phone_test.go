package signin

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"rsc.io/qr"

	"langso/notify/webpush"
	"langso/signin/firebase"
)

func TestOneKeyIsOnePhone(t *testing.T) {
	v := newVillage(t)
	h := newHandset(t)
	first := v.signIn(h, "0912345678")
	v.wait(time.Hour)
	again := v.signIn(h, "0912345678")
	if first.Phone == "" || again.Phone != first.Phone {
		t.Errorf("the same key got %q, then %q", first.Phone, again.Phone)
	}
	if a := v.signIn(h, "0900000001"); a.Code != "bad_key" {
		t.Errorf("another person's number with this key: %s", a.raw)
	}
	v.wait(time.Hour)
	r := v.record("phones", first.Phone)
	r.Set("blocked", true)
	if err := v.app.Save(r); err != nil {
		t.Fatal(err)
	}
	if a := v.signIn(h, "0912345678"); a.Code != "phone_blocked" || !a.Wipe || a.Status != 403 {
		t.Errorf("a blocked phone signs in: %s", a.raw)
	}
	if n := v.count(`SELECT count(*) FROM phones`); n != 1 {
		t.Errorf("%d phones, want 1", n)
	}
}

func TestUnusableKeysCostNoTry(t *testing.T) {
	v := newVillage(t)
	code := v.code("0912345678")
	good := newHandset(t).public()
	// The last of 43 characters holds two bits that mean nothing.
	last := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", good[len(good)-1])
	twin := good[:len(good)-1] + string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last|1])
	if last&3 != 0 {
		t.Fatalf("a key that ends with %d", last)
	}
	for who, key := range map[string]string{
		"none":                  "",
		"another kind":          "rsa:AAAA",
		"too short":             "ed25519:AAAA",
		"not on the curve":      "p256:" + strings.Repeat("A", 87),
		"a second spelling":     twin,
		"a line break in it":    good[:20] + "\n" + good[20:],
		"no base64":             "ed25519:" + strings.Repeat("!", 43),
		"a stranger's sign-out": "out:" + id("lan"),
	} {
		t.Run(who, func(t *testing.T) {
			a := v.post("/api/phones/sign-in", map[string]string{"number": "0912345678", "code": code, "key": key}, nil)
			if a.Code != "bad_key" {
				t.Errorf("answered %s", a.raw)
			}
		})
	}
	if n := v.count(`SELECT tries FROM sign_in_codes`); n != 0 {
		t.Errorf("%d tries counted", n)
	}
	if a := v.post("/api/phones/sign-in", map[string]string{"number": "0912345678", "code": code, "key": good}, nil); a.Phone == "" {
		t.Errorf("the good key: %s", a.raw)
	}
}

func TestInvitationBringsAPhoneInOnce(t *testing.T) {
	v := newVillage(t)
	officer := newHandset(t)
	v.signIn(officer, "0900000001")
	v.service.SMS = nil // nobody needs messages for it
	a := v.post("/api/phones/invitation", map[string]string{"person": id("lan")}, officer)
	if a.Status != 200 || !strings.HasPrefix(a.Link, "https://xa.example/#/dang-nhap?moi=") {
		t.Fatalf("answered %s", a.raw)
	}
	at, err := url.Parse(a.Link)
	if err != nil {
		t.Fatal(err)
	}
	_, token, _ := strings.Cut(at.Fragment, "?moi=")
	if len(token) < 22 {
		t.Errorf("token %q holds less than 128 bits", token)
	}
	if n := v.count(`SELECT count(*) FROM invitations WHERE hash = '` + token + `' OR person != '` + id("lan") + `' OR "by" != '` + id("canbo") + `'`); n != 0 {
		t.Error("the token is stored, or for somebody else")
	}
	// Whoever holds it can be Lan: she is told.
	logged, err := v.app.FindFirstRecordByData("access_log", "person", id("lan"))
	if err != nil || logged.GetString("who") != "Bà canbo" {
		t.Errorf("not in the log of the person: %v", err)
	}

	h := newHandset(t)
	in := v.post("/api/phones/sign-in", map[string]string{"invitation": token, "key": h.public(), "label": "Máy của Lan"}, nil)
	if in.Phone == "" || in.Person.ID != id("lan") {
		t.Fatalf("answered %s", in.raw)
	}
	if b := v.post("/api/phones/sign-in", map[string]string{"invitation": token, "key": newHandset(t).public()}, nil); b.Code != "bad_invitation" {
		t.Errorf("a second time: %s", b.raw)
	}
}

func TestWhoseInvitationIsNoGood(t *testing.T) {
	v := newVillage(t)
	officer, lan := newHandset(t), newHandset(t)
	v.signIn(officer, "0900000001")
	v.signIn(lan, "0912345678")
	invite := func(by *handset, person string) answer {
		return v.post("/api/phones/invitation", map[string]string{"person": person}, by)
	}
	v.add("persons", "ong", map[string]any{"name": "Ông", "household": id("ho1"), "status": "dead"})
	for who, c := range map[string]struct {
		by           *handset
		person, code string
	}{
		"a villager":          {lan, id("lan"), "not_yours"},
		"nobody signed in":    {nil, id("lan"), "unknown_phone"},
		"for nobody":          {officer, id("nobody"), "not_found"},
		"for one who is dead": {officer, id("ong"), "not_found"},
	} {
		t.Run(who, func(t *testing.T) {
			if a := invite(c.by, c.person); a.Code != c.code {
				t.Errorf("answered %s, want %s", a.raw, c.code)
			}
		})
	}
	_, token, _ := strings.Cut(invite(officer, id("lan")).Link, "?moi=")
	late := map[string]string{"invitation": token, "key": newHandset(t).public()}
	bad := map[string]string{"invitation": token, "key": "ed25519:AAAA"}
	if a := v.post("/api/phones/sign-in", bad, nil); a.Code != "bad_key" {
		t.Errorf("a bad key: %s", a.raw)
	}
	v.wait(invitationLife)
	if a := v.post("/api/phones/sign-in", late, nil); a.Code != "bad_invitation" {
		t.Errorf("after ten minutes: %s", a.raw)
	}
	if a := v.post("/api/phones/sign-in", map[string]string{"invitation": "guess", "key": newHandset(t).public()}, nil); a.Code != "bad_invitation" {
		t.Errorf("a guess: %s", a.raw)
	}
	// The cell of MayInvite is asked at each invitation.
	v.service.MayInvite = nil
	if a := invite(officer, id("lan")); a.Code != "not_yours" {
		t.Errorf("when nobody may: %s", a.raw)
	}
}

// TestQRIsTheLink draws the SVG's squares again and compares them with the code.
func TestQRIsTheLink(t *testing.T) {
	const link = "https://xa.example/#/dang-nhap?moi=abc"
	svg, err := drawQR(link)
	if err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("no XML: %v", err)
		}
	}
	want, err := qr.Encode(link, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	_, path, _ := strings.Cut(svg, `/><path d="`)
	black := map[[2]int]bool{}
	for _, m := range runs.FindAllStringSubmatch(path, -1) {
		x, y, n := number(m[1]), number(m[2]), number(m[3])
		for i := range n {
			black[[2]int{x + i - 4, y - 4}] = true
		}
	}
	for y := -4; y < want.Size+4; y++ {
		for x := -4; x < want.Size+4; x++ {
			if black[[2]int{x, y}] != want.Black(x, y) {
				t.Fatalf("square %d,%d is wrong", x, y)
			}
		}
	}
}

func TestAddressWakesOnePhone(t *testing.T) {
	v := newVillage(t)
	old, now := newHandset(t), newHandset(t)
	v.signIn(old, "0912345678")
	v.signIn(now, "0900000001")
	set := func(h *handset, transport, address string) answer {
		return v.post("/api/phones/address", map[string]string{"transport": transport, "address": address}, h)
	}
	if a := set(old, "fcm", "token-1"); a.Status != 200 || a.raw != "{}\n" {
		t.Fatalf("answered %s", a.raw)
	}
	r := v.record("phones", old.id)
	r.Set("address_state", "gone")
	if err := v.app.Save(r); err != nil {
		t.Fatal(err)
	}
	set(old, "fcm", "token-1")
	if r := v.record("phones", old.id); r.GetString("address") != "token-1" || r.GetString("address_state") != "ok" || r.GetString("transport") != "fcm" {
		t.Errorf("registered again: %v %q", r.PublicExport(), r.GetString("address"))
	}
	// The same app on the same device, now another person's: the old one's notices
	// must not wake it.
	set(now, "fcm", "token-1")
	if r := v.record("phones", old.id); r.GetString("address") != "" || r.GetString("transport") != "none" {
		t.Errorf("the old phone keeps %q", r.GetString("address"))
	}
	set(now, "none", "")
	if r := v.record("phones", now.id); r.GetString("address") != "" || r.GetString("transport") != "none" {
		t.Errorf("forgotten: %q", r.GetString("address"))
	}
	for who, c := range map[string][2]string{
		"no address":      {"fcm", ""},
		"an unknown road": {"pigeon", "x"},
		"no road":         {"", "x"},
		"a huge address":  {"fcm", strings.Repeat("x", 4097)},
		"a bare endpoint": {"webpush", "https://push.example/1"},
	} {
		if a := set(now, c[0], c[1]); a.Code != "bad_address" {
			t.Errorf("%s: %s", who, a.raw)
		}
	}
}

// TestBrowserAddress: a subscription is taken as browsers write it, kept in one
// form, and believed only as an endpoint on the public network.
func TestBrowserAddress(t *testing.T) {
	v := newVillage(t)
	h := newHandset(t)
	v.signIn(h, "0912345678")
	const keys = `"keys":{"auth":"BTBZMqHH6r4Tts7J_aSIgg","p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"}`
	const kept = `{"endpoint":"https://push.example.net/1?a=1&b=2","keys":{"p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4","auth":"BTBZMqHH6r4Tts7J_aSIgg"}}`
	set := func(address any) answer {
		return v.post("/api/phones/address", map[string]any{"transport": "webpush", "address": address}, h)
	}
	subscription := `{"endpoint":"https://push.example.net/1?a=1&b=2","expirationTime":null,` + keys + `}`
	if a := set(json.RawMessage(subscription)); a.Code != "bad_address" {
		t.Errorf("without the road: %s", a.raw)
	}
	v.service.WebPush = webpush.New(webpush.Settings{})
	for who, address := range map[string]any{"an object": json.RawMessage(subscription), "its text": subscription} {
		if a := set("none"); a.Status == 200 {
			t.Fatal("nonsense is taken")
		}
		if a := set(address); a.Status != 200 {
			t.Errorf("%s: %s", who, a.raw)
		}
		if r := v.record("phones", h.id); r.GetString("transport") != "webpush" || r.GetString("address") != kept {
			t.Errorf("%s is kept as %q", who, r.GetString("address"))
		}
	}
	for who, c := range map[string]struct{ address, code string }{
		"into the commune's network": {`{"endpoint":"https://192.168.1.1/x",` + keys + `}`, "push_endpoint"},
		"without TLS":                {`{"endpoint":"http://push.example.net/x",` + keys + `}`, "push_endpoint"},
		"without keys":               {`{"endpoint":"https://push.example.net/x"}`, "push_key"},
		"not a subscription":         {`[1]`, "push_endpoint"},
		"nothing":                    {`null`, "push_endpoint"},
	} {
		if a := set(json.RawMessage(c.address)); a.Code != c.code {
			t.Errorf("%s: %s", who, a.raw)
		}
	}
	if r := v.record("phones", h.id); r.GetString("address") != kept {
		t.Error("a refusal changed the address")
	}
}

func TestSignedOutKeyIsForgotten(t *testing.T) {
	v := newVillage(t)
	h := newHandset(t)
	v.signIn(h, "0912345678")
	v.post("/api/phones/address", map[string]string{"transport": "fcm", "address": "token-1"}, h)
	if a := v.post("/api/phones/sign-out", "{}", h); a.Status != 200 {
		t.Fatalf("answered %s", a.raw)
	}
	if a := v.post("/api/phones/sign-out", "{}", h); a.Status != 401 {
		t.Errorf("afterwards: %s", a.raw)
	}
	r := v.record("phones", h.id) // its edits and verdicts are under this id
	if r.GetString("address") != "" || r.GetString("public_key") == h.public() {
		t.Errorf("phone %v", r.PublicExport())
	}
}

func TestBadBodies(t *testing.T) {
	v := newVillage(t)
	for who, c := range map[string]struct {
		body, code string
		status     int
	}{
		"nothing":            {"", "bad_ask", 400},
		"not JSON":           {"number=1", "bad_ask", 400},
		"cut":                {`{"number":"09`, "bad_ask", 400},
		"two of them":        {`{"number":"1"}{"number":"2"}`, "bad_ask", 400},
		"a list":             {`[]`, "bad_ask", 400},
		"a number for text":  {`{"number":912345678}`, "bad_ask", 400},
		"an escaped NUL":     {`{"number":"\u0000"}`, "bad_ask", 400},
		"invalid UTF-8":      {"{\"number\":\"\xff\"}", "bad_ask", 400},
		"too big":            {`{"number":"` + strings.Repeat("1", bodyMost) + `"}`, "too_big", 413},
		"deep nesting":       {strings.Repeat("[", 8000), "bad_ask", 400},
		"null":               {"null", "bad_number", 400},
		"members of a later": {`{"number":"x","later":{"v":2}}`, "bad_number", 400},
	} {
		t.Run(who, func(t *testing.T) {
			if a := v.post("/api/phones/code", c.body, nil); a.Code != c.code || a.Status != c.status {
				t.Errorf("answered %d %s, want %d %s", a.Status, a.raw, c.status, c.code)
			}
		})
	}
}

func TestCodeInAnswerIsUTF8AndLabelFits(t *testing.T) {
	v := newVillage(t)
	h := newHandset(t)
	a := v.post("/api/phones/sign-in", map[string]string{"number": "0912345678", "code": v.code("0912345678"), "key": h.public(), "label": strings.Repeat("ệ", 500)}, nil)
	if a.Phone == "" {
		t.Fatalf("answered %s", a.raw)
	}
	if label := v.record("phones", a.Phone).GetString("label"); label != strings.Repeat("ệ", 120) {
		t.Errorf("label of %d bytes", len(label))
	}
}

// word is Firebase's of which number a token proves.
type word map[string]string

func (w word) Prove(_ context.Context, token string) (firebase.Proof, error) {
	if token == "away" {
		return firebase.Proof{}, firebase.ErrAway
	}
	if w[token] == "" {
		return firebase.Proof{}, firebase.ErrToken
	}
	return firebase.Proof{Number: w[token], ID: sha256.Sum256([]byte(token))}, nil
}

// TestFirebaseProvesANumber: a token opens what a code for its number opens, and
// nothing more.
func TestFirebaseProvesANumber(t *testing.T) {
	v := newVillage(t)
	v.person("con", "+84912345678", "2010")
	h := newHandset(t)
	enter := func(token, person string) answer {
		return v.post("/api/phones/sign-in", map[string]string{"firebase": token, "person": person, "key": h.public(), "label": "Máy", "number": "0900000001", "code": "000000"}, nil)
	}
	if a := enter("lan", ""); a.Code != "firebase_off" {
		t.Errorf("without the setting: %s", a.raw)
	}
	v.service.Tokens = word{"lan": "+84912345678", "nobody": "+84999999999", "abroad": "+15551234567"}
	for who, c := range map[string][3]string{
		"a token that is not believed": {"forged", "", "bad_token"}, "a number nobody has": {"nobody", "", "bad_token"}, "another country": {"abroad", "", "bad_token"},
		"somebody with another number": {"lan", id("canbo"), "bad_token"}, "Google is away": {"away", "", "busy"},
	} {
		if a := enter(c[0], c[1]); a.Code != c[2] {
			t.Errorf("%s: %s", who, a.raw)
		}
	}
	if a := enter("lan", ""); len(a.Choose) != 2 {
		t.Errorf("two share the number: %s", a.raw)
	}
	if a := enter("lan", id("lan")); a.Phone == "" || a.Person.ID != id("lan") {
		t.Errorf("entered as %s", a.raw)
	}
	if got := v.record("persons", id("lan")).GetInt("identity_level"); got != 1 {
		t.Errorf("identity level %d: the number is theirs", got)
	}
	if a := enter("lan", id("lan")); a.Phone == "" {
		t.Errorf("the answer was lost, the phone asks again: %s", a.raw)
	}
	h = newHandset(t)
	for _, person := range []string{id("lan"), id("con")} {
		if a := enter("lan", person); a.Code != "bad_token" {
			t.Errorf("an overheard token let a second phone in: %s", a.raw)
		}
	}
}
