package phone

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// triesInVain is how often in a row a road may break without bringing a byte.
const triesInVain = 3

// fetchFile brings a file to path, from where the last attempt ended.
func (p *Phone) fetchFile(ctx context.Context, hash, size, path string) error {
	for vain := 0; ; {
		before := length(path + ".part")
		done, err := p.fetchPart(ctx, hash, size, path)
		if done {
			return nil
		}
		var f *Failure
		if errors.As(err, &f) || ctx.Err() != nil {
			return err
		}
		if vain++; length(path+".part") > before {
			vain = 0
		}
		if vain >= triesInVain {
			return err
		}
	}
}

func length(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// fetchPart asks for what is missing and keeps what comes; done when the file is
// whole and is what the server said it is.
func (p *Phone) fetchPart(ctx context.Context, hash, size, path string) (done bool, err error) {
	part := path + ".part"
	header := http.Header{}
	at := length(part)
	if at > 0 {
		etag, err := os.ReadFile(path + ".etag")
		if err != nil {
			at = 0
		}
		header.Set("Range", "bytes="+strconv.FormatInt(at, 10)+"-")
		header.Set("If-Range", string(etag))
	}
	to := "/api/files/" + hash
	if size != Whole {
		to += "?size=" + size
	}
	response, err := p.request(ctx, http.MethodGet, to, header, nil, nil)
	var f *Failure
	if errors.As(err, &f) && f.Status == http.StatusRequestedRangeNotSatisfiable {
		return false, errors.Join(ErrCut, os.Remove(part)) // it was whole already, or of another file
	}
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	etag := response.Header.Get("ETag")
	if len(etag) != 66 {
		return false, fmt.Errorf("%w: answered without a tag", ErrNoServer)
	}
	mode := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	total := response.ContentLength
	if response.StatusCode == http.StatusPartialContent {
		if total, err = total206(response.Header.Get("Content-Range"), at); err != nil {
			return false, err
		}
	} else {
		mode, at = os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0
	}
	if err := os.WriteFile(path+".etag", []byte(etag), 0o600); err != nil {
		return false, fmt.Errorf("fetch file: %w", err)
	}
	out, err := os.OpenFile(part, mode, 0o600)
	if err != nil {
		return false, fmt.Errorf("fetch file: %w", err)
	}
	n, broken := io.Copy(out, response.Body)
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		return false, fmt.Errorf("fetch file: %w", err)
	}
	if at += n; broken != nil || at < total {
		return false, ErrCut
	}
	return true, wholeFile(part, path, strings.Trim(etag, `"`))
}

// total206 reads how long the whole is, of an answer that begins at from.
func total206(contentRange string, from int64) (int64, error) {
	var first, last, total int64
	if _, err := fmt.Sscanf(contentRange, "bytes %d-%d/%d", &first, &last, &total); err != nil || first != from {
		return 0, fmt.Errorf("%w: another range than was asked for", ErrNoServer)
	}
	return total, nil
}

// wholeFile makes a part that has come to its end the file, when it is what its
// tag says: the SHA-256 of its bytes.
func wholeFile(part, path, sum string) error {
	b, err := os.ReadFile(part)
	if err != nil {
		return fmt.Errorf("fetch file: %w", err)
	}
	if got := sha256.Sum256(b); hex.EncodeToString(got[:]) != sum {
		return errors.Join(errDamage, os.Remove(part))
	}
	if err := errors.Join(os.Rename(part, path), os.Remove(path+".etag")); err != nil {
		return fmt.Errorf("fetch file: %w", err)
	}
	return nil
}
