package sms

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"langso/notify"
)

// Kannel hands texts to a Kannel smsbox, which speaks to operators (SMPP) or
// modems: its sendsms interface, as its user guide, "Using the HTTP interface to
// send SMS messages", has it.
type Kannel struct {
	// URL of sendsms with the sendsms-user: "http://user:pass@127.0.0.1:13013/cgi-bin/sendsms".
	URL string
	// From is the sender's number or name; "": as the gateway is set up.
	From string
	// Report, when not "", is where delivery reports are asked to be sent: this
	// server's address with its secret, without a query. See [Inbound].
	Report string
	Client *http.Client
}

// Name is "kannel".
func (*Kannel) Name() string { return "kannel" }

// Send hands over the text.
func (k *Kannel) Send(ctx context.Context, number, text string) error {
	return k.SendKeyed(ctx, "", number, text)
}

// SendKeyed is Send with a key that delivery reports will name; "" asks for none.
func (k *Kannel) SendKeyed(ctx context.Context, key, number, text string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	at, err := url.Parse(k.URL)
	if err != nil || at.Host == "" || at.User == nil || at.Scheme != "http" && at.Scheme != "https" {
		return &notify.Config{Why: "LANGSO_SMS_URL names no sendsms and its user"}
	}
	password, _ := at.User.Password()
	q := url.Values{"username": {at.User.Username()}, "password": {password}, "to": {number}, "text": {Fold(text)}, "charset": {"UTF-8"}, "coding": {"0"}}
	if k.From != "" {
		q.Set("from", k.From)
	}
	if k.Report != "" && key != "" {
		q.Set("dlr-mask", "19") // delivered 1, failed 2, rejected 16
		q.Set("dlr-url", k.Report+"?key="+url.QueryEscape(key)+"&status=%d")
	}
	at.User, at.RawQuery = nil, q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return &notify.Config{Why: "LANGSO_SMS_URL names no sendsms and its user"}
	}
	client := k.Client
	if client == nil {
		client = plain
	}
	resp, err := client.Do(req)
	if err != nil {
		return &notify.Later{Why: reason(err), Unsure: sent(err)}
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	return answered(resp, string(said))
}

// answered sorts smsbox's answer: 202 with "0: Accepted for delivery" or "3:
// Queued for later delivery" is good, 403 is our user, 503 "Temporal failure".
func answered(resp *http.Response, said string) error {
	why := fmt.Sprintf("gateway answered %d", resp.StatusCode)
	switch code := resp.StatusCode; {
	case code == http.StatusAccepted && (strings.HasPrefix(said, "0:") || strings.HasPrefix(said, "3:")), code == http.StatusAccepted && strings.HasPrefix(said, "Sent."):
		return nil
	case code == http.StatusUnauthorized || code == http.StatusForbidden || code == http.StatusNotFound:
		return &notify.Config{Why: why}
	case code == http.StatusTooManyRequests || code >= 500:
		return &notify.Later{After: notify.RetryAfter(resp.Header, now()), Why: why}
	}
	return fmt.Errorf("send sms: %s", why)
}
