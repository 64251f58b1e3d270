package kube

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

var aConfigMap = manifest.ID{Kind: "ConfigMap", Namespace: "n", Name: "a"}

// inProcess answers without a network, so that time can be the test's.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := &recorded{header: http.Header{}, status: http.StatusOK}
	p.handler.ServeHTTP(w, r)
	return &http.Response{StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.body), Request: r}, nil
}

type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorded) Header() http.Header         { return w.header }
func (w *recorded) WriteHeader(status int)      { w.status = status }
func (w *recorded) Write(b []byte) (int, error) { return w.body.Write(b) }

func timed(serve http.HandlerFunc) (*Cluster, *server) {
	a := &server{serve: serve}
	return newCluster("timed", &url.URL{Scheme: "https", Host: "timed"}, &http.Client{Transport: inProcess{a}}), a
}

// Fault 26: an API server that answers 429 with Retry-After for ever.
func TestAThrottledCallHonoursTheServersWaitAndEnds(t *testing.T) {
	for _, test := range []struct {
		name       string
		retryAfter string
		time       time.Duration // of the caller; 0 is none
		asked      int32
		took       time.Duration
		after      time.Duration
	}{
		{"a wait that fits is waited for, within the call's time", "4", 0, 3, 8 * time.Second, 4 * time.Second},
		{"a wait that does not fit is not begun", "30", 0, 1, 0, 30 * time.Second},
		{"the caller's time counts", "4", 6 * time.Second, 2, 4 * time.Second, 4 * time.Second},
		{"without a wait the tries end", "", 0, maxTries, 700 * time.Millisecond, 0},
		{"a wait that is no number is none", "soon", 0, maxTries, 700 * time.Millisecond, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, a := timed(func(w http.ResponseWriter, _ *http.Request) {
					if test.retryAfter != "" {
						w.Header().Set("Retry-After", test.retryAfter)
					}
					status(w, http.StatusTooManyRequests, "TooManyRequests", "slow down")
				})
				ctx := t.Context()
				if test.time > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.time)
					defer cancel()
				}
				start := time.Now()
				_, _, err := c.Apply(ctx, someObject("ConfigMap"), false)
				if took := time.Since(start); took != test.took {
					t.Errorf("it took %s, want %s", took, test.took)
				}
				if got := a.asked.Load(); got != test.asked {
					t.Errorf("%d requests, want %d", got, test.asked)
				}
				if !fault.Is(err, fault.Unavailable) || fault.IsInFlight(err) {
					t.Errorf("kind %v, in flight %v", fault.Of(err), fault.IsInFlight(err))
				}
				if after, _ := fault.After(err); after != test.after {
					t.Errorf("come back after %s, want %s", after, test.after)
				}
				says(t, err, "apply ConfigMap n/a: slow down")
			})
		})
	}
}

func TestAThrottledCallGoesOnWhenTheServerDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int32
		c, _ := timed(func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) < 3 {
				w.Header().Set("Retry-After", "1")
				status(w, http.StatusTooManyRequests, "TooManyRequests", "slow down")
				return
			}
			echo(w, r)
		})
		live, _, err := c.Apply(t.Context(), someObject("ConfigMap"), false)
		if err != nil || live.GetResourceVersion() != "7" {
			t.Fatal(live, err)
		}
	})
}

func TestACallThatIsCancelledWhileItWaitsEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c, a := timed(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "5")
			status(w, http.StatusTooManyRequests, "TooManyRequests", "slow down")
			time.AfterFunc(time.Second, cancel)
		})
		start := time.Now()
		_, err := c.Get(ctx, aConfigMap)
		if took := time.Since(start); took != time.Second {
			t.Errorf("it took %s", took)
		}
		if !fault.Is(err, fault.Unavailable) || a.asked.Load() != 1 {
			t.Error(err, a.asked.Load())
		}
	})
}

// Fault 27: reads are tried again, writes come back by the queue.
func TestAServerErrorIsRetriedForReadsOnly(t *testing.T) {
	for name, test := range map[string]struct {
		do       func(context.Context, *Cluster) error
		asked    int32
		inFlight bool
	}{
		"get": {func(ctx context.Context, c *Cluster) error { _, err := c.Get(ctx, aConfigMap); return err }, maxTries, false},
		"apply": {func(ctx context.Context, c *Cluster) error {
			_, _, err := c.Apply(ctx, someObject("ConfigMap"), false)
			return err
		}, 1, true},
		"dry run": {func(ctx context.Context, c *Cluster) error {
			_, _, err := c.Apply(ctx, someObject("ConfigMap"), true)
			return err
		}, maxTries, false},
		"delete": {func(ctx context.Context, c *Cluster) error { return c.Delete(ctx, aConfigMap, "u", "2") }, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, a := timed(func(w http.ResponseWriter, _ *http.Request) {
					status(w, http.StatusInternalServerError, "", "etcdserver: request timed out")
				})
				err := test.do(t.Context(), c)
				if !fault.Is(err, fault.Unavailable) || fault.IsInFlight(err) != test.inFlight {
					t.Errorf("kind %v, in flight %v", fault.Of(err), fault.IsInFlight(err))
				}
				if got := a.asked.Load(); got != test.asked {
					t.Errorf("%d requests, want %d", got, test.asked)
				}
			})
		})
	}
}

