package local

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// keys are the secrets of one folder: what signs webhooks, and what clients of the API show.
type keys struct {
	Webhook string `json:"webhook"`
	API     string `json:"api"`
}

const keysFile = "secrets.json"

// loadKeys reads the folder's secrets, made at the first start and readable by its owner only.
func loadKeys(dir string) (keys, error) {
	path := filepath.Join(dir, keysFile)
	b, err := os.ReadFile(path) //nolint:gosec // the folder is the user's own
	if errors.Is(err, fs.ErrNotExist) {
		k := keys{Webhook: rand.Text() + rand.Text(), API: rand.Text() + rand.Text()}
		return k, writeJSON(path, k)
	}
	if err != nil {
		return keys{}, fmt.Errorf("read secrets: %w", err)
	}
	var k keys
	if err := json.Unmarshal(b, &k); err != nil || k.Webhook == "" || k.API == "" {
		return keys{}, fmt.Errorf("read secrets: %s is damaged; delete it to have new ones made", path)
	}
	return k, nil
}

// writeJSON replaces a file in one step.
func writeJSON(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", filepath.Base(path), err)
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}
