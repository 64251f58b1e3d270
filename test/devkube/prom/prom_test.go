package prom

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const deadline = 30 * time.Second

// counter serves a counter that grows by one each time it is scraped.
func counter() http.Handler {
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, "# TYPE c counter\nc{job=\"web\"} %d\n", n.Add(1))
	})
}

func start(t *testing.T, dir string) *Server {
	t.Helper()
	s, err := Start(Options{Dir: dir, Interval: 100 * time.Millisecond, Targets: map[string]http.Handler{"shop": counter()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// get answers with the status and the body of a path.
func get(t *testing.T, address string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// until asks PromQL until its answer has a series, and answers with its labels.
func until(t *testing.T, s *Server, query string) map[string]string {
	t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		status, body := get(t, s.URL+"/api/v1/query?query="+url.QueryEscape(query))
		var answer struct {
			Data struct {
				Result []struct{ Metric map[string]string }
			}
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
			t.Fatalf("%s: %d %s", query, status, body)
		}
		if r := answer.Data.Result; len(r) > 0 {
			return r[0].Metric
		}
	}
	t.Fatalf("no answer to %s in %s", query, deadline)
	return nil
}

func TestWhatIsScrapedCanBeAskedFor(t *testing.T) {
	s := start(t, t.TempDir())
	until(t, s, `count_over_time(c{job="web"}[1m]) > 2`)
	until(t, s, `rate(c[10s]) > 0`)
	if m := until(t, s, `up{job="shop"} == 1`); m["instance"] != strings.TrimPrefix(s.URL, "http://") {
		t.Errorf("scraped as %v", m)
	}
	if status, _ := get(t, s.URL+"/-/ready"); status != http.StatusOK {
		t.Errorf("ready: %d", status)
	}
	status, body := get(t, s.URL+"/api/v1/query?query=sum(")
	if status != http.StatusBadRequest || !strings.Contains(body, "bad_data") {
		t.Errorf("bad PromQL: %d %s", status, body)
	}
}

// The console's and Grafana's calls, which touch what is not run.
func TestTheRestOfTheAPIAnswers(t *testing.T) {
	s := start(t, t.TempDir())
	until(t, s, "c")
	for _, path := range []string{
		"query_range?query=c&start=1&end=2&step=1", "labels", "label/job/values", "series?match[]=c", "metadata", "targets", "rules",
		"alerts", "alertmanagers", "status/tsdb", "status/config", "status/flags", "status/buildinfo", "status/runtimeinfo",
		"status/walreplay", "notifications", "scrape_pools",
	} {
		if status, body := get(t, s.URL+"/api/v1/"+path); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

func TestTheDataOutlivesARestart(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir)
	until(t, first, "c >= 3")
	first.Stop()
	until(t, start(t, dir), "count(count_over_time(c[5m])) == 2") // two ports, so two instances
	if err := first.failure(); err != nil {
		t.Error("a stop that was asked for is an error:", err)
	}
}

func (s *Server) failure() error {
	select {
	case err := <-s.Err():
		return err
	default:
		return nil
	}
}

func TestAPrometheusThatCannotStartSaysWhy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{
		"a file for a directory": {Dir: file, Interval: time.Second},
		"no interval":            {Dir: t.TempDir()},
		"a port that is none":    {Dir: t.TempDir(), Interval: time.Second, Port: 1 << 20},
	} {
		if s, err := Start(o); err == nil || !strings.HasPrefix(err.Error(), "start prometheus: ") {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}
