package courier

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"langso/sync/wire"
)

var update = flag.Bool("update", false, "seal the vectors that Go made anew")

// vectors are docs/protocol/courier.json, which the JavaScript client runs too.
// Sealing is different each time, so each side opens what the other sealed.
type vectors struct {
	About   string `json:"about"`
	RFC9180 struct {
		Private    string `json:"private"`
		Public     string `json:"public"`
		Enc        string `json:"enc"`
		Info       string `json:"info"`
		Aad        string `json:"aad"`
		Ciphertext string `json:"ciphertext"`
		Plain      string `json:"plain"`
	} `json:"rfc9180"`
	Server struct {
		Private string `json:"private_hex"`
		Key     string `json:"key"`
	} `json:"server"`
	Bundles []bundleCase `json:"bundles"`
	Answers []answerCase `json:"answers"`
	Parts   []partsCase  `json:"parts"`
}

type bundleCase struct {
	Name     string `json:"name"`
	Made     string `json:"made"` // go, javascript
	PhoneKey string `json:"phone_key"`
	Phone    string `json:"phone"`
	Ask      string `json:"ask"`
	Bundle   string `json:"bundle_hex"`
	Opens    string `json:"opens"` // yes, bad, other
}

type answerCase struct {
	Name   string `json:"name"`
	Made   string `json:"made"`
	Reply  string `json:"reply_private_hex"`
	Public string `json:"reply_public_hex"`
	Bundle string `json:"bundle_hex"` // what it answers
	Status int    `json:"status"`
	Body   string `json:"body"`
	Answer string `json:"answer_hex"`
	Opens  string `json:"opens"` // yes, no
}

type partsCase struct {
	Name  string   `json:"name"`
	File  string   `json:"file_hex"`
	Texts []string `json:"texts"`
}

