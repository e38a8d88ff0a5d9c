package files_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/commune/market"
	"langso/commune/people"
	"langso/commune/publicservice"
	"langso/hooks"
	"langso/phone"
	"langso/sync/files"
	"langso/sync/phones"
	"langso/sync/wire"
	"langso/villagetest"
)

// The people of these tests. Lan sells, Mai buys, Hoa is a neighbour of neither,
// Tam sits at the one-stop counter.
const (
	lan = "lan000000000000"
	mai = "mai000000000000"
	hoa = "hoa000000000000"
	tam = "tam000000000000"
)

type village struct {
	*villagetest.Server
	t testing.TB
}

func newVillage(t testing.TB, change ...func(*hooks.Options)) *village {
	t.Helper()
	all := []commune.Domain{people.Domain, publicservice.Domain, market.Domain}
	v := &village{Server: villagetest.New(t, all, change...), t: t}
	v.Put(t, "villages", "village00000001", map[string]any{"name": "Thôn"})
	for i, p := range []string{lan, mai, hoa, tam} {
		home := "household00000" + strconv.Itoa(i)
		v.Put(t, "households", home, map[string]any{"name": "Hộ", "village": "village00000001"})
		v.Put(t, "persons", p, map[string]any{"name": "Người " + p[:3], "household": home, "status": "active"})
	}
	v.Put(t, "duties", "", map[string]any{"person": tam, "role": "onestop", "to": "2026-11-24"})
	v.Put(t, "stalls", "stall0000000001", map[string]any{"name": "Vườn Lan", "owner": lan})
	v.Put(t, "duties", "", map[string]any{"person": lan, "role": "seller", "place": "stall0000000001"})
	v.Put(t, "procedures", "procedure000001", map[string]any{"name": "Đăng ký khai sinh", "code": "1.001193", "active": true})
	return v
}

// key is a signed-in phone without a client: requests as they are on the wire.
type key struct {
	v   *village
	id  string
	key ed25519.PrivateKey
}

func (v *village) key(person string) *key {
	v.t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		v.t.Fatal(err)
	}
	id := v.Put(v.t, "phones", "", map[string]any{"person": person, "label": "Máy", "public_key": wire.Ed25519Key(public)})
	return &key{v, id, private}
}

// do sends a request. Pairs of header follow; what is signed in the place of the
// body is what docs/PROTOCOL.md says.
func (k *key) do(method, to string, body []byte, header ...string) *httptest.ResponseRecorder {
	k.v.t.Helper()
	r := httptest.NewRequest(method, to, bytes.NewReader(body))
	if strings.HasPrefix(to, "/api/files/uploads") {
		k.signed(r, header...)
	} else {
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		r.Header.Set("Authorization", wire.Authorization(k.id, ed25519.Sign(k.key, wire.SigningBytes(method, r.URL.Path, body))))
	}
	w := httptest.NewRecorder()
	k.v.Handler().ServeHTTP(w, r)
	return w
}

func (k *key) get(hash string) *httptest.ResponseRecorder {
	return k.do("GET", "/api/files/"+hash, nil)
}

// send uploads bytes in one request, as they are.
func (k *key) send(b []byte) *httptest.ResponseRecorder {
	return k.do("POST", "/api/files/uploads", b, "Upload-Length", strconv.Itoa(len(b)), "Content-Type", "application/offset+octet-stream",
		"Upload-Metadata", "sha256 "+base64.StdEncoding.EncodeToString([]byte(nameOf(b))))
}

func (k *key) has(hash string) bool {
	k.v.t.Helper()
	body, err := json.Marshal(map[string]any{"hashes": []string{hash}})
	if err != nil {
		k.v.t.Fatal(err)
	}
	w := k.do("POST", "/api/files/have", body)
	var got struct{ Have []string }
	if w.Code != 200 || json.Unmarshal(w.Body.Bytes(), &got) != nil {
		k.v.t.Fatalf("have: %d %s", w.Code, w.Body)
	}
	return len(got.Have) == 1 && got.Have[0] == hash
}

func nameOf(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }

func codeOf(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	var f wire.Failure
	if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil || f.Say == "" {
		t.Fatalf("status %d without a code and a sentence: %s", w.Code, w.Body)
	}
	return f.Code
}

// sentinel stands for a home's position.
const sentinel = "21.3712N,106.6145E-NHA-BA-LAN"

// photo makes a JPEG of noise, about w*h/2 bytes, as a camera would write it:
// with a position in its Exif data when it is raw.
func photo(t testing.TB, seed uint64, w, h int, raw bool) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewPCG(seed, 7))
	for i := range m.Pix {
		m.Pix[i] = uint8(r.Uint32())
	}
	m.SetGray(0, 0, color.Gray{1})
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 60}); err != nil {
		t.Fatal(err)
	}
	if !raw {
		return b.Bytes()
	}
	return withPosition(b.Bytes())
}

// withPosition puts in front of a JPEG's parts what a camera writes.
func withPosition(b []byte) []byte {
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00" + sentinel
	out := binary.BigEndian.AppendUint16([]byte{0xFF, 0xD8, 0xFF, 0xE1}, uint16(len(exif)+2))
	return append(append(out, exif...), b[2:]...)
}

