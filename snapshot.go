package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"langso/hooks"
)

// snapshotCommand writes the snapshot files into a folder, for a card.
func snapshotCommand(c *hooks.Commune) *cobra.Command {
	return &cobra.Command{Use: "snapshot <thư mục>", Short: "Ghi các tệp nạp sẵn (chợ, danh mục chung) ra thẻ nhớ, để điện thoại mới nạp mà không cần mạng", Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if err := c.Settle(); err != nil {
				return err
			}
			if _, err := c.Snapshots.Refresh(command.Context()); err != nil {
				return err
			}
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			for _, f := range c.Snapshots.Files() {
				to := filepath.Join(args[0], f.Circle+".langso.br")
				raw, err := os.ReadFile(f.Path)
				if err != nil {
					return err
				}
				if err := os.WriteFile(to, raw, 0o644); err != nil {
					return err
				}
				fmt.Fprintf(command.OutOrStdout(), "%s  %d byte\n", to, len(raw))
			}
			return nil
		}}
}
