package analysis

import (
	"strings"
	"testing"

	"slipway/internal/fault"
)

func TestTheTutorialsTemplateIsRead(t *testing.T) {
	got := tutorial(t)
	if got.String() != "AnalysisTemplate success-rate" || len(got.Spec.Metrics) != 1 {
		t.Fatalf("%s with %d metrics", got, len(got.Spec.Metrics))
	}
	m := got.Spec.Metrics[0]
	if m.Name != "success-rate" || m.Interval != "1m" || m.SuccessCondition != "result[0] >= 0.99" || m.FailureLimit.IntValue() != 3 {
		t.Errorf("%+v", m)
	}
	if p := m.Provider.Prometheus; p == nil || p.Address != "http://prometheus:9090" || !strings.Contains(p.Query, "order-service") {
		t.Errorf("%+v", m.Provider)
	}
}

const rate = `
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: rate, namespace: production, annotations: {ANNOTATIONS}}
spec:
  args: [ARGS]
  metrics:
  - {name: rate, METRIC, provider: {PROVIDER}}
  REST
`

// edited is rate with the given parts, and defaults for the rest.
func edited(t *testing.T, part, text string) map[string]any {
	t.Helper()
	doc := rate
	for name, or := range map[string]string{
		"ANNOTATIONS": "", "ARGS": "{name: service, value: orders}", "METRIC": "interval: 1m",
		"PROVIDER": `prometheus: {address: "http://prometheus:9090", query: up}`, "REST": "",
	} {
		if name == part {
			or = text
		}
		doc = strings.Replace(doc, name, or, 1)
	}
	return object(t, doc)
}

