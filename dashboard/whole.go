package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"langso/commune"
)

var (
	errSQL  = refuse(http.StatusForbidden, "sql_off", "Bảng lệnh SQL đang tắt. Người trông máy chủ mở bằng cách chạy với --sql-console; mỗi lệnh đều được ghi lại.")
	errView = refuse(http.StatusForbidden, "view_off", "Bảng tổng hợp (view) đọc được mọi hồ sơ như lệnh SQL, nên cũng đang tắt (--sql-console).")
	errDrop = refuse(http.StatusForbidden, "drop", "Nhập cấu trúc bảng không được kèm xóa những bảng không có trong tệp.")
	errKept = refuse(http.StatusForbidden, "kept", "Ứng dụng đang dùng bảng này theo tên, không xóa hay đổi tên được.")
	errRule = refuse(http.StatusForbidden, "rule", "Ai được xem và sửa bảng này do ứng dụng định, không đặt luật API ở đây.")
)

// bindWhole guards the roads that lead past single records to the whole
// database: backups, the SQL console, views, and rules that others would run.
func (g *gate) bindWhole() {
	g.app.OnServe().BindFunc(func(se *core.ServeEvent) error {
		se.Router.Bind(&hook.Handler[*core.RequestEvent]{
			Id:       "communeWhole",
			Priority: apis.DefaultSuperuserIPsWhitelistMiddlewarePriority + 2,
			Func:     g.whole,
		})
		return se.Next()
	})
	g.app.OnCollectionCreateRequest().BindFunc(g.shape)
	g.app.OnCollectionUpdateRequest().BindFunc(g.shape)
	g.app.OnCollectionsImportRequest().BindFunc(func(e *core.CollectionsImportRequestEvent) error {
		if e.DeleteMissing {
			return errDrop
		}
		for _, c := range e.CollectionsData {
			if c["type"] == core.CollectionTypeView {
				query, _ := c["viewQuery"].(string)
				if err := g.mayView(e.RequestEvent, query); err != nil {
					return err
				}
			}
		}
		return e.Next()
	})
	g.app.OnCollectionDeleteRequest().BindFunc(func(e *core.CollectionRequestEvent) error {
		if g.own(e.Collection.Name) {
			return errKept
		}
		return e.Next()
	})
	// An import of collections saves them without validation.
	g.app.OnCollectionCreate().BindFunc(g.rules)
	g.app.OnCollectionUpdate().BindFunc(g.rules)
	g.app.OnSettingsUpdateRequest().BindFunc(func(e *core.SettingsUpdateRequestEvent) error {
		// A bucket for backups is a way out of the house.
		if s := e.NewSettings.Backups.S3; s.Enabled && s != e.OldSettings.Backups.S3 {
			if err := g.allowAll(e.RequestEvent, e.Auth, "đặt nơi giữ bản sao lưu: "+s.Endpoint+" "+s.Bucket); err != nil {
				return err
			}
		}
		return e.Next()
	})
}

func (g *gate) whole(e *core.RequestEvent) error {
	path := strings.TrimSuffix(e.Request.URL.Path, "/")
	switch {
	case path == "/api/sql":
		return g.console(e)
	case path == "/api/collections/meta/dry-run-view":
		if !e.HasSuperuserAuth() {
			return e.Next()
		}
		body, err := readBody(e)
		if err != nil {
			return err
		}
		ask := struct {
			Query string `json:"query"`
		}{}
		_ = json.Unmarshal(body, &ask)
		if err := g.mayView(e, ask.Query); err != nil {
			return err
		}
	case strings.HasPrefix(path, "/api/backups/") && e.Request.Method != http.MethodDelete:
		// Download, upload and restore; a download is known by its token.
		who := e.Auth
		if token := e.Request.URL.Query().Get("token"); token != "" {
			who, _ = e.App.FindAuthRecordByToken(token, core.TokenTypeFile)
		}
		if err := g.allowAll(e, who, "bản sao lưu: "+e.Request.Method+" "+path); err != nil {
			return err
		}
	}
	return e.Next()
}

