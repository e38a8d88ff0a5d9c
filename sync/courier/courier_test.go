package courier

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"langso/sync/wire"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The vector of RFC 9180, appendix A.3.1, by the suite that is used here.
func TestSuiteIsTheRFCs(t *testing.T) {
	k, err := PrivateKey(unhex(t, "f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2"))
	if err != nil {
		t.Fatal(err)
	}
	enc := unhex(t, "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4")
	ct := unhex(t, "5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434")
	r, err := hpke.NewRecipient(enc, k, hpke.HKDFSHA256(), hpke.AES128GCM(), unhex(t, "4f6465206f6e2061204772656369616e2055726e"))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := r.Open([]byte("Count-0"), ct)
	if err != nil || string(plain) != "Beauty is truth, truth beauty" {
		t.Fatalf("%q %v", plain, err)
	}
}

type world struct {
	server hpke.PrivateKey
	public ed25519.PublicKey
	sign   func([]byte) []byte
}

func newWorld(t testing.TB) world {
	t.Helper()
	k, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return world{k, public, func(b []byte) []byte { return ed25519.Sign(private, b) }}
}

func (w world) seal(t testing.TB, ask string) Sealed {
	t.Helper()
	s, err := Seal(w.server.PublicKey(), "phone0000000001", w.sign, []byte(ask))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const secret = "Huyết áp 165/95"

func TestThereAndBack(t *testing.T) {
	w := newWorld(t)
	for name, ask := range map[string]string{"tiny": `{"v":1}`, "words": strings.Repeat(secret, 300), "noise": string(bytes.Repeat([]byte{0, 1, 2, 250}, 40))} {
		t.Run(name, func(t *testing.T) {
			s := w.seal(t, ask)
			file := s.Bytes()
			if len(file)%Block != 0 || bytes.Contains(file, []byte(secret)) || bytes.Contains(file, []byte("phone0000000001")) {
				t.Fatalf("%d bytes, or it can be read", len(file))
			}
			got, err := Parse(file, MaxCarried)
			if err != nil || len(got) != 1 {
				t.Fatal(got, err)
			}
			l, err := Open(w.server, got[0])
			if err != nil {
				t.Fatal(err)
			}
			read, err := l.Ask()
			if err != nil || string(read) != ask || l.Phone != "phone0000000001" {
				t.Fatalf("%q %v", read, err)
			}
			if !ed25519.Verify(w.public, wire.SigningBytes("POST", Path, l.Signed()), l.Signature) {
				t.Error("the signature does not hold")
			}
			a, err := l.Answer(200, wire.Text{Body: []byte(secret + "\n")})
			if err != nil {
				t.Fatal(err)
			}
			if b := a.Bytes(); len(b)%Block != 0 || bytes.Contains(b, []byte(secret)) {
				t.Error("the answer can be read by who carries it")
			}
			status, body, err := OpenAnswer(s.Reply, s.Box, a)
			if err != nil || status != 200 || string(body) != secret+"\n" {
				t.Fatalf("%d %q %v", status, body, err)
			}
			for name, f := range map[string]func() error{
				"another bundle's owner":     func() error { o := w.seal(t, ask); _, _, err := OpenAnswer(o.Reply, s.Box, a); return err },
				"the hash of another bundle": func() error { o := w.seal(t, ask); _, _, err := OpenAnswer(s.Reply, o.Box, a); return err },
			} {
				if f() == nil {
					t.Errorf("%s opens it", name)
				}
			}
		})
	}
}

// Whatever byte a carrier changes, nothing is believed.
func TestAnyByteTamperedIsRefused(t *testing.T) {
	w := newWorld(t)
	s := w.seal(t, `{"v":1}`)
	file := s.Bytes()
	l, err := Open(w.server, s.Envelope)
	if err != nil {
		t.Fatal(err)
	}
	a, err := l.Answer(200, wire.Text{Body: []byte(secret)})
	if err != nil {
		t.Fatal(err)
	}
	answer := a.Bytes()
	for i := range file {
		damaged := bytes.Clone(file)
		damaged[i] ^= 1
		if got, err := Parse(damaged, MaxCarried); err == nil {
			if _, err := Open(w.server, got[0]); !errors.Is(err, ErrBad) && !errors.Is(err, ErrOther) {
				t.Fatalf("byte %d: %v", i, err)
			}
		}
	}
	for i := range answer {
		damaged := bytes.Clone(answer)
		damaged[i] ^= 1
		if got, err := Parse(damaged, MaxCarried); err == nil {
			if _, _, err := OpenAnswer(s.Reply, s.Box, got[0]); err == nil {
				t.Fatalf("byte %d of the answer", i)
			}
		}
	}
	for n := range file {
		if _, err := Parse(file[:n], MaxCarried); err == nil {
			t.Fatalf("cut at %d it is whole", n)
		}
	}
	other := newWorld(t)
	if _, err := Open(other.server, s.Envelope); !errors.Is(err, ErrOther) {
		t.Errorf("another commune's server: %v", err)
	}
	s.To = keyID(other.server.PublicKey())
	if _, err := Open(other.server, s.Envelope); !errors.Is(err, ErrBad) {
		t.Errorf("another commune's server, and its name put on: %v", err)
	}
}

func TestTooLargeIsNotSealed(t *testing.T) {
	w := newWorld(t)
	noise := make([]byte, MaxBundle)
	_, _ = rand.Read(noise)
	if _, err := Seal(w.server.PublicKey(), "p", w.sign, noise); !errors.Is(err, ErrSize) {
		t.Error(err)
	}
}

func TestKeysHaveOneSpelling(t *testing.T) {
	k := newWorld(t).server.PublicKey()
	text := KeyText(k)
	if again, err := ParseKey(text); err != nil || KeyText(again) != text {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{"no kind": text[5:], "another kind": "ed25519:" + text[5:], "cut": text[:60], "a newline": text + "\n", "off the curve": text[:len(text)-4] + "AAAA", "nothing": ""} {
		if _, err := ParseKey(bad); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPartsComeTogetherInAnyOrder(t *testing.T) {
	file := bytes.Repeat([]byte("0123456789abcde"), 200)
	texts, err := Parts(file)
	if err != nil || len(texts) != 4 {
		t.Fatal(len(texts), err)
	}
	for _, p := range texts {
		if len(p) > 1200 || strings.Trim(p, alphabet) != "" {
			t.Errorf("a part of %d characters", len(p))
		}
	}
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 1, 1, 0, 2}, {2, 2, 2, 0, 3, 1}} {
		var c Collector
		var got []byte
		for i, k := range order {
			if got != nil {
				t.Fatal("whole too early")
			}
			if i == len(order)-1 && len(c.Missing()) != 1 {
				t.Errorf("missing %v", c.Missing())
			}
			if got, err = c.Add(texts[k]); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, file) {
			t.Errorf("order %v makes another file", order)
		}
	}
	var c Collector
	others, err := Parts(append(bytes.Clone(file), 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Add(texts[0]); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{"of another file": others[1], "no part": "https://x", "a number too far": strings.Replace(texts[1], "2-4", "5-4", 1), "a lower-case letter": strings.ToLower(texts[1]), "cut": texts[1][:len(texts[1])-1]} {
		if _, err := c.Add(bad); !errors.Is(err, ErrPart) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A letter read wrong is noticed when the whole is there.
	c = Collector{}
	wrong := strings.Replace(texts[0], texts[0][100:103], "000", 1)
	for i, p := range []string{wrong, texts[1], texts[2], texts[3]} {
		got, err := c.Add(p)
		if i == 3 && (got != nil || !errors.Is(err, ErrPart)) {
			t.Error("a wrong whole is taken for right")
		}
	}
	if _, err := Parts(make([]byte, partBytes*MaxParts+1)); !errors.Is(err, ErrSize) {
		t.Error(err)
	}
}

// The examples of RFC 9285.
func TestBase45IsTheRFCs(t *testing.T) {
	for plain, text := range map[string]string{"AB": "BB8", "Hello!!": "%69 VD92EX0", "base-45": "UJCLQE7W581", "ietf!": "QED8WEX0"} {
		back, err := unbase45(text)
		if base45([]byte(plain)) != text || err != nil || string(back) != plain {
			t.Errorf("%s: %s %s %v", plain, base45([]byte(plain)), back, err)
		}
	}
	for _, bad := range []string{"GGW0", ":::", "::", "a00", "0"} {
		if _, err := unbase45(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

// However a file is made, reading it ends, and what is read is written back as
// it was. A box that its owner made himself may hold anything.
func FuzzOpen(f *testing.F) {
	w := newWorld(f)
	s := w.seal(f, `{"v":1}`)
	f.Add(s.Bytes(), []byte{1, 'p'})
	f.Add([]byte(magic), s.Box[:])
	f.Fuzz(func(t *testing.T, file, content []byte) {
		all, err := Parse(file, MaxCarried)
		if err == nil && !bytes.Equal(File(all), file) {
			t.Fatal("another file is written back")
		}
		for _, e := range all {
			_, _ = Open(w.server, e)
			_, _, _ = OpenAnswer(s.Reply, s.Box, e)
		}
		if len(content) > MaxBundle/2 {
			return
		}
		e, err := seal(w.server.PublicKey(), Envelope{Kind: Bundle, To: keyID(w.server.PublicKey())}, askInfo, content)
		if err != nil {
			t.Fatal(err)
		}
		if l, err := Open(w.server, e); err == nil {
			_, _ = l.Ask()
			_, _ = l.Answer(200, wire.Text{Body: []byte("x")})
		}
	})
}

func FuzzParts(f *testing.F) {
	f.Add([]byte("abc"), "LS1/ABCDEFGH/1-2/BB8")
	f.Fuzz(func(t *testing.T, file []byte, text string) {
		var c Collector
		_, _ = c.Add(text)
		if len(file) == 0 || len(file) > partBytes*MaxParts {
			return
		}
		texts, err := Parts(file)
		if err != nil {
			t.Fatal(err)
		}
		c = Collector{}
		var got []byte
		for _, p := range texts {
			if got, err = c.Add(p); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, file) {
			t.Fatal("another file comes out")
		}
	})
}

// TestTheCarrierLearnsNothingFromLengths: who carries a neighbour's answer home,
// and has written a guess of what stands in that neighbour's health book into a
// product, sees the same length whether it is right or not.
func TestTheCarrierLearnsNothingFromLengths(t *testing.T) {
	size := func(own, guess string) int {
		row := func(coll, id, value string) wire.Line {
			text, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			return wire.Line{Apart: true, Changes: &wire.Changes{Coll: coll, IDs: wire.IDs{id}, Seq: []int64{5}, Whole: true, Set: map[string][]json.RawMessage{"note": {text}}}}
		}
		none := ""
		text, err := wire.Write([]wire.Line{row("health_entries", "health000000001", own), {Mark: &none}, row("products", "product00000001", guess), {Mark: &none}})
		if err != nil {
			t.Fatal(err)
		}
		_, packed := pack(text)
		return len(packed)
	}
	// Each text has a length of its own; what they say together must add nothing.
	const a, b = "HIV dương tính, thuốc ARV mỗi sáng", "gút mạn tính, thuốc uống khi đau"
	if right, wrong := size(a, a)+size(b, b), size(a, b)+size(b, a); right != wrong {
		t.Errorf("right guesses are %d bytes together, wrong ones %d", right, wrong)
	}
}
