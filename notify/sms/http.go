package sms

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"langso/notify"
)

// patience is how long one request to a gateway may take.
const patience = 15 * time.Second

// HTTP posts {"to","text"} as JSON to a gateway: an operator's web service, or
// a modem's on the commune's own network. The text is folded first. Any answer
// 2xx is success. An Idempotency-Key of its own goes with each text.
type HTTP struct {
	URL    string // http or https
	Token  string // goes as a bearer token; empty: none
	Client *http.Client
}

// Name is "http".
func (*HTTP) Name() string { return "http" }

// Send posts the text. 429 and 5xx and network trouble are a *notify.Later.
func (h *HTTP) Send(ctx context.Context, number, text string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := h.request(ctx, number, Fold(text))
	if err != nil {
		return err
	}
	resp, err := h.client().Do(req)
	if err != nil {
		return &notify.Later{Why: reason(err), Unsure: sent(err)}
	}
	defer resp.Body.Close()
	// A bounded read lets the connection be used again; the words of the answer
	// are dropped, for they may repeat the number.
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	switch {
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		return nil
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		return &notify.Later{After: notify.RetryAfter(resp.Header, time.Now()), Why: fmt.Sprintf("gateway answered %d", resp.StatusCode)}
	}
	return fmt.Errorf("send sms: gateway answered %d", resp.StatusCode)
}

func (h *HTTP) request(ctx context.Context, number, text string) (*http.Request, error) {
	at, err := url.Parse(h.URL)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, errors.New("send sms: LANGSO_SMS_URL is no web address") // its text may hold a password
	}
	body, err := json.Marshal(map[string]string{"to": number, "text": text})
	if err != nil {
		return nil, fmt.Errorf("write sms: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("send sms: LANGSO_SMS_URL is no web address")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", rand.Text())
	if h.Token != "" {
		req.Header.Set("Authorization", "Bearer "+h.Token)
	}
	return req, nil
}

// follow nothing: a redirect would carry the text to somebody else.
var plain = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func (h *HTTP) client() *http.Client {
	if h.Client != nil {
		return h.Client
	}
	return plain
}

// sent tells whether a request that failed may have gone all the same.
func sent(err error) bool {
	var op *net.OpError
	return !errors.As(err, &op) || op.Op != "dial"
}

// reason tells what went wrong on the way without the address, whose query may
// hold a password.
func reason(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		if u.Timeout() {
			return "gateway did not answer in time"
		}
		return u.Err.Error()
	}
	return "gateway not reached"
}
