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

// socket is the side of the service that a Firefox holds a connection to, in
// the words of Mozilla's autopush: hello, register, notification, ack.
type socket struct {
	service *Service

	mu   sync.Mutex
	conn *websocket.Conn
	acks map[string]int // by version: 100 delivered, 101 could not be opened
}

// WebSocket serves real Firefoxes: their setting dom.push.serverURL is the
// address at which it is mounted.
func (s *Service) WebSocket() websocket.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sock == nil {
		s.sock = &socket{service: s, acks: map[string]int{}}
	}
	sock := s.sock
	return websocket.Server{
		Handshake: func(c *websocket.Config, _ *http.Request) error {
			c.Protocol = []string{"push-notification"}
			return nil
		},
		Handler: sock.serve,
	}
}

// Acks counts what Firefoxes said of messages: 100 delivered to a page's
// worker, 101 could not be opened, 102 the worker failed.
func (s *Service) Acks() map[int]int {
	s.mu.Lock()
	sock := s.sock
	s.mu.Unlock()
	out := map[int]int{}
	if sock == nil {
		return out
	}
	sock.mu.Lock()
	defer sock.mu.Unlock()
	for _, code := range sock.acks {
		out[code]++
	}
	return out
}

func (k *socket) serve(conn *websocket.Conn) {
	k.mu.Lock()
	k.conn = conn
	k.mu.Unlock()
	for {
		var text string
		if websocket.Message.Receive(conn, &text) != nil {
			return
		}
		if strings.TrimSpace(text) == "{}" { // a ping
			_ = websocket.Message.Send(conn, "{}")
			continue
		}
		var m struct {
			Type    string `json:"messageType"`
			UAID    string `json:"uaid"`
			Channel string `json:"channelID"`
			Key     string `json:"key"`
			Updates []struct {
				Version string `json:"version"`
				Code    int    `json:"code"`
			} `json:"updates"`
		}
		if json.Unmarshal([]byte(text), &m) != nil {
			continue
		}
		switch m.Type {
		case "hello":
			k.say(map[string]any{"messageType": "hello", "uaid": "0123456789abcdef0123456789abcdef", "status": 200, "use_webpush": true, "broadcasts": map[string]string{}})
		case "register":
			k.service.mu.Lock()
			k.service.add(&phone{name: m.Channel, key: canonical(m.Key)})
			k.service.mu.Unlock()
			k.say(map[string]any{"messageType": "register", "channelID": m.Channel, "status": 200, "pushEndpoint": k.service.Base + "/push/" + m.Channel})
		case "unregister":
			k.service.Forget(m.Channel)
			k.say(map[string]any{"messageType": "unregister", "channelID": m.Channel, "status": 200})
		case "ack":
			k.mu.Lock()
			for _, u := range m.Updates {
				k.acks[u.Version] = u.Code
			}
			k.mu.Unlock()
		}
	}
}

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

func (k *socket) deliver(m Message) {
	k.say(map[string]any{
		"messageType": "notification", "channelID": m.Phone, "version": rand.Text(), "ttl": m.TTL,
		"data": base64.RawURLEncoding.EncodeToString(m.Body), "headers": map[string]string{"encoding": "aes128gcm"},
	})
}
