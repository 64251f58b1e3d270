package bolt

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/record"
	"slipway/internal/state"
	"slipway/internal/state/statetest"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestTheContractHolds(t *testing.T) {
	statetest.Run(t, func(t *testing.T) statetest.Engine {
		dir := filepath.Join(t.TempDir(), "state")
		s := open(t, dir)
		return statetest.Engine{
			Stores: s.Stores(),
			Damage: func(t *testing.T, digest string) {
				path, err := s.blobs.path(digest)
				if err != nil {
					t.Fatal(err)
				}
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				data[0]++
				if err := os.WriteFile(path, data, 0o600); err != nil {
					t.Fatal(err)
				}
			},
			Reopen: func(t *testing.T) state.Stores {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = open(t, dir)
				return s.Stores()
			},
		}
	})
}

func TestOnlyTheOwnerCanReadTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	if _, err := s.Stores().Blobs.Put(t.Context(), []byte("a")); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		} else {
			files++
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
		return nil
	})
	if err != nil || files != 2 {
		t.Fatalf("%d files, %v; want the file and one blob", files, err)
	}
}

func TestASecondProcessIsToldWhoHoldsTheState(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	start := time.Now()
	_, err := Open(dir)
	if !fault.Is(err, fault.Busy) || !strings.Contains(err.Error(), filepath.Join(dir, file)) {
		t.Fatalf("got %v, want busy and the file's name", err)
	}
	if waited := time.Since(start); waited > lockWait+10*time.Second {
		t.Fatalf("waited %s", waited)
	}
}

func TestAnotherSchemaIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	err := s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(schemaKey, []byte("9")) })
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the refusal lets go of the file
		_, err := Open(dir)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), `"9"`) {
			t.Fatalf("got %v, want a refusal that names the schema", err)
		}
	}
}

func TestAFileThatIsNoDatabaseIsRefusedAndKept(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, file)
	junk := strings.Repeat("not a database ", 2000)
	if err := os.WriteFile(path, []byte(junk), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("got %v, want an error that names %s", err, path)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != junk {
		t.Fatalf("the file was changed: %d bytes, %v", len(got), err)
	}
}

func TestHalfWrittenBlobsAreClearedAway(t *testing.T) {
	dir := t.TempDir()
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(dir, "blobs", fresh, "half")
	if err := os.WriteFile(half, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	if _, err := os.Stat(half); !os.IsNotExist(err) {
		t.Fatalf("got %v, want it gone", err)
	}
}

// A record that Update has returned is there after the process was killed, and so is the blob that it names.
func TestAKilledProcessLosesNothingItHasWritten(t *testing.T) {
	if os.Getenv("SLIPWAY_TEST_STATE") != "" {
		writeUntilKilled(t)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), self, "-test.run=^TestAKilledProcessLosesNothingItHasWritten$")
	child.Dir, child.Env = dir, append(os.Environ(), "SLIPWAY_TEST_STATE=here")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 1<<20)
	n := 0
	for strings.Count(string(said[:n]), "\n") < 40 {
		m, err := out.Read(said[n:])
		if err != nil {
			t.Fatalf("child ended early: %v: %s", err, said[:n])
		}
		n += m
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed
	lines := strings.Split(strings.TrimSpace(string(said[:n])), "\n")
	stores := open(t, dir).Stores()
	for _, line := range lines[:len(lines)-1] { // the last may be cut
		name, digest, _ := strings.Cut(line, " ")
		r, err := stores.Records.Get(t.Context(), app.Name(name))
		if err != nil || r.Wanted.Digest != digest {
			t.Fatalf("record %s after the kill: %v, %v; want digest %s", name, r, err, digest)
		}
		if _, err := stores.Blobs.Get(t.Context(), digest); err != nil {
			t.Fatal(err)
		}
	}
}

func writeUntilKilled(t *testing.T) {
	stores := open(t, ".").Stores()
	for i := range 100_000 {
		name := app.Name("argocd/app-" + time.Duration(i).String())
		digest, err := stores.Blobs.Put(t.Context(), []byte(name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stores.Records.Update(t.Context(), name, func(r *record.Record) error { r.Wanted.Digest = digest; return nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stdout.WriteString(string(name) + " " + digest + "\n"); err != nil {
			t.Fatal(err)
		}
	}
}
