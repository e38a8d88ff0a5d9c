package pwa_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"

	"langso/pwa"
)

// The app lies at the root of PocketBase's own router, below its API.
func TestBind(t *testing.T) {
	app, err := tests.NewTestApp(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer app.Cleanup()
	router, err := apis.NewRouter(app)
	if err != nil {
		t.Fatal(err)
	}
	se := &core.ServeEvent{App: app, Router: router}
	if err := pwa.Bind(se, files()); err != nil {
		t.Fatal(err)
	}
	mux, err := router.BuildMux()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		who, method, path string
		status            int
		kind              string
	}{
		{"a phone", "GET", "/", 200, "text/html"},
		{"a module", "GET", "/sync/client.js", 200, "text/javascript"},
		{"a monitor", "HEAD", "/app.json", 200, "application/json"},
		{"who mistypes", "GET", "/khong-co", 404, "application/json"},
		{"who asks the API", "GET", "/api/health", 200, "application/json"},
		{"who asks an unknown API", "GET", "/api/khong-co", 404, "application/json"},
		{"who climbs", "GET", "/..%2f..%2fgo.mod", 404, "application/json"},
		{"who writes", "POST", "/", 404, "application/json"},
	} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.status || !strings.HasPrefix(w.Header().Get("Content-Type"), c.kind) {
			t.Errorf("%s: %s %s: %d %s", c.who, c.method, c.path, w.Code, w.Header().Get("Content-Type"))
		}
		if c.method == "HEAD" && w.Body.Len() > 0 {
			t.Errorf("%s: HEAD has a body", c.who)
		}
	}
}
