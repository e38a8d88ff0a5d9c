package publicservice

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// dossier is a lens over a record of dossiers.
type dossier struct{ *core.Record }

func (d dossier) person() string      { return d.GetString("person") }
func (d dossier) procedure() string   { return d.GetString("procedure") }
func (d dossier) status() Status      { return Status(d.GetInt("status")) }
func (d dossier) code() string        { return d.GetString("code") }
func (d dossier) note() string        { return d.GetString("note") }
func (d dossier) scans() string       { return d.GetString("scans") }
func (d dossier) say() string         { return d.GetString("say") }
func (d dossier) submittedAt() string { return d.GetString("submitted_at") }
func (d dossier) receipt() string     { return d.GetString("receipt") }
func (d dossier) atCounter() bool     { return d.GetString("channel") == "counter" }

// maxScans is how many photos of papers one dossier may have.
const maxScans = 20

// addScans adds names of files, each once.
func (d dossier) addScans(names string) error {
	all := strings.Fields(d.scans())
	for _, name := range strings.Fields(names) {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	if len(all) > maxScans {
		return commune.Refuse("too_many_scans", "Hồ sơ có nhiều nhất %d ảnh giấy tờ. Bác bỏ bớt ảnh rồi gửi lại giúp ạ.", maxScans)
	}
	d.Set("scans", strings.Join(all, " "))
	return nil
}

func (d dossier) content() (Content, error) { return readContent(d.GetString("content")) }

func checkDossier(c *commune.Case) error {
	if c.Deleting() {
		return nil
	}
	d := dossier{c.New}
	if !d.status().Valid() {
		return commune.Refuse("bad_status", "Trạng thái hồ sơ là một số từ 1 đến 10.")
	}
	_, err := d.content()
	return err
}

// raiseDossier tells the applicant each status. Dossiers that the server loads
// from elsewhere are old news.
func raiseDossier(c *commune.Case) ([]commune.Notice, error) {
	if c.Deleting() || !c.Changed("status") || c.Creating() && c.Author.Server() {
		return nil, nil
	}
	d := dossier{c.New}
	p, err := c.App.FindRecordById("procedures", d.procedure())
	if err != nil {
		return nil, fmt.Errorf("find procedure: %w", err)
	}
	steps, err := countEvents(c.App, d.Id)
	if err != nil {
		return nil, err
	}
	told := []string{d.person()}
	if by := d.filedBy(); by != "" {
		told = append(told, by)
	}
	var out []commune.Notice
	for _, person := range told {
		out = append(out, commune.Notice{
			To:    commune.Named("person", person),
			Key:   strings.Join([]string{d.Id, strconv.Itoa(int(d.status())), strconv.Itoa(steps)}, ":"),
			Kind:  "dossier_step",
			Title: "Hồ sơ " + shorten(procedure{p}.name(), 100) + ": " + d.status().String(),
			Body:  d.say(),
			Link:  "#/ho-so/" + d.Id,
			Class: d.presses(),
		})
	}
	return out, nil
}

func (d dossier) filedBy() string { return d.GetString("filed_by") }

func countEvents(app core.App, id string) (int, error) {
	var n int
	err := app.DB().Select("count(*)").From("dossier_events").Where(dbx.HashExp{"dossier": id}).Row(&n)
	if err != nil {
		return 0, fmt.Errorf("count dossier's events: %w", err)
	}
	return n, nil
}

// shorten cuts a text to so many characters, the last being an ellipsis.
func shorten(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// presses tells how much a step presses: when the applicant has to do something,
// more than when there is something to know.
func (d dossier) presses() commune.Class {
	if s := d.status(); s == NeedsPapers || s == NeedsPayment {
		return commune.Needed
	}
	return commune.Information
}
