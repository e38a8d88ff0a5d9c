package command

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"langso/phone"
)

// file is the command `file` with what a phone does with photos and scans.
func (l *line) file() *cobra.Command {
	c := &cobra.Command{Use: "file", Short: "Photos and scans that records refer to"}
	c.AddCommand(l.fileAdd(), l.fileGet(), l.fileList())
	return c
}

func (l *line) fileAdd() *cobra.Command {
	return &cobra.Command{Use: "add <path>", Short: "Keep a photo or PDF, to be sent with the next sync, and print its name", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return l.with(func(p *phone.Phone) error {
			hash, err := p.AddFile(args[0])
			if err != nil {
				return err
			}
			return l.say(c.OutOrStdout(), map[string]string{"hash": hash}, "%s", hash)
		})
	}}
}

func (l *line) fileGet() *cobra.Command {
	var size string
	c := &cobra.Command{Use: "get <name>", Short: "Fetch a file that a record names, and print where it lies", Args: cobra.ExactArgs(1)}
	c.Flags().StringVar(&size, "size", phone.Whole, "thumb or screen: a smaller one")
	c.RunE = func(c *cobra.Command, args []string) error {
		if !slices.Contains([]string{phone.Whole, phone.Screen, phone.Thumb}, size) {
			return fmt.Errorf("no such size: %s", size)
		}
		return l.with(func(p *phone.Phone) error {
			path, err := p.File(c.Context(), args[0], size)
			if err != nil {
				return err
			}
			return l.say(c.OutOrStdout(), map[string]string{"path": path}, "%s", path)
		})
	}
	return c
}

func (l *line) fileList() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "The files added on this phone, and whether they are sent", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return l.with(func(p *phone.Phone) error {
			files, err := p.Files()
			if err != nil {
				return err
			}
			words := map[string]string{"waiting": "chờ gửi", "sent": "đã gửi", "refused": "bị từ chối"}
			for _, f := range files {
				if err := l.say(c.OutOrStdout(), f, "%s  %s, %d byte  %s", f.Hash, words[f.State], f.Bytes, f.Say); err != nil {
					return err
				}
			}
			return nil
		})
	}}
}

// sendFiles sends what was added, after a sync.
func (l *line) sendFiles(c *cobra.Command, p *phone.Phone) error {
	r, err := p.SendFiles(c.Context())
	if err != nil || r.Requests == 0 {
		return err
	}
	return l.say(c.OutOrStdout(), r, "gửi %d tệp, %d byte", r.Sent, r.Up)
}
