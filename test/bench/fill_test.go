package main

import (
	"os"
	"path/filepath"
	"testing"

	"slipway/internal/local/devkube"
)

func TestAClusterIsKeptForItsKeyAndForgottenForAnother(t *testing.T) {
	t.Chdir(t.TempDir())
	bin := filepath.Join(t.TempDir(), "devkube")
	t.Setenv(devkube.Variable, bin)
	key := func(content string) string {
		if err := os.WriteFile(bin, []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
		k, err := fillKey()
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	first, again, other := key("one"), key("one"), key("two")
	if first != again || first == other {
		t.Fatalf("keys %s, %s, %s", first, again, other)
	}
	kept := filepath.Join(filledFolder, "10-"+other)
	for _, dir := range []string{kept, filepath.Join(filledFolder, "100-"+other)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := fill(t.Context(), 10); err != nil || got != kept {
		t.Fatalf("%s, %v, want %s", got, err, kept)
	}
	if err := forget(10); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(filledFolder)
	if err != nil || len(left) != 1 || left[0].Name() != "100-"+other {
		t.Errorf("left %v, %v", left, err)
	}
}
