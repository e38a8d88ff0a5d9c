// Package sms sends short texts to telephone numbers: sign-in codes, and later
// the notices of people whose phone has no app.
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
	// Name is what GET /api/langso calls the gateway: "log" or "http".
	Name() string
}

// FromEnv returns the gateway of the settings: with LANGSO_SMS_URL an [HTTP]
// gateway (its bearer token in LANGSO_SMS_TOKEN), with LANGSO_SMS_URL=off none
// (nil), else a [Log] that writes to out.
func FromEnv(out io.Writer) Gateway {
	switch url := strings.TrimSpace(os.Getenv("LANGSO_SMS_URL")); url {
	case "":
		return &Log{Out: out}
	case "off":
		return nil
	default:
		return &HTTP{URL: url, Token: strings.TrimSpace(os.Getenv("LANGSO_SMS_TOKEN"))}
	}
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
