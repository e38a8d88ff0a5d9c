// Package command is a phone on the command line: `langso phone …`. It is fit
// for scripts (--json prints one JSON value a line, the exit status tells
// success) and for cheap Linux devices without a screen.
package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"langso/phone"
	"langso/sync/wire"
)

// line is one invocation's settings.
type line struct {
	server, dir string
	json        bool
	options     []phone.Option
}

// Command returns the command `phone` with its subcommands. The options are for
// tests: a transport, a clock.
func Command(options ...phone.Option) *cobra.Command {
	l := &line{options: options}
	root := &cobra.Command{
		Use:   "phone",
		Short: "Một chiếc điện thoại trên dòng lệnh: đăng nhập, làm việc khi mất mạng, đồng bộ",
		Long: `A phone on the command line. It keeps everything in one folder, works without
a network, and meets the server when told to sync.

  langso phone sign-in 0900000001 --server http://127.0.0.1:8090
  langso phone sync
  langso phone list health_entries
  langso phone act market.order '{"id":"…","stall":"…","lines":[…]}'
  langso phone status`,
		SilenceUsage: true,
	}
	home, err := os.UserConfigDir()
	if err != nil {
		home = "."
	}
	root.PersistentFlags().StringVar(&l.server, "server", "", "address of the commune's server, kept after the first use")
	root.PersistentFlags().StringVar(&l.dir, "dir", filepath.Join(home, "langso-phone"), "folder that keeps the phone")
	root.PersistentFlags().BoolVar(&l.json, "json", false, "print JSON, one value a line")
	root.AddCommand(l.signIn(), l.sync(), l.watch(), l.list(), l.show(), l.create(), l.edit(), l.add(), l.delete(), l.act(), l.inbox(), l.edits(), l.fix(), l.settle(), l.file(), l.status(), l.load(), l.signOut(), l.pack(), l.unpack(), l.carry(), l.deliver())
	return root
}

// with opens the phone, runs f and closes it.
func (l *line) with(f func(p *phone.Phone) error) error {
	p, err := phone.Open(l.dir, l.server, l.options...)
	if err != nil {
		return err
	}
	return errors.Join(f(p), p.Close())
}

// say prints a value as JSON, or as words.
func (l *line) say(w io.Writer, value any, words string, args ...any) error {
	if l.json {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return enc.Encode(value)
	}
	_, err := fmt.Fprintf(w, words+"\n", args...)
	return err
}

func (l *line) signIn() *cobra.Command {
	var code, person, label, invitation string
	c := &cobra.Command{Use: "sign-in [number]", Short: "Sign in by phone number and SMS code, or by an invitation", Args: cobra.MaximumNArgs(1)}
	c.Flags().StringVar(&code, "code", "", "the code; without it one is asked for")
	c.Flags().StringVar(&person, "person", "", "who, when several share the number")
	c.Flags().StringVar(&label, "label", "langso phone", "name of this phone, for the administrator")
	c.Flags().StringVar(&invitation, "invitation", "", "token of a counter's QR")
	c.RunE = func(c *cobra.Command, args []string) error {
		return l.with(func(p *phone.Phone) error {
			ctx := c.Context()
			if invitation != "" {
				if err := p.SignInByInvitation(ctx, invitation, label); err != nil {
					return err
				}
				return l.signedIn(c, p)
			}
			if len(args) == 0 {
				return errors.New("sign-in needs a phone number or --invitation")
			}
			if code == "" {
				if err := p.Code(ctx, args[0]); err != nil {
					return err
				}
				fmt.Fprint(c.OutOrStdout(), "Mã 6 số trong tin nhắn: ")
				if _, err := fmt.Fscan(c.InOrStdin(), &code); err != nil {
					return l.say(c.OutOrStdout(), map[string]bool{"sent": true}, "\nĐã gửi mã. Gọi lại với --code.")
				}
			}
			choices, err := p.SignIn(ctx, args[0], code, person, label)
			if err != nil {
				return err
			}
			if len(choices) > 0 {
				var b strings.Builder
				for _, x := range choices {
					fmt.Fprintf(&b, "\n  --person %s   %s (%s)", x.ID, x.Name, x.Born)
				}
				return l.say(c.OutOrStdout(), map[string]any{"choose": choices}, "Số này có nhiều người dùng chung. Chọn một:%s", b.String())
			}
			return l.signedIn(c, p)
		})
	}
	return c
}

