package sms

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"langso/notify"
)

// now is the clock of file names.
var now = time.Now

// Gammu hands texts to a gammu-smsd on the same computer, which has a modem with
// a SIM: by the folders of its FILES service, inbox and outbox below Dir.
type Gammu struct{ Dir string }

// Name is "gammu".
func (*Gammu) Name() string { return "gammu" }

var plainNumber = regexp.MustCompile(`^\+?\d{3,15}$`)

// Send lays the text into the outbox, whole or not at all.
func (g *Gammu) Send(_ context.Context, number, text string) error {
	if !plainNumber.MatchString(number) {
		return refusal("sms_number")
	}
	box := filepath.Join(g.Dir, "outbox")
	// OUT<priority><date>_<time>_<serial>_<number>_<note>.txt; UTF-16 with a mark is
	// what smsd reads for certain.
	name := fmt.Sprintf("OUTC%s_00_%s_%s.txt", now().Format("20060102_150405"), number, strings.ToLower(rand.Text()[:8]))
	body := []byte{0xfe, 0xff}
	for _, u := range utf16.Encode([]rune(Fold(text))) {
		body = append(body, byte(u>>8), byte(u))
	}
	draft := filepath.Join(box, "."+name) // smsd looks at OUT* alone
	if err := os.WriteFile(draft, body, 0o640); err != nil {
		return trouble(err)
	}
	if err := os.Rename(draft, filepath.Join(box, name)); err != nil {
		return trouble(err)
	}
	return nil
}

func trouble(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return &notify.Config{Why: "the outbox of LANGSO_SMS_URL is not there or not ours"}
	}
	return &notify.Later{Why: "the outbox does not take the text"}
}

// IN<date>_<time>_<serial>_<number>_<part>.txt
var received = regexp.MustCompile(`^IN(\d{8}_\d{6}_\d+)_(\+?\w+)_(\d+)\.txt$`)

// Receive hands every text of the inbox to take, parts joined, and moves its
// files to the folder read once that returns no error.
func (g *Gammu) Receive(take func(number, text string) error) error {
	entries, err := os.ReadDir(filepath.Join(g.Dir, "inbox"))
	if err != nil {
		return fmt.Errorf("read inbox: %w", err)
	}
	parts := map[string][]string{}
	var order []string
	for _, e := range entries { // in the order of names: date, time, serial, number, part
		found := received.FindStringSubmatch(e.Name())
		if found == nil {
			continue
		}
		key := found[1] + "_" + found[2]
		if !slices.Contains(order, key) {
			order = append(order, key)
		}
		parts[key] = append(parts[key], e.Name())
	}
	var errs []error
	for _, key := range order {
		errs = append(errs, g.receive(key, parts[key], take))
	}
	return errors.Join(errs...)
}

func (g *Gammu) receive(key string, names []string, take func(number, text string) error) error {
	var text strings.Builder
	for _, name := range names {
		raw, err := os.ReadFile(filepath.Join(g.Dir, "inbox", name))
		if err != nil {
			return fmt.Errorf("read text: %w", err)
		}
		text.WriteString(decodeText(raw))
	}
	if err := take(key[strings.LastIndexByte(key, '_')+1:], text.String()); err != nil {
		return err
	}
	done := filepath.Join(g.Dir, "read")
	if err := os.MkdirAll(done, 0o750); err != nil {
		return fmt.Errorf("keep text: %w", err)
	}
	for _, name := range names {
		if err := os.Rename(filepath.Join(g.Dir, "inbox", name), filepath.Join(done, name)); err != nil {
			return fmt.Errorf("keep text: %w", err)
		}
	}
	return nil
}

// decodeText reads a text file of smsd: UTF-16 with a mark, or UTF-8.
func decodeText(raw []byte) string {
	if len(raw) < 2 || len(raw)%2 != 0 || (raw[0] != 0xfe || raw[1] != 0xff) && (raw[0] != 0xff || raw[1] != 0xfe) {
		return strings.ToValidUTF8(strings.TrimPrefix(string(raw), "\ufeff"), "?")
	}
	big := raw[0] == 0xfe
	var units []uint16
	for i := 2; i < len(raw); i += 2 {
		a, b := raw[i], raw[i+1]
		if !big {
			a, b = b, a
		}
		units = append(units, uint16(a)<<8|uint16(b))
	}
	return string(utf16.Decode(units))
}
