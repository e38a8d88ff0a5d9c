package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/rogpeppe/go-internal/testscript"

	"langso/phone"
	"langso/villagetest"
)

// TestStories plays the days in stories/*.txt against the real server and real
// phones. What the words mean is said in stories/README.md.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "stories",
		Setup: func(env *testscript.Env) error {
			tb := env.T().(testing.TB)
			s := &story{phones: map[string]*holder{}}
			s.server = villagetest.New(tb, domains)
			s.tb = tb
			env.Values[storyKey{}] = s
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"record":    played((*story).record),
			"villager":  played((*story).villager),
			"phone":     played((*story).phone),
			"creates":   played((*story).creates),
			"changes":   played((*story).changes),
			"adds":      played((*story).adds),
			"removes":   played((*story).removes),
			"does":      played((*story).does),
			"fixes":     played((*story).fixes),
			"settles":   played((*story).settles),
			"drops":     played((*story).drops),
			"rules":     played((*story).rules),
			"decided":   played((*story).decided),
			"syncs":     played((*story).syncs),
			"next":      played((*story).next),
			"verdict":   played((*story).verdict),
			"sees":      played((*story).sees),
			"holds":     played((*story).holds),
			"dashboard": played((*story).dashboard),
			"opens":     played((*story).opens),
			"looks":     played((*story).looks),
			"sql":       played((*story).sql),
			"days":      played((*story).days),
			"restart":   played((*story).restart),
			"waits":     played((*story).waits),
			"notice":    played((*story).notice),
			"server":    played((*story).serverHas),
			"packs":     played((*story).packs),
			"carries":   played((*story).carries),
			"delivers":  played((*story).delivers),
			"unpacks":   played((*story).unpacks),
		},
	})
}

type storyKey struct{}

// story is one day being played.
type story struct {
	tb     testing.TB
	server *villagetest.Server
	phones map[string]*holder
	token  string // of the administrator
}

// holder is somebody with a phone.
type holder struct {
	*phone.Phone
	person string
	fault  villagetest.Fault // of the next request
	last   phone.Report
	edits  []int64
	packed []byte // for a neighbour
}

func played(f func(*story, []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		s := ts.Value(storyKey{}).(*story)
		err := f(s, args)
		switch {
		case err != nil && !neg:
			ts.Fatalf("%v", err)
		case err == nil && neg:
			ts.Fatalf("it happened all the same")
		}
	}
}

// id pads a short name to a record's id.
func id(name string) string {
	if len(name) > 15 {
		return name[:15]
	}
	return name + strings.Repeat("0", 15-len(name))
}

// fields reads name=value words. A value that is JSON is taken so, @name is the
// id of that name, anything else is text.
func fields(words []string) map[string]any {
	out := map[string]any{}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		out[name] = plainWord(value)
	}
	return out
}

func plainWord(value string) any {
	if ref, ok := strings.CutPrefix(value, "@"); ok {
		return id(ref)
	}
	var v any
	if _, err := strconv.ParseFloat(value, 64); err == nil || strings.ContainsAny(value, "{[") || value == "true" || value == "false" {
		if json.Unmarshal([]byte(withIDs(value)), &v) == nil {
			return v
		}
	}
	return value
}

// withIDs puts ids for "@name" inside JSON.
func withIDs(text string) string {
	for {
		start := strings.Index(text, `"@`)
		if start < 0 {
			return text
		}
		end := strings.Index(text[start+1:], `"`) + start + 1
		text = text[:start] + `"` + id(text[start+2:end]) + `"` + text[end+1:]
	}
}

func (s *story) who(name string) (*holder, error) {
	h := s.phones[name]
	if h == nil {
		return nil, fmt.Errorf("nobody here is called %s", name)
	}
	return h, nil
}

// record collection name field=value …
func (s *story) record(args []string) error {
	c, err := s.server.App.FindCachedCollectionByNameOrId(args[0])
	if err != nil {
		return err
	}
	r := core.NewRecord(c)
	r.Id = id(args[1])
	for k, v := range fields(args[2:]) {
		r.Set(k, v)
	}
	return s.server.App.Save(r)
}

