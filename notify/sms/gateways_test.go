package sms

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// need skips a test where a program is not installed, but never in CI.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("no %s, and CI must have it", p)
			}
			t.Skipf("no %s here", p)
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// run starts a program that ends with the test, and returns what it says.
func run(t *testing.T, in io.Reader, name string, args ...string) *said {
	t.Helper()
	out := &said{}
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(name), out)
		}
	})
	return out
}

type said struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) { s.mu.Lock(); defer s.mu.Unlock(); return s.buf.Write(b) }
func (s *said) String() string              { s.mu.Lock(); defer s.mu.Unlock(); return s.buf.String() }

// await waits for what another program does, at most half a minute.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(30 * time.Second); !so(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s: it did not come to be so", what)
		}
	}
}

// TestThroughKannel: a text goes through Debian's Kannel to its fake SMSC, the
// report of its delivery comes back under its key, and an answer is forwarded.
func TestThroughKannel(t *testing.T) {
	const fake = "/usr/lib/kannel/test/fakesmsc"
	need(t, "bearerbox", "smsbox", fake)
	calls := make(chan string, 20)
	ours := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { calls <- r.URL.Path + "?" + r.URL.RawQuery }))
	defer ours.Close()
	admin, box, smsc, sendsms := freePort(t), freePort(t), freePort(t), freePort(t)
	config := filepath.Join(t.TempDir(), "kannel.conf")
	text := fmt.Sprintf(`group = core
admin-port = %d
admin-password = x
smsbox-port = %d
box-allow-ip = 127.0.0.1
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = fake
port = %d
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = %d

group = sendsms-user
username = langso
password = "p4ss"
concatenation = true
max-messages = 5

group = sms-service
keyword = default
get-url = "%s%s?from=%%p&text=%%a"
max-messages = 0
catch-all = true
`, admin, box, smsc, sendsms, ours.URL, AnswerPath+"0123456789abcdef")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, nil, "bearerbox", config)
	up := func(port int) func() bool {
		return func() bool {
			c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err == nil {
				_ = c.Close()
			}
			return err == nil
		}
	}
	await(t, "bearerbox", up(box))
	run(t, nil, "smsbox", config)
	await(t, "smsbox", up(sendsms))
	keepOpen, pen, err := os.Pipe() // it ends with its input
	if err != nil {
		t.Fatal(err)
	}
	defer keepOpen.Close()
	defer pen.Close()
	centre := run(t, keepOpen, fake, "-H", "127.0.0.1", "-r", fmt.Sprint(smsc), "-m", "1", "-i", "1", "+84912345678 100 text DA NHAN")

	k := &Kannel{URL: fmt.Sprintf("http://langso:p4ss@127.0.0.1:%d/cgi-bin/sendsms", sendsms), From: "100", Report: ours.URL + ReportPath + "0123456789abcdef"}
	if err := k.SendKeyed(t.Context(), "rung00000000001", "+84912345678", "Bác có thông báo mới [xã Đông]"); err != nil {
		t.Fatal(err)
	}
	await(t, "the text arrives", func() bool { return strings.Contains(centre.String(), "Bac co thong bao moi [xa Dong]") })
	var answered, reported bool
	await(t, "the report and the answer come back", func() bool {
		select {
		case c := <-calls:
			answered = answered || c == AnswerPath+"0123456789abcdef?from=%2B84912345678&text=DA+NHAN"
			reported = reported || c == ReportPath+"0123456789abcdef?key=rung00000000001&status=1"
		default:
		}
		return answered && reported
	})
	wrong := *k
	wrong.URL = strings.Replace(k.URL, "p4ss", "secret-no", 1)
	if err := wrong.Send(t.Context(), "+84912345678", "x"); kind(err) != "config" || strings.Contains(err.Error(), "secret-no") {
		t.Errorf("a wrong password: %v", err)
	}
}

// TestThroughGammu: texts go out by Debian's gammu-smsd with its dummy modem.
func TestThroughGammu(t *testing.T) {
	need(t, "gammu-smsd")
	dir := t.TempDir()
	for _, d := range []string{"inbox", "outbox", "sent", "error", "modem", "modem/sms", "modem/sms/1", "modem/sms/2", "modem/sms/3", "modem/sms/4", "modem/sms/5"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(dir, "smsd.conf")
	text := fmt.Sprintf("[gammu]\nmodel = dummy\nconnection = none\nport = %[1]s/modem\n[smsd]\nservice = files\nLoopSleep = 1\nPIN = 1234\nCheckSecurity = 0\nDebugLevel = 1\nlogfile = stderr\n"+
		"inboxpath = %[1]s/inbox/\noutboxpath = %[1]s/outbox/\nsentsmspath = %[1]s/sent/\nerrorsmspath = %[1]s/error/\n", dir)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	g := &Gammu{Dir: dir}
	if err := g.Send(t.Context(), "+84912345678", "Bác có thông báo mới [xã Đông]"); err != nil {
		t.Fatal(err)
	}
	run(t, nil, "gammu-smsd", "-c", config)
	await(t, "the text is sent", func() bool {
		all, _ := filepath.Glob(filepath.Join(dir, "sent", "OUT*"))
		bad, _ := filepath.Glob(filepath.Join(dir, "error", "*"))
		return len(all) > 0 || len(bad) > 0
	})
	all, _ := filepath.Glob(filepath.Join(dir, "sent", "OUT*"))
	if len(all) != 1 {
		t.Fatal("the modem did not take it")
	}
	raw, err := os.ReadFile(all[0])
	if err != nil {
		t.Fatal(err)
	}
	if got := decodeText(raw); got != "Bac co thong bao moi [xa Dong]" {
		t.Errorf("sent %q", got)
	}
	left, _ := os.ReadDir(filepath.Join(dir, "outbox"))
	if len(left) != 0 {
		t.Errorf("the outbox holds %v", left)
	}
}

func TestGammuAnswersAreJoinedAndKept(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "inbox")
	if err := os.Mkdir(in, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"IN20261124_060000_00_+84912345678_00.txt": "Da ", "IN20261124_060000_00_+84912345678_01.txt": "nhan",
		"IN20261124_060001_00_0987654321_00.txt": "\xfe\xff\x1e\xbf", "note.txt": "x", "IN20261124_060002_00_+84900000000_00.smsbackup": "x",
	} {
		if err := os.WriteFile(filepath.Join(in, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g := &Gammu{Dir: dir}
	var got []string
	fail := true
	take := func(number, text string) error {
		if fail {
			return io.ErrUnexpectedEOF
		}
		got = append(got, number+" "+text)
		return nil
	}
	if g.Receive(take) == nil {
		t.Error("an answer that was not taken is no error")
	}
	fail = false
	for range 2 {
		if err := g.Receive(take); err != nil {
			t.Fatal(err)
		}
	}
	if want := "+84912345678 Da nhan|0987654321 ế"; strings.Join(got, "|") != want {
		t.Errorf("took %v", got)
	}
	if err := (&Gammu{Dir: filepath.Join(dir, "away")}).Send(context.Background(), "+84912345678", "x"); kind(err) != "config" {
		t.Errorf("no outbox: %v", err)
	}
	if err := g.Send(context.Background(), "../../etc", "x"); kind(err) != "refused" {
		t.Errorf("a number that is a path: %v", err)
	}
}
