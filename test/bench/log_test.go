package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestALogIsReadLineByLineAsItGrows(t *testing.T) {
	l := &logFile{path: filepath.Join(t.TempDir(), "slipway.log")}
	f, err := os.Create(l.path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	const fetch, half, rest = `{"msg":"message","use":"fetch","ms":12,"outcome":"done"}` + "\n", `{"msg":"message","use":"sy`, `nc","ms":3}` + "\n"
	for _, c := range []struct {
		more string
		uses []string
	}{{"", nil}, {fetch + half, []string{"fetch"}}, {rest + fetch, []string{"sync", "fetch"}}, {"", nil}} {
		if _, err := f.WriteString(c.more); err != nil {
			t.Fatal(err)
		}
		got, err := l.rest()
		if err != nil || len(got) != len(c.uses) {
			t.Fatalf("after %q: %+v, %v", c.more, got, err)
		}
		for i, use := range c.uses {
			if got[i].Use != use || got[i].MS == 0 {
				t.Errorf("after %q: %+v", c.more, got[i])
			}
		}
	}
}

func TestTheEndOfASyncIsWaitedFor(t *testing.T) {
	l := &logFile{path: filepath.Join(t.TempDir(), "slipway.log")}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := os.WriteFile(l.path, []byte("{\"use\":\"fetch\"}\n{\"use\":\"sync\"}\n{\"use\":\"fetch\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := l.synced(ctx); err != nil || len(got) != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	cancel()
	if _, err := l.synced(ctx); err == nil {
		t.Error("no sync ended, and that is no error")
	}
}