func (l *line) signedIn(c *cobra.Command, p *phone.Phone) error {
	s, err := p.Status()
	if err != nil {
		return err
	}
	return l.say(c.OutOrStdout(), map[string]string{"phone": s.Phone, "person": s.Person, "name": s.Name}, "Chào %s. Máy này là %s.", s.Name, s.Phone)
}

func (l *line) sync() *cobra.Command {
	return &cobra.Command{Use: "sync", Short: "Meet the server: edits up, changes down", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return l.with(func(p *phone.Phone) error {
			r, err := p.Sync(c.Context())
			if err != nil {
				return errors.Join(err, p.SweepFiles()) // it may have been told to forget
			}
			if at, err := p.Greeted(); err == nil && time.Since(at) > 24*time.Hour {
				_ = p.Greet(c.Context()) // so that pack works when there is no network
			}
			return errors.Join(l.synced(c, r), l.sendFiles(c, p))
		})
	}}
}

func (l *line) synced(c *cobra.Command, r phone.Report) error {
	if err := l.say(c.OutOrStdout(), r, "%d yêu cầu · gửi %d việc, %d byte · nhận %d mục, bỏ %d, %d byte", r.Exchanges, r.Sent, r.Up, r.Changed, r.Gone, r.Down); err != nil || l.json {
		return err
	}
	return l.verdicts(c, r.Verdicts)
}

func (l *line) verdicts(c *cobra.Command, all []wire.Verdict) error {
	for _, v := range all {
		if v.Say != "" {
			fmt.Fprintf(c.OutOrStdout(), "  việc %d: %s (%s) %s\n", v.N, v.Is, v.Code, v.Say)
		} else {
			fmt.Fprintf(c.OutOrStdout(), "  việc %d: %s\n", v.N, v.Is)
		}
	}
	return nil
}

func (l *line) watch() *cobra.Command {
	var every time.Duration
	c := &cobra.Command{Use: "watch", Short: "Sync whenever the server hints that something is new, and by the clock, until interrupted", Args: cobra.NoArgs}
	c.Flags().DurationVar(&every, "every", time.Minute, "how often without a hint")
	c.RunE = func(c *cobra.Command, _ []string) error {
		ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt)
		defer stop()
		return l.with(func(p *phone.Phone) error {
			poke := make(chan struct{}, 1)
			var listen sync.Once
			p.Watch(ctx, every, poke, func(r phone.Report, err error) {
				if r.Complete {
					listen.Do(func() { go l.pokes(ctx, p, poke) })
				}
				if err != nil {
					fmt.Fprintln(c.ErrOrStderr(), err)
				} else if err := l.synced(c, r); err != nil {
					stop()
				} else if err := l.sendFiles(c, p); err != nil {
					fmt.Fprintln(c.ErrOrStderr(), err)
				}
			})
			return nil
		})
	}
	return c
}

// pokes pokes at each hint of the server. When that no longer accepts this phone,
// the next sync tells why.
func (l *line) pokes(ctx context.Context, p *phone.Phone, poke chan<- struct{}) {
	heard, err := p.Hints(ctx)
	if err != nil {
		return // signed out meanwhile: the clock's sync tells
	}
	for range heard {
		select {
		case poke <- struct{}{}:
		default: // one is due already
		}
	}
}

