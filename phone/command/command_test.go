package command_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"langso/commune"
	"langso/commune/people"
	"langso/commune/publicservice"
	"langso/hooks"
	"langso/notify/sms"
	"langso/phone"
	"langso/phone/command"
	"langso/signin"
	"langso/villagetest"
)

// inbox is where the log gateway prints.
type inbox struct {
	mu  sync.Mutex
	buf bytes.Buffer
	got chan struct{}
}

func (i *inbox) Write(b []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	n, err := i.buf.Write(b)
	select {
	case i.got <- struct{}{}:
	default:
	}
	return n, err
}

func (i *inbox) code(t *testing.T) string {
	t.Helper()
	select {
	case <-i.got:
	case <-time.After(time.Minute):
		t.Fatal("no message came")
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	found := regexp.MustCompile(`\b\d{6}\b`).FindAllString(i.buf.String(), -1)
	return found[len(found)-1]
}

// TestADayOnTheCommandLine: sign in by code, work offline, sync, look.
func TestADayOnTheCommandLine(t *testing.T) {
	box := &inbox{got: make(chan struct{}, 1)}
	s := villagetest.New(t, []commune.Domain{people.Domain, publicservice.Domain}, func(o *hooks.Options) {
		o.SignIn = &signin.Service{SMS: &sms.Log{Out: box}, Now: o.Now}
	})
	s.Put(t, "villages", "village00000001", map[string]any{"name": "Thôn"})
	s.Put(t, "households", "household000001", map[string]any{"name": "Hộ", "village": "village00000001"})
	for _, p := range []string{"lan000000000000", "tu0000000000000"} {
		s.Put(t, "persons", p, map[string]any{"name": strings.TrimRight(p, "0"), "born": "1960", "household": "household000001", "status": "active", "phone_number": "0912345678"})
	}
	s.Put(t, "procedures", "procedure000001", map[string]any{"name": "Khai sinh", "code": "1", "active": true})
	dir := t.TempDir()
	run := func(want bool, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		c := command.Command(phone.WithTransport(s.Network()), phone.WithClock(s.Clock.Now))
		c.SetOut(&out)
		c.SetErr(&out)
		c.SetIn(strings.NewReader(""))
		c.SetArgs(append(args, "--dir", dir, "--server", "http://commune.test"))
		if err := c.Execute(); (err == nil) != want {
			t.Fatalf("phone %s: %v\n%s", strings.Join(args, " "), err, &out)
		}
		return out.String()
	}
	run(true, "sign-in", "0912345678")
	code := box.code(t)
	run(false, "sign-in", "0912345678", "--code", "000000")
	if out := run(true, "sign-in", "0912345678", "--code", code); !strings.Contains(out, "lan000000000000") || !strings.Contains(out, "tu0000000000000") {
		t.Fatalf("the two who share the number are not offered: %s", out)
	}
	if out := run(true, "sign-in", "0912345678", "--code", code, "--person", "lan000000000000"); !strings.Contains(out, "lan") {
		t.Fatal(out)
	}
	run(false, "sign-in", "0912345678", "--code", code, "--person", "lan000000000000") // used up
	run(true, "sync")
	run(true, "create", "drafts", "person=lan000000000000", "procedure=procedure000001", "note=Trên đồi", "--id", "draft0000000001")
	if out := run(true, "list", "drafts"); !strings.Contains(out, "chờ gửi") {
		t.Errorf("the unsent draft is not marked: %s", out)
	}
	run(true, "sync")
	var rec phone.Record
	if err := json.Unmarshal([]byte(run(true, "show", "drafts", "draft0000000001", "--json")), &rec); err != nil || rec.Fields["note"] != "Trên đồi" || rec.Pending {
		t.Errorf("shows %+v, %v", rec, err)
	}
	run(false, "show", "drafts", "draft0000000002")
	run(true, "create", "drafts", "person=tu0000000000000", "procedure=procedure000001")
	if out := run(true, "sync"); !strings.Contains(out, "not_yours") {
		t.Errorf("the refusal is not told: %s", out)
	}
	if out := run(true, "edits", "refused"); !strings.Contains(out, "Bác không có quyền") {
		t.Errorf("the refused edit is not listed with its sentence: %s", out)
	}
	run(true, "settle", "2")
	var st phone.Status
	if err := json.Unmarshal([]byte(run(true, "status", "--json")), &st); err != nil || st.Waiting != 0 || st.Refused != 0 || st.Person != "lan000000000000" {
		t.Errorf("status %+v, %v", st, err)
	}
	scan := filepath.Join(t.TempDir(), "giay.pdf")
	if err := os.WriteFile(scan, []byte("%PDF-1.4 giấy chứng sinh"), 0o600); err != nil {
		t.Fatal(err)
	}
	name := strings.TrimSpace(run(true, "file", "add", scan))
	run(true, "edit", "drafts", "draft0000000001", "scans="+name)
	if out := run(true, "sync"); !strings.Contains(out, "gửi 1 tệp") {
		t.Errorf("the scan was not sent: %s", out)
	}
	if out := run(true, "file", "list"); !strings.Contains(out, name+"  đã gửi") {
		t.Errorf("the scan is not told as sent: %s", out)
	}
	if kept, err := os.ReadFile(strings.TrimSpace(run(true, "file", "get", name))); err != nil || !strings.Contains(string(kept), "giấy chứng sinh") {
		t.Errorf("the scan is %q (%v)", kept, err)
	}
	run(false, "file", "get", strings.Repeat("0", 64))
	run(false, "file", "get", name, "--size", "huge")
	run(false, "file", "add", scan+".none")
	run(true, "create", "drafts", "person=lan000000000000", "procedure=procedure000001")
	run(false, "sign-out")
	run(true, "sign-out", "--give-up-unsent")
	run(false, "sync")
}
