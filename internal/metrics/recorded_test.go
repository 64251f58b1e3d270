package metrics

import (
	"fmt"
	"strings"
	"testing"

	"slipway/internal/fault"
)

// recorded are answers of a Prometheus 3.14 (module v0.314.0) that scraped a workload, as it sent them.
var recorded = []struct {
	query, body string
	code        int
	want        string
	warning     string
	kind        fault.Kind
	text        string
}{
	{
		query: `sum(rate(http_requests_total{job="order-service",status!~"5.."}[5m])) / sum(rate(http_requests_total{job="order-service"}[5m]))`,
		body:  `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1795625288.286,"0.9797883200023911"]}]}}`,
		code:  200, want: "[0.9797883200023911]",
	},
	{
		query: `sum(rate(idle_total[1m])) / sum(rate(idle_total[1m]))`, code: 200, want: "[NaN]",
		body: `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1795625288.328,"NaN"]}]}}`,
	},
	{
		query: `vector(1)/0`, code: 200, want: "[+Inf]",
		body: `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1795625288.351,"+Inf"]}]}}`,
	},
	{query: `nosuch`, code: 200, want: "[]", body: `{"status":"success","data":{"resultType":"vector","result":[]}}`},
	{query: `scalar(vector(2))`, code: 200, want: "2", body: `{"status":"success","data":{"resultType":"scalar","result":[1795625288.515,"2"]}}`},
	{
		query: `"x"`, code: 200, kind: fault.Unavailable, text: `unexpected value type "string"`,
		body: `{"status":"success","data":{"resultType":"string","result":[1795625288.584,"x"]}}`,
	},
	{
		query: `up[3s]`, code: 200, want: "[1 1 1]",
		body: `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up","instance":"127.0.0.1:39813","job":"order-service"},` +
			`"values":[[1795625284.500,"1"],[1795625285.471,"1"],[1795625286.480,"1"]]}]}}`,
	},
	{
		query: `histogram_quantile(0.9, http_requests_total)`, code: 200, want: "[]",
		warning: `PromQL warning: bucket label "le" is missing or has a malformed value of "" (1:25)`,
		body: `{"status":"success","data":{"resultType":"vector","result":[]},` +
			`"warnings":["PromQL warning: bucket label \"le\" is missing or has a malformed value of \"\" (1:25)"]}`,
	},
	{
		query: `sum(`, code: 400, kind: fault.Invalid, text: `bad_data: invalid parameter "query": 1:5: parse error: unclosed left parenthesis`,
		body: `{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:5: parse error: unclosed left parenthesis"}`,
	},
	{
		query: `http_requests_total / on(job) http_requests_total`, code: 422, kind: fault.Invalid, text: "execution: found duplicate series for the match group",
		body: `{"status":"error","errorType":"execution","error":"found duplicate series for the match group {job=\"order-service\"} on the right hand-side of the operation: ` +
			`[{__name__=\"http_requests_total\", instance=\"127.0.0.1:39813\", job=\"order-service\", status=\"500\"}, {__name__=\"http_requests_total\", instance=\"127.0.0.1:39813\", ` +
			`job=\"order-service\", status=\"200\"}];many-to-many matching not allowed: matching labels must be unique on one side"}`,
	},
	{
		query: `vector(1)`, code: 400, kind: fault.Invalid, text: "exceeded maximum resolution of 11,000 points",
		body: `{"status":"error","errorType":"bad_data","error":"exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"}`,
	},
}

func TestWhatPrometheusAnswersIsUnderstood(t *testing.T) {
	for _, tc := range recorded {
		t.Run(tc.query, func(t *testing.T) {
			s := serve(t, tc.code, tc.body)
			m := at(s.URL)
			m.Query = tc.query
			got, warnings, err := local().Query(t.Context(), m, noon)
			if s.only(t).form.Get("query") != tc.query {
				t.Errorf("asked %q", s.only(t).form.Get("query"))
			}
			if tc.text != "" {
				if !fault.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.text) {
					t.Errorf("%v %v: %v", got, fault.Of(err), err)
				}
				return
			}
			if err != nil || fmt.Sprint(got) != tc.want || strings.Join(warnings, "; ") != tc.warning {
				t.Errorf("%v %q %v", got, warnings, err)
			}
		})
	}
}
