// Package firebase believes Firebase's word that somebody holds a telephone
// number: the ID token of a phone sign-in, verified by Google's official SDK. A
// token is a way to prove a number, as a code by SMS is, and nothing more.
package firebase

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	sdk "firebase.google.com/go/v4"
	"firebase.google.com/go/v4/auth"
	"google.golang.org/api/option"
)

// Verifier checks ID tokens of one project.
type Verifier struct {
	client *auth.Client
	now    func() time.Time
}

// fresh is how old the proof may be: the token of an app lives on for months, the
// number may be somebody else's by then.
const fresh = 5 * time.Minute

// ErrToken is why a token is not believed; whatever it was, the person hears the same.
var ErrToken = errors.New("token not believed")

// ErrAway says that Google's keys could not be fetched: try again later.
var ErrAway = errors.New("keys of tokens not reached")

// FromEnv makes the verifier of the setting LANGSO_FIREBASE_PROJECT; nil without it.
func FromEnv() (*Verifier, error) {
	project := strings.TrimSpace(os.Getenv("LANGSO_FIREBASE_PROJECT"))
	if project == "" {
		return nil, nil
	}
	return New(project)
}

// New makes a verifier for the project. It makes no connection yet.
func New(project string) (*Verifier, error) {
	// With this set the SDK believes any token, signed or not.
	if os.Getenv("FIREBASE_AUTH_EMULATOR_HOST") != "" {
		return nil, errors.New("make verifier: FIREBASE_AUTH_EMULATOR_HOST is set, with it every token would be believed")
	}
	ctx := context.Background()
	// The named account keeps the SDK from looking for one in the network; it signs nothing here.
	app, err := sdk.NewApp(ctx, &sdk.Config{ProjectID: project, ServiceAccountID: "none@" + project + ".iam.gserviceaccount.com"}, option.WithoutAuthentication())
	if err != nil {
		return nil, errors.New("make verifier: the SDK does not accept the project")
	}
	client, err := app.Auth(ctx)
	if err != nil {
		return nil, errors.New("make verifier: the SDK does not accept the project")
	}
	return &Verifier{client: client, now: time.Now}, nil
}

// Proof is what a token proves.
type Proof struct {
	Number string // as Firebase writes it: "+84912345678"
	// ID is a hash of the sign-in that the token is from: every token of it, however
	// it is written, has the same. Who takes a proof once keeps it.
	ID [32]byte
}

// Prove returns what the token proves. The error is [ErrToken] or [ErrAway].
func (v *Verifier) Prove(ctx context.Context, token string) (Proof, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	t, err := v.client.VerifyIDToken(ctx, token)
	if auth.IsCertificateFetchFailed(err) {
		return Proof{}, ErrAway
	}
	if err != nil {
		return Proof{}, ErrToken
	}
	number, _ := t.Claims["phone_number"].(string)
	at := time.Unix(t.AuthTime, 0)
	if number == "" || t.Firebase.SignInProvider != "phone" || v.now().Sub(at) > fresh || at.Sub(v.now()) > fresh {
		return Proof{}, ErrToken
	}
	// Not the token's bytes: one signature can be written in several ways, and one
	// sign-in has a new token each hour or whenever the app asks.
	return Proof{number, sha256.Sum256(fmt.Appendf(nil, "%s\x00%d\x00%s", t.UID, t.AuthTime, number))}, nil
}
