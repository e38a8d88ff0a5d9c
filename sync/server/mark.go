package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"langso/metrics"
)

// mark is a small file beside the data folder, not in it: how far the history
// had come. A restored backup replaces the whole folder and goes back in time;
// the mark does not, and so the loss is noticed.
type mark struct {
	Epoch string `json:"epoch"`
	Seq   int64  `json:"seq"`
}

// jump is far above the numbers that may have been given after the mark was
// last written.
const jump = 1_000_000

func (s *Server) markPath() string { return filepath.Clean(s.App.DataDir()) + ".mark" }

func (s *Server) readMark() (m mark, found bool, err error) {
	raw, err := os.ReadFile(s.markPath())
	if errors.Is(err, fs.ErrNotExist) {
		return m, false, nil
	}
	if err != nil {
		return m, false, fmt.Errorf("read mark: %w", err)
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, false, nil // torn by a power cut: as if it were not there
	}
	return m, true, nil
}

// noticeRollback raises the epoch when the database is behind its mark, of
// another history, or has come here without one: phones then compare.
func (s *Server) noticeRollback() error {
	head, err := s.Journal.Head()
	if err != nil {
		return err
	}
	m, found, err := s.readMark()
	if err != nil {
		return err
	}
	switch {
	case !found && head.Seq == 0: // a new commune
	case found && m.Epoch == head.Epoch && m.Seq <= head.Seq:
		return nil
	default:
		if err := s.Journal.Raise(max(m.Seq, head.Seq) + jump); err != nil {
			return err
		}
		metrics.EpochRaised()
		s.App.Logger().Warn("the database is not the one that was here: a new epoch begins", "had", m.Seq, "has", head.Seq)
	}
	if err := s.writeMark(); err != nil {
		// It serves all the same; a restored backup would be noticed less surely.
		s.App.Logger().Warn("the mark beside the data folder cannot be written", "error", err)
	}
	return nil
}

// writeMark notes how far the history has come, on the disk.
func (s *Server) writeMark() error {
	head, err := s.Journal.Head()
	if err != nil {
		return err
	}
	m := mark{Epoch: head.Epoch, Seq: head.Seq}
	if m == s.marked {
		return nil
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	next := s.markPath() + ".new"
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write mark: %w", err)
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write mark: %w", err)
	}
	if err := os.Rename(next, s.markPath()); err != nil {
		return fmt.Errorf("write mark: %w", err)
	}
	s.marked = m
	return nil
}
