package server

import "langso/sync/files"

// bindFiles keeps the photos and scans that records refer to, where some do.
func (s *Server) bindFiles() {
	if !s.KeepsFiles() {
		return
	}
	s.store = files.New(files.Options{
		App: s.App, Phones: s.Phones, Domains: s.Domains, Now: s.Now, Settings: s.Files,
		Circles: func(person string) ([]string, error) {
			// What was written a moment ago may have ended a standing.
			if err := s.Absorb(); err != nil {
				return nil, err
			}
			return s.Engine.Circles(person)
		},
	})
}

// KeepsFiles tells whether a collection has file fields, so that there are roads
// for files.
func (s *Server) KeepsFiles() bool {
	for _, d := range s.Domains {
		for _, c := range d.Collections {
			if len(c.Files) > 0 {
				return true
			}
		}
	}
	return false
}