func (l *line) list() *cobra.Command {
	var where []string
	c := &cobra.Command{Use: "list [collection]", Short: "List records as this phone sees them; without a collection, what there is", Args: cobra.MaximumNArgs(1)}
	c.Flags().StringArrayVar(&where, "where", nil, "only records whose field is so: --where state=confirmed")
	c.RunE = func(c *cobra.Command, args []string) error {
		return l.with(func(p *phone.Phone) error {
			if len(args) == 0 {
				names, err := p.Collections()
				if err != nil {
					return err
				}
				return l.say(c.OutOrStdout(), names, "%s", strings.Join(names, "\n"))
			}
			records, err := p.List(args[0])
			if err != nil {
				return err
			}
			for _, r := range records {
				if !matches(r, where) {
					continue
				}
				if err := l.record(c.OutOrStdout(), r); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return c
}

func matches(r phone.Record, where []string) bool {
	for _, w := range where {
		field, value, _ := strings.Cut(w, "=")
		if fmt.Sprint(r.Fields[field]) != value {
			return false
		}
	}
	return true
}

func (l *line) record(w io.Writer, r phone.Record) error {
	if l.json {
		return l.say(w, r, "")
	}
	names := make([]string, 0, len(r.Fields))
	for name := range r.Fields {
		names = append(names, name)
	}
	sort.Strings(names)
	var b strings.Builder
	for _, name := range names {
		text, err := json.Marshal(r.Fields[name])
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, " %s=%s", name, text)
	}
	mark := ""
	if r.Pending {
		mark = " (chờ gửi)"
	}
	return l.say(w, nil, "%s %s%s%s", r.Coll, r.ID, mark, b.String())
}

func (l *line) show() *cobra.Command {
	return &cobra.Command{Use: "show collection id", Short: "Show one record", Args: cobra.ExactArgs(2), RunE: func(c *cobra.Command, args []string) error {
		return l.with(func(p *phone.Phone) error {
			r, found, err := p.Show(args[0], args[1])
			if err != nil {
				return err
			}
			if !found {
				return fmt.Errorf("không có %s %s trên máy này", args[0], args[1])
			}
			return l.record(c.OutOrStdout(), r)
		})
	}}
}

// values reads field=value arguments; a value that is JSON is taken as such,
// anything else as text. text:field=value is always text.
func values(args []string) (phone.Values, error) {
	out := phone.Values{}
	for _, a := range args {
		field, value, found := strings.Cut(a, "=")
		if !found {
			return nil, fmt.Errorf("%q is not field=value", a)
		}
		if name, isText := strings.CutPrefix(field, "text:"); isText {
			out[name] = value
			continue
		}
		var v any
		if json.Unmarshal([]byte(value), &v) != nil {
			v = value
		}
		out[field] = v
	}
	return out, nil
}

func (l *line) stored(c *cobra.Command, n int64, id string, err error) error {
	if err != nil {
		return err
	}
	return l.say(c.OutOrStdout(), map[string]any{"n": n, "id": id}, "Đã ghi trên máy: việc %d, mục %s. Sẽ gửi ở lần đồng bộ tới.", n, id)
}

func (l *line) create() *cobra.Command {
	var id string
	c := &cobra.Command{Use: "create collection field=value …", Short: "Make a record", Args: cobra.MinimumNArgs(1)}
	c.Flags().StringVar(&id, "id", "", "id of the record; made when empty")
	c.RunE = func(c *cobra.Command, args []string) error {
		return l.with(func(p *phone.Phone) error {
			v, err := values(args[1:])
			if err != nil {
				return err
			}
			if id == "" {
				id = phone.NewID()
			}
			n, err := p.CreateAs(args[0], id, v)
			return l.stored(c, n, id, err)
		})
	}
	return c
}

func (l *line) edit() *cobra.Command {
	return &cobra.Command{Use: "edit collection id field=value …", Short: "Change fields of a record", Args: cobra.MinimumNArgs(3), RunE: func(c *cobra.Command, args []string) error {
		return l.with(func(p *phone.Phone) error {
			v, err := values(args[2:])
			if err != nil {
				return err
			}
			n, err := p.Change(args[0], args[1], v)
			return l.stored(c, n, args[1], err)
		})
	}}
}

func (l *line) add() *cobra.Command {
	return &cobra.Command{Use: "add collection id field=difference …", Short: "Add to a number, as stock=-2", Args: cobra.MinimumNArgs(3), RunE: func(c *cobra.Command, args []string) error {
		return l.with(func(p *phone.Phone) error {
			deltas := map[string]float64{}
			for _, a := range args[2:] {
				field, value, _ := strings.Cut(a, "=")
				d, err := strconv.ParseFloat(value, 64)
				if err != nil {
					return fmt.Errorf("%q is not field=number", a)
				}
				deltas[field] = d
			}
			n, err := p.Add(args[0], args[1], deltas)
			return l.stored(c, n, args[1], err)
		})
	}}
}

func (l *line) delete() *cobra.Command {
	return &cobra.Command{Use: "delete collection id", Short: "Remove a record", Args: cobra.ExactArgs(2), RunE: func(c *cobra.Command, args []string) error {
		return l.with(func(p *phone.Phone) error {
			n, err := p.Delete(args[0], args[1])
			return l.stored(c, n, args[1], err)
		})
	}}
}

func (l *line) act() *cobra.Command {
	return &cobra.Command{Use: "act action '{…}'", Short: "Ask for a named action, as market.order", Args: cobra.ExactArgs(2), RunE: func(c *cobra.Command, args []string) error {
		return l.with(func(p *phone.Phone) error {
			if !json.Valid([]byte(args[1])) {
				return fmt.Errorf("the arguments are not JSON: %s", args[1])
			}
			n, err := p.Do(args[0], json.RawMessage(args[1]))
			return l.stored(c, n, args[0], err)
		})
	}}
}

func (l *line) inbox() *cobra.Command {
	return &cobra.Command{Use: "inbox", Short: "Show notices, the newest first", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return l.with(func(p *phone.Phone) error {
			all, err := p.Inbox()
			if err != nil {
				return err
			}
			for _, n := range all {
				mark := "*"
				if n.Read {
					mark = " "
				}
				if err := l.say(c.OutOrStdout(), n, "%s %s  %s\n    %s", mark, n.At, n.Title, n.Body); err != nil {
					return err
				}
			}
			return nil
		})
	}}
}

func (l *line) edits() *cobra.Command {
	return &cobra.Command{Use: "edits [state …]", Short: "Show edits and what became of them: waiting taken merged parked refused", RunE: func(c *cobra.Command, args []string) error {
		return l.with(func(p *phone.Phone) error {
			all, err := p.Edits(args...)
			if err != nil {
				return err
			}
			for _, e := range all {
				err := l.say(c.OutOrStdout(), map[string]any{"n": e.N, "state": e.State, "verdict": e.Verdict, "edit": e.Edit},
					"%d %s %s%s %s %s", e.N, e.State, e.Coll, e.Do, e.ID, e.Verdict.Say)
				if err != nil {
					return err
				}
			}
			return nil
		})
	}}
}

func (l *line) fix() *cobra.Command {
	return &cobra.Command{Use: "fix n field=value …", Short: "Send a refused or parked edit again, corrected", Args: cobra.MinimumNArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return l.with(func(p *phone.Phone) error {
			n, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return err
			}
			v, err := values(args[1:])
			if err != nil {
				return err
			}
			again, err := p.Fix(n, v)
			return l.stored(c, again, args[0], err)
		})
	}}
}

