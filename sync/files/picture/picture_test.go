package picture

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"runtime"
	"testing"
)

// sentinel stands for a home's position: it must be in no output.
const sentinel = "21.3712N,106.6145E-NHA-BA-LAN"

// limit is that of the tests.
const limit = 1_000_000

// scene is a picture whose upper left corner is red and lower right blue.
func scene(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewPCG(1, 2))
	for y := range h {
		for x := range w {
			c := color.NRGBA{uint8(90 + r.IntN(30)), uint8(140 + x*60/w), uint8(80 + y*60/h), 255}
			switch {
			case x < w/3 && y < h/3:
				c = color.NRGBA{220, 20, 20, 255}
			case x > w*2/3 && y > h*2/3:
				c = color.NRGBA{20, 20, 220, 255}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

// exif is a camera's note: how it was held, and where.
func exif(orientation int) []byte {
	b := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00")
	b = append(b, byte(orientation), 0, 0, 0, 0, 0, 0)
	return append(b, "GPS"+sentinel...)
}

func segment(marker byte, payload string) []byte {
	b := []byte{0xFF, marker}
	return append(binary.BigEndian.AppendUint16(b, uint16(len(payload)+2)), payload...)
}

func aJPEG(t testing.TB, w, h, orientation int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, scene(w, h), nil); err != nil {
		t.Fatal(err)
	}
	out := []byte{0xFF, 0xD8}
	out = append(out, segment(0xE0, "JFIF\x00\x01\x01"+sentinel)...)
	out = append(out, segment(0xE1, "Exif\x00\x00"+string(exif(orientation)))...)
	out = append(out, segment(0xE1, "http://ns.adobe.com/xap/1.0/\x00"+sentinel)...)
	out = append(out, segment(0xE2, "ICC_PROFILE\x00"+sentinel)...)
	out = append(out, segment(0xED, sentinel)...)
	out = append(out, segment(0xFE, sentinel)...)
	out = append(out, b.Bytes()[2:]...)
	return append(out, "\xFF\xD8 a second picture "+sentinel...)
}

func chunk(name string, payload string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(payload)))
	b = append(append(b, name...), payload...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func aPNG(t testing.TB, w, h, orientation int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, scene(w, h)); err != nil {
		t.Fatal(err)
	}
	raw := b.Bytes()
	head, rest := raw[:8+25], raw[8+25:]
	out := bytes.Clone(head)
	for _, c := range [][2]string{{"eXIf", string(exif(orientation))}, {"tEXt", "Where\x00" + sentinel}, {"iTXt", sentinel}, {"zTXt", sentinel}, {"iCCP", sentinel}, {"tIME", sentinel}, {"prVt", sentinel}} {
		out = append(out, chunk(c[0], c[1])...)
	}
	return append(append(out, rest...), sentinel...)
}

// Two pictures of one pixel: lossy, and lossless with transparency.
const (
	webpLossy    = "UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAgA0JaQAA3AA/vuUAAA="
	webpLossless = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="
)

func aWebP(t testing.TB, simple string, orientation int) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(simple)
	if err != nil {
		t.Fatal(err)
	}
	out := append([]byte("RIFF\x00\x00\x00\x00WEBP"), appendRIFF(nil, "VP8X", []byte{0x2C, 0, 0, 0, 0, 0, 0, 0, 0, 0})...)
	out = append(out, appendRIFF(nil, "ICCP", []byte(sentinel))...)
	out = append(out, raw[12:]...)
	out = append(out, appendRIFF(nil, "EXIF", exif(orientation))...)
	out = append(out, appendRIFF(nil, "XMP ", []byte(sentinel))...)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return append(out, sentinel...)
}

func TestNothingOfTheCameraStays(t *testing.T) {
	for name, in := range map[string][]byte{
		"a JPEG": aJPEG(t, 60, 40, 1), "a JPEG on its side": aJPEG(t, 60, 40, 6),
		"a PNG": aPNG(t, 60, 40, 0), "a PNG on its head": aPNG(t, 60, 40, 3),
		"a WebP": aWebP(t, webpLossy, 1), "a WebP one sees through": aWebP(t, webpLossless, 1),
		"a WebP on its side": aWebP(t, webpLossy, 8), "a WebP one sees through, on its side": aWebP(t, webpLossless, 8),
	} {
		if bytes.Count(in, []byte(sentinel)) < 4 {
			t.Fatalf("%s: the test's photo holds no position", name)
		}
		p, err := Clean(in, limit)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		small, err := p.Fit(96, 2048)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for what, out := range map[string][]byte{"the picture": p.Bytes, "the small one": small} {
			if bytes.Contains(out, []byte("NHA-BA-LAN")) || bytes.Contains(out, []byte("GPS")) || bytes.Contains(out, []byte("Exif")) {
				t.Errorf("%s: %s still tells where it was taken", name, what)
			}
		}
		again, err := Clean(p.Bytes, limit)
		if err != nil || !bytes.Equal(again.Bytes, p.Bytes) || again.Kind != p.Kind {
			t.Errorf("%s: cleaned twice it is another file (%v)", name, err)
		}
	}
}

