package local

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/internal/app"
	"slipway/internal/deploy"
	"slipway/internal/drift"
	"slipway/internal/fault"
	"slipway/internal/queue"
	"slipway/internal/record"
	"slipway/internal/revision"
	"slipway/internal/state/statetest"
)

// served is a Local without cluster and git host, its API behind a real port, and a client that found it by its folder.
func served(t *testing.T) (*Local, *Client) {
	t.Helper()
	l := &Local{log: slog.New(slog.NewTextHandler(io.Discard, nil)), stores: statetest.Memory()}
	l.drift = drift.New(drift.Deps{Notes: l.stores.Notes})
	l.queues = newQueues(func(string) func(queue.Message) { return func(queue.Message) {} })
	l.deploy = deploy.New(deploy.Deps{Records: l.stores.Records, Registry: l.stores.Registry, Blobs: l.stores.Blobs, Queue: l.queues})
	dir := t.TempDir()
	var err error
	if l.keys, err = loadKeys(dir); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(l.api())
	t.Cleanup(s.Close)
	if err := writeJSON(filepath.Join(dir, readyFile), Ready{URL: s.URL}); err != nil {
		t.Fatal(err)
	}
	c, err := Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l, c
}

func (l *Local) declare(t *testing.T, name string) app.Application {
	t.Helper()
	a := app.Application{Namespace: "argocd", Name: name, Project: "default", Source: app.Source{RepoURL: "https://github.com/myorg/k8s-config", TargetRevision: "main", Path: "apps"}}
	if err := l.stores.Registry.Put(t.Context(), app.Registered{Application: a, File: "argocd/apps.yaml"}); err != nil {
		t.Fatal(err)
	}
	return a
}

func (l *Local) find(t *testing.T, a app.Application, digest string) record.Record {
	t.Helper()
	src, err := a.From()
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.stores.Records.Update(t.Context(), a.Key(), func(r *record.Record) error {
		return r.Find(r.Ver, src, revision.SHA(strings.Repeat("a", 40)), digest, false, time.Now(), time.Now())
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheAPIAnswersOnlyWhoHasTheKey(t *testing.T) {
	l, c := served(t)
	for name, header := range map[string]string{
		"nothing": "", "another key": "Bearer " + l.keys.Webhook, "the key alone": l.keys.API, "basic": "Basic " + l.keys.API, "lower case": "bearer " + l.keys.API, "a prefix": "Bearer " + l.keys.API[:8],
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url+"/v1/applications", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", header)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			if resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("status %d", resp.StatusCode)
			}
		})
	}
	if all, err := c.Applications(t.Context()); err != nil || all == nil {
		t.Errorf("with the key: %v, %v", all, err)
	}
}

func TestClientsSeeWhatIsDeclaredAndWhatIsKnown(t *testing.T) {
	l, c := served(t)
	a := l.declare(t, "shop")
	l.declare(t, "bare")
	rec := l.find(t, a, "sha256:d1")
	if _, err := l.stores.Records.Update(t.Context(), a.Key(), func(r *record.Record) error {
		r.Remember(record.Run{Seq: rec.Wanted.Seq, Outcome: record.Failed, Reason: "away"})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	all, err := c.Applications(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[0].Status != "Unknown" || all[1].Status != "OutOfSync" || all[1].Last == nil || all[1].Record.History != nil {
		t.Errorf("the list is %+v", all)
	}
	got, err := c.Application(t.Context(), a.Key())
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != a.Key() || got.File != "argocd/apps.yaml" || len(got.Record.History) != 1 || got.Last.Reason != "away" {
		t.Errorf("the application is %+v", got)
	}
}

func TestStatusIsArgosWord(t *testing.T) {
	for name, tt := range map[string]struct {
		rec  record.Record
		want string
	}{
		"nothing found":     {record.Record{}, "Unknown"},
		"wanted, not done":  {record.Record{Wanted: record.Wanted{Seq: 2}, Done: record.Done{Seq: 1}}, "OutOfSync"},
		"done":              {record.Record{Wanted: record.Wanted{Seq: 2}, Done: record.Done{Seq: 2}}, "Synced"},
		"done, now refused": {record.Record{Wanted: record.Wanted{Seq: 2}, Done: record.Done{Seq: 2}, Refused: record.Refusal{Reason: "no such path"}}, "Unknown"},
	} {
		if got := status(tt.rec, nil); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestARequestToSyncIsRecordedAndQueued(t *testing.T) {
	l, c := served(t)
	a := l.declare(t, "shop")
	if _, err := c.Sync(t.Context(), a.Key()); !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "nothing was found in git yet") {
		t.Errorf("before the first commit: %v", err)
	}
	rec := l.find(t, a, "sha256:d1")
	if _, err := l.stores.Records.Update(t.Context(), a.Key(), func(r *record.Record) error { r.GiveUp(rec.Wanted.Seq); return nil }); err != nil {
		t.Fatal(err)
	}
	got, err := c.Sync(t.Context(), a.Key())
	if err != nil {
		t.Fatal(err)
	}
	if got.Record.Requested != rec.Wanted.Seq || got.Record.GivenUp != 0 {
		t.Errorf("the record is %+v", got.Record)
	}
	ms, err := l.queues.syncs.Receive(t.Context(), 10)
	if err != nil || len(ms) != 1 || ms[0].Body != `{"application":"argocd/shop"}` {
		t.Errorf("queued are %v, %v", ms, err)
	}
}

func TestErrorsKeepTheirKindOnTheWayToTheClient(t *testing.T) {
	for k := fault.Internal; k <= fault.Unfinished; k++ {
		t.Run(k.String(), func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w)(nil, fault.New(k, "the reason")) }))
			defer s.Close()
			_, err := (&Client{url: s.URL, http: s.Client()}).Applications(t.Context())
			if !fault.Is(err, k) || err.Error() != "the reason" {
				t.Errorf("got %v (%s)", err, fault.Of(err))
			}
		})
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	_, c := served(t)
	for name, ask := range map[string]func(context.Context, app.Name) error{
		"get":       func(ctx context.Context, n app.Name) error { _, err := c.Application(ctx, n); return err },
		"resources": func(ctx context.Context, n app.Name) error { _, err := c.Resources(ctx, n); return err },
		"diff":      func(ctx context.Context, n app.Name) error { _, err := c.Diff(ctx, n); return err },
		"sync":      func(ctx context.Context, n app.Name) error { _, err := c.Sync(ctx, n); return err },
	} {
		if err := ask(t.Context(), "argocd/none"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAClientWithoutAServerSaysSo(t *testing.T) {
	dir := t.TempDir()
	if _, err := Dial(dir); !fault.Is(err, fault.NotFound) {
		t.Errorf("an empty folder: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, readyFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(dir); err == nil || !strings.Contains(err.Error(), readyFile) {
		t.Errorf("a damaged file: %v", err)
	}
	if err := writeJSON(filepath.Join(dir, readyFile), Ready{URL: "http://127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	c, err := Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Applications(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "is slipway up running?") {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestAnAnswerThatIsNoJSONIsShownCut(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		_ = json.NewEncoder(w).Encode(strings.Repeat("x", 5000))
	}))
	defer s.Close()
	_, err := (&Client{url: s.URL, http: s.Client()}).Applications(t.Context())
	if err == nil || len(err.Error()) > 300 {
		t.Errorf("the error is %v", err)
	}
}