// villager name village [field=value …]: a person with a household and a phone.
func (s *story) villager(args []string) error {
	name, village := args[0], args[1]
	v := fields(args[2:])
	if v["name"] == nil {
		v["name"] = strings.ToUpper(name[:1]) + name[1:]
	}
	if v["household"] == nil {
		if err := s.record([]string{"households", "h" + name, "name=" + fmt.Sprint(v["name"]), "village=@" + village}); err != nil {
			return err
		}
		v["household"] = id("h" + name)
	}
	if v["status"] == nil {
		v["status"] = "active"
	}
	s.server.Put(s.tb, "persons", id(name), v)
	return s.phone([]string{name, name})
}

// phone name person: another phone of somebody.
func (s *story) phone(args []string) error {
	h := &holder{person: id(args[1])}
	n := &villagetest.Network{Fault: func() villagetest.Fault {
		f := h.fault
		h.fault = villagetest.Fault{}
		return f
	}}
	h.Phone = s.server.PhoneAt(s.tb, filepath.Join(s.tb.TempDir(), args[0]), h.person, n)
	s.phones[args[0]] = h
	return nil
}

func (s *story) edited(name string, f func(h *holder) (int64, error)) error {
	h, err := s.who(name)
	if err != nil {
		return err
	}
	n, err := f(h)
	h.edits = append(h.edits, n)
	return err
}

// creates who collection name field=value …
func (s *story) creates(args []string) error {
	return s.edited(args[0], func(h *holder) (int64, error) { return h.CreateAs(args[1], id(args[2]), fields(args[3:])) })
}

// changes who collection name field=value …
func (s *story) changes(args []string) error {
	return s.edited(args[0], func(h *holder) (int64, error) { return h.Change(args[1], id(args[2]), fields(args[3:])) })
}

// adds who collection name field=difference …
func (s *story) adds(args []string) error {
	return s.edited(args[0], func(h *holder) (int64, error) {
		deltas := map[string]float64{}
		for k, v := range fields(args[3:]) {
			deltas[k], _ = v.(float64)
		}
		return h.Add(args[1], id(args[2]), deltas)
	})
}

// settles who whose edit take [field=value …]: an officer decides about a parked edit.
func (s *story) settles(args []string) error {
	maker, err := s.who(args[1])
	if err != nil {
		return err
	}
	of, err := maker.edit(args[2])
	if err != nil {
		return err
	}
	status, err := maker.Status()
	if err != nil {
		return err
	}
	return s.edited(args[0], func(h *holder) (int64, error) {
		parked, err := h.List("parked_edits")
		if err != nil {
			return 0, err
		}
		for _, p := range parked {
			if p.Fields["phone"] == status.Phone && p.Fields["n"] == float64(of) {
				return h.SettleFor(p, args[3], fields(args[4:]))
			}
		}
		return 0, fmt.Errorf("%s has no such parked edit on the phone", args[0])
	})
}

// rules whose edit take [field=value …]: the administrator decides about a parked
// edit in the dashboard.
func (s *story) rules(args []string) error {
	maker, err := s.who(args[0])
	if err != nil {
		return err
	}
	n, err := maker.edit(args[1])
	if err != nil {
		return err
	}
	status, err := maker.Status()
	if err != nil {
		return err
	}
	parked, err := s.server.App.FindFirstRecordByFilter("parked_edits", fmt.Sprintf("phone = '%s' && n = %d", status.Phone, n))
	if err != nil {
		return err
	}
	words := []string{"parked_edits", parked.Id, "take=" + args[2], "note=" + "đã hỏi gia đình"}
	if len(args) > 3 {
		value, err := json.Marshal(fields(args[3:]))
		if err != nil {
			return err
		}
		words = append(words, "value="+string(value))
	}
	return s.dashboard(words)
}

// drops who edit: the maker gives up what was refused or parked.
func (s *story) drops(args []string) error {
	h, err := s.who(args[0])
	if err != nil {
		return err
	}
	n, err := h.edit(args[1])
	if err != nil {
		return err
	}
	return h.Settle(n)
}

// decided who edit take: the maker's phone knows what was decided.
func (s *story) decided(args []string) error {
	h, err := s.who(args[0])
	if err != nil {
		return err
	}
	n, err := h.edit(args[1])
	if err != nil {
		return err
	}
	known, err := h.Edits("decided")
	if err != nil {
		return err
	}
	for _, e := range known {
		if e.N == n && e.Decision.Take == args[2] && e.Decision.By != "" {
			return nil
		}
	}
	return fmt.Errorf("of edit %d the phone of %s does not know %q", n, args[0], args[2])
}