// The pixels of an upright photo are not encoded anew: they are the same to the last bit.
func TestUprightPhotosLoseNothing(t *testing.T) {
	for name, in := range map[string][]byte{"a JPEG": aJPEG(t, 60, 40, 1), "a PNG": aPNG(t, 60, 40, 1)} {
		before, _, err := image.Decode(bytes.NewReader(in))
		if err != nil {
			t.Fatal(err)
		}
		p, err := Clean(in, limit)
		if err != nil {
			t.Fatal(err)
		}
		after, _, err := image.Decode(bytes.NewReader(p.Bytes))
		if err != nil {
			t.Fatal(err)
		}
		for y := range 40 {
			for x := range 60 {
				if before.At(x, y) != after.At(x, y) {
					t.Fatalf("%s: pixel %d,%d changed", name, x, y)
				}
			}
		}
	}
}

func TestPhotosStandUpright(t *testing.T) {
	// Where the stored picture's upper left third is shown, by orientation.
	corner := []string{"", "left top", "right top", "right bottom", "left bottom", "left top", "right top", "right bottom", "left bottom"}
	for o := 1; o <= 8; o++ {
		p, err := Clean(aJPEG(t, 90, 60, o), limit)
		if err != nil {
			t.Fatal(err)
		}
		w, h := 90, 60
		if o >= 5 {
			w, h = 60, 90
		}
		if p.Width != w || p.Height != h {
			t.Errorf("orientation %d: %d×%d, want %d×%d", o, p.Width, p.Height, w, h)
		}
		red := ""
		for at, pt := range map[string]image.Point{"left top": {5, 5}, "right top": {w - 6, 5}, "left bottom": {5, h - 6}, "right bottom": {w - 6, h - 6}} {
			if r, _, b, _ := p.image.At(pt.X, pt.Y).RGBA(); r > 0xA000 && b < 0x6000 {
				red = at
			}
		}
		if red != corner[o] {
			t.Errorf("orientation %d: the red corner is %q, want %q", o, red, corner[o])
		}
	}
}

// claim writes another size into a picture's header: what it would take to
// decode it is nowhere in the file.
func claim(t *testing.T, kind Kind, w, h int) []byte {
	t.Helper()
	switch kind {
	case PNG:
		b := aPNG(t, 4, 4, 0)
		binary.BigEndian.PutUint32(b[16:], uint32(w))
		binary.BigEndian.PutUint32(b[20:], uint32(h))
		binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
		return b
	case JPEG:
		b := aJPEG(t, 4, 4, 1)
		at := bytes.Index(b, []byte{0xFF, 0xC0})
		binary.BigEndian.PutUint16(b[at+5:], uint16(h))
		binary.BigEndian.PutUint16(b[at+7:], uint16(w))
		return b
	}
	b := aWebP(t, webpLossy, 1)
	at := bytes.Index(b, []byte("VP8 "))
	binary.LittleEndian.PutUint16(b[at+14:], uint16(w))
	binary.LittleEndian.PutUint16(b[at+16:], uint16(h))
	return b
}

func TestBombs(t *testing.T) {
	scans := aJPEG(t, 16, 16, 1)
	at := bytes.Index(scans, []byte{0xFF, 0xDA})
	pass := scans[at:bytes.LastIndex(scans, []byte{0xFF, 0xD9})]
	scans = append(bytes.Clone(scans[:at]), bytes.Repeat(pass, 5000)...)
	scans = append(scans, 0xFF, 0xD9)
	deep := aPNG(t, 4, 4, 0)
	binary.BigEndian.PutUint32(deep[16:], 900)
	binary.BigEndian.PutUint32(deep[20:], 900)
	deep[24] = 16
	binary.BigEndian.PutUint32(deep[29:], crc32.ChecksumIEEE(deep[12:29]))
	for name, in := range map[string][]byte{
		"a PNG that claims 60000×60000": claim(t, PNG, 60000, 60000), "a JPEG that claims 60000×60000": claim(t, JPEG, 60000, 60000),
		"a WebP whose canvas is small": claim(t, WebP, 16000, 16000), "a JPEG of 5000 scans": scans, "a PNG of 16 bits a channel": deep,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := Clean(in, limit); !errors.Is(err, ErrPixels) {
			t.Errorf("%s: %v", name, err)
		}
		runtime.ReadMemStats(&after)
		allocs := after.TotalAlloc - before.TotalAlloc
		if allocs > 2<<20 {
			t.Errorf("%s: took %d bytes to refuse", name, allocs)
		}
	}
}

