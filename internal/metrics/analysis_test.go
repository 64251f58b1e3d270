package metrics_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway/internal/analysis"
	"slipway/internal/metrics"
)

func TestARunIsMeasuredByWhatPrometheusAnswersThroughTheCluster(t *testing.T) {
	vector := func(result string) string {
		return `{"status":"success","data":{"resultType":"vector","result":[` + result + `]}}`
	}
	for name, tc := range map[string]struct {
		code   int
		answer string
		want   v1alpha1.AnalysisPhase
		value  string
		text   string
	}{
		"good":             {200, vector(`{"metric":{},"value":[1,"0.999"]}`), v1alpha1.AnalysisPhaseSuccessful, "[0.999]", ""},
		"bad":              {200, vector(`{"metric":{},"value":[1,"0.5"]}`), v1alpha1.AnalysisPhaseFailed, "[0.5]", ""},
		"no traffic":       {200, vector(`{"metric":{},"value":[1,"NaN"]}`), v1alpha1.AnalysisPhaseFailed, "[NaN]", ""},
		"no series":        {200, vector(""), v1alpha1.AnalysisPhaseError, "", "index out of range"},
		"a scalar":         {200, `{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`, v1alpha1.AnalysisPhaseError, "", "successCondition: "},
		"no Service":       {404, `{"kind":"Status","message":"services \"prometheus\" not found"}`, v1alpha1.AnalysisPhaseError, "", `services \"prometheus\" not found`},
		"no pods":          {503, `{"kind":"Status","message":"no endpoints available for service \"prometheus\""}`, v1alpha1.AnalysisPhaseError, "", "no endpoints available"},
		"not a Prometheus": {200, "<html>", v1alpha1.AnalysisPhaseError, "", "ask prometheus at prometheus:9090"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked string
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r.URL.Path
				w.WriteHeader(tc.code)
				_, _ = io.WriteString(w, tc.answer)
			}))
			defer s.Close()
			api, err := url.Parse(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			run := &v1alpha1.AnalysisRun{ObjectMeta: metav1.ObjectMeta{Name: "run", Namespace: "production"}}
			run.Spec.Metrics = []v1alpha1.Metric{{
				Name: "rate", SuccessCondition: "result[0] >= 0.99",
				Provider: v1alpha1.MetricProvider{Prometheus: &v1alpha1.PrometheusMetric{Address: "http://prometheus:9090", Query: "up"}},
			}}
			meter := analysis.Meter{Prometheus: metrics.New(metrics.Options{API: api, Transport: http.DefaultTransport, Namespace: run.Namespace})}
			taken, err := meter.Measure(t.Context(), run, []string{"rate"})
			if err != nil {
				t.Fatal(err)
			}
			m := taken[0].Measurement
			if m.Phase != tc.want || m.Value != tc.value || !strings.Contains(m.Message, tc.text) {
				t.Errorf("%+v", m)
			}
			if asked != "/api/v1/namespaces/production/services/http:prometheus:9090/proxy/api/v1/query" {
				t.Error(asked)
			}
		})
	}
}
