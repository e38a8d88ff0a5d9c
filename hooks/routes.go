package hooks

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"langso/pwa"
	"langso/signin"
)

func (c *Commune) bindRoutes() {
	c.App.OnServe().BindFunc(func(se *core.ServeEvent) error {
		if c.SignIn != nil {
			c.SignIn.MayInvite, c.SignIn.Load, c.SignIn.Left, c.SignIn.Words = c.mayInvite, c.Engine.Load, c.Hints.Drop, words
			signin.Bind(se, c.SignIn)
		}
		if c.Texts != nil {
			c.Texts.Bind(se)
		}
		if c.Files != nil {
			if err := pwa.Bind(se, c.Files); err != nil {
				return err
			}
		}
		return se.Next()
	})
}

// about is what a commune tells beside what sync does.
func (c *Commune) about() map[string]any {
	return map[string]any{"name": c.Name, "sms": c.gateway(), "demo": c.Demo, "push": c.pushKey()}
}

// gateway names what carries codes: log, http, or off.
func (c *Commune) gateway() string {
	if c.SignIn == nil || c.SignIn.SMS == nil {
		return "off"
	}
	return c.SignIn.SMS.Name()
}

// pushKey is what browsers subscribe to; "" when they cannot be woken.
func (c *Commune) pushKey() string {
	if c.WebPush == nil {
		return ""
	}
	return c.WebPush.PublicKey()
}

// mayInvite tells whether a person sits at the one-stop counter now.
func (c *Commune) mayInvite(_ core.App, person string) bool {
	circles, err := c.Engine.Circles(person)
	return err == nil && slices.Contains(circles, "duty:onestop")
}
