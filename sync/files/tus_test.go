package files

import (
	"encoding/base64"
	"net/http"
	"testing"
)

// FuzzHeaders: no header of a stranger's makes the server fall, and what is read
// as a name or a sum is one.
func FuzzHeaders(f *testing.F) {
	f.Add("sha256 YQ==,filename eA==", "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "12")
	f.Add(" , ,sha256", "sha256", "-1")
	f.Add("sha256  ,sha256 !", "md5 x", "99999999999999999999")
	f.Fuzz(func(t *testing.T, meta, sum, n string) {
		name := metadata(meta, "sha256")
		if ValidHash(name) && len(name) != 64 {
			t.Errorf("%q is no name", name)
		}
		c, ok := readChecksum(http.Header{"Upload-Checksum": {sum}})
		if ok && c != nil && (len(c.want) != c.Size() || c.good() && len(sum) < 30) {
			t.Errorf("%q is no sum", sum)
		}
		if v, ok := number(http.Header{"Upload-Offset": {n}}, "Upload-Offset"); ok && v < 0 {
			t.Errorf("%q is below zero", n)
		}
	})
}

func TestMetadata(t *testing.T) {
	value := base64.StdEncoding.EncodeToString([]byte("vải"))
	for header, want := range map[string]string{
		"name " + value: "vải", "a , name " + value + ",b eA==": "vải", "name": "", "": "", "other " + value: "", "name !": "", "names " + value: "",
	} {
		if got := metadata(header, "name"); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}
