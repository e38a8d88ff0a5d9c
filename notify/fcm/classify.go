package fcm

import (
	"fmt"
	"net/http"
	"time"

	"firebase.google.com/go/v4/errorutils"
	"firebase.google.com/go/v4/messaging"

	"langso/notify"
)

// quotaRest is how long FCM asks to wait after a 429 that does not say.
const quotaRest = time.Minute

// classify sorts the SDK's error, which must not have been wrapped: the SDK
// looks at its outermost type alone. Only UNREGISTERED says that an address is
// gone. SENDER_ID_MISMATCH is what every phone gets when the project is the wrong
// one, and INVALID_ARGUMENT what an address gets that is none (our message is
// always of one shape, and far from too big): suspects, never lost. A plain "not found" is no dead address: FCM says the
// same of a project or an address of ours that does not exist.
func classify(err error) error {
	if err == nil {
		return nil
	}
	resp := errorutils.HTTPResponse(err)
	if resp == nil { // out of time, or 200 with a page of somebody else's
		return &notify.Later{Why: "no answer that could be read", Unsure: true}
	}
	switch {
	case messaging.IsUnregistered(err):
		return &notify.Dead{Why: "UNREGISTERED"}
	case messaging.IsSenderIDMismatch(err):
		return &notify.Suspect{Why: "SENDER_ID_MISMATCH"}
	case messaging.IsInvalidArgument(err):
		return &notify.Suspect{Why: "INVALID_ARGUMENT"}
	case messaging.IsThirdPartyAuthError(err): // Apple's or a browser's service: not FCM's road
		return fmt.Errorf("wake phone: %d THIRD_PARTY_AUTH_ERROR", resp.StatusCode)
	case resp.Header.Get(trouble) == "network":
		return &notify.Later{Why: "network trouble", Unsure: true}
	case resp.Header.Get(trouble) == "token" && resp.StatusCode != http.StatusUnauthorized:
		return &notify.Later{Why: "no access token"}
	}
	return byStatus(resp)
}

func byStatus(resp *http.Response) error {
	why := fmt.Sprintf("FCM answered %d", resp.StatusCode)
	switch s := resp.StatusCode; {
	case s == http.StatusTooManyRequests:
		after := retryAfter(resp)
		if after == 0 {
			after = quotaRest
		}
		return &notify.Later{After: after, Why: why}
	case s == http.StatusUnauthorized || s == http.StatusForbidden || s == http.StatusNotFound:
		return &notify.Config{Why: why}
	case s >= 400 && s < 500 && s != http.StatusRequestTimeout:
		return fmt.Errorf("wake phone: %s", why)
	}
	return &notify.Later{After: retryAfter(resp), Why: why}
}

func retryAfter(resp *http.Response) time.Duration {
	h := resp.Header
	if resp.StatusCode == http.StatusServiceUnavailable {
		h = http.Header{"Retry-After": h[realRetryAfter]}
	}
	return notify.RetryAfter(h, time.Now())
}