func TestATemplateIsReadStrictly(t *testing.T) {
	prometheus := func(s string) string { return `prometheus: {address: "http://p:9090", query: up, ` + s + `}` }
	for _, tc := range []struct{ part, text, want string }{
		{"METRIC", "intervall: 1m", `unknown field "spec.metrics[0].intervall"`},
		{"METRIC", "Interval: 1m", `unknown field "spec.metrics[0].Interval"`},
		{"METRIC", "interval: 60", "spec.metrics.interval: a number does not fit here"},
		{"METRIC", "interval: 1 minute", "spec.metrics[0].interval: \"1 minute\" is not a duration"},
		{"METRIC", "interval: 0s", "spec.metrics[0].interval: \"0s\""},
		{"METRIC", "interval: -1s", "spec.metrics[0].interval: \"-1s\""},
		{"METRIC", "initialDelay: -1s", "spec.metrics[0].initialDelay"},
		{"METRIC", "initialDelay: soon", "spec.metrics[0].initialDelay"},
		{"METRIC", "count: -1", "spec.metrics[0].count: -1 is less than 0"},
		{"METRIC", "count: many", `spec.metrics[0].count: "many" is not a whole number`},
		{"METRIC", "count: 1.5", "count"},
		{"METRIC", "count: 5", "spec.metrics[0].interval: missing, and count is 5"},
		{"METRIC", "interval: 1m, count: 2, failureLimit: 3", "spec.metrics[0].count: 2 is less than failureLimit + consecutiveSuccessLimit (3 + 0)"},
		{"METRIC", "interval: 1m, count: 2, inconclusiveLimit: 3", "spec.metrics[0].count: 2 is less than inconclusiveLimit (3)"},
		{"METRIC", "failureLimit: -2", "spec.metrics[0].failureLimit: -2 is less than -1"},
		{"METRIC", "failureLimit: -1", "spec.metrics[0].failureLimit: is off, and so is consecutiveSuccessLimit"},
		{"METRIC", "inconclusiveLimit: -1", "spec.metrics[0].inconclusiveLimit: -1 is less than 0"},
		{"METRIC", "consecutiveErrorLimit: -1", "spec.metrics[0].consecutiveErrorLimit: -1"},
		{"METRIC", "consecutiveSuccessLimit: -1", "spec.metrics[0].consecutiveSuccessLimit: -1"},
		{"METRIC", "successCondition: 'result >'", "spec.metrics[0].successCondition: unexpected token EOF"},
		{"METRIC", "failureCondition: 'outcome > 1'", "spec.metrics[0].failureCondition: unknown name outcome"},
		{"PROVIDER", "", "spec.metrics[0].provider: missing"},
		{"PROVIDER", "web: {url: 'http://x'}", "spec.metrics[0].provider.web: not supported yet"},
		{"PROVIDER", "job: {spec: {template: {}}}", "spec.metrics[0].provider.job: not supported yet"},
		{"PROVIDER", "datadog: {query: x}", "spec.metrics[0].provider.datadog: not supported yet"},
		{"PROVIDER", "newRelic: {query: x}", "spec.metrics[0].provider.newRelic: not supported yet"},
		{"PROVIDER", "wavefront: {query: x}", "spec.metrics[0].provider.wavefront: not supported yet"},
		{"PROVIDER", "kayenta: {address: x}", "spec.metrics[0].provider.kayenta: not supported yet"},
		{"PROVIDER", "cloudWatch: {metricDataQueries: []}", "spec.metrics[0].provider.cloudWatch: not supported yet"},
		{"PROVIDER", "graphite: {query: x}", "spec.metrics[0].provider.graphite: not supported yet"},
		{"PROVIDER", "influxdb: {query: x}", "spec.metrics[0].provider.influxdb: not supported yet"},
		{"PROVIDER", "skywalking: {query: x}", "spec.metrics[0].provider.skywalking: not supported yet"},
		{"PROVIDER", "plugin: {a/b: {}}", "spec.metrics[0].provider.plugin: not supported yet"},
		{"PROVIDER", "splunk: {}", `unknown field "spec.metrics[0].provider.splunk"`},
		{"PROVIDER", "prometheus: {query: up}", "spec.metrics[0].provider.prometheus.address: missing"},
		{"PROVIDER", "prometheus: {address: 'http://p'}", "spec.metrics[0].provider.prometheus.query: missing"},
		{"PROVIDER", "prometheus: {address: 'p:9090', query: up}", "spec.metrics[0].provider.prometheus.address: is not a URL"},
		{"PROVIDER", "prometheus: {address: 'file:///etc', query: up}", "spec.metrics[0].provider.prometheus.address: is not a URL"},
		{"PROVIDER", prometheus("timeout: 0"), "spec.metrics[0].provider.prometheus.timeout: 0 is not from 1 to 60"},
		{"PROVIDER", prometheus("timeout: -5"), "spec.metrics[0].provider.prometheus.timeout: -5"},
		{"PROVIDER", prometheus("timeout: 61"), "spec.metrics[0].provider.prometheus.timeout: 61"},
		{"PROVIDER", prometheus("authentication: {oauth2: {tokenUrl: 'http://x'}}"), "provider.prometheus.authentication.oauth2: not supported yet"},
		{"PROVIDER", prometheus("authentication: {sigv4: {profile: x}}"), "provider.prometheus.authentication.sigv4.profile: not supported"},
		{"PROVIDER", prometheus("headers: [{value: x}]"), "spec.metrics[0].provider.prometheus.headers[0].key: missing"},
		{"PROVIDER", prometheus("rangeQuery: {start: yesterday, end: now(), step: 1m}"), "provider.prometheus.rangeQuery.start: unknown name yesterday"},
		{"PROVIDER", prometheus("rangeQuery: {start: now(), end: '1', step: 1m}"), "provider.prometheus.rangeQuery.end: expected time.Time, but got int"},
		{"PROVIDER", prometheus("rangeQuery: {start: now(), end: now(), step: x}"), "provider.prometheus.rangeQuery.step"},
		{"ARGS", "{value: x}", "spec.args[0].name: missing"},
		{"ARGS", "{name: a}, {name: a}", `spec.args[1].name: "a" is there twice`},
		{"ARGS", "{name: a, valueFrom: {}}", "spec.args[0].valueFrom: names no source"},
		{"ARGS", "{name: a, value: x, valueFrom: {secretKeyRef: {name: s, key: k}}}", "spec.args[0]: has both value and valueFrom"},
		{"ARGS", "{name: a, valueFrom: {secretKeyRef: {key: k}}}", "spec.args[0].valueFrom.secretKeyRef.name: missing"},
		{"ARGS", "{name: a, valueFrom: {secretKeyRef: {name: s}}}", "spec.args[0].valueFrom.secretKeyRef.key: missing"},
		{"ARGS", "{name: a, valueFrom: {fieldRef: {fieldPath: metadata.name}}}", "spec.args[0].valueFrom.fieldRef: not supported"},
		{"ARGS", "{name: a, valueFrom: {configMapKeyRef: {name: s}}}", `unknown field "spec.args[0].valueFrom.configMapKeyRef"`},
		{"REST", "- {name: rate, provider: {prometheus: {address: 'http://p', query: up}}}", `spec.metrics[1].name: "rate" is there twice`},
		{"REST", "- {provider: {prometheus: {address: 'http://p', query: up}}}", "spec.metrics[1].name: missing"},
		{"REST", "- {name: 'a{{args.service}}', provider: {prometheus: {address: 'http://p', query: up}}}", "spec.metrics[1].name: an argument"},
		{"REST", "dryRun: [{metricName: '*'}]", `spec.dryRun[0].metricName: "*" is not a regular expression; every metric is .*`},
		{"REST", "dryRun: [{metricName: a}, {metricName: a}]", `spec.dryRun[1].metricName: "a" is there twice`},
		{"REST", "measurementRetention: [{metricName: '[', limit: 3}]", "spec.measurementRetention[0].metricName"},
		{"REST", "templates: [{clusterScope: true}]", "spec.templates[0].templateName: missing"},
		{"REST", "status: {}", `unknown field "spec.status"`},
		{"ANNOTATIONS", "slipway.dev/analysis: 'rate: {noData: skip}'", `noData: "skip" is not inconclusive, fail or pass`},
		{"ANNOTATIONS", "slipway.dev/analysis: 'rate: {nodata: fail}'", "unknown field"},
		{"ANNOTATIONS", "slipway.dev/analysis: 'latency: {noData: fail}'", "there is no metric of that name"},
		{"ANNOTATIONS", "slipway.dev/analysis: 'rate: {minSamples: -1}'", "minSamples: -1 is negative"},
		{"ANNOTATIONS", "slipway.dev/analysis: 'rate: {samplesQuery: up}'", "samplesQuery: has no use without minSamples"},
		{"ANNOTATIONS", "slipway.dev/analysis: 'rate: {warmUp: 25h}'", "warmUp"},
		{"ANNOTATIONS", "slipway.dev/analysis: 'rate: {warmUp: -1s}'", "warmUp"},
		{"ANNOTATIONS", "slipway.dev/analysis: rate", "metadata.annotations[slipway.dev/analysis]: is not what it should be"},
	} {
		t.Run(tc.text, func(t *testing.T) {
			_, err := DecodeTemplate("templates/rate.yaml", edited(t, tc.part, tc.text))
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.want) ||
				!strings.HasPrefix(err.Error(), "templates/rate.yaml: AnalysisTemplate rate: ") {
				t.Errorf("got %v\nwant %s", err, tc.want)
			}
		})
	}
}

