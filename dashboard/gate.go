package dashboard

import (
	"net/http"
	"strings"
	"sync"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// gate keeps personal collections closed to superusers without a reason.
type gate struct {
	Options
	app       core.App
	personals map[string]*personal

	mu    sync.Mutex
	shown map[*core.RequestInfo]*shown // what requests under way are about to show
}

func newGate(app core.App, o Options) *gate {
	return &gate{Options: o, app: app, personals: personals(o.Domains), shown: map[*core.RequestInfo]*shown{}}
}

// bindRequests judges requests before PocketBase touches the database: an
// answer that is refused afterwards still tells by its time.
func (g *gate) bindRequests(se *core.ServeEvent) {
	se.Router.Bind(&hook.Handler[*core.RequestEvent]{
		Id:       "communeGate",
		Priority: apis.DefaultSuperuserIPsWhitelistMiddlewarePriority + 1, // who asks is known by then
		Func: func(e *core.RequestEvent) error {
			if err := g.judge(e); err != nil {
				return err
			}
			return e.Next()
		},
	})
}

func (g *gate) judge(e *core.RequestEvent) error {
	name := e.Request.PathValue("collection")
	if name == "" || !strings.HasPrefix(e.Request.URL.Path, "/api/collections/") {
		return nil
	}
	c, err := e.App.FindCachedCollectionByNameOrId(name)
	if err != nil {
		return nil // PocketBase says that there is none
	}
	if err := g.query(e, c); err != nil {
		return err
	}
	path := e.Request.Pattern
	switch {
	case strings.Contains(path, "/{collection}/records"):
		return g.allow(e, c)
	case strings.HasSuffix(path, "/{collection}/truncate"):
		if written[c.Name] {
			return errWritten
		}
		return g.allow(e, c)
	case strings.HasSuffix(path, "/impersonate/{id}") && c.Name == core.CollectionNameSuperusers:
		return refuse(http.StatusForbidden, "impersonate", "Không mượn tài khoản của người quản trị khác: ai xem, người ấy đứng tên.")
	}
	return nil
}

// allow refuses a request for a personal collection that is not opened.
// Those who are no superusers are left to the collection's rules, which there
// are none: they are refused as well.
func (g *gate) allow(e *core.RequestEvent, c *core.Collection) error {
	p := g.find(c)
	if p == nil {
		return nil
	}
	if !e.HasSuperuserAuth() {
		return errPersonal
	}
	_, open, err := g.reason(e.App, e.Auth.Id, p.key)
	if err != nil {
		return err
	}
	if !open {
		return g.reasonNeeded(p.key)
	}
	return nil
}

var (
	errPersonal = refuse(http.StatusForbidden, "personal", "Mục này là hồ sơ riêng.")
	errWritten  = refuse(http.StatusForbidden, "read_only", "Sổ này do máy chủ tự ghi, không sửa hay xóa được.")
	errLive     = refuse(http.StatusForbidden, "personal", "Hồ sơ riêng không theo dõi trực tiếp được; hãy mở rồi tải lại.")
)

// bindRecords puts the gate on the records themselves, whatever road led to
// them: the batch API passes no request handler.
func (g *gate) bindRecords() {
	g.app.OnRecordsListRequest().BindFunc(func(e *core.RecordsListRequestEvent) error {
		if err := g.allow(e.RequestEvent, e.Collection); err != nil {
			return err
		}
		return e.Next()
	})
	asked := func(write bool) func(*core.RecordRequestEvent) error {
		return func(e *core.RecordRequestEvent) error {
			if write && written[e.Collection.Name] {
				return errWritten
			}
			if err := g.query(e.RequestEvent, e.Collection); err != nil {
				return err
			}
			if err := g.allow(e.RequestEvent, e.Collection); err != nil {
				return err
			}
			return e.Next()
		}
	}
	g.app.OnRecordViewRequest().BindFunc(asked(false))
	g.app.OnRecordCreateRequest().BindFunc(asked(true))
	g.app.OnRecordUpdateRequest().BindFunc(asked(true))
	g.app.OnRecordDeleteRequest().BindFunc(asked(true))
	// Nobody is shown what was deleted, but the person learns of it.
	g.app.OnRecordDeleteRequest().BindFunc(func(e *core.RecordRequestEvent) error {
		if p := g.find(e.Collection); p != nil {
			if err := g.log(e.App, e.Auth, p, p.title+" (xóa)", p.owner(e.Record)); err != nil {
				return err
			}
		}
		return e.Next()
	})
	g.app.OnRecordEnrich().BindFunc(g.enrich)
	g.app.OnRealtimeSubscribeRequest().BindFunc(g.subscribe)
	g.app.OnFileDownloadRequest().BindFunc(g.file)
}

// subscribe refuses live messages of personal records: they are made inside
// the writer's transaction, where no log can be written first.
func (g *gate) subscribe(e *core.RealtimeSubscribeRequestEvent) error {
	for _, s := range e.Subscriptions {
		topic, options, _ := strings.Cut(s, "?")
		if strings.Contains(options, "expand") {
			return errLive
		}
		name, _, _ := strings.Cut(topic, "/")
		if c, err := e.App.FindCachedCollectionByNameOrId(name); err == nil && g.find(c) != nil {
			return errLive
		}
	}
	return e.Next()
}

// file guards the files of personal records, protected or not.
func (g *gate) file(e *core.FileDownloadRequestEvent) error {
	p := g.find(e.Collection)
	if p == nil {
		return e.Next()
	}
	who := e.Auth
	if token := e.Request.URL.Query().Get("token"); token != "" {
		who, _ = e.App.FindAuthRecordByToken(token, core.TokenTypeFile)
	}
	if who == nil || !who.IsSuperuser() {
		return errPersonal
	}
	_, open, err := g.reason(e.App, who.Id, p.key)
	if err != nil {
		return err
	}
	if !open {
		return g.reasonNeeded(p.key)
	}
	if err := g.log(e.App, who, p, p.title, p.owner(e.Record)); err != nil {
		return err
	}
	// No cache may keep it longer than the opening.
	e.Response.Header().Set("Cache-Control", "private, no-store")
	return e.Next()
}
