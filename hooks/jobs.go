package hooks

import (
	"context"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// bindJobs starts what runs by the clock while the server serves.
func (c *Commune) bindJobs() {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	var working sync.RWMutex // held by jobs at work, so that the end waits for them
	at := func(name, when string, do func() error) {
		c.App.Cron().MustAdd(name, when, func() {
			working.RLock()
			defer working.RUnlock()
			if ctx.Err() == nil {
				c.report(name, do())
			}
		})
	}
	c.App.OnServe().BindFunc(func(se *core.ServeEvent) error {
		if err := se.Next(); err != nil {
			return err
		}
		running.Go(func() {
			c.every(ctx, 500*time.Millisecond, "absorb", func() error {
				if err := c.Absorb(); err != nil {
					return err
				}
				return c.writeMark()
			})
		})
		running.Go(func() {
			refresh := func() error {
				_, err := c.Snapshots.Refresh(ctx)
				if ctx.Err() != nil {
					return nil
				}
				return err
			}
			c.report("make snapshot files", refresh())
			c.every(ctx, time.Minute, "make snapshot files", refresh)
		})
		running.Go(func() { c.Hints.Run(ctx) })
		running.Go(func() { c.every(ctx, time.Minute, "note phones", func() error { return c.seen.flush(c.App) }) })
		if c.Outbox != nil {
			running.Go(func() { c.Outbox.Run(ctx) })
		}
		return nil
	})
	c.App.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
		stop()
		c.Hints.Close()
		running.Wait()
		working.Lock() // PocketBase closes the database next
		defer working.Unlock()
		if err := c.writeMark(); err != nil {
			c.App.Logger().Warn("noting how far the history came failed", "error", err)
		}
		if err := c.seen.flush(c.App); err != nil {
			c.App.Logger().Warn("noting phones failed", "error", err)
		}
		return e.Next()
	})
	for _, d := range c.Domains {
		for _, job := range d.Jobs {
			at(d.Name+": "+job.Name, job.At, func() error { return job.Do(c.App, c.Now()) })
		}
	}
	at("forget old verdicts", "30 20 * * *", c.forgetVerdicts)
	at("forget what went", "40 20 * * *", c.Prune)
}

// Prune forgets what left so long ago that phones know it.
func (c *Commune) Prune() error {
	if err := c.seen.flush(c.App); err != nil {
		return err
	}
	if err := c.Absorb(); err != nil {
		return err
	}
	// Whoever was seen within a season is waited for.
	var passed int64
	err := c.App.ConcurrentDB().NewQuery(`SELECT coalesce(min(p.cursor), 0) FROM phones p, journal_meta m WHERE p.cursor_epoch = m.epoch AND p.cursor > 0 AND p.seen >= {:since}`).
		Bind(dbx.Params{"since": c.Now().Add(-120 * 24 * time.Hour).UTC().Format(time.RFC3339)}).Row(&passed)
	if err != nil {
		return err
	}
	return c.Journal.Prune(c.Now(), passed)
}

// forgetVerdicts drops verdicts that the phone confirmed, after 60 days.
func (c *Commune) forgetVerdicts() error {
	_, err := c.App.NonconcurrentDB().NewQuery(`DELETE FROM sync_verdicts WHERE at < {:then} AND n <= (SELECT confirmed FROM sync_phones p WHERE p.phone = sync_verdicts.phone)`).
		Bind(dbx.Params{"then": c.Now().Add(-60 * 24 * time.Hour).UTC().Format(time.RFC3339)}).Execute()
	return err
}

func (c *Commune) every(ctx context.Context, d time.Duration, name string, do func() error) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.report(name, do())
		}
	}
}

func (c *Commune) report(job string, err error) {
	if err != nil {
		c.App.Logger().Error("a job failed", "job", job, "error", err)
	}
}
