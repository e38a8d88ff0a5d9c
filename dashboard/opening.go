package dashboard

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"

	"langso/commune"
)

const (
	shortestReason = 10  // characters
	longestReason  = 500 // characters
	longestOpening = 60  // minutes
)

// reason returns the reason for which the superuser has the collection open
// now; ok is false when it is closed.
func (g *gate) reason(app core.App, superuser, collection string) (reason string, ok bool, err error) {
	now := commune.Moment(g.Now())
	err = app.ConcurrentDB().NewQuery(`SELECT reason FROM openings WHERE superuser = {:superuser} AND collection IN ({:collection}, '*')
		AND until > {:now} AND [[from]] <= {:now} ORDER BY until DESC LIMIT 1`).
		Bind(dbx.Params{"superuser": superuser, "collection": collection, "now": now}).Row(&reason)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("look for an opening of %s: %w", collection, err)
	}
	return reason, true, nil
}

func (g *gate) bindOpenings(se *core.ServeEvent) {
	group := se.Router.Group("/api/dashboard/openings")
	group.Bind(apis.RequireSuperuserAuth())
	group.POST("", g.open)
	group.GET("", g.listOpenings)
	group.DELETE("/{id}", g.closeOpening)
}

// opening is an opening as the API tells it.
type opening struct {
	ID         string `db:"id" json:"id"`
	Collection string `db:"collection" json:"collection"`
	Title      string `db:"-" json:"title"`
	Reason     string `db:"reason" json:"reason"`
	From       string `db:"from" json:"from"`
	Until      string `db:"until" json:"until"`
	Open       bool   `db:"-" json:"open"`
}

func (g *gate) open(e *core.RequestEvent) error {
	ask := struct {
		Collection string `json:"collection"`
		Reason     string `json:"reason"`
		Minutes    int    `json:"minutes"`
	}{}
	if err := e.BindBody(&ask); err != nil {
		return refuse(http.StatusBadRequest, "bad_args", "Nội dung của việc này không đọc được.")
	}
	ask.Reason = strings.Join(strings.Fields(strings.ToValidUTF8(ask.Reason, "")), " ")
	switch n := utf8.RuneCountInString(ask.Reason); {
	case n < shortestReason:
		return refuse(http.StatusBadRequest, "reason_short", fmt.Sprintf("Xin ghi rõ lý do, ít nhất %d chữ cái.", shortestReason))
	case n > longestReason:
		return refuse(http.StatusBadRequest, "reason_long", fmt.Sprintf("Lý do dài quá %d chữ cái.", longestReason))
	}
	if ask.Minutes < 1 || ask.Minutes > longestOpening {
		return refuse(http.StatusBadRequest, "bad_minutes", fmt.Sprintf("Mỗi lần mở từ 1 đến %d phút.", longestOpening))
	}
	if g.titleOf(ask.Collection) == "" {
		return refuse(http.StatusBadRequest, "unknown_collection", "Không có mục riêng nào tên như vậy.")
	}
	c, err := e.App.FindCachedCollectionByNameOrId("openings")
	if err != nil {
		return fmt.Errorf("open %s: %w", ask.Collection, err)
	}
	now := g.Now()
	r := core.NewRecord(c)
	r.Load(map[string]any{
		"who": e.Auth.Email(), "superuser": e.Auth.Id, "collection": ask.Collection, "reason": ask.Reason,
		"from": commune.Moment(now), "until": commune.Moment(now.Add(time.Duration(ask.Minutes) * time.Minute)),
	})
	if err := e.App.Save(r); err != nil {
		return fmt.Errorf("open %s: %w", ask.Collection, err)
	}
	return e.JSON(http.StatusOK, opening{
		ID: r.Id, Collection: ask.Collection, Title: g.titleOf(ask.Collection), Reason: ask.Reason,
		From: r.GetString("from"), Until: r.GetString("until"), Open: true,
	})
}

func (g *gate) listOpenings(e *core.RequestEvent) error {
	list := []opening{}
	err := e.App.ConcurrentDB().NewQuery(`SELECT id, collection, reason, [[from]], until FROM openings WHERE superuser = {:who} ORDER BY until DESC LIMIT 50`).
		Bind(dbx.Params{"who": e.Auth.Id}).All(&list)
	if err != nil {
		return fmt.Errorf("list openings: %w", err)
	}
	now := commune.Moment(g.Now())
	for i := range list {
		list[i].Title = g.titleOf(list[i].Collection)
		list[i].Open = list[i].Until > now
	}
	return e.JSON(http.StatusOK, map[string]any{"items": list})
}

// closeOpening ends one's own opening now; the row stays.
func (g *gate) closeOpening(e *core.RequestEvent) error {
	r, err := e.App.FindRecordById("openings", e.Request.PathValue("id"))
	if err != nil || r.GetString("superuser") != e.Auth.Id {
		return refuse(http.StatusNotFound, "not_found", "Không tìm thấy lần mở này.")
	}
	if now := commune.Moment(g.Now()); r.GetString("until") > now {
		r.Set("until", now)
		if err := e.App.Save(r); err != nil {
			return fmt.Errorf("close an opening: %w", err)
		}
	}
	return e.NoContent(http.StatusNoContent)
}

// titleOf returns what people call what an opening names; "" for a collection
// that needs none.
func (g *gate) titleOf(collection string) string {
	if collection == everything {
		return "Tất cả mục riêng và bản sao lưu"
	}
	if p := g.personals[collection]; p != nil {
		return p.title
	}
	return ""
}

// refuse makes an answer in PocketBase's form, with a stable code for programs
// and a sentence for people.
func refuse(status int, code, sentence string) error {
	return &router.ApiError{Status: status, Message: sentence, Data: map[string]any{"code": code}}
}

// reasonNeeded is what the dialog in ui/ waits for.
func (g *gate) reasonNeeded(collection string) error {
	return &router.ApiError{
		Status:  http.StatusForbidden,
		Message: "Mục này là hồ sơ riêng. Xin nêu lý do trước khi mở.",
		Data:    map[string]any{"code": "reason_needed", "collection": collection, "title": g.titleOf(collection)},
	}
}
