package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// auditPolicy logs each read and write of the administrator, who is slipway here, and nothing of the cluster's own
// components; a watch when it has ended.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- {level: Metadata, users: [admin], verbs: [get, list, watch, create, update, patch, delete, deletecollection]}
`

// audit is the API server's log of requests: the one place where none can be missed.
type audit struct {
	policy, log string
	at          int64
}

func newAudit(dir string) (*audit, error) {
	a := &audit{policy: filepath.Join(dir, "policy.yaml"), log: filepath.Join(dir, "audit.log")}
	if err := os.WriteFile(a.policy, []byte(auditPolicy), 0o600); err != nil {
		return nil, fmt.Errorf("write audit policy: %w", err)
	}
	return a, nil
}

// args make devkube write the log. Blocking: a line is there before its request is answered.
func (a *audit) args() []string {
	return []string{
		"--apiserver-arg=--audit-policy-file=" + a.policy, "--apiserver-arg=--audit-log-path=" + a.log,
		"--apiserver-arg=--audit-log-mode=blocking", "--apiserver-arg=--audit-log-maxsize=1024",
	}
}

// counted is writes of slipway, dry runs apart, and what of objects it has read; what names each write, by counts all
// requests by verb and resource.
type counted struct {
	writes, dry, reads, watches int
	what                        []string
	by                          map[string]int
}

// skip leaves out what came since it was last asked.
func (a *audit) skip() error {
	info, err := os.Stat(a.log)
	if err != nil {
		return fmt.Errorf("read audit log: %w", err)
	}
	a.at = info.Size()
	return nil
}

// rest counts what came since it was last asked.
func (a *audit) rest() (counted, error) {
	f, err := os.Open(a.log)
	if err != nil {
		return counted{}, fmt.Errorf("read audit log: %w", err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.NewSectionReader(f, a.at, 256<<20))
	if err != nil {
		return counted{}, fmt.Errorf("read audit log: %w", err)
	}
	b = b[:bytes.LastIndexByte(b, '\n')+1]
	a.at += int64(len(b))
	return countWrites(b)
}

func countWrites(log []byte) (counted, error) {
	c := counted{by: map[string]int{}}
	for d := json.NewDecoder(bytes.NewReader(log)); ; {
		var e struct {
			Verb, UserAgent, RequestURI string
			ObjectRef                   struct{ Resource, Name string }
		}
		err := d.Decode(&e)
		if errors.Is(err, io.EOF) {
			return c, nil
		}
		if err != nil {
			return c, fmt.Errorf("read audit log: %w", err)
		}
		if !strings.HasPrefix(e.UserAgent, "slipway") {
			continue
		}
		verb := e.Verb + " " + e.ObjectRef.Resource
		switch {
		case e.ObjectRef.Resource == "": // discovery
			c.by["discover"]++
			continue
		case e.Verb == "get", e.Verb == "list":
			c.by[verb]++
			c.reads++
			continue
		case e.Verb == "watch":
			c.by[verb]++
			c.watches++
			continue
		}
		u, err := url.Parse(e.RequestURI)
		if err != nil {
			return c, fmt.Errorf("read audit log: %w", err)
		}
		if u.Query().Has("dryRun") {
			c.dry++
			c.by["dry run "+verb]++
			continue
		}
		c.writes++
		c.by[verb]++
		c.what = append(c.what, e.Verb+" "+e.ObjectRef.Resource+" "+e.ObjectRef.Name)
	}
}
