package command

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"langso/phone"
	"langso/sync/courier"
)

func (l *line) pack() *cobra.Command {
	var out string
	var parts bool
	c := &cobra.Command{Use: "pack", Short: "Seal what waits into a file that a neighbour carries", Args: cobra.NoArgs}
	c.Flags().StringVar(&out, "out", "gui-ho"+courier.Extension, "the file")
	c.Flags().BoolVar(&parts, "parts", false, "print the texts of QR codes instead")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return l.with(func(p *phone.Phone) error {
			if at, err := p.Greeted(); err == nil && at.IsZero() {
				_ = p.Greet(c.Context()) // Pack says what is missing
			}
			packed, err := p.Pack()
			if err != nil {
				return err
			}
			if parts {
				texts, err := courier.Parts(packed.File)
				if err != nil {
					return fmt.Errorf("%w: use a file", err)
				}
				return l.say(c.OutOrStdout(), texts, "%s", strings.Join(texts, "\n"))
			}
			if err := os.WriteFile(out, packed.File, 0o600); err != nil {
				return err
			}
			return l.say(c.OutOrStdout(), map[string]any{"file": out, "bytes": len(packed.File), "bundles": packed.Bundles, "edits": packed.Edits, "left": packed.Left},
				"Đã niêm phong %d việc vào %s (%d byte). Còn lại %d việc.", packed.Edits, out, len(packed.File), packed.Left)
		})
	}
	return c
}

// courierFile reads a file of envelopes, or the texts of QR codes, one a line.
func courierFile(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(raw), "LS1/") {
		return raw, err
	}
	var parts courier.Collector
	for text := range strings.SplitSeq(strings.TrimRight(string(raw), "\r\n"), "\n") {
		file, err := parts.Add(strings.TrimSuffix(text, "\r"))
		if err != nil {
			return nil, err
		}
		if file != nil {
			return file, nil
		}
	}
	return nil, fmt.Errorf("parts %v are missing", parts.Missing())
}

func (l *line) unpack() *cobra.Command {
	return &cobra.Command{Use: "unpack file", Short: "Take the answers that a neighbour brought", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return l.with(func(p *phone.Phone) error {
			file, err := courierFile(args[0])
			if err != nil {
				return err
			}
			got, err := p.Unpack(file)
			if err != nil {
				return err
			}
			if err := l.say(c.OutOrStdout(), got, "%d trả lời cho máy này (%d đến muộn), %d của máy khác, %d hỏng · nhận %d mục, bỏ %d", got.Answers, got.Late, got.Others, got.Damaged, got.Changed, got.Gone); err != nil || l.json {
				return err
			}
			for _, f := range got.Refused {
				fmt.Fprintf(c.OutOrStdout(), "  %s: %s\n", f.Code, f.Say)
			}
			return l.verdicts(c, got.Verdicts)
		})
	}}
}

func (l *line) carry() *cobra.Command {
	return &cobra.Command{Use: "carry file", Short: "Keep a neighbour's bundles until there is a network", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return l.with(func(p *phone.Phone) error {
			file, err := courierFile(args[0])
			if err != nil {
				return err
			}
			n, err := p.Carry(file)
			if err != nil {
				return err
			}
			return l.say(c.OutOrStdout(), map[string]int{"kept": n}, "Máy này mang giúp %d gói. Có mạng thì gọi deliver.", n)
		})
	}}
}

func (l *line) deliver() *cobra.Command {
	var out string
	var forget bool
	c := &cobra.Command{Use: "deliver", Short: "Bring neighbours' bundles to the server, and write the file with their answers", Args: cobra.NoArgs}
	c.Flags().StringVar(&out, "out", "tra-loi"+courier.Extension, "the file of answers, to be given back")
	c.Flags().BoolVar(&forget, "given-back", false, "the owners have their answers: forget them")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return l.with(func(p *phone.Phone) error {
			if forget {
				return p.GivenBack()
			}
			got, failed := p.Deliver(c.Context())
			file, n, err := p.Answers()
			if err != nil {
				return err
			}
			if n > 0 {
				if err := os.WriteFile(out, file, 0o600); err != nil {
					return err
				}
			}
			if failed != nil {
				return failed
			}
			return l.say(c.OutOrStdout(), map[string]any{"delivered": got.Bundles, "answers": n, "file": out, "refused": got.Refused}, "Đã gửi %d gói. %d trả lời chờ đưa lại, trong %s.", got.Bundles, n, out)
		})
	}
	return c
}
