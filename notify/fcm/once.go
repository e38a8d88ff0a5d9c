package fcm

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"golang.org/x/oauth2"
)

// Headers by which [once] tells classify what really happened.
const (
	realRetryAfter = "X-Langso-Retry-After"
	trouble        = "X-Langso-Trouble" // "network" or "token"
)

// answerLimit is the most that is read of an answer; a true one is under 1 kB.
const answerLimit = 64 << 10

// once makes every request final. The SDK repeats what failed on the network
// or with 503, up to four times; it does not when told to wait very long. So the
// Retry-After of a 503 is put aside and replaced by a very long one, and
// trouble on the network is turned into such a 503.
type once struct{ road http.RoundTripper }

// notBefore is longer than the SDK's patience of two minutes.
const notBefore = "99999"

func (o once) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := o.road.RoundTrip(req)
	if err == nil {
		err = slurp(resp)
	}
	if err != nil {
		if req.Context().Err() != nil {
			return nil, err
		}
		return stumbled(req, err), nil
	}
	if resp.StatusCode == http.StatusServiceUnavailable {
		if after := resp.Header.Get("Retry-After"); after != "" {
			resp.Header.Set(realRetryAfter, after)
		}
		resp.Header.Set("Retry-After", notBefore)
	}
	return resp, nil
}

// slurp reads the answer here, where a cut connection is still ours to see.
func slurp(resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	resp.Body.Close()
	if err != nil {
		return err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// stumbled is the answer of a service that was not reached. When it is Google's
// refusal of our key, no waiting helps: that is a 401.
func stumbled(req *http.Request, err error) *http.Response {
	status, kind, head := http.StatusServiceUnavailable, "UNAVAILABLE", http.Header{}
	head.Set(trouble, "network")
	var token *oauth2.RetrieveError
	if errors.As(err, &token) {
		head.Set(trouble, "token")
		if s := token.Response; s != nil && s.StatusCode >= 400 && s.StatusCode < 500 && s.StatusCode != http.StatusTooManyRequests {
			status, kind = http.StatusUnauthorized, "UNAUTHENTICATED"
		}
	}
	head.Set("Retry-After", notBefore)
	head.Set("Content-Type", "application/json")
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: head, Request: req,
		Body: io.NopCloser(strings.NewReader(`{"error":{"status":"` + kind + `","message":"not reached"}}`)),
	}
}
