package sms

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"langso/notify"
)

func TestFold(t *testing.T) {
	for who, c := range map[string]struct{ text, want string }{
		"a villager's name":         {"Nguyễn Thị Đào, xã Phúc Hòa", "Nguyen Thi Dao, xa Phuc Hoa"},
		"the same, decomposed":      {"Nguyễn Phượng", "Nguyen Phuong"},
		"every tone and hook":       {"ăâđêôơư ẵẫ ỗỡữ ĂÂĐÊÔƠƯ", "aadeoou aa oou AADEOOU"},
		"quotes pasted from a page": {"“mở” – ‘xem’…", `"mo" - 'xem'...`},
		"a price":                   {"45.000₫", "45.000d"},
		"an emoji":                  {"vải 🍒", "vai ?"},
		"plain text stays":          {"Ma 123456 [a]", "Ma 123456 [a]"},
	} {
		t.Run(who, func(t *testing.T) {
			got := Fold(c.text)
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if Fold(got) != got {
				t.Errorf("folding twice changes %q", got)
			}
		})
	}
}

func TestParts(t *testing.T) {
	for what, c := range map[string]struct {
		text string
		want int
	}{
		"empty":                             {"", 1},
		"160 plain":                         {strings.Repeat("a", 160), 1},
		"161 plain":                         {strings.Repeat("a", 161), 2},
		"306 plain":                         {strings.Repeat("a", 306), 2},
		"307 plain":                         {strings.Repeat("a", 307), 3},
		"80 braces cost two each":           {strings.Repeat("{", 80), 1},
		"81 braces":                         {strings.Repeat("{", 81), 2},
		"a brace is not cut":                {strings.Repeat("a", 152) + "{" + strings.Repeat("a", 152), 3},
		"70 accented":                       {strings.Repeat("ệ", 70), 1},
		"71 accented":                       {strings.Repeat("ệ", 71), 2},
		"one forgotten quote makes it so":   {strings.Repeat("a", 70) + "”", 2},
		"120 accented":                      {strings.Repeat("ệ", 120), 2},
		"the same folded":                   {Fold(strings.Repeat("ệ", 120)), 1},
		"an emoji takes two of 67, uncut":   {strings.Repeat("ệ", 66) + "🍒" + strings.Repeat("ệ", 66), 3},
		"35 emoji fit one part of 70 uncut": {strings.Repeat("🍒", 35), 1},
	} {
		t.Run(what, func(t *testing.T) {
			if got := Parts(c.text); got != c.want {
				t.Errorf("got %d parts, want %d", got, c.want)
			}
		})
	}
}

func TestLogIsReadable(t *testing.T) {
	var out strings.Builder
	if err := (&Log{Out: &out}).Send(context.Background(), "+84912345678", "Mã là 123456."); err != nil {
		t.Fatal(err)
	}
	if want := "Tin nhắn tới +84912345678: Mã là 123456.\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestHTTPPostsFoldedText(t *testing.T) {
	var got map[string]string
	var head http.Header
	fake := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head = r.Header.Clone()
		raw, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Errorf("body %q: %v", raw, err)
		}
	}))
	defer fake.Close()
	g := &HTTP{URL: fake.URL, Token: "s3cret"}
	if err := g.Send(context.Background(), "+84912345678", "Mã đăng nhập"); err != nil {
		t.Fatal(err)
	}
	if got["to"] != "+84912345678" || got["text"] != "Ma dang nhap" {
		t.Errorf("posted %v", got)
	}
	if head.Get("Authorization") != "Bearer s3cret" || head.Get("Content-Type") != "application/json" || head.Get("Idempotency-Key") == "" {
		t.Errorf("headers %v", head)
	}
}

func TestHTTPTellsWhetherToTryAgain(t *testing.T) {
	const number, token = "+84912345678", "s3cret"
	for who, c := range map[string]struct {
		status int
		header string
		later  bool
		after  time.Duration
	}{
		"busy, says when":    {429, "120", true, 2 * time.Minute},
		"busy, does not say": {503, "", true, 0},
		"an absurd time":     {503, "999999999", true, 7 * 24 * time.Hour},
		"an unreadable time": {503, "soon", true, 0},
		"broken":             {500, "", true, 0},
		"does not know us":   {401, "", false, 0},
		"refuses the number": {400, "", false, 0},
		"sends us elsewhere": {302, "", false, 0},
	} {
		t.Run(who, func(t *testing.T) {
			fake := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, "cannot send to "+number)
			}))
			defer fake.Close()
			err := (&HTTP{URL: fake.URL + "?pass=" + token, Token: token}).Send(context.Background(), number, "x")
			if err == nil {
				t.Fatal("no error")
			}
			var later *notify.Later
			if errors.As(err, &later) != c.later {
				t.Fatalf("error %v, want later=%v", err, c.later)
			}
			if c.later && later.After != c.after {
				t.Errorf("after %v, want %v", later.After, c.after)
			}
			if strings.Contains(err.Error(), number) || strings.Contains(err.Error(), token) {
				t.Errorf("error tells a secret: %v", err)
			}
		})
	}
}

func TestHTTPNotReachedIsLaterAndKeepsSecrets(t *testing.T) {
	fake := httptest.NewServer(http.NotFoundHandler())
	fake.Close()
	err := (&HTTP{URL: fake.URL + "/?pass=s3cret"}).Send(context.Background(), "+84912345678", "x")
	var later *notify.Later
	if !errors.As(err, &later) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
	err = (&HTTP{URL: "ftp://u:s3cret@host/"}).Send(context.Background(), "+84912345678", "x")
	if err == nil || errors.As(err, &later) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("an unusable address: got %v", err)
	}
}

func TestFromEnv(t *testing.T) {
	for who, c := range map[string]struct{ url, want string }{
		"nothing set":   {"", "log"},
		"a web address": {"http://127.0.0.1:1/sms", "http"},
		"switched off":  {"off", ""},
	} {
		t.Run(who, func(t *testing.T) {
			t.Setenv("LANGSO_SMS_URL", c.url)
			g := FromEnv(io.Discard)
			if g == nil {
				if c.want != "" {
					t.Errorf("no gateway, want %q", c.want)
				}
			} else if g.Name() != c.want {
				t.Errorf("got %q, want %q", g.Name(), c.want)
			}
		})
	}
}
