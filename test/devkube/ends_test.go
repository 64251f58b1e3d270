package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestTheEndOfInputCancelsAndSaysSo(t *testing.T) {
	r, w := io.Pipe()
	ctx, cancel := context.WithCancelCause(t.Context())
	go stopOnEOF(r, cancel)
	if _, err := io.WriteString(w, "bytes are no end"); err != nil {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatal("cancelled while the writer lives")
	}
	_ = w.Close()
	<-ctx.Done()
	if err := context.Cause(ctx); !strings.Contains(err.Error(), "standard input has ended") {
		t.Error(err)
	}
}

func TestAnInputThatFailsIsItsEndToo(t *testing.T) {
	broken := errors.New("broken")
	ctx, cancel := context.WithCancelCause(t.Context())
	stopOnEOF(iotest.ErrReader(broken), cancel)
	if err := context.Cause(ctx); !errors.Is(err, broken) {
		t.Error(err)
	}
}
