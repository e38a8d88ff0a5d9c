package command_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"langso/commune"
	"langso/commune/people"
	"langso/commune/publicservice"
	"langso/phone"
	"langso/phone/command"
	"langso/villagetest"
)

// TestCarriedOnTheCommandLine: one folder seals, another carries, the first reads
// the answer; by file and by the texts of QR codes.
func TestCarriedOnTheCommandLine(t *testing.T) {
	s := villagetest.New(t, []commune.Domain{people.Domain, publicservice.Domain})
	s.Put(t, "villages", "village00000001", map[string]any{"name": "Thôn"})
	s.Put(t, "procedures", "procedure000001", map[string]any{"name": "Khai sinh", "code": "1", "active": true})
	dirs := map[string]string{}
	for _, who := range []string{"lan", "bay"} {
		person := who + "000000000000"
		s.Put(t, "households", "household000"+who, map[string]any{"name": who, "village": "village00000001"})
		s.Put(t, "persons", person, map[string]any{"name": who, "household": "household000" + who, "status": "active"})
		dirs[who] = filepath.Join(t.TempDir(), who)
		if err := s.PhoneAt(t, dirs[who], person, nil).Close(); err != nil {
			t.Fatal(err)
		}
	}
	run := func(want bool, who string, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		c := command.Command(phone.WithTransport(s.Network()), phone.WithClock(s.Clock.Now))
		c.SetOut(&out)
		c.SetErr(&out)
		c.SetArgs(append(args, "--dir", dirs[who], "--server", "http://commune.test"))
		if err := c.Execute(); (err == nil) != want {
			t.Fatalf("phone %s: %v\n%s", strings.Join(args, " "), err, &out)
		}
		return out.String()
	}
	file, codes, answers := filepath.Join(t.TempDir(), "goi.langso"), filepath.Join(t.TempDir(), "ma.txt"), filepath.Join(t.TempDir(), "tra-loi.langso")
	run(true, "lan", "sync")
	run(true, "lan", "create", "drafts", "person=lan000000000000", "procedure=procedure000001", "--id", "draft0000000001")
	if out := run(true, "lan", "pack", "--out", file); !strings.Contains(out, "niêm phong 1 việc") {
		t.Error(out)
	}
	if err := os.WriteFile(codes, []byte(run(true, "lan", "pack", "--parts")), 0o600); err != nil {
		t.Fatal(err)
	}
	run(true, "bay", "carry", file)
	run(true, "bay", "carry", codes)
	run(false, "bay", "carry", os.DevNull)
	if out := run(true, "bay", "deliver", "--out", answers); !strings.Contains(out, "Đã gửi 2 gói") {
		t.Error(out)
	}
	if out := run(true, "lan", "unpack", answers); !strings.Contains(out, "2 trả lời cho máy này (1 đến muộn)") || !strings.Contains(out, "việc 1: taken") {
		t.Error(out)
	}
	run(true, "bay", "deliver", "--given-back")
	if out := run(true, "bay", "deliver", "--out", answers); !strings.Contains(out, "Đã gửi 0 gói. 0 trả lời") {
		t.Error(out)
	}
	if out := run(true, "lan", "status"); !strings.Contains(out, "chờ gửi 0") {
		t.Error(out)
	}
}