func (l *line) settle() *cobra.Command {
	return &cobra.Command{Use: "settle n", Short: "Give up a refused or parked edit", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return l.with(func(p *phone.Phone) error {
			n, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return err
			}
			return p.Settle(n)
		})
	}}
}

func (l *line) status() *cobra.Command {
	return &cobra.Command{Use: "status", Short: "How this phone stands with the server", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return l.with(func(p *phone.Phone) error {
			s, err := p.Status()
			if err != nil {
				return err
			}
			last := s.LastSync
			if last == "" {
				last = "chưa lần nào"
			}
			return l.say(c.OutOrStdout(), s, "%s · máy %s · %s\nđồng bộ: %s · %d mục\nchờ gửi %d · bị từ chối %d · chờ cán bộ %d",
				s.Name, s.Phone, s.Server, last, s.Records, s.Waiting, s.Refused, s.Parked)
		})
	}}
}

func (l *line) load() *cobra.Command {
	return &cobra.Command{Use: "load <file>", Short: "Fill an empty phone from a snapshot file, without a network", Args: cobra.ExactArgs(1),
		Long: "Fill an empty phone from a snapshot file that came by card, without a network.\nThe next sync brings only what changed since. `langso snapshot <file>` on the server writes such a file.",
		RunE: func(c *cobra.Command, args []string) error {
			return l.with(func(p *phone.Phone) error {
				circles, n, err := p.Load(args[0])
				if err != nil {
					return err
				}
				return l.say(c.OutOrStdout(), map[string]any{"circles": circles, "records": n}, "Đã nạp %d mục dùng chung.", n)
			})
		}}
}

func (l *line) signOut() *cobra.Command {
	var force bool
	c := &cobra.Command{Use: "sign-out", Short: "Forget this phone's key and records", Args: cobra.NoArgs}
	c.Flags().BoolVar(&force, "give-up-unsent", false, "also when edits are unsent: they are lost")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return l.with(func(p *phone.Phone) error { return errors.Join(p.SignOut(c.Context(), force), p.SweepFiles()) })
	}
	return c
}

// Main runs the command as a program of its own and returns its exit status.
func Main(args []string) int {
	c := Command()
	c.Use = "langso phone"
	c.CompletionOptions.DisableDefaultCmd = true
	c.SetArgs(args)
	if err := c.ExecuteContext(context.Background()); err != nil {
		return 1
	}
	return 0
}