// edit is the number of the holder's first, second … edit.
func (h *holder) edit(place string) (int64, error) {
	i, err := strconv.Atoi(place)
	if err != nil || i < 1 || i > len(h.edits) {
		return 0, fmt.Errorf("there is no edit %s", place)
	}
	return h.edits[i-1], nil
}

// removes who collection name
func (s *story) removes(args []string) error {
	return s.edited(args[0], func(h *holder) (int64, error) { return h.Delete(args[1], id(args[2])) })
}

// does who action {json}
func (s *story) does(args []string) error {
	return s.edited(args[0], func(h *holder) (int64, error) { return h.Do(args[1], json.RawMessage(withIDs(args[2]))) })
}

// fixes who edit field=value …: send a refused edit again, corrected.
func (s *story) fixes(args []string) error {
	return s.edited(args[0], func(h *holder) (int64, error) {
		n, err := nth(h, args[1])
		if err != nil {
			return 0, err
		}
		return h.Fix(n, fields(args[2:]))
	})
}

func nth(h *holder, word string) (int64, error) {
	i, err := strconv.Atoi(word)
	if err != nil || i < 1 || i > len(h.edits) {
		return 0, fmt.Errorf("there is no edit %s", word)
	}
	return h.edits[i-1], nil
}

// syncs who …
func (s *story) syncs(args []string) error {
	for _, name := range args {
		h, err := s.who(name)
		if err != nil {
			return err
		}
		if h.last, err = h.Sync(context.Background()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// next who lost|dropped|repeated|killed|cut: what happens to the next request.
func (s *story) next(args []string) error {
	h, err := s.who(args[0])
	if err != nil {
		return err
	}
	switch args[1] {
	case "lost":
		h.fault.Lose = true
	case "dropped":
		h.fault.Drop = true
	case "repeated":
		h.fault.Repeat = true
	case "cut":
		h.fault.Cut = func(n int) int { return n / 2 }
	case "killed":
		h.fault.Lose, h.fault.Between = true, func() { s.server.Restart(s.tb) }
	default:
		return fmt.Errorf("a network cannot be %q", args[1])
	}
	return nil
}

// verdict who edit is [code]
func (s *story) verdict(args []string) error {
	h, err := s.who(args[0])
	if err != nil {
		return err
	}
	n, err := nth(h, args[1])
	if err != nil {
		return err
	}
	edits, err := h.Edits()
	if err != nil {
		return err
	}
	for _, e := range edits {
		if e.N != n {
			continue
		}
		if e.State != args[2] || len(args) > 3 && e.Verdict.Code != args[3] {
			return fmt.Errorf("edit %s of %s is %s %s: %s", args[1], args[0], e.State, e.Verdict.Code, e.Verdict.Say)
		}
		return nil
	}
	return fmt.Errorf("edit %s of %s is not on the phone", args[1], args[0])
}

// sees who collection name [field=value …]
func (s *story) sees(args []string) error {
	h, err := s.who(args[0])
	if err != nil {
		return err
	}
	r, found, err := h.Show(args[1], id(args[2]))
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("%s has no %s %s", args[0], args[1], args[2])
	}
	return compare(r.Fields, args[3:])
}

func compare(have map[string]any, want []string) error {
	for name, value := range fields(want) {
		got, err := json.Marshal(have[name])
		if err != nil {
			return err
		}
		expected, err := json.Marshal(value)
		if err != nil {
			return err
		}
		if have[name] == nil && (value == "" || value == 0.0) {
			continue
		}
		if !bytes.Equal(got, expected) {
			return fmt.Errorf("%s is %s, not %s", name, got, expected)
		}
	}
	return nil
}

// holds who collection number: how many records of it the phone holds.
func (s *story) holds(args []string) error {
	h, err := s.who(args[0])
	if err != nil {
		return err
	}
	all, err := h.List(args[1])
	if err != nil {
		return err
	}
	if strconv.Itoa(len(all)) != args[2] {
		names := make([]string, len(all))
		for i, r := range all {
			names[i] = r.ID
		}
		sort.Strings(names)
		return fmt.Errorf("%s holds %d %s: %s", args[0], len(all), args[1], strings.Join(names, " "))
	}
	return nil
}

// dashboard collection name field=value …: the administrator edits a record.
func (s *story) dashboard(args []string) error {
	if err := s.administrator(); err != nil {
		return err
	}
	body, err := json.Marshal(fields(args[2:]))
	if err != nil {
		return err
	}
	w := s.server.Do(http.MethodPatch, "/api/collections/"+args[0]+"/records/"+id(args[1]), string(body), map[string]string{"Authorization": s.token})
	if w.Code != http.StatusOK {
		return fmt.Errorf("the dashboard answered %d: %s", w.Code, w.Body)
	}
	return nil
}

// opens collection reason: the administrator states why personal records must be seen.
func (s *story) opens(args []string) error {
	if err := s.administrator(); err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"collection": args[0], "reason": strings.Join(args[1:], " "), "minutes": 30})
	if err != nil {
		return err
	}
	w := s.server.Do(http.MethodPost, "/api/dashboard/openings", string(body), map[string]string{"Authorization": s.token})
	if w.Code >= 300 {
		return fmt.Errorf("the dashboard answered %d: %s", w.Code, w.Body)
	}
	return nil
}

