package metrics

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

// seen is a request as a server saw it.
type seen struct {
	method, path, host string
	form               url.Values
	header             http.Header
	body               string
}

// server answers every request with code and body, and remembers what it was asked.
type server struct {
	*httptest.Server
	mu   sync.Mutex
	asks []seen
}

func serve(t *testing.T, code int, body string) *server {
	t.Helper()
	return handle(t, httptest.NewServer, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	})
}

func handle(t *testing.T, start func(http.Handler) *httptest.Server, h http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		s.asks = append(s.asks, seen{r.Method, r.URL.Path, r.Host, r.Form, r.Header.Clone(), string(body)})
		s.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) requests() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seen(nil), s.asks...)
}

// only is the one request that there was.
func (s *server) only(t *testing.T) seen {
	t.Helper()
	all := s.requests()
	if len(all) != 1 {
		t.Fatalf("%d requests: %v", len(all), all)
	}
	return all[0]
}

func success(kind, result string) string {
	return fmt.Sprintf(`{"status":"success","data":{"resultType":%q,"result":%s}}`, kind, result)
}

const one = `[{"metric":{},"value":[1764072000,"0.99"]}]`

// local asks servers of this machine.
func local() *Prometheus { return New(Options{Loopback: true}) }

func at(address string, change ...func(*v1alpha1.PrometheusMetric)) v1alpha1.PrometheusMetric {
	m := v1alpha1.PrometheusMetric{Address: address, Query: `up{job="a"}`}
	for _, c := range change {
		c(&m)
	}
	return m
}

func headers(kv ...string) func(*v1alpha1.PrometheusMetric) {
	return func(m *v1alpha1.PrometheusMetric) {
		for i := 0; i < len(kv); i += 2 {
			m.Headers = append(m.Headers, v1alpha1.WebMetricHeader{Key: kv[i], Value: kv[i+1]})
		}
	}
}

var noon = time.Unix(1764072000, 0)