// road carries a phone's requests to the server and breaks: after so many bytes
// of a request's body, or of an answer's.
type road struct {
	v        *village
	up, down func(n int) int // how many of n bytes come through; nil: all
	requests int
	sent     int
}

var errBroke = errors.New("the road broke")

type cutBody struct{ io.Reader }

func (c cutBody) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// RoundTrip implements http.RoundTripper.
func (r *road) RoundTrip(q *http.Request) (*http.Response, error) {
	var body []byte
	if q.Body != nil {
		var err error
		if body, err = io.ReadAll(q.Body); err != nil {
			return nil, err
		}
	}
	r.requests++
	again := httptest.NewRequest(q.Method, q.URL.String(), bytes.NewReader(body))
	again.Header = q.Header.Clone()
	cut := false
	if r.up != nil {
		if n := r.up(len(body)); n < len(body) {
			cut = true
			again.Body = io.NopCloser(cutBody{bytes.NewReader(body[:n])})
			body = body[:n]
		}
	}
	r.sent += len(body)
	w := httptest.NewRecorder()
	r.v.Handler().ServeHTTP(w, again)
	if cut {
		return nil, errBroke
	}
	response := w.Result()
	answer := w.Body.Bytes()
	response.ContentLength = int64(len(answer))
	response.Body = io.NopCloser(bytes.NewReader(answer))
	if r.down != nil {
		if n := r.down(len(answer)); n < len(answer) {
			response.Body = io.NopCloser(cutBody{bytes.NewReader(answer[:n])})
		}
	}
	response.Request = q
	return response, nil
}

// phone makes a person's phone behind a road.
func (v *village) phone(person string, r *road) *phone.Phone {
	v.t.Helper()
	r.v = v
	p, err := phone.Open(filepath.Join(v.t.TempDir(), "phone"), "http://commune.test", phone.WithTransport(r), phone.WithClock(v.Clock.Now))
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { _ = p.Close() })
	text, err := p.PublicKey()
	if err != nil {
		v.t.Fatal(err)
	}
	id := v.Put(v.t, "phones", "", map[string]any{"person": person, "label": "Máy", "public_key": text})
	if err := p.Adopt(id, person); err != nil {
		v.t.Fatal(err)
	}
	return p
}

// sync syncs until it is complete.
func (v *village) sync(p *phone.Phone) {
	v.t.Helper()
	for range 200 {
		if _, err := p.Sync(context.Background()); err == nil {
			return
		}
	}
	v.t.Fatal("the phone never came to its end")
}

// villageDay is when these tests begin.
var villageDay = villagetest.Today

// sweep and expire run the nightly work on a store of its own over the same data.
func (v *village) sweep() error  { return v.store().Sweep() }
func (v *village) expire() error { return v.store().Expire() }

func (v *village) store() *files.Store {
	return files.New(files.Options{App: v.App, Phones: phones.Book{App: v.App, People: "persons"}, Domains: v.Domains, Now: v.Clock.Now})
}

func saveDraft(v *village, c *core.Collection, scans string) error {
	r := core.NewRecord(c)
	r.Load(map[string]any{"person": lan, "procedure": "procedure000001", "scans": scans})
	return v.App.Save(r)
}

// signed adds headers and the signature to a request of tus.
func (k *key) signed(q *http.Request, header ...string) *http.Request {
	for i := 0; i < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	q.Header.Set("Tus-Resumable", "1.0.0")
	h := q.Header
	text := []byte(h.Get("Upload-Length") + "\n" + h.Get("Upload-Metadata") + "\n" + h.Get("Upload-Offset") + "\n" + h.Get("Upload-Checksum"))
	h.Set("Authorization", wire.Authorization(k.id, ed25519.Sign(k.key, wire.SigningBytes(q.Method, q.URL.Path, text))))
	return q
}

// over sends a request over a road that breaks.
func (k *key) over(r *road, method, to string, body []byte, header ...string) {
	k.v.t.Helper()
	if _, err := r.RoundTrip(k.signed(httptest.NewRequest(method, to, bytes.NewReader(body)), header...)); !errors.Is(err, errBroke) {
		k.v.t.Fatalf("the road held: %v", err)
	}
}

// lychees draws a basket of lychees as a camera would keep it, with a position.
func lychees(t testing.TB) []byte {
	t.Helper()
	const w, h = 1200, 900
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewPCG(5, 5))
	for y := range h {
		for x := range w {
			m.SetRGBA(x, y, color.RGBA{uint8(60 + y/12), uint8(110 + y/20), 60, 255})
		}
	}
	for range 260 {
		cx, cy, rad := r.IntN(w), h/4+r.IntN(h*3/4), 34+r.IntN(22)
		red := 150 + r.IntN(80)
		for y := max(cy-rad, 0); y < min(cy+rad, h); y++ {
			for x := max(cx-rad, 0); x < min(cx+rad, w); x++ {
				dx, dy := x-cx, y-cy
				if d := dx*dx + dy*dy; d < rad*rad {
					light := 60 * (dx + dy) / (2 * rad)
					m.SetRGBA(x, y, color.RGBA{uint8(min(max(red-light, 40), 250)), uint8(40 + r.IntN(30)), 50, 255})
				}
			}
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return withPosition(b.Bytes())
}
