package pwa_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rsc.io/qr"
)

// The codes that the app draws are, module for module, those that another
// program draws. That one always takes mask 0; which mask is the best is a matter
// of taste, and readers take all.
func TestCodesAreDrawnAsByAnother(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no node, and CI must have one")
		}
		t.Skip("no node here")
	}
	type ask struct{ Text, Level string }
	var asks []ask
	for _, n := range []int{1, 2, 17, 40, 100, 300, 700, 1200, 1850, 2500, 3300} {
		asks = append(asks, ask{strings.Repeat("LS1/A:$ 9Z", 400)[:n], "L"}, ask{strings.Repeat("LS1/A:$ 9Z", 400)[:n], "M"}, ask{strings.Repeat("xã Phúc Hòa ", n/20+1), "L"})
	}
	in, err := json.Marshal(asks)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	source, err := os.ReadFile("../pb_public/ui/later/qr.js")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "qr.mjs"), source, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, "--input-type=module", "-e", `import { modules } from './qr.mjs'; import { readFileSync } from 'node:fs';
		const draw = (a, m) => { try { return modules(a.Text, a.Level, m).map(r => r.map(b => b ? '1' : '0').join('')).join('\n'); } catch (e) { return String(e.message); } };
		console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(a => [draw(a, 0), draw(a)])));`)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v %s", err, out)
	}
	var drawn [][2]string
	if err := json.Unmarshal(out, &drawn); err != nil {
		t.Fatal(err)
	}
	for i, a := range asks {
		level := qr.L
		if a.Level == "M" {
			level = qr.M
		}
		code, err := qr.Encode(a.Text, level)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for y := range code.Size {
			for x := range code.Size {
				if code.Black(x, y) {
					b.WriteByte('1')
				} else {
					b.WriteByte('0')
				}
			}
			if y < code.Size-1 {
				b.WriteByte('\n')
			}
		}
		if b.String() != drawn[i][0] {
			t.Errorf("%d characters at level %s: another code", len(a.Text), a.Level)
		}
		if len(drawn[i][1]) != len(drawn[i][0]) {
			t.Errorf("%d characters at level %s: no best mask: %.40s", len(a.Text), a.Level, drawn[i][1])
		}
	}
}