func TestVectors(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "protocol", "courier.json")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	if *update {
		v.remake(t)
		out, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(out, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	server, err := PrivateKey(unhex(t, v.Server.Private))
	if err != nil || KeyText(server.PublicKey()) != v.Server.Key {
		t.Fatal("the server's key", err)
	}
	for _, c := range v.Bundles {
		t.Run(c.Name, func(t *testing.T) { c.run(t, server) })
	}
	for _, c := range v.Answers {
		t.Run(c.Name, func(t *testing.T) { c.run(t) })
	}
	for _, c := range v.Parts {
		t.Run(c.Name, func(t *testing.T) {
			var all Collector
			var got []byte
			for i := range c.Texts {
				if got, err = all.Add(c.Texts[len(c.Texts)-1-i]); err != nil {
					t.Fatal(err)
				}
			}
			texts, err := Parts(unhex(t, c.File))
			if err != nil || len(texts) != len(c.Texts) || texts[0] != c.Texts[0] || hex.EncodeToString(got) != c.File {
				t.Errorf("%v %v", texts, err)
			}
		})
	}
	if len(v.Bundles) < 4 || len(v.Answers) < 3 || len(v.Parts) == 0 {
		t.Error("cases are missing")
	}
}

func (c bundleCase) run(t *testing.T, server hpke.PrivateKey) {
	all, err := Parse(unhex(t, c.Bundle), 1)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Open(server, all[0])
	switch c.Opens {
	case "bad":
		if !errors.Is(err, ErrBad) {
			t.Error(err)
		}
		return
	case "other":
		if !errors.Is(err, ErrOther) {
			t.Error(err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	key, err := wire.ParseKey(c.PhoneKey)
	if err != nil {
		t.Fatal(err)
	}
	ask, err := l.Ask()
	if err != nil || string(ask) != c.Ask || l.Phone != c.Phone || !key.Verify(wire.SigningBytes("POST", Path, l.Signed()), l.Signature) {
		t.Errorf("%s %q %v", l.Phone, ask, err)
	}
}

func (c answerCase) run(t *testing.T) {
	all, err := Parse(unhex(t, c.Answer), 1)
	if err != nil {
		t.Fatal(err)
	}
	status, body, err := OpenAnswer(unhex(t, c.Reply), sha256.Sum256(unhex(t, c.Bundle)), all[0])
	if c.Opens == "no" {
		if err == nil {
			t.Error("it opens")
		}
		return
	}
	if err != nil || status != c.Status || string(body) != c.Body {
		t.Errorf("%d %q %v", status, body, err)
	}
}

// remake seals all cases of Go anew; those of JavaScript need the server's key
// and stay with it.
func (v *vectors) remake(t *testing.T) {
	if v.Server.Private == "" {
		k, err := NewKey()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := k.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		v.Server.Private, v.Server.Key = hex.EncodeToString(raw), KeyText(k.PublicKey())
	}
	server, err := PrivateKey(unhex(t, v.Server.Private))
	if err != nil {
		t.Fatal(err)
	}
	phone := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	var bundles []bundleCase
	for _, c := range v.Bundles {
		if c.Made != "go" {
			bundles = append(bundles, c)
		}
	}
	v.Answers, v.Parts = nil, nil
	add := func(name, ask string) Sealed {
		s, err := Seal(server.PublicKey(), "ph0ne0000000001", func(b []byte) []byte { return ed25519.Sign(phone, b) }, []byte(ask))
		if err != nil {
			t.Fatal(err)
		}
		bundles = append(bundles, bundleCase{name, "go", wire.Ed25519Key(phone.Public().(ed25519.PublicKey)), "ph0ne0000000001", ask, hex.EncodeToString(s.Bytes()), "yes"})
		return s
	}
	s := add("a phone asks for news", `{"v":1,"epoch":"k3v9","cursor":120,"standing":"9f2c4d5e6f708192"}`)
	add("a draft, and a long text that packs well", `{"v":1,"edits":[{"n":1,"coll":"drafts","id":"dr4ft0000000001","create":{"note":"`+string(bytes.Repeat([]byte("Kính gửi Ủy ban xã. "), 60))+`"}}]}`)
	damaged := bundles[len(bundles)-2]
	raw := s.Bytes()
	raw[len(raw)-1] ^= 1
	damaged.Name, damaged.Bundle, damaged.Opens = "its last bit was changed", hex.EncodeToString(raw), "bad"
	raw = s.Bytes()
	raw[5] ^= 1
	renamed := damaged
	renamed.Name, renamed.Bundle = "another id was put on", hex.EncodeToString(raw)
	raw = s.Bytes()
	raw[13] ^= 1
	other := damaged
	other.Name, other.Bundle, other.Opens = "it names another server's key", hex.EncodeToString(raw), "other"
	v.Bundles = append(bundles, damaged, renamed, other)

	l, err := Open(server, s.Envelope)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []answerCase{
		{Name: "complete", Status: 200, Body: `{"complete":{"cursor":131,"epoch":"k3v9","sum":"0000000000000000"}}` + "\n"},
		{Name: "a blocked phone", Status: 403, Body: `{"code":"phone_blocked","say":"Máy này đã bị chặn.","wipe":true}`},
		{Name: "an answer that packs well", Status: 200, Body: string(bytes.Repeat([]byte("{\"gone\":{\"drafts\":[\"dr4ft0000000001\"]}}\n"), 40))},
	} {
		e, err := l.Answer(a.Status, wire.Text{Body: []byte(a.Body)})
		if err != nil {
			t.Fatal(err)
		}
		a.Made, a.Reply, a.Public, a.Bundle = "go", hex.EncodeToString(s.Reply), hex.EncodeToString(l.Reply), hex.EncodeToString(s.Bytes())
		a.Answer, a.Opens = hex.EncodeToString(e.Bytes()), "yes"
		v.Answers = append(v.Answers, a)
	}
	wrong := v.Answers[0]
	wrong.Name, wrong.Opens, wrong.Bundle = "the answer to another bundle", "no", v.Bundles[len(v.Bundles)-4].Bundle
	v.Answers = append(v.Answers, wrong)
	for name, file := range map[string][]byte{"a bundle in one code": s.Bytes(), "four codes": bytes.Repeat([]byte("Làng Số "), 250)} {
		texts, err := Parts(file)
		if err != nil {
			t.Fatal(err)
		}
		v.Parts = append(v.Parts, partsCase{name, hex.EncodeToString(file), texts})
	}
}
