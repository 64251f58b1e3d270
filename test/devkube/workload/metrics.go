package workload

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	corev1 "k8s.io/api/core/v1"
)

// keptScrapes is how many scrapes still see the series of a pod that has gone: its last requests count.
const keptScrapes = 3

var (
	labelNames = []string{"namespace", "job", "service", "pod", "version", "rollouts_pod_template_hash"}
	buckets    = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5} // seconds
)

// metrics are what the pods would export. Requests and scrapes may come at once; requests come one by one.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	handler  http.Handler
	targets  map[string]*target // by namespace, application, Service and pod

	begun, done atomic.Int64 // scrapes; done is the number of the last that has ended
}

// target is a pod behind a Service.
type target struct {
	labels   prometheus.Labels
	behavior behavior
	owed     float64 // errors
	born     int64   // scrapes begun by then
	seen     int64   // scrapes done when it was last there
}

func newMetrics() *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total", Help: "Requests answered.",
		}, append(slices.Clone(labelNames), "status")),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds", Help: "Time to answer a request.", Buckets: buckets,
		}, labelNames),
		targets: map[string]*target{},
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.requests, m.seconds)
	m.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	return m
}

// ServeHTTP answers a scrape.
func (m *metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := m.begun.Add(1)
	m.handler.ServeHTTP(w, r)
	for {
		done := m.done.Load()
		if n <= done || m.done.CompareAndSwap(done, n) {
			return
		}
	}
}

// scraped says whether a pod's zeros have been scraped, so that it may get requests: rate() sees nothing of a series'
// first sample.
func (m *metrics) scraped(a *application, service string, p *corev1.Pod) bool {
	t := m.target(a, service, p)
	t.seen = m.done.Load()
	return t.seen > t.born
}

func (m *metrics) target(a *application, service string, p *corev1.Pod) *target {
	key := strings.Join([]string{a.namespace, a.name, service, p.Name}, "/")
	t := m.targets[key]
	if t == nil {
		t = &target{labels: prometheus.Labels{
			"namespace": a.namespace, "job": a.name, "service": service, "pod": p.Name,
			"version": tag(p), "rollouts_pod_template_hash": p.Labels["rollouts-pod-template-hash"],
		}, behavior: behaviorOf(tag(p)), owed: offset(p.Name), born: m.begun.Load()}
		m.targets[key] = t
		m.count(t, "200").Add(0)
		m.count(t, "500").Add(0)
		m.seconds.With(t.labels)
	}
	return t
}

// offset keeps the errors of pods that fail equally often from coming together.
func offset(name string) float64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return float64(h.Sum32()%1000) / 1000
}

func (m *metrics) count(t *target, status string) prometheus.Counter {
	return m.requests.MustCurryWith(t.labels).WithLabelValues(status)
}

// answer counts a request that a pod answers, as its behavior says.
func (m *metrics) answer(a *application, service string, p *corev1.Pod) {
	t := m.target(a, service, p)
	status := "200"
	if t.owed += t.behavior.errors; t.owed >= 1 {
		t.owed--
		status = "500"
	}
	m.count(t, status).Inc()
	m.seconds.With(t.labels).Observe(t.behavior.median.Seconds() * math.Exp(0.35*rand.NormFloat64())) // log-normal
}

// unavailable counts a request that a router answers, since nobody is behind the Service.
func (m *metrics) unavailable(a *application, service string) {
	m.requests.WithLabelValues(a.namespace, a.name, service, "", "", "", "503").Inc()
}

// forget drops the series of pods that have gone some scrapes ago.
func (m *metrics) forget() {
	for key, t := range m.targets {
		if m.done.Load()-t.seen > keptScrapes {
			m.requests.DeletePartialMatch(t.labels)
			m.seconds.Delete(t.labels)
			delete(m.targets, key)
		}
	}
}
