package webpushsim

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/net/websocket"
)

// uaid is what the one Firefox that is connected is called.
const uaid = "0123456789abcdef0123456789abcdef"

// socket is the side of the service that a Firefox holds a connection to, in
// the words of Mozilla's autopush: hello, register, notification, ack.
type socket struct {
	service *Service

	mu    sync.Mutex
	conn  *websocket.Conn // nil: nobody is connected
	cut   bool
	acks  map[string]int   // by version: 100 delivered, 101 could not be opened
	stays []map[string]any // notifications that were not acknowledged, in order
}

// WebSocket serves a real Firefox: its setting dom.push.serverURL is the address
// at which it is mounted. One at a time is connected; what comes while none is, or is
// not acknowledged, is kept and sent when it says hello again (RFC 8030 §5.2).
func (s *Service) WebSocket() websocket.Server {
	sock := s.socket()
	return websocket.Server{
		Handshake: func(c *websocket.Config, _ *http.Request) error {
			c.Protocol = []string{"push-notification"}
			return nil
		},
		Handler: sock.serve,
	}
}

func (s *Service) socket() *socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sock == nil {
		s.sock = &socket{service: s, acks: map[string]int{}}
	}
	return s.sock
}

// Cut ends the connection of Firefox and takes no other, until Cut(false): a
// phone that is switched off. Servers notice nothing of it.
func (s *Service) Cut(cut bool) {
	k := s.socket()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cut = cut
	if cut && k.conn != nil {
		_ = k.conn.Close()
		k.conn = nil
	}
}

// Acks counts what Firefox said of messages: 100 delivered to a page's worker,
// 101 could not be opened, 102 the worker failed.
func (s *Service) Acks() map[int]int {
	k := s.socket()
	k.mu.Lock()
	defer k.mu.Unlock()
	out := map[int]int{}
	for _, code := range k.acks {
		out[code]++
	}
	return out
}

func (k *socket) serve(conn *websocket.Conn) {
	k.mu.Lock()
	if k.cut {
		k.mu.Unlock()
		return
	}
	k.conn = conn
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		if k.conn == conn {
			k.conn = nil
		}
		k.mu.Unlock()
	}()
	for {
		var text string
		if websocket.Message.Receive(conn, &text) != nil {
			return
		}
		if strings.TrimSpace(text) == "{}" { // a ping
			_ = websocket.Message.Send(conn, "{}")
			continue
		}
		var w word
		if json.Unmarshal([]byte(text), &w) == nil {
			k.hear(w)
		}
	}
}

// word is what Firefox says.
type word struct {
	Type    string `json:"messageType"`
	Channel string `json:"channelID"`
	Key     string `json:"key"`
	Updates []struct {
		Version string `json:"version"`
		Code    int    `json:"code"`
	} `json:"updates"`
}

func (k *socket) hear(w word) {
	s := k.service
	switch w.Type {
	case "hello":
		k.say(map[string]any{"messageType": "hello", "uaid": uaid, "status": 200, "use_webpush": true, "broadcasts": map[string]string{}})
		k.mu.Lock()
		stays := k.stays
		k.mu.Unlock()
		for _, m := range stays {
			k.say(m)
		}
	case "register":
		s.mu.Lock()
		s.add(&phone{name: w.Channel, key: canonical(w.Key)})
		s.mu.Unlock()
		k.say(map[string]any{"messageType": "register", "channelID": w.Channel, "status": 200, "pushEndpoint": s.Base + "/push/" + w.Channel})
	case "unregister":
		s.Forget(w.Channel)
		k.say(map[string]any{"messageType": "unregister", "channelID": w.Channel, "status": 200})
	case "ack":
		k.mu.Lock()
		defer k.mu.Unlock()
		for _, u := range w.Updates {
			k.acks[u.Version] = u.Code
			for i, m := range k.stays {
				if m["version"] == u.Version {
					k.stays = append(k.stays[:i:i], k.stays[i+1:]...)
					break
				}
			}
		}
	}
}

// canonical is a key as senders write it.
func canonical(key string) string {
	return strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(key, "="))
}

func (k *socket) say(m map[string]any) {
	text, _ := json.Marshal(m)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.conn != nil {
		_ = websocket.Message.Send(k.conn, string(text))
	}
}

// deliver sends a message, or keeps it. One with a topic takes the place of the
// last with the same (RFC 8030 §5.4).
func (k *socket) deliver(m Message) {
	word := map[string]any{
		"messageType": "notification", "channelID": m.Phone, "version": rand.Text(), "ttl": m.TTL, "topic": m.Topic,
		"data": base64.RawURLEncoding.EncodeToString(m.Body), "headers": map[string]string{"encoding": "aes128gcm"},
	}
	k.mu.Lock()
	here := k.conn != nil
	if here || m.TTL > 0 {
		at := len(k.stays)
		for i, was := range k.stays {
			if m.Topic != "" && was["topic"] == m.Topic && was["channelID"] == m.Phone {
				at = i
			}
		}
		k.stays = append(k.stays[:at:at], append([]map[string]any{word}, k.stays[min(at+1, len(k.stays)):]...)...)
	}
	k.mu.Unlock()
	k.say(word)
}