// looks collection name: the administrator opens a record in the dashboard.
func (s *story) looks(args []string) error {
	if err := s.administrator(); err != nil {
		return err
	}
	w := s.server.Do(http.MethodGet, "/api/collections/"+args[0]+"/records/"+id(args[1]), "", map[string]string{"Authorization": s.token})
	if w.Code != http.StatusOK {
		return fmt.Errorf("the dashboard answered %d: %s", w.Code, w.Body)
	}
	return nil
}

func (s *story) administrator() error {
	if s.token != "" {
		return nil
	}
	c, err := s.server.App.FindCollectionByNameOrId(core.CollectionNameSuperusers)
	if err != nil {
		return err
	}
	admin := core.NewRecord(c)
	admin.SetEmail("quantri@xa.test")
	admin.SetPassword("mat-khau-thu-nghiem")
	if err := s.server.App.Save(admin); err != nil {
		return err
	}
	s.token, err = admin.NewStaticAuthToken(time.Hour)
	return err
}

// sql statement: as typed into a console, by a road that no hook sees.
func (s *story) sql(args []string) error {
	text := strings.Join(args, " ")
	for {
		start := strings.Index(text, "@")
		if start < 0 {
			break
		}
		end := start + 1
		for end < len(text) && (text[end] >= 'a' && text[end] <= 'z' || text[end] >= '0' && text[end] <= '9') {
			end++
		}
		text = text[:start] + "'" + id(text[start+1:end]) + "'" + text[end:]
	}
	_, err := s.server.App.NonconcurrentDB().NewQuery(text).Execute()
	return err
}

// days number
func (s *story) days(args []string) error {
	n, err := strconv.Atoi(args[0])
	s.server.Clock.Add(time.Duration(n) * 24 * time.Hour)
	return err
}

// restart: the server stops and starts again.
func (s *story) restart([]string) error {
	s.server.Restart(s.tb)
	return nil
}

// waits who number: so many edits are unanswered.
func (s *story) waits(args []string) error {
	h, err := s.who(args[0])
	if err != nil {
		return err
	}
	status, err := h.Status()
	if err == nil && strconv.Itoa(status.Waiting) != args[1] {
		return fmt.Errorf("%d edits of %s wait", status.Waiting, args[0])
	}
	return err
}

// notice who words: the inbox has a notice whose title or body holds them.
func (s *story) notice(args []string) error {
	h, err := s.who(args[0])
	if err != nil {
		return err
	}
	inbox, err := h.Inbox()
	if err != nil {
		return err
	}
	for _, n := range inbox {
		if strings.Contains(n.Title+"\n"+n.Body, strings.Join(args[1:], " ")) {
			return nil
		}
	}
	return fmt.Errorf("%s has no such notice among %+v", args[0], inbox)
}

// server collection name field=value …: what the server's table holds.
func (s *story) serverHas(args []string) error {
	r, err := s.server.App.FindRecordById(args[0], id(args[1]))
	if err != nil {
		return err
	}
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	var have map[string]any
	if err := json.Unmarshal(raw, &have); err != nil {
		return err
	}
	return compare(have, args[2:])
}