func TestWhatIsNoPicture(t *testing.T) {
	whole := aJPEG(t, 30, 30, 1)
	for name, in := range map[string][]byte{
		"nothing": nil, "a text": []byte("Kính gửi Ủy ban"), "a page": []byte("<svg onload=alert(1)>"), "half a photo": whole[:len(whole)/2],
		"a GIF": []byte("GIF89a\x01\x00\x01\x00"), "only a signature": []byte(pngSignature), "a moving WebP": aMovingWebP(t),
	} {
		if _, err := Clean(in, limit); !errors.Is(err, ErrKind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if p, err := Clean([]byte("%PDF-1.7\n"), limit); err != nil || p.Kind != PDF {
		t.Errorf("a PDF: %v", err)
	}
}

func aMovingWebP(t *testing.T) []byte {
	b := aWebP(t, webpLossy, 1)
	b[20] |= webpAnimation
	return b
}

func TestThumbnailsAreSmall(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 900, 700))
	r := rand.New(rand.NewPCG(3, 4))
	for i := range m.Pix {
		m.Pix[i] = uint8(r.Uint32()) // noise: nothing is harder to make small
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	p, err := Clean(b.Bytes(), limit)
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Fit(96, 2048)
	if err != nil || len(out) > 2048 {
		t.Errorf("noise takes %d bytes as a thumbnail (%v)", len(out), err)
	}
	big, err := p.Fit(720, 0)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := jpeg.DecodeConfig(bytes.NewReader(big)); err != nil || c.Width != 720 || c.Height != 560 {
		t.Errorf("on the screen it is %d×%d (%v)", c.Width, c.Height, err)
	}
}

// FuzzClean: whatever comes, Clean ends without a panic, what it lets through
// can be looked at, holds nothing that its list does not name, and does not
// change when it is cleaned again.
func FuzzClean(f *testing.F) {
	for _, seed := range [][]byte{aJPEG(f, 20, 12, 1), aJPEG(f, 20, 12, 6), aPNG(f, 20, 12, 1), aPNG(f, 9, 7, 8), aWebP(f, webpLossy, 1), aWebP(f, webpLossless, 5), []byte("%PDF-")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		p, err := Clean(b, 100_000)
		if !bytes.Equal(b, before) {
			t.Fatal("the file given was written to")
		}
		if err != nil {
			if !errors.Is(err, ErrKind) && !errors.Is(err, ErrPixels) {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		if p.Kind == PDF {
			return
		}
		if at, named := foreign(p.Kind, p.Bytes); named {
			t.Fatalf("%s stays in a %s", at, p.Kind)
		}
		if _, err := p.Fit(96, 2048); err != nil {
			t.Fatal(err)
		}
		again, err := Clean(p.Bytes, 200_000)
		if err != nil || !bytes.Equal(again.Bytes, p.Bytes) {
			t.Fatalf("cleaned again it is another file (%v)", err)
		}
	})
}

// foreign finds a part that a clean file may not have, read independently of
// how it was written.
func foreign(kind Kind, b []byte) (string, bool) {
	switch kind {
	case PNG:
		for at := 8; at+8 <= len(b); at += 12 + int(binary.BigEndian.Uint32(b[at:])) {
			switch name := string(b[at+4 : at+8]); name {
			case "IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "cHRM", "sRGB", "sBIT":
			default:
				return name, true
			}
		}
	case WebP:
		for at := 12; at+8 <= len(b); {
			switch name := string(b[at : at+4]); name {
			case "VP8X", "VP8 ", "VP8L", "ALPH":
			default:
				return name, true
			}
			n := int(binary.LittleEndian.Uint32(b[at+4:]))
			at += 8 + n + n&1
		}
	case JPEG:
		for at := 2; at+4 <= len(b) && b[at] == 0xFF && b[at+1] != 0xDA; at += 2 + int(binary.BigEndian.Uint16(b[at+2:])) {
			if m := b[at+1]; m == 0xFE || m >= 0xE1 && m <= 0xEF && m != 0xEE {
				return string("JPEG segment " + string("0123456789ABCDEF"[m&15])), true
			}
		}
	}
	return "", false
}

func BenchmarkClean(b *testing.B) {
	in := aJPEG(b, 4000, 3000, 1)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		p, err := Clean(in, 40_000_000)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := p.Fit(720, 0); err != nil {
			b.Fatal(err)
		}
	}
}
