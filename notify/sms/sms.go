// Package sms sends short texts to telephone numbers, sign-in codes and word of
// notices to people whom no app has told, and takes what they answer.
//
// A text costs money and travels through an operator, so it says as little as
// it can and fits one part: [Fold] takes the diacritics off (one accented
// letter would make a text of 160 characters cost three parts), [Parts] counts
// what a text costs before it is sent. Numbers are in the international form,
// "+84912345678".
package sms

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// Gateway sends a text to a number.
type Gateway interface {
	// Send hands the text over once; who calls decides whether to try again. An
	// error never holds the number, the text or the gateway's token. A
	// *notify.Later is returned when trying again may help.
	Send(ctx context.Context, number, text string) error
	// Name is what GET /api/langso calls the gateway: "log", "http", "kannel" or "gammu".
	Name() string
}

// FromEnv returns the gateway of LANGSO_SMS_URL: "kannel:http://user:pass@host/cgi-bin/sendsms"
// a [Kannel] (sender in LANGSO_SMS_FROM; reports come to LANGSO_SMS_CALLBACK, this
// server's address as the gateway sees it, when LANGSO_SMS_SECRET is set), "gammu:/folder" a
// [Gammu], another address an [HTTP] gateway (its bearer token in LANGSO_SMS_TOKEN),
// "off" none (nil); without it a [Log] that writes to out.
func FromEnv(out io.Writer) Gateway {
	set := func(name string) string { return strings.TrimSpace(os.Getenv(name)) }
	url := set("LANGSO_SMS_URL")
	if at, ok := strings.CutPrefix(url, "kannel:"); ok {
		k := &Kannel{URL: at, From: set("LANGSO_SMS_FROM")}
		if base, secret := set("LANGSO_SMS_CALLBACK"), set("LANGSO_SMS_SECRET"); base != "" && secret != "" {
			k.Report = strings.TrimRight(base, "/") + ReportPath + secret
		}
		return k
	}
	if dir, ok := strings.CutPrefix(url, "gammu:"); ok {
		return &Gammu{Dir: dir}
	}
	switch url {
	case "":
		return &Log{Out: out}
	case "off":
		return nil
	}
	return &HTTP{URL: url, Token: set("LANGSO_SMS_TOKEN")}
}

// Log writes each text as a line for people to read instead of sending it. It
// is for demonstrations and tests: whoever reads the lines can sign in.
type Log struct {
	Out io.Writer

	mu sync.Mutex
}

// Name is "log".
func (*Log) Name() string { return "log" }

// Send writes one line.
func (l *Log) Send(_ context.Context, number, text string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := fmt.Fprintf(l.Out, "Tin nhắn tới %s: %s\n", number, text); err != nil {
		return fmt.Errorf("write sms line: %w", err)
	}
	return nil
}
