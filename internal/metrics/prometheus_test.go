package metrics

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"

	"slipway/internal/fault"
)

func TestAnAnswerIsNumbers(t *testing.T) {
	series := func(values ...string) string {
		for i, v := range values {
			values[i] = fmt.Sprintf(`{"metric":{"i":"%d"},"value":[1764072000,%q]}`, i, v)
		}
		return "[" + strings.Join(values, ",") + "]"
	}
	for name, tc := range map[string]struct {
		body string
		want string // as %v prints it
		err  string
	}{
		"a scalar":               {success("scalar", `[1764072000,"0.5"]`), "0.5", ""},
		"a scalar that is NaN":   {success("scalar", `[1764072000,"NaN"]`), "NaN", ""},
		"a vector":               {success("vector", one), "[0.99]", ""},
		"a vector of some":       {success("vector", series("1", "NaN", "+Inf", "-Inf", "1e-3")), "[1 NaN +Inf -Inf 0.001]", ""},
		"an empty vector":        {success("vector", "[]"), "[]", ""},
		"a matrix":               {success("matrix", `[{"metric":{},"values":[[1,"1"],[2,"2"]]},{"metric":{"a":"b"},"values":[[1,"3"]]}]`), "[1 2 3]", ""},
		"an empty matrix":        {success("matrix", "[]"), "[]", ""},
		"a text":                 {success("string", `[1764072000,"up"]`), "", `unexpected value type "string"`},
		"a histogram":            {success("vector", `[{"metric":{},"histogram":[1,{"count":"1","sum":"1","buckets":[[0,"0","1","1"]]}]}]`), "", "native histograms"},
		"a series of histograms": {success("matrix", `[{"metric":{},"histograms":[[1,{"count":"1","sum":"1"}]]}]`), "", "native histograms"},
		"5000 values":            {success("vector", series(slices.Repeat([]string{"1"}, 5000)...)), fmt.Sprint(slices.Repeat([]float64{1}, 5000)), ""},
		"too many values":        {success("vector", series(slices.Repeat([]string{"1"}, 5001)...)), "", "5001 values, more than 5000"},
		"a value that is none":   {success("vector", `[{"metric":{},"value":[1764072000,"x"]}]`), "", "invalid syntax"},
		"no JSON":                {"<html>hello</html>", "", "ask prometheus at 127.0.0.1"},
		"half of it":             {success("vector", one)[:40], "", "ask prometheus at 127.0.0.1"},
		"nothing":                {"", "", "ask prometheus at 127.0.0.1"},
		"an error with code 200": {`{"status":"error","errorType":"execution","error":"expanding series"}`, "", "execution: expanding series"},
		"larger than is read":    {success("vector", `[`+strings.Repeat(" ", answerCap)+`]`), "", "larger than 4 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, http.StatusOK, tc.body)
			got, warnings, err := local().Query(t.Context(), at(s.URL), noon)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) || fault.Of(err) == fault.Internal {
					t.Errorf("%v: %v, want %s", got, err, tc.err)
				}
				return
			}
			if err != nil || fmt.Sprint(got) != tc.want || len(warnings) > 0 {
				t.Errorf("%v %v %v, want %s", got, warnings, err, tc.want)
			}
		})
	}
}

func TestAQuestionIsSentAsPrometheusWantsIt(t *testing.T) {
	s := serve(t, http.StatusOK, `{"status":"success","warnings":["slow","old"],"infos":["x"],"data":{"resultType":"vector","result":`+one+`}}`)
	_, warnings, err := local().Query(t.Context(), at(s.URL+"/prom/"), noon.Add(500*time.Millisecond))
	if err != nil || !slices.Equal(warnings, []string{"slow", "old"}) {
		t.Errorf("%v %v", warnings, err)
	}
	r := s.only(t)
	if r.method != "POST" || r.path != "/prom/api/v1/query" || r.form.Get("query") != `up{job="a"}` || r.form.Get("time") != "1764072000.5" || r.header.Get("Authorization") != "" {
		t.Errorf("%+v", r)
	}
}

func TestARangeIsAskedWithStartEndAndStep(t *testing.T) {
	s := serve(t, http.StatusOK, success("matrix", `[{"metric":{},"values":[[1,"1"],[2,"0"]]}]`))
	got, _, err := local().QueryRange(t.Context(), at(s.URL), noon.Add(-time.Hour), noon, 90*time.Second)
	r := s.only(t)
	if err != nil || fmt.Sprint(got) != "[1 0]" || r.path != "/api/v1/query_range" || r.form.Get("start") != "1764068400" || r.form.Get("end") != "1764072000" || r.form.Get("step") != "90" {
		t.Errorf("%v %v %+v", got, err, r)
	}
}

func TestAServerThatWantsGETIsAskedAgainByGET(t *testing.T) {
	s := handle(t, httptest.NewServer, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		_, _ = fmt.Fprint(w, success("vector", one))
	})
	got, _, err := local().Query(t.Context(), at(s.URL), noon)
	all := s.requests()
	if err != nil || fmt.Sprint(got) != "[0.99]" || len(all) != 2 || all[1].form.Get("query") != `up{job="a"}` {
		t.Errorf("%v %v %v", got, err, all)
	}
}

