// The phone in a page: it signs in, writes without a network, meets the server
// twice, and prints as JSON what it holds. Its SQLite is another's, in the page.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"langso/phone"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir, url, number, code string) error {
	ctx := context.Background()
	p, err := phone.Open(dir, url)
	if err != nil {
		return err
	}
	choices, err := p.SignIn(ctx, number, code, "", "Trang web")
	if err != nil || len(choices) > 0 {
		return fmt.Errorf("sign in: %w, %v", err, choices)
	}
	first, err := p.Sync(ctx)
	if err != nil {
		return err
	}
	_, me, err := p.Self()
	if err != nil {
		return err
	}
	products, err := p.List("products")
	if err != nil || len(products) == 0 {
		return fmt.Errorf("no products: %w", err)
	}
	_, draft, err := p.Create("drafts", phone.Values{"person": me, "procedure": "procedure000001", "note": "viết khi mất sóng"})
	if err != nil {
		return err
	}
	if _, err := p.Change("drafts", draft, phone.Values{"note": "sửa khi mất sóng"}); err != nil {
		return err
	}
	seen, err := p.List("drafts")
	if err != nil || len(seen) != 1 || seen[0].Fields["note"] != "sửa khi mất sóng" || !seen[0].Pending {
		return fmt.Errorf("before it is sent the draft is %v: %w", seen, err)
	}
	second, err := p.Sync(ctx)
	if err != nil {
		return err
	}
	held := map[string][]phone.Record{}
	for _, coll := range []string{"persons", "villages", "stalls", "products", "drafts"} {
		all, listed := p.Held(coll)
		held[coll], err = all, errors.Join(err, listed)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"held": held, "draft": draft, "first": first, "second": second})
}
