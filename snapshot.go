package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"langso/hooks"
)

// snapshotCommand writes the snapshot file, for a card.
func snapshotCommand(c *hooks.Commune) *cobra.Command {
	return &cobra.Command{Use: "snapshot <tệp>", Short: "Ghi tệp nạp sẵn (chợ, danh mục chung) ra thẻ nhớ, để điện thoại mới nạp mà không cần mạng", Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if err := c.Settle(); err != nil {
				return err
			}
			if _, err := c.Snapshots.Refresh(command.Context()); err != nil {
				return err
			}
			from := c.Snapshots.Path()
			if from == "" {
				return errors.New("xã còn quá ít mục dùng chung, chưa cần tệp nạp sẵn")
			}
			raw, err := os.ReadFile(from)
			if err != nil {
				return err
			}
			to := args[0]
			if filepath.Ext(to) != ".br" {
				to += ".br" // by which a phone knows how it is packed
			}
			if err := os.WriteFile(to, raw, 0o644); err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "%s  %d byte\n", to, len(raw))
			return nil
		}}
}
