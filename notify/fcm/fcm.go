// Package fcm wakes phones through Firebase Cloud Messaging, with Google's
// official SDK. It is the only package that knows either.
//
// A wake-up carries "t":"s" ("sync"), over how many seconds to spread the
// exchange ("j"), and filling ("p") that makes all of a kind equally long: not
// who, not why. One that is to be shown ("u":"1") names two texts that the app has
// itself, in its own language, and what it is about ("g", also its tag), by which
// a repeated one replaces the first.
//
// An address is a registration token or, since FCM has begun to replace those, an
// installation id: FCM takes either in the same place. The SDK would repeat failed requests by itself, without chance in the waits; the
// [once] transport makes each request final, so that all waiting is the
// outbox's. What the service answers is sorted by classify into the outbox's
// three kinds of error, from the SDK's error kinds and the status, never from
// the words: those change, and may repeat an address.
package fcm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	firebase "firebase.google.com/go/v4"
	"firebase.google.com/go/v4/messaging"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"golang.org/x/oauth2/jwt"
	"google.golang.org/api/option"

	"langso/notify"
)

const (
	scope = "https://www.googleapis.com/auth/firebase.messaging"
	// ttl is FCM's longest: a phone that was away for weeks is still to sync.
	ttl = 28 * 24 * time.Hour
	// One connection of HTTP/2 carries a hundred wake-ups; Go would dial one for
	// each that waits before it learns so.
	connections = 3
	// perMinute leaves a tenth of FCM's quota of a project, 600,000 a minute whose
	// beginning nobody knows, to others who use the same project.
	perMinute = 540_000
)

// Settings say how to reach FCM.
type Settings struct {
	// Credentials is the JSON of a Google service account. Empty: with an
	// Endpoint requests go without authorization, else the road is off.
	Credentials []byte
	// Endpoint replaces Google's, for tests: "http://127.0.0.1:9099" or with a
	// path, "http://127.0.0.1:9099/v1". Empty: Google's own.
	Endpoint string
	// Roots are the authorities that the endpoint's certificate is checked by;
	// nil: the machine's.
	Roots *x509.CertPool
}

// Sender is the road "fcm". It implements notify.Sender.
type Sender struct {
	client *messaging.Client
	off    string
}

// FromEnv makes the sender of the settings LANGSO_FCM_CREDENTIALS (a
// service-account file's path, or its JSON itself) and FCM_ENDPOINT. Without
// either, or with one that cannot be used, the road is off and says why.
func FromEnv() *Sender {
	s := Settings{Endpoint: strings.TrimSpace(os.Getenv("FCM_ENDPOINT"))}
	if path := strings.TrimSpace(os.Getenv("LANGSO_FCM_CREDENTIALS")); strings.HasPrefix(path, "{") {
		s.Credentials = []byte(path)
	} else if path != "" {
		raw, err := os.ReadFile(path)
		if err != nil {
			return &Sender{off: "the file of LANGSO_FCM_CREDENTIALS cannot be read"}
		}
		s.Credentials = raw
	}
	return New(s)
}

// New makes a sender. It makes no connection yet. Settings that cannot be used
// give a sender that is off.
func New(s Settings) *Sender {
	if len(s.Credentials) == 0 && s.Endpoint == "" {
		return &Sender{off: "LANGSO_FCM_CREDENTIALS is not set"}
	}
	client, err := connect(s)
	if err != nil {
		return &Sender{off: err.Error()}
	}
	return &Sender{client: client}
}

// Name is "fcm".
func (*Sender) Name() string { return "fcm" }

// Off says why the road is off; "" when it is on.
func (s *Sender) Off() string { return s.off }

// PerMinute is what this side uses of FCM's quota.
func (*Sender) PerMinute() int { return perMinute }

// Send hands over one wake-up, once.
func (s *Sender) Send(ctx context.Context, d notify.Delivery) error {
	if s.client == nil {
		return &notify.Config{Why: s.off}
	}
	_, err := s.client.Send(ctx, wakeUp(d))
	return classify(err)
}

