package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// logFile reads a process's log while it is written: to look at it costs the process nothing, as a question would.
type logFile struct {
	path string
	at   int64
}

// line is a line of slipway's log about one message.
type line struct {
	Msg     string
	Use     string // fetch or sync
	Outcome string
	Message string
	MS      float64

	Time   time.Time
	Mode   string // of drift: sweep or watch
	Healed int
}

// rest is the lines that were finished since it was last asked.
func (l *logFile) rest() ([]line, error) {
	f, err := os.Open(l.path)
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.NewSectionReader(f, l.at, 64<<20))
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	b = b[:bytes.LastIndexByte(b, '\n')+1]
	l.at += int64(len(b))
	return parseLines(b)
}

func parseLines(b []byte) ([]line, error) {
	var out []line
	for d := json.NewDecoder(bytes.NewReader(b)); ; {
		var one line
		err := d.Decode(&one)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read log: %w", err)
		}
		out = append(out, one)
	}
}

// synced collects lines up to the end of a sync, which ends a push.
func (l *logFile) synced(ctx context.Context) ([]line, error) {
	var all []line
	err := until(ctx, time.Millisecond, seenWait, func() (bool, error) {
		more, err := l.rest()
		all = append(all, more...)
		for _, m := range more {
			if m.Use == "sync" {
				return true, nil
			}
		}
		return false, err
	})
	if err != nil {
		return all, fmt.Errorf("wait for the end of a sync: %w", err)
	}
	return all, nil
}

// quiet is how long a log says nothing when no message is under way.
const quiet = time.Second

// idle waits until the log has said nothing for a while, and skips what it said.
func (s *slipway) idle(ctx context.Context) error {
	last := time.Now()
	return until(ctx, 20*time.Millisecond, seenWait, func() (bool, error) {
		more, err := s.log.rest()
		if len(more) > 0 {
			last = time.Now()
		}
		return time.Since(last) >= quiet, err
	})
}
