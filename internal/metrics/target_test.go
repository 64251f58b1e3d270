package metrics

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"

	"slipway/internal/fault"
)

// cluster asks through an API server, which is s under a path of its own.
func cluster(t *testing.T, s *server) *Prometheus {
	t.Helper()
	api, err := url.Parse(s.URL + "/cluster")
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{API: api, Transport: authorized{http.DefaultTransport}, Namespace: "monitoring"})
}

type authorized struct{ next http.RoundTripper }

func (a authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer cluster")
	return a.next.RoundTrip(r)
}

func TestAServiceIsAskedThroughTheAPIServer(t *testing.T) {
	for address, want := range map[string]string{
		"http://prometheus:9090":                               "monitoring/services/http:prometheus:9090/proxy",
		"http://prometheus":                                    "monitoring/services/http:prometheus:80/proxy",
		"https://prometheus":                                   "monitoring/services/https:prometheus:443/proxy",
		"http://Prometheus:9090/":                              "monitoring/services/http:prometheus:9090/proxy",
		"http://prometheus:9090/prom/":                         "monitoring/services/http:prometheus:9090/proxy/prom",
		"http://vm:8481/select/0:1/prometheus":                 "monitoring/services/http:vm:8481/proxy/select/0:1/prometheus",
		"http://prometheus.istio-system.svc:9090":              "istio-system/services/http:prometheus:9090/proxy",
		"http://prometheus.istio-system.svc.cluster.local:90":  "istio-system/services/http:prometheus:90/proxy",
		"http://prometheus.istio-system.svc.cluster.local.:90": "istio-system/services/http:prometheus:90/proxy",
	} {
		t.Run(address, func(t *testing.T) {
			s := serve(t, http.StatusOK, success("vector", one))
			got, _, err := cluster(t, s).Query(t.Context(), at(address, headers("X-Scope-OrgID", "a")), noon)
			if err != nil || fmt.Sprint(got) != "[0.99]" {
				t.Fatalf("%v %v", got, err)
			}
			r := s.only(t)
			if r.method != "GET" || r.path != "/cluster/api/v1/namespaces/"+want+"/api/v1/query" || r.form.Get("query") != `up{job="a"}` ||
				r.header.Get("Authorization") != "Bearer cluster" || r.header.Get("X-Scope-OrgID") != "a" {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestNothingButTheServiceIsReachedThroughTheAPIServer(t *testing.T) {
	s := serve(t, http.StatusOK, success("vector", one))
	for _, address := range []string{
		"http://prometheus:9090/../../../../../../api/v1/secrets", "http://prometheus:9090/..", "http://prometheus:9090/a/../../b",
		"http://prometheus:9090/%2e%2e/%2e%2e/secrets", "http://prometheus:9090/a%2f..%2fb", "http://prometheus:9090/a//b",
		"http://prometheus:9090/./a", "http://prometheus:9090/a?watch=true", "http://prometheus:9090/a#b", "http://prometheus:9090/a b",
		"http://prometheus:9090/a;b", `http://prometheus:9090/a\..\b`, "http://pro_metheus:9090", "http://prometheus%2f..:9090", "http://-p:9090",
		"http://prometheus.UPPER_CASE.svc", "http://prometheus..svc", "http://prometheus:http", "http://me:pw@prometheus:9090",
		"http://prometheus:999999",
	} {
		if got, _, err := cluster(t, s).Query(t.Context(), at(address), noon); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v %v", address, got, err)
		}
	}
	for _, h := range []string{"Authorization", "authorization", "Impersonate-User", "Impersonate-Group", "X-Remote-User", "Cookie", "Host", "Connection", "Upgrade", "X-Scope-OrgIDs"} {
		_, _, err := cluster(t, s).Query(t.Context(), at("http://prometheus:9090", headers(h, "system:masters")), noon)
		if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "masters") {
			t.Errorf("%s: %v", h, err)
		}
	}
	sigv4 := at("http://prometheus:9090", func(m *v1alpha1.PrometheusMetric) { m.Authentication.Sigv4.Region = "eu-west-1" })
	if _, _, err := cluster(t, s).Query(t.Context(), sigv4, noon); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	if all := s.requests(); len(all) > 0 {
		t.Errorf("%d requests arrived: %+v", len(all), all)
	}
}

func TestAServiceWithoutAClusterIsRefused(t *testing.T) {
	for _, address := range []string{"http://prometheus:9090", "http://prometheus.monitoring.svc:9090"} {
		if _, _, err := local().Query(t.Context(), at(address), noon); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "no cluster to ask through") {
			t.Error(err)
		}
	}
}

func TestAnAPIServersRefusalIsTold(t *testing.T) {
	s := serve(t, http.StatusForbidden, `{"kind":"Status","message":"services \"http:prometheus:9090\" is forbidden: User \"x\" cannot get resource \"services/proxy\""}`)
	_, _, err := cluster(t, s).Query(t.Context(), at("http://prometheus:9090"), noon)
	if !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "services/proxy") {
		t.Error(err)
	}
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, address := range []string{"", "prometheus:9090", "//prometheus", "ftp://prometheus", "file:///etc/passwd", "http://", "http://:9090", "http://[::1", "javascript:alert(1)", "http://a.example.com:99999999"} {
		if _, _, err := local().Query(t.Context(), at(address), noon); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if _, _, err := local().Query(t.Context(), at("http://a.example.com", headers("host", "b")), noon); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}