func TestCredentialsGoAsTheMetricSays(t *testing.T) {
	s := serve(t, http.StatusOK, success("vector", one))
	host := strings.TrimPrefix(s.URL, "http://")
	for name, tc := range map[string]struct {
		m    v1alpha1.PrometheusMetric
		want map[string]string
	}{
		"none":               {at(s.URL), map[string]string{"Authorization": ""}},
		"a bearer":           {at(s.URL, headers("Authorization", "Bearer t0k3n")), map[string]string{"Authorization": "Bearer t0k3n"}},
		"basic":              {at("http://me:p%40ss@" + host), map[string]string{"Authorization": "Basic bWU6cEBzcw=="}},
		"basic, as a header": {at(s.URL, headers("authorization", "Basic bWU6cEBzcw==")), map[string]string{"Authorization": "Basic bWU6cEBzcw=="}},
		"other headers":      {at(s.URL, headers("X-Scope-OrgID", "team-a", "X-Other", "1")), map[string]string{"X-Scope-OrgID": "team-a", "X-Other": "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := local().Query(t.Context(), tc.m, noon); err != nil {
				t.Fatal(err)
			}
			all := s.requests()
			for k, v := range tc.want {
				if got := all[len(all)-1].header.Get(k); got != v {
					t.Errorf("%s: %q", k, got)
				}
			}
		})
	}
}

func TestARefusalIsOfTheKindThatTheServerMeans(t *testing.T) {
	bad := `{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:3: parse error:\n unexpected end of input"}`
	for _, tc := range []struct {
		code int
		body string
		kind fault.Kind
		text string
	}{
		{400, bad, fault.Invalid, `bad_data: invalid parameter "query": 1:3: parse error: unexpected end of input`},
		{422, `{"status":"error","errorType":"execution","error":"many-to-many matching not allowed"}`, fault.Invalid, "execution: many-to-many"},
		{400, "nonsense", fault.Invalid, "client error: 400"},
		{401, "who are you", fault.Denied, "client_error: client error: 401: who are you"},
		{403, "no", fault.Denied, "client error: 403"},
		{404, "404 page not found\n", fault.NotFound, "client error: 404: 404 page not found"},
		{429, "", fault.Unavailable, "client error: 429"},
		{500, "panic\n" + strings.Repeat("x", 1000), fault.Unavailable, "server error: 500: panic xxx"},
		{503, `{"status":"error","errorType":"timeout","error":"query timed out"}`, fault.Unavailable, "server error: 503"},
		{301, "", fault.Invalid, "answers 301, and redirects are not followed"},
		{308, "", fault.Invalid, "answers 308, and redirects are not followed"},
	} {
		t.Run(fmt.Sprint(tc.code, tc.text), func(t *testing.T) {
			s := handle(t, httptest.NewServer, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "http://127.0.0.1:1/secret")
				w.WriteHeader(tc.code)
				_, _ = fmt.Fprint(w, tc.body)
			})
			_, _, err := local().Query(t.Context(), at(s.URL), noon)
			if !fault.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.text) || len(err.Error()) > 500 || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v: %v, want %v %s", fault.Of(err), err, tc.kind, tc.text)
			}
		})
	}
}

func TestAnErrorHoldsNoCredentials(t *testing.T) {
	s := serve(t, http.StatusOK, "")
	s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	for _, m := range []v1alpha1.PrometheusMetric{
		at("http://me:hunter2@"+host+"/", headers("X-Token", "hunter2")), at("http://me:hunter2@" + host + "/?x=hunter2"), at("://me:hunter2@x"),
		at("http://me:hunter2@prometheus:9090"), at(s.URL, headers("X-Token", "hunter2\n")), at(s.URL, headers("Bad Name", "hunter2")),
	} {
		_, _, err := local().Query(t.Context(), m, noon)
		if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "job=") {
			t.Errorf("%v", err)
		}
		if k := fault.Of(err); k != fault.Invalid && k != fault.Unavailable {
			t.Errorf("%v: %v", k, err)
		}
	}
}

func TestAServerThatDoesNotAnswerIsWaitedForNoLonger(t *testing.T) {
	release := make(chan struct{})
	s := handle(t, httptest.NewServer, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	second := int64(1)
	_, _, err := local().Query(t.Context(), at(s.URL, func(m *v1alpha1.PrometheusMetric) { m.Timeout = &second }), noon)
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "no answer in 1s") {
		t.Error(err)
	}
}

func TestATLSServerIsVerifiedUnlessTheMetricSaysNot(t *testing.T) {
	s := handle(t, httptest.NewTLSServer, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, success("vector", one)) })
	s.Config.ErrorLog = quiet
	if _, _, err := local().Query(t.Context(), at(s.URL), noon); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
	got, _, err := local().Query(t.Context(), at(s.URL, func(m *v1alpha1.PrometheusMetric) { m.Insecure = true }), noon)
	if err != nil || fmt.Sprint(got) != "[0.99]" {
		t.Errorf("%v %v", got, err)
	}
}

func TestNaNStaysNaN(t *testing.T) {
	s := serve(t, http.StatusOK, success("vector", `[{"metric":{},"value":[1,"NaN"]}]`))
	got, _, err := local().Query(t.Context(), at(s.URL), noon)
	list, ok := got.([]float64)
	if err != nil || !ok || len(list) != 1 || !math.IsNaN(list[0]) {
		t.Errorf("%v %v", got, err)
	}
}
