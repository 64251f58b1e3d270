package analysis

import (
	"fmt"
	"net/url"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

// maxTimeout is the longest that a query may take, in seconds: a measurement is one call of a function.
const maxTimeout = 60

// checkProvider refuses what is not built, by path below provider.
func checkProvider(p v1alpha1.MetricProvider) problems {
	var wrong problems
	for _, other := range []struct {
		name string
		used bool
	}{
		{"cloudWatch", p.CloudWatch != nil}, {"datadog", p.Datadog != nil}, {"graphite", p.Graphite != nil},
		{"influxdb", p.Influxdb != nil}, {"job", p.Job != nil}, {"kayenta", p.Kayenta != nil},
		{"newRelic", p.NewRelic != nil}, {"plugin", p.Plugin != nil}, {"skywalking", p.SkyWalking != nil},
		{"wavefront", p.Wavefront != nil}, {"web", p.Web != nil},
	} {
		if other.used {
			wrong.add("."+other.name, "not supported yet")
		}
	}
	switch {
	case p.Prometheus != nil:
		for _, w := range checkPrometheus(*p.Prometheus) {
			wrong = append(wrong, ".prometheus."+w)
		}
	case len(wrong) == 0:
		wrong.add("", "missing")
	}
	return wrong
}

func checkPrometheus(p v1alpha1.PrometheusMetric) problems {
	var wrong problems
	if p.Query == "" {
		wrong.add("query", "missing")
	}
	switch {
	case p.Address == "":
		wrong.add("address", "missing") // Argo's controller has a default for it in its environment
	case !templated(p.Address) && !isHTTP(p.Address):
		wrong.add("address", "is not a URL as http://prometheus:9090") // not quoted: it may hold a password
	}
	if p.Timeout != nil && (*p.Timeout < 1 || *p.Timeout > maxTimeout) {
		wrong.add("timeout", "%d is not from 1 to %d seconds", *p.Timeout, maxTimeout)
	}
	if o := p.Authentication.OAuth2; o.TokenURL != "" || o.ClientID != "" || o.ClientSecret != "" || len(o.Scopes) > 0 {
		wrong.add("authentication.oauth2", "not supported yet")
	}
	if p.Authentication.Sigv4.Profile != "" {
		wrong.add("authentication.sigv4.profile", "not supported: a function has a role, and no profiles")
	}
	for i, h := range p.Headers {
		if h.Key == "" {
			wrong.add(fmt.Sprintf("headers[%d].key", i), "missing")
		}
	}
	return append(wrong, checkRange(p.RangeQuery)...)
}

func isHTTP(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

// checkRange tries the times of a range query as far as they hold no arguments.
func checkRange(r *v1alpha1.PrometheusRangeQueryArgs) problems {
	var wrong problems
	if r == nil {
		return nil
	}
	for _, e := range [][2]string{{"rangeQuery.start", r.Start}, {"rangeQuery.end", r.End}} {
		if templated(e[1]) {
			continue
		}
		if _, err := evalTime(e[1]); err != nil {
			wrong.add(e[0], "%s", err)
		}
	}
	if _, err := r.Step.Duration(); err != nil && !templated(string(r.Step)) {
		wrong.add("rangeQuery.step", "%.40q is not a duration as 30s or 5m", r.Step)
	}
	return wrong
}

// span is the times of a range query, now that its arguments have their values.
func span(r v1alpha1.PrometheusRangeQueryArgs) (from, to time.Time, step time.Duration, err error) {
	if from, err = evalTime(r.Start); err != nil {
		return from, to, 0, fmt.Errorf("read rangeQuery.start: %w", err)
	}
	if to, err = evalTime(r.End); err != nil {
		return from, to, 0, fmt.Errorf("read rangeQuery.end: %w", err)
	}
	if step, err = r.Step.Duration(); err != nil || step <= 0 {
		return from, to, 0, fmt.Errorf("read rangeQuery.step: %.40q is not a duration as 30s or 5m", r.Step)
	}
	if to.Before(from) {
		return from, to, 0, fmt.Errorf("read rangeQuery: it ends before it starts")
	}
	return from, to, step, nil
}
