//go:build cluster

package e2e

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// delivery is one webhook as the host would send it; the test decides when, how often, and in which order.
type delivery struct {
	id   string
	body []byte
}

// deliver announces a commit of the branch, as GitHub does.
func (b *branch) deliver(sha string) delivery {
	b.t.Helper()
	body, err := json.Marshal(map[string]any{
		"ref": "refs/heads/main", "before": strings.Repeat("0", 40), "after": sha, "created": false, "deleted": false, "forced": false,
		"head_commit": map[string]any{"id": sha},
		"repository":  map[string]any{"full_name": b.Name, "clone_url": b.URL() + ".git", "html_url": b.URL(), "default_branch": "main"},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	d := delivery{id: rand.Text(), body: body}
	b.post(d)
	return d
}

// post sends a delivery, signed with the secret of the process's folder.
func (b *branch) post(d delivery) {
	b.t.Helper()
	data, err := os.ReadFile(filepath.Join(b.w.Process.Dir, "secrets.json"))
	if err != nil {
		b.t.Fatal(err)
	}
	var keys struct{ Webhook string }
	if err := json.Unmarshal(data, &keys); err != nil {
		b.t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte(keys.Webhook))
	mac.Write(d.body)
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.w.Process.URL+"/hooks/github", bytes.NewReader(d.body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", "push")
	req.Header.Set("X-GitHub-Delivery", d.id)
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		b.t.Fatalf("webhook answered %s", resp.Status)
	}
}

// many writes a few hundred ConfigMaps beside the one that counts, so that a sync takes a while.
func (b *branch) many(content string) {
	b.t.Helper()
	var text strings.Builder
	for i := range 300 {
		fmt.Fprintf(&text, "---\n%s", configMap(fmt.Sprintf("%s-%03d", b.object, i), "content", content))
	}
	b.Write(map[string]string{"deploy/many.yaml": text.String()})
}