// Fault 28: the server applied, and the connection broke before it could say so.
func TestAWriteWhoseConnectionBreaksIsInFlightAndNotSentAgain(t *testing.T) {
	cut := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	c, a := fake(t, cut, token)
	_, _, err := c.Apply(t.Context(), someObject("ConfigMap"), false)
	if !fault.Is(err, fault.Unavailable) || !fault.IsInFlight(err) || a.asked.Load() != 1 {
		t.Errorf("kind %v, in flight %v, %d requests: %v", fault.Of(err), fault.IsInFlight(err), a.asked.Load(), err)
	}
	t.Run("also when it breaks within the answer", func(t *testing.T) {
		c, _ := fake(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{"apiVersion":`))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, token)
		_, _, err := c.Apply(t.Context(), someObject("ConfigMap"), false)
		if !fault.Is(err, fault.Unavailable) || !fault.IsInFlight(err) {
			t.Errorf("kind %v, in flight %v: %v", fault.Of(err), fault.IsInFlight(err), err)
		}
	})
	t.Run("and when the answer is no object", func(t *testing.T) {
		c, _ := fake(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("OK")) }, token)
		_, _, err := c.Apply(t.Context(), someObject("ConfigMap"), false)
		if !fault.Is(err, fault.Unavailable) || !fault.IsInFlight(err) {
			t.Errorf("kind %v, in flight %v: %v", fault.Of(err), fault.IsInFlight(err), err)
		}
	})
	t.Run("a read is tried once more and then succeeds", func(t *testing.T) {
		var n atomic.Int32
		c, _ := fake(t, func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) == 1 {
				cut(w, r)
			}
			echo(w, r)
		}, token)
		if _, err := c.Get(t.Context(), aConfigMap); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAWriteThatIsNotAnsweredInTimeIsInFlight(t *testing.T) {
	release := make(chan struct{})
	c, _ := fake(t, func(_ http.ResponseWriter, r *http.Request) {
		if got := r.URL.Query().Get("timeout"); got != callTime.String() {
			t.Errorf("the server is told a timeout of %q", got)
		}
		<-release
	}, token)
	defer close(release)
	if _, err := c.Target(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, _, err := c.Apply(ctx, someObject("ConfigMap"), false)
	if !fault.Is(err, fault.Unavailable) || !fault.IsInFlight(err) {
		t.Errorf("kind %v, in flight %v: %v", fault.Of(err), fault.IsInFlight(err), err)
	}
}

func TestAWriteThatWasNeverSentIsNotInFlight(t *testing.T) {
	c, _ := fake(t, echo, token)
	if _, err := c.Target(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Close()
	c.base.Host = "127.0.0.1:1" // nobody listens
	_, _, err := c.Apply(t.Context(), someObject("ConfigMap"), false)
	if !fault.Is(err, fault.Unavailable) || fault.IsInFlight(err) {
		t.Errorf("kind %v, in flight %v: %v", fault.Of(err), fault.IsInFlight(err), err)
	}
	if strings.Contains(err.Error(), "https://") {
		t.Errorf("%q names the URL as well", err)
	}
}

// Fault 33: a token that has expired is read again, at the price of one 401.
func TestATokenThatExpiresIsReadAgainOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	write(t, file, "old")
	valid := "old"
	var refusals atomic.Int32
	c, _ := fake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+valid {
			refusals.Add(1)
			status(w, http.StatusUnauthorized, "Unauthorized", "Unauthorized")
			return
		}
		if b, err := io.ReadAll(r.Body); r.Method == http.MethodPatch && (err != nil || len(b) == 0) {
			t.Errorf("body %q, %v", b, err)
		}
		echo(w, r)
	}, "{tokenFile: '"+file+"'}")
	if _, err := c.Get(t.Context(), aConfigMap); err != nil {
		t.Fatal(err)
	}
	write(t, file, "new")
	valid = "new"
	if _, _, err := c.Apply(t.Context(), someObject("ConfigMap"), false); err != nil {
		t.Fatal(err)
	}
	if refusals.Load() != 1 {
		t.Errorf("%d answers of 401, want 1", refusals.Load())
	}
	valid = "another"
	_, _, err := c.Apply(t.Context(), someObject("ConfigMap"), false)
	if !fault.Is(err, fault.Denied) || refusals.Load() != 3 {
		t.Errorf("%v after %d answers of 401", err, refusals.Load())
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

func TestAFixedTokenThatIsRefusedIsNotTriedAgain(t *testing.T) {
	c, a := fake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t0ken" || r.UserAgent() != "slipway" {
			t.Errorf("headers are %v", r.Header)
		}
		status(w, http.StatusUnauthorized, "Unauthorized", "Unauthorized")
	}, token)
	_, err := c.Get(t.Context(), aConfigMap)
	if !fault.Is(err, fault.Denied) || a.asked.Load() != 1 {
		t.Errorf("%v after %d requests", err, a.asked.Load())
	}
	if strings.Contains(err.Error(), "t0ken") {
		t.Errorf("the token is in %q", err)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	c, a := fake(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}, token)
	_, err := c.Get(t.Context(), aConfigMap)
	if err == nil || a.asked.Load() != 1 {
		t.Errorf("%v after %d requests", err, a.asked.Load())
	}
}

func TestAnAnswerWithoutAnEndIsCutOff(t *testing.T) {
	c, _ := fake(t, func(w http.ResponseWriter, _ *http.Request) {
		chunk := bytes.Repeat([]byte(" "), 1<<20)
		for range maxAnswer>>20 + 2 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}, token)
	_, err := c.Get(t.Context(), aConfigMap)
	says(t, err, "longer than 64 MiB")
}