func TestWhatArgoAcceptsIsRead(t *testing.T) {
	for _, tc := range []struct{ part, text string }{
		{"METRIC", "interval: 1m"},
		{"METRIC", "interval: 1m, count: 5, failureLimit: 1, inconclusiveLimit: 2, consecutiveErrorLimit: 0, initialDelay: 30s"},
		{"METRIC", "interval: 1m, count: '5'"},
		{"METRIC", "interval: '{{args.service}}', count: '{{args.service}}', successCondition: 'result > {{args.service}}'"},
		{"METRIC", "failureLimit: -1, consecutiveSuccessLimit: 1"},
		{"METRIC", "count: 0"},
		{"ARGS", "{name: token, valueFrom: {secretKeyRef: {name: s, key: k}}}, {name: other}"},
		{"PROVIDER", `prometheus: {address: "{{args.service}}", query: up, timeout: 40, insecure: true, headers: [{key: Authorization, value: "Bearer {{args.token}}"}]}`},
		{"PROVIDER", `prometheus: {address: "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1", query: up, authentication: {sigv4: {region: eu-west-1, roleArn: "arn:aws:iam::1:role/x"}}}`},
		{"PROVIDER", `prometheus: {address: "http://p", query: up, rangeQuery: {start: 'now() - duration("1h")', end: now(), step: 1m}}`},
		{"REST", "dryRun: [{metricName: .*}]\n  measurementRetention: [{metricName: rate, limit: 3}]\n  templates: [{templateName: other, clusterScope: true}]"},
		{"ANNOTATIONS", "slipway.dev/analysis: 'rate: {noData: fail, minSamples: 10, samplesQuery: up, warmUp: 5m}'"},
	} {
		t.Run(tc.text, func(t *testing.T) {
			if _, err := DecodeTemplate("f", edited(t, tc.part, tc.text)); err != nil {
				t.Error(err)
			}
		})
	}
	cluster := edited(t, "", "")
	cluster["kind"] = "ClusterAnalysisTemplate"
	if got, err := DecodeTemplate("f", cluster); err != nil || got.String() != "ClusterAnalysisTemplate rate" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestAllThatIsWrongIsOneError(t *testing.T) {
	obj := object(t, "{apiVersion: argoproj.io/v1, kind: Rollout, metadata: {}, spec: {}}")
	_, err := DecodeTemplate("f.yaml", obj)
	for _, want := range []string{"apiVersion", "kind", "metadata.name: missing", "spec.metrics: missing"} {
		if err == nil || !strings.Contains(err.Error(), "\nf.yaml: Rollout : "+want) && !strings.Contains(err.Error(), ": "+want) {
			t.Errorf("%s is not in %v", want, err)
		}
	}
	var p problems
	for range 30 {
		p.add("a", "wrong")
	}
	if got := strings.Split(p.err("f").Error(), "\n"); len(got) != problemCap+1 || got[problemCap] != "f: and 10 more" {
		t.Errorf("%d lines: %v", len(got), got)
	}
}

func TestAPasswordInAnAddressIsNotInTheError(t *testing.T) {
	_, err := DecodeTemplate("f", edited(t, "PROVIDER", `prometheus: {address: "ftp://me:hunter2@p", query: up}`))
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}