// allowAll passes only superusers for whom everything is open, and writes down
// what for.
func (g *gate) allowAll(e *core.RequestEvent, who *core.Record, what string) error {
	if who == nil || !who.IsSuperuser() {
		return errPersonal
	}
	_, open, err := g.reason(e.App, who.Id, everything)
	if err != nil {
		return err
	}
	if !open {
		return g.reasonNeeded(everything)
	}
	return g.note(e.App, who, what)
}

// console runs one statement, written down before.
func (g *gate) console(e *core.RequestEvent) error {
	if !g.SQL {
		return errSQL
	}
	if !e.HasSuperuserAuth() {
		return e.Next()
	}
	ask := struct {
		Query string `json:"query" form:"query"`
	}{}
	if err := e.BindBody(&ask); err != nil {
		return refuse(http.StatusBadRequest, "bad_args", "Câu lệnh không đọc được.")
	}
	if err := g.note(e.App, e.Auth, ask.Query); err != nil {
		return err
	}
	err := e.Next()
	// Whatever came of it: a statement may hold several.
	if g.AfterSQL != nil && reshapes.MatchString(ask.Query) {
		if after := g.AfterSQL(); after != nil {
			g.app.Logger().Error("looking after a statement failed", "error", after)
		}
	}
	return err
}

// reshapes finds statements that may change a table's shape or its triggers.
var reshapes = regexp.MustCompile(`(?i)\b(create|alter|drop)\b`)

// note writes a line into console_log.
func (g *gate) note(app core.App, who *core.Record, what string) error {
	c, err := app.FindCachedCollectionByNameOrId("console_log")
	if err != nil {
		return fmt.Errorf("note a statement: %w", err)
	}
	r := core.NewRecord(c)
	r.Load(map[string]any{"who": who.Email(), "at": commune.Moment(g.Now()), "statement": strings.ToValidUTF8(what, "?")})
	if err := app.Save(r); err != nil {
		return refuse(http.StatusBadRequest, "not_noted", "Không ghi lại được nên không làm: câu lệnh trống hoặc quá dài.")
	}
	return nil
}

// mayView judges a view's query like a statement.
func (g *gate) mayView(e *core.RequestEvent, query string) error {
	if !g.SQL {
		return errView
	}
	return g.note(e.App, e.Auth, query)
}

func (g *gate) shape(e *core.CollectionRequestEvent) error {
	if e.Collection.IsView() {
		if err := g.mayView(e.RequestEvent, e.Collection.ViewQuery); err != nil {
			return err
		}
	}
	return e.Next()
}

// own tells whether the program knows the collection by its name.
func (g *gate) own(name string) bool {
	_, declared := commune.Find(g.Domains, name)
	return declared != nil || superusersOnly[name]
}

// rules refuses another name for a collection of ours, under which the gate
// would not know it, and API rules that would let others ask what superusers
// may not: on our collections and on views any, elsewhere those that lead into
// personal ones.
func (g *gate) rules(e *core.CollectionEvent) error {
	c := e.Collection
	if old, err := e.App.FindCachedCollectionByNameOrId(c.Id); err == nil && old.Name != c.Name && g.own(old.Name) {
		return errKept
	}
	rules := []*string{c.ListRule, c.ViewRule, c.CreateRule, c.UpdateRule, c.DeleteRule, c.AuthRule, c.ManageRule}
	if c.IsAuth() && c.MFA.Rule != "" {
		rules = append(rules, &c.MFA.Rule)
	}
	for _, rule := range rules {
		if rule == nil {
			continue
		}
		if g.own(c.Name) || c.IsView() {
			return errRule
		}
		if err := g.filter(e.App, c, *rule); err != nil {
			return err
		}
	}
	return e.Next()
}

// readBody reads the body for a look and leaves it whole for the handler.
func readBody(e *core.RequestEvent) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(e.Request.Body, 1<<20))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "bad_args", "Nội dung không đọc được.")
	}
	e.Request.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}
