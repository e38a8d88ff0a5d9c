package server

import (
	"context"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// bindJobs starts what runs by the clock while the server serves.
func (s *Server) bindJobs() {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	var working sync.RWMutex // held by jobs at work, so that the end waits for them
	at := func(name, when string, do func() error) {
		s.App.Cron().MustAdd(name, when, func() {
			working.RLock()
			defer working.RUnlock()
			if ctx.Err() == nil {
				s.report(name, do())
			}
		})
	}
	s.App.OnServe().BindFunc(func(se *core.ServeEvent) error {
		if err := se.Next(); err != nil {
			return err
		}
		running.Go(func() {
			s.every(ctx, 500*time.Millisecond, "absorb", func() error {
				if err := s.Absorb(); err != nil {
					return err
				}
				return s.writeMark()
			})
		})
		running.Go(func() {
			refresh := func() error {
				_, err := s.Snapshots.Refresh(ctx)
				if ctx.Err() != nil {
					return nil
				}
				return err
			}
			s.report("make snapshot files", refresh())
			s.every(ctx, time.Minute, "make snapshot files", refresh)
		})
		running.Go(func() { s.Hints.Run(ctx) })
		running.Go(func() { s.every(ctx, time.Minute, "note phones", func() error { return s.NotePhones() }) })
		if s.Run != nil {
			running.Go(func() { s.Run(ctx) })
		}
		return nil
	})
	s.App.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
		stop()
		s.Hints.Close()
		running.Wait()
		working.Lock() // PocketBase closes the database next
		defer working.Unlock()
		if err := s.writeMark(); err != nil {
			s.App.Logger().Warn("noting how far the history came failed", "error", err)
		}
		if err := s.NotePhones(); err != nil {
			s.App.Logger().Warn("noting phones failed", "error", err)
		}
		return e.Next()
	})
	for _, d := range s.Domains {
		for _, job := range d.Jobs {
			at(d.Name+": "+job.Name, job.At, func() error { return job.Do(s.App, s.Now()) })
		}
	}
	at("forget old verdicts", "30 20 * * *", s.forgetVerdicts)
	at("forget what went", "40 20 * * *", s.Prune)
}

// Prune forgets what left so long ago that phones know it.
func (s *Server) Prune() error {
	if err := s.NotePhones(); err != nil {
		return err
	}
	if err := s.Absorb(); err != nil {
		return err
	}
	// Whoever was seen within a season is waited for.
	var passed int64
	err := s.App.ConcurrentDB().NewQuery(`SELECT coalesce(min(p.cursor), 0) FROM phones p, journal_meta m WHERE p.cursor_epoch = m.epoch AND p.cursor > 0 AND p.seen >= {:since}`).
		Bind(dbx.Params{"since": s.Now().Add(-120 * 24 * time.Hour).UTC().Format(time.RFC3339)}).Row(&passed)
	if err != nil {
		return err
	}
	return s.Journal.Prune(s.Now(), passed)
}

// forgetVerdicts drops verdicts that the phone confirmed, after 60 days.
func (s *Server) forgetVerdicts() error {
	_, err := s.App.NonconcurrentDB().NewQuery(`DELETE FROM sync_verdicts WHERE at < {:then} AND n <= (SELECT confirmed FROM sync_phones p WHERE p.phone = sync_verdicts.phone)`).
		Bind(dbx.Params{"then": s.Now().Add(-60 * 24 * time.Hour).UTC().Format(time.RFC3339)}).Execute()
	return err
}

func (s *Server) every(ctx context.Context, d time.Duration, name string, do func() error) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.report(name, do())
		}
	}
}

func (s *Server) report(job string, err error) {
	if err != nil {
		s.App.Logger().Error("a job failed", "job", job, "error", err)
	}
}
