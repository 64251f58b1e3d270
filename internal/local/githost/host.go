// Package githost is a git host on this machine: git push and clone over HTTP by git's own http-backend, the part of
// GitHub's REST API that git/source asks, and signed push webhooks. It is for development and tests: it asks nobody for
// a password, so whoever serves it binds it to the loopback interface.
package githost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cgi" //nolint:gosec // fixed in Go 1.6.3
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"slipway/internal/secret"
)

const (
	gitWait      = 30 * time.Second // one git command of the API
	transferWait = 10 * time.Minute // one push, clone or archive
)

// Options says where the repositories lie and who is told of a push.
type Options struct {
	Dir           string       // repositories: DIR/OWNER/NAME.git, bare, in lower case
	Name          string       // the host that repositories claim to be on, "github.com" if empty
	DefaultBranch string       // of new repositories, "main" if empty
	WebhookURL    string       // where pushes are announced; empty: nowhere, unless Deliver is set
	Secret        secret.Value // signs them, X-Hub-Signature-256
	// Deliver replaces the POST to WebhookURL: a test holds back, drops, doubles or swaps what it is given, and may hand
	// it to Host.Post at any time. An error means that the delivery is tried again, a bounded number of times.
	Deliver func(ctx context.Context, d Delivery) error
	Log     *slog.Logger // nil is silent
}

// Host serves
//
//	/git/OWNER/NAME.git                 git push, clone, fetch; a repository comes into being when it is first named
//	/api/v3/repos/OWNER/NAME/...        GitHub's REST API: the repository, commits, compare, tarball, hook pings
//	/codeload/OWNER/NAME/...            archives, where the API redirects to
//
// It is safe for concurrent use. Pushes to one repository happen one after the other.
type Host struct {
	opts    Options
	git     string
	backend *cgi.Handler
	mux     *http.ServeMux

	mu    sync.Mutex
	locks map[string]*sync.Mutex

	deliveries chan Delivery
	client     *http.Client
	stop       context.CancelFunc
	stopped    chan struct{}
}

// New makes the host and starts the delivery of webhooks; Close ends it. It fails when git or its http-backend is not
// installed.
func New(o Options) (*Host, error) {
	if o.Name == "" {
		o.Name = "github.com"
	}
	if o.DefaultBranch == "" {
		o.DefaultBranch = "main"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("open git host: %w", err)
	}
	o.Dir = dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open git host: %w", err)
	}
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, fmt.Errorf("open git host: git is not installed: %w", err)
	}
	h := &Host{opts: o, git: git, locks: map[string]*sync.Mutex{}, deliveries: make(chan Delivery, 1024),
		client: &http.Client{Timeout: deliveryWait}, stopped: make(chan struct{})}
	ctx, cancel := context.WithTimeout(context.Background(), gitWait)
	defer cancel()
	libexec, err := h.run(ctx, "", "--exec-path")
	if err != nil {
		return nil, fmt.Errorf("open git host: %w", err)
	}
	backend := filepath.Join(libexec, "git-http-backend")
	if _, err := os.Stat(backend); err != nil {
		return nil, fmt.Errorf("open git host: git came without http-backend: %w", err)
	}
	h.backend = &cgi.Handler{Path: backend, Dir: dir, Env: append(environment(), "GIT_PROJECT_ROOT="+dir, "GIT_HTTP_EXPORT_ALL=1"),
		Logger: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug), Stderr: logWriter{o.Log}}
	h.mux = h.routes()
	var run context.Context
	run, h.stop = context.WithCancel(context.Background())
	go h.deliver(run)
	return h, nil
}

// Close stops the delivery of webhooks. What was not delivered by then is lost, as with a real host; the sweep finds it.
func (h *Host) Close() error {
	h.stop()
	select {
	case <-h.stopped:
		return nil
	case <-time.After(deliveryWait + time.Second):
		return errors.New("close git host: a webhook is still being delivered")
	}
}

func (h *Host) routes() *http.ServeMux {
	m := http.NewServeMux()
	m.HandleFunc("GET /git/{owner}/{repo}/info/refs", h.serveGit)
	m.HandleFunc("POST /git/{owner}/{repo}/git-upload-pack", h.serveGit)
	m.HandleFunc("POST /git/{owner}/{repo}/git-receive-pack", h.serveGit)
	const api = "/api/v3/repos/{owner}/{repo}"
	m.HandleFunc("GET "+api, h.api(h.repository))
	m.HandleFunc("GET "+api+"/commits/{ref...}", h.api(h.commit))
	m.HandleFunc("GET "+api+"/compare/{basehead}", h.api(h.compare))
	m.HandleFunc("GET "+api+"/tarball/{ref...}", h.api(h.tarball))
	m.HandleFunc("POST "+api+"/hooks/{id}/pings", h.api(h.ping))
	m.HandleFunc("GET /codeload/{owner}/{repo}/legacy.tar.gz/{sha}", h.api(h.archive))
	m.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusNotFound, "Not Found") })
	return m
}

// ServeHTTP serves git, the API and archives.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	end := time.Now().Add(transferWait)
	_, _ = rc.SetReadDeadline(end), rc.SetWriteDeadline(end) // not supported by a test's recorder
	h.mux.ServeHTTP(w, r)
}

var nameForm = regexp.MustCompile(`^[a-z0-9_][a-z0-9._-]{0,99}$`)

// repo is one repository of this host, in lower case as revision.Repository compares it.
type repo struct {
	owner, name string
	dir         string
}

func (r repo) full() string { return r.owner + "/" + r.name }

func (h *Host) repo(r *http.Request) (repo, bool) {
	owner := strings.ToLower(r.PathValue("owner"))
	name := strings.TrimSuffix(strings.ToLower(r.PathValue("repo")), ".git")
	if !nameForm.MatchString(owner) || !nameForm.MatchString(name) {
		return repo{}, false
	}
	return repo{owner, name, filepath.Join(h.opts.Dir, owner, name+".git")}, true
}

func (r repo) exists() bool {
	_, err := os.Stat(filepath.Join(r.dir, "HEAD"))
	return err == nil
}

// lock is one mutex for each repository.
func (h *Host) lock(r repo) *sync.Mutex {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.locks[r.dir]
	if l == nil {
		l = &sync.Mutex{}
		h.locks[r.dir] = l
	}
	return l
}

type logWriter struct{ log *slog.Logger }

func (w logWriter) Write(p []byte) (int, error) {
	w.log.Debug("git", "stderr", strings.TrimSpace(string(p)))
	return len(p), nil
}
