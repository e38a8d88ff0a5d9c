package phone

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"langso/sync/wire"
)

// Bind binds this phone to the account of a PocketBase token, at a server that
// has sync attached (package sync/attach) instead of a commune's sign-in. The
// token is used once and not kept.
func (p *Phone) Bind(ctx context.Context, token string) error {
	key, err := p.PublicKey()
	if err != nil {
		return fmt.Errorf("bind phone: %w", err)
	}
	body, err := json.Marshal(map[string]string{"key": key})
	if err != nil {
		return fmt.Errorf("bind phone: %w", err)
	}
	server, err := getMeta(p.db, "server")
	if err != nil {
		return fmt.Errorf("bind phone: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server+"/api/sync/phone", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("bind phone: %w", err)
	}
	request.Header.Set("Authorization", token)
	request.Header.Set("Content-Type", "application/json")
	response, err := p.client.Do(request)
	if err != nil {
		return fmt.Errorf("bind phone: %w: %w", ErrNoServer, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err != nil {
		return fmt.Errorf("bind phone: %w: %w", ErrNoServer, err)
	}
	var got struct {
		Phone, Person, Message, Code, Say string
		Load                              []wire.Snapshot
	}
	if json.Unmarshal(text, &got) != nil {
		return fmt.Errorf("bind phone: %w", ErrNoServer)
	}
	if response.StatusCode != http.StatusOK || got.Phone == "" {
		return fmt.Errorf("bind phone: the server answered %d: %s", response.StatusCode, strings.TrimSpace(got.Message+" "+got.Code+" "+got.Say))
	}
	if err := p.Adopt(got.Phone, got.Person); err != nil {
		return err
	}
	if err := p.offered(got.Load); err != nil {
		return err
	}
	_ = p.Greet(ctx) // for the day without a network; whoever packs first without it is told
	return nil
}
