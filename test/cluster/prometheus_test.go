//go:build cluster

package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"
)

// A starved machine misses scrapes; rate() then needs some more of them.
const queryDeadline = 2 * time.Minute

// successRate is the tutorial's question, over seconds for its minutes.
const successRate = `sum(rate(http_requests_total{job="order-service", status!~"5.."}[4s])) / sum(rate(http_requests_total{job="order-service"}[4s]))`

// shop is a cluster with a Prometheus in it.
type shop struct {
	t       *testing.T
	client  kubernetes.Interface
	dynamic dynamic.Interface
}

// create makes the objects of a YAML file in testdata, as soon as their kind is known.
func (s shop) create(file string) {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		s.t.Fatal(err)
	}
	for d := range strings.SplitSeq(string(b), "\n---\n") {
		var u unstructured.Unstructured
		if err := yaml.Unmarshal([]byte(d), &u.Object); err != nil {
			s.t.Fatal(err)
		}
		resource, _ := meta.UnsafeGuessKindToResource(u.GroupVersionKind())
		in := s.dynamic.Resource(resource).Namespace(u.GetNamespace())
		s.until("create "+u.GetName(), func(ctx context.Context) error {
			_, err := in.Create(ctx, &u, metav1.CreateOptions{})
			return err
		})
	}
}

// until asks again until there is no error.
func (s shop) until(what string, ask func(context.Context) error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), queryDeadline)
	defer cancel()
	for {
		last := ask(ctx)
		if last == nil {
			return
		}
		select {
		case <-ctx.Done():
			s.t.Fatalf("%s: not in %s: %v", what, queryDeadline, last)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// query asks PromQL at http://prometheus:9090, as an AnalysisTemplate in namespace production says it.
func (s shop) query(ctx context.Context, promQL string) (float64, error) {
	b, err := s.client.CoreV1().Services("production").
		ProxyGet("http", "prometheus", "9090", "/api/v1/query", map[string]string{"query": promQL}).DoRaw(ctx)
	if err != nil {
		return 0, err
	}
	var answer struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return 0, err
	}
	if len(answer.Data.Result) != 1 {
		return 0, fmt.Errorf("%d results: %s", len(answer.Data.Result), b)
	}
	return strconv.ParseFloat(fmt.Sprint(answer.Data.Result[0].Value[1]), 64)
}

func (s shop) expect(what, promQL string, want, within float64) {
	s.t.Helper()
	s.until(what, func(ctx context.Context) error {
		got, err := s.query(ctx, promQL)
		if err == nil && !(got >= want-within && got <= want+within) { // NaN, too
			err = fmt.Errorf("%s is %v, want %v", promQL, got, want)
		}
		return err
	})
}

func (s shop) weigh(stable, canary int) {
	s.t.Helper()
	patch := fmt.Sprintf(`{"spec":{"rules":[{"backendRefs":[{"name":"order-service-stable","port":80,"weight":%d},{"name":"order-service-canary","port":80,"weight":%d}]}]}}`, stable, canary)
	routes := schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"}
	if _, err := s.dynamic.Resource(routes).Namespace("production").
		Patch(s.t.Context(), "order-service", "application/merge-patch+json", []byte(patch), metav1.PatchOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

// A canary is judged by what a Prometheus scraped, and that follows pods and weights.
func TestABadVersionShowsInPrometheusAndFollowsTheWeights(t *testing.T) {
	own := Own(t, "--prometheus", "--prometheus-namespace=production", "--scrape-interval=200ms")
	if !strings.HasPrefix(own.Prometheus, "http://127.0.0.1:") {
		t.Fatalf("the ready line says %q", own.Prometheus)
	}
	c := config(t, own.Kubeconfig)
	s := shop{t, kubernetes.NewForConfigOrDie(c), dynamic.NewForConfigOrDie(c)}
	published, err := s.client.CoreV1().Services("production").Get(t.Context(), "prometheus", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if m := published.ManagedFields[0].Manager; m != "prometheus" {
		t.Errorf("Service prometheus was written by %s", m)
	}

	s.create("shop.yaml")
	s.expect("a good version", successRate, 1, 0)
	s.create("shop-bad.yaml")
	s.expect("a bad version on one pod of five", successRate, 1-.2/5, .01)
	s.expect("the one it is", `sum(rate(http_requests_total{version="1.3.0-bad20", status="500"}[4s])) / sum(rate(http_requests_total{version="1.3.0-bad20"}[4s]))`, .2, .05)
	s.create("route.yaml")
	s.expect("half of the requests on it", successRate, .9, .01)
	s.weigh(0, 100)
	s.expect("all requests on it", successRate, .8, .01)
	s.weigh(100, 0)
	s.expect("no request on it", successRate, 1, 0)
	s.expect("its time to answer", `histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket{job="order-service"}[4s])))`, .02, .01)
}
