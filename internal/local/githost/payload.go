package githost

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"
)

// Delivery is one webhook as it goes out.
type Delivery struct {
	Repository string // owner/name
	Ref        string // "refs/heads/main"; empty for a ping
	After      string // the commit that the ref names now; zeros when it was deleted
	Header     http.Header
	Body       []byte
}

const zeros = "0000000000000000000000000000000000000000"

// listed bounds the commits of one event. GitHub lists more; who counts on all of them is wrong on a real host, too.
const listed = 20

type object = map[string]any

// repository is GitHub's description of one, with the URLs that it would have on the host it claims to be on.
func (h *Host) describe(r repo) object {
	id := fnv.New32a()
	_, _ = id.Write([]byte(r.full()))
	page := "https://" + h.opts.Name + "/" + r.full()
	return object{
		"id": id.Sum32(), "name": r.name, "full_name": r.full(), "private": true, "fork": false,
		"owner":    object{"login": r.owner, "name": r.owner},
		"html_url": page, "url": page, "clone_url": page + ".git",
		"git_url": "git://" + h.opts.Name + "/" + r.full() + ".git", "ssh_url": "git@" + h.opts.Name + ":" + r.full() + ".git",
		"default_branch": h.defaultBranch(r), "master_branch": h.defaultBranch(r),
	}
}

// push is GitHub's event for a ref that moved.
func (h *Host) push(ctx context.Context, r repo, ref, before, after string) Delivery {
	created, deleted := before == "", after == ""
	if created {
		before = zeros
	}
	if deleted {
		after = zeros
	}
	commits := []object{}
	forced := false
	if !deleted {
		span := []string{"-1", after}
		if !created {
			span = []string{fmt.Sprintf("-%d", listed), before + ".." + after}
			_, err := h.run(ctx, r.dir, "merge-base", "--is-ancestor", before, after)
			forced = err != nil
		}
		commits = h.commits(ctx, r, span)
	}
	var head any
	if n := len(commits); n > 0 {
		head = commits[n-1]
	}
	who := object{"name": r.owner, "login": r.owner}
	return h.event("push", r, ref, after, object{
		"ref": ref, "before": before, "after": after, "created": created, "deleted": deleted, "forced": forced,
		"base_ref": nil, "compare": "https://" + h.opts.Name + "/" + r.full() + "/compare/" + before[:12] + "..." + after[:12],
		"commits": commits, "head_commit": head, "repository": h.describe(r), "pusher": who, "sender": who,
	})
}

// commits is the oldest first, as GitHub lists them.
func (h *Host) commits(ctx context.Context, r repo, span []string) []object {
	out, err := h.run(ctx, r.dir, append([]string{"log", "--format=%H%x1f%cI%x1f%an%x1f%ae%x1f%<(500,trunc)%s"}, span...)...)
	if err != nil {
		h.opts.Log.Warn("git host: event without its commits", "repository", r.full(), "error", err)
	}
	commits := []object{}
	for line := range strings.Lines(out) {
		f := strings.Split(strings.TrimSpace(line), "\x1f")
		if len(f) != 5 {
			continue
		}
		who := object{"name": f[2], "email": f[3]}
		commits = append([]object{{"id": f[0], "distinct": true, "timestamp": f[1], "message": strings.TrimSpace(f[4]), "author": who, "committer": who}}, commits...)
	}
	return commits
}

func (h *Host) event(kind string, r repo, ref, after string, payload object) Delivery {
	body, err := json.Marshal(payload)
	if err != nil { // maps of strings
		panic(err)
	}
	mac := hmac.New(sha256.New, h.opts.Secret.Reveal())
	_, _ = mac.Write(body)
	head := http.Header{}
	head.Set("Content-Type", "application/json")
	head.Set("User-Agent", "GitHub-Hookshot/slipway")
	head.Set("X-GitHub-Event", kind)
	head.Set("X-GitHub-Delivery", guid())
	head.Set("X-GitHub-Hook-ID", "1")
	head.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return Delivery{Repository: r.full(), Ref: ref, After: after, Header: head, Body: body}
}

// guid is a random UUID: RFC 9562 version 4.
func guid() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
