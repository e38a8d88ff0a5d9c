package webpush

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"langso/notify/webpushsim"
)

func raw(t testing.TB, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The example of RFC 8291 §5 with the intermediate values of Appendix A.
const (
	vectorPlain   = "V2hlbiBJIGdyb3cgdXAsIEkgd2FudCB0byBiZSBhIHdhdGVybWVsb24"
	vectorASKey   = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
	vectorUAKey   = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
	vectorUA      = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
	vectorSalt    = "DGv6ra1nlYgDCS1FRnbzlw"
	vectorAuth    = "BTBZMqHH6r4Tts7J_aSIgg"
	vectorMessage = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)

func TestSealIsThatOfRFC8291(t *testing.T) {
	key, err := ecdh.P256().NewPrivateKey(raw(t, vectorASKey))
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(Settings{}).Parse(`{"endpoint":"https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV","keys":{"p256dh":"` + vectorUA + `","auth":"` + vectorAuth + `"}}`)
	if err != nil {
		t.Fatal(err)
	}
	plain := raw(t, vectorPlain)
	body, err := a.sealWith(key, raw(t, vectorSalt), plain, len(plain))
	if err != nil {
		t.Fatal(err)
	}
	if got := base64.RawURLEncoding.EncodeToString(body); got != vectorMessage {
		t.Errorf("sealed %s\nwant   %s", got, vectorMessage)
	}
	// The judge of the other tests knows the example too.
	phone, err := ecdh.P256().NewPrivateKey(raw(t, vectorUAKey))
	if err != nil {
		t.Fatal(err)
	}
	opened, err := webpushsim.Open(phone, raw(t, vectorAuth), raw(t, vectorMessage))
	if err != nil || string(opened) != string(plain) {
		t.Errorf("opened %q (%v)", opened, err)
	}
}

// The example of RFC 8292 §2.4. Signatures of ES256 differ each time, so the judge
// is held to the example, and the server's tokens to the judge.
const (
	vectorToken = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA"
	vectorKey   = "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"
)

func TestTokenIsThatOfRFC8292(t *testing.T) {
	c, err := webpushsim.Verify(vectorToken, vectorKey)
	if err != nil || c != (webpushsim.Claims{Audience: "https://push.example.net", Expires: 1453523768, Subject: "mailto:push@example.com"}) {
		t.Fatalf("the judge says %+v (%v)", c, err)
	}
	if _, err := webpushsim.Verify(strings.Replace(vectorToken, ".eyJhdWQi", ".eyJhdWQj", 1), vectorKey); err == nil {
		t.Error("the judge takes what was altered")
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw(t, vectorASKey))
	if err != nil {
		t.Fatal(err)
	}
	v, err := newVAPID(key, func() string { return "mailto:push@example.com" })
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1453523768, 0).Add(-tokenLife)
	for range 50 { // a short r or s must be filled up
		text, err := v.sign("https://push.example.net", at)
		if err != nil {
			t.Fatal(err)
		}
		head, claims, _ := strings.Cut(text[:strings.LastIndexByte(text, '.')], ".")
		if want, _, _ := strings.Cut(vectorToken, "."); head != want || !strings.Contains(vectorToken, "."+claims+".") {
			t.Fatalf("token %s", text)
		}
		if c2, err := webpushsim.Verify(text, v.public); err != nil || c2 != c {
			t.Fatalf("token says %+v (%v)", c2, err)
		}
	}
}
