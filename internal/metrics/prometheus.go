// Package metrics asks the systems that measure what a canary does, one file a provider. An address comes from a
// repository, so it is not trusted: no host of this machine, of a private network or of a cloud's metadata is asked
// unless the configuration allows it, redirects are not followed, and an answer is read up to a cap. It judges nothing.
package metrics

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"slipway/internal/fault"
)

const (
	// defaultTimeout is a query's where the metric has none (argo-rollouts metricproviders/prometheus).
	defaultTimeout = 30 * time.Second
	// valueCap is how many values an answer may have. A condition over more takes too long (internal/analysis).
	valueCap = 5000
)

// Options say how Prometheuses are reached.
type Options struct {
	// API and Transport are a cluster's API server, with TLS and credentials: hosts without a dot and hosts of Services
	// are asked through its service proxy. Nil where there is none; such hosts are then refused.
	API       *url.URL
	Transport http.RoundTripper
	// Namespace is that of the Service that a host without a dot names.
	Namespace string
	// Private allows addresses of private networks, Loopback those of this machine. Metadata addresses are never asked.
	Private, Loopback bool
	// AWS signs what goes to Amazon Managed Prometheus, or assumes the role that does.
	AWS aws.Config
}

// Prometheus asks Prometheuses as the metrics of a run say.
type Prometheus struct {
	options          Options
	secure, insecure http.RoundTripper
}

// New prepares to ask; it sends nothing yet.
func New(o Options) *Prometheus {
	return &Prometheus{options: o, secure: direct(o, false), insecure: direct(o, true)}
}

// Query asks for the value of the query at that time: a float64 for a scalar, a []float64 for a vector, in the order of
// the answer, and the server's warnings. The kind of an error: fault.Invalid for an address that is refused or a query
// that is wrong, Denied and NotFound as the server says, Unavailable for everything that may be over later.
func (p *Prometheus) Query(ctx context.Context, m v1alpha1.PrometheusMetric, at time.Time) (any, []string, error) {
	return p.ask(ctx, m, func(ctx context.Context, a v1.API) (model.Value, v1.Warnings, error) {
		value, warnings, _, err := a.Query(ctx, m.Query, at)
		return value, warnings, err
	})
}

// QueryRange asks for the values of the query from one time to another: a []float64 of all values, series by series.
func (p *Prometheus) QueryRange(ctx context.Context, m v1alpha1.PrometheusMetric, from, to time.Time, step time.Duration) (any, []string, error) {
	return p.ask(ctx, m, func(ctx context.Context, a v1.API) (model.Value, v1.Warnings, error) {
		value, warnings, _, err := a.QueryRange(ctx, m.Query, v1.Range{Start: from, End: to, Step: step})
		return value, warnings, err
	})
}

type question func(context.Context, v1.API) (model.Value, v1.Warnings, error)

func (p *Prometheus) ask(ctx context.Context, m v1alpha1.PrometheusMetric, q question) (any, []string, error) {
	timeout := defaultTimeout
	if m.Timeout != nil {
		timeout = time.Duration(*m.Timeout) * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	target, err := p.target(ctx, m)
	if err != nil {
		return nil, nil, fmt.Errorf("ask prometheus: %w", err)
	}
	call := &call{target: target}
	client, err := api.NewClient(api.Config{Address: target.address.String(), Client: &http.Client{Transport: call}})
	if err != nil {
		return nil, nil, fault.New(fault.Invalid, "ask prometheus at %s: %w", target.host, err)
	}
	if target.onlyGet {
		client = getter{client}
	}
	value, warnings, err := q(ctx, v1.NewAPI(client))
	if err != nil {
		return nil, nil, call.explain(ctx, err, timeout)
	}
	out, err := values(value)
	if err != nil {
		return nil, nil, fault.New(fault.Invalid, "ask prometheus at %s: %w", target.host, err)
	}
	return out, warnings, nil
}

// getter answers a POST itself that GET is wanted: the client then sends one. Through the service proxy a POST needs the
// right to create services/proxy, a GET only the right to get it.
type getter struct{ api.Client }

func (g getter) Do(ctx context.Context, req *http.Request) (*http.Response, []byte, error) {
	if req.Method == http.MethodPost {
		return &http.Response{StatusCode: http.StatusMethodNotAllowed}, nil, nil
	}
	return g.Client.Do(ctx, req)
}

// values is an answer as numbers. A native histogram is not one; Argo's controller takes it for 0.
func values(v model.Value) (any, error) {
	out := []float64{}
	switch v := v.(type) {
	case *model.Scalar:
		return float64(v.Value), nil
	case model.Vector:
		for _, s := range v {
			if s.Histogram != nil {
				return nil, fmt.Errorf("the answer has native histograms, which are no numbers")
			}
			out = append(out, float64(s.Value))
		}
	case model.Matrix:
		for _, series := range v {
			if len(series.Histograms) > 0 {
				return nil, fmt.Errorf("the answer has native histograms, which are no numbers")
			}
			for _, s := range series.Values {
				out = append(out, float64(s.Value))
			}
		}
	default:
		return nil, fmt.Errorf("the answer is no scalar, vector or matrix")
	}
	if len(out) > valueCap {
		return nil, fmt.Errorf("the answer has %d values, more than %d: the query should aggregate", len(out), valueCap)
	}
	return out, nil
}