// wakeUp is the message. One that is to be shown is not collapsible: of
// those FCM lets twenty through to a phone, then one in three minutes.
func wakeUp(d notify.Delivery) *messaging.Message {
	life := ttl
	if d.Life > 0 {
		life = min(ttl, d.Life.Truncate(time.Second))
	}
	spread := strconv.Itoa(int(d.Spread / time.Second))
	// FCM writes the life into the message too: the filling makes up for both.
	filling := max(0, 24-len(spread)-len(strconv.Itoa(int(life/time.Second))))
	m := &messaging.Message{
		Token:   d.Address,
		Data:    map[string]string{"t": "s", "j": spread, "p": strings.Repeat("0", filling)},
		Android: &messaging.AndroidConfig{Priority: "normal", CollapseKey: "s", TTL: &life},
	}
	if d.Urgent {
		m.Data["g"], m.Data["u"] = d.Tag, "1"
		m.Android.Priority, m.Android.CollapseKey = "high", ""
		m.Android.Notification = &messaging.AndroidNotification{Tag: d.Tag, TitleLocKey: "notice_title", BodyLocKey: "notice_body", ChannelID: "notices"}
	}
	return m
}

// connect makes the SDK's client. Its errors hold nothing of the credentials.
func connect(s Settings) (*messaging.Client, error) {
	project := "langso"
	base := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxConnsPerHost: connections,
		MaxIdleConnsPerHost: connections, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
		TLSClientConfig: &tls.Config{RootCAs: s.Roots, MinVersion: tls.VersionTLS12},
		HTTP2:           &http.HTTP2Config{SendPingTimeout: 31 * time.Second, PingTimeout: 15 * time.Second},
	}
	var road http.RoundTripper = base
	if len(s.Credentials) > 0 {
		account, err := readAccount(s.Credentials)
		if err != nil {
			return nil, err
		}
		project = account.project
		// Tokens are fetched over a client of their own, with a limit of time.
		ctx := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Transport: base, Timeout: 15 * time.Second})
		road = &oauth2.Transport{Source: account.config.TokenSource(ctx), Base: base}
	}
	client := &http.Client{Transport: once{road}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	opts := []option.ClientOption{option.WithHTTPClient(client), option.WithTelemetryDisabled()}
	if s.Endpoint != "" {
		at, err := endpoint(s.Endpoint)
		if err != nil {
			return nil, err
		}
		opts = append(opts, option.WithEndpoint(at))
	}
	app, err := firebase.NewApp(context.Background(), &firebase.Config{ProjectID: project}, opts...)
	if err != nil {
		return nil, errors.New("the SDK does not accept the settings")
	}
	m, err := app.Messaging(context.Background())
	if err != nil {
		return nil, errors.New("the SDK does not accept the settings")
	}
	return m, nil
}

type account struct {
	project string
	config  *jwt.Config
}

// readAccount reads a service-account file; other kinds of credentials, which
// could name programs to run and addresses to ask, are not accepted.
func readAccount(raw []byte) (account, error) {
	var file struct {
		Type    string `json:"type"`
		Project string `json:"project_id"`
	}
	if err := json.Unmarshal(raw, &file); err != nil || file.Type != "service_account" || file.Project == "" {
		return account{}, errors.New("LANGSO_FCM_CREDENTIALS is no service-account file")
	}
	config, err := google.JWTConfigFromJSON(raw, scope)
	if err != nil {
		return account{}, errors.New("LANGSO_FCM_CREDENTIALS is no service-account file")
	}
	return account{file.Project, config}, nil
}

func endpoint(text string) (string, error) {
	at, err := url.Parse(text)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return "", fmt.Errorf("FCM_ENDPOINT is no web address")
	}
	if at.Path == "" || at.Path == "/" {
		at.Path = "/v1"
	}
	return strings.TrimSuffix(at.String(), "/"), nil
}
