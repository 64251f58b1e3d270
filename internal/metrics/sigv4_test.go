package metrics

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"slipway/internal/fault"
)

var quiet = log.New(io.Discard, "", 0)

const workspace = "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1"

func sigv4(change ...func(*v1alpha1.Sigv4Config)) func(*v1alpha1.PrometheusMetric) {
	return func(m *v1alpha1.PrometheusMetric) {
		m.Authentication.Sigv4.Region = "eu-west-1"
		for _, c := range change {
			c(&m.Authentication.Sigv4)
		}
	}
}

// managed is a Prometheus whose every host is s.
func managed(s *server, cfg aws.Config) *Prometheus {
	p := New(Options{AWS: cfg})
	p.secure = &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, s.Listener.Addr().String())
		},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}
	return p
}

func awsConfig() aws.Config {
	return aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "session")}
}

func TestARequestToAmazonManagedPrometheusIsSigned(t *testing.T) {
	s := handle(t, httptest.NewTLSServer, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, success("vector", one)) })
	got, _, err := managed(s, awsConfig()).Query(t.Context(), at(workspace, sigv4(), headers("X-Team", "a")), noon)
	if err != nil || fmt.Sprint(got) != "[0.99]" {
		t.Fatalf("%v %v", got, err)
	}
	r := s.only(t)
	auth := r.header.Get("Authorization")
	if !strings.HasPrefix(auth, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") || !strings.Contains(auth, "/eu-west-1/aps/aws4_request") ||
		r.header.Get("X-Amz-Security-Token") != "session" || r.path != "/workspaces/ws-1/api/v1/query" {
		t.Errorf("%+v", r)
	}
	if want := resigned(t, r, auth); auth != want {
		t.Errorf("the signature does not fit what arrived\n%s\n%s", auth, want)
	}
}

// resigned is the signature of a request as it arrived.
func resigned(t *testing.T, r seen, auth string) string {
	t.Helper()
	date, err := time.Parse("20060102T150405Z", r.header.Get("X-Amz-Date"))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), r.method, "https://"+r.host+r.path, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	_, names, _ := strings.Cut(auth, "SignedHeaders=")
	names, _, _ = strings.Cut(names, ",")
	for _, name := range strings.Split(names, ";") {
		if v := r.header.Get(name); v != "" {
			req.Header.Set(name, v)
		}
	}
	if err := signAt(req, aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret", SessionToken: "session"}, "eu-west-1", date); err != nil {
		t.Fatal(err)
	}
	return req.Header.Get("Authorization")
}

func TestASignatureIsForAmazonManagedPrometheusAlone(t *testing.T) {
	s := handle(t, httptest.NewTLSServer, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, success("vector", one)) })
	for name, m := range map[string]v1alpha1.PrometheusMetric{
		"another host":              at("https://prometheus.example.com", sigv4()),
		"a host that looks like it": at("https://aps-workspaces.eu-west-1.amazonaws.com.example.com", sigv4()),
		"a host that ends like it":  at("https://evil-aps-workspaces.eu-west-1.amazonaws.com", sigv4()),
		"in clear":                  at("http://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1", sigv4()),
		"another region":            at(workspace, sigv4(func(s *v1alpha1.Sigv4Config) { s.Region = "us-east-1" })),
		"a profile":                 at(workspace, sigv4(func(s *v1alpha1.Sigv4Config) { s.Profile = "x" })),
		"a header beside it":        at(workspace, sigv4(), headers("authorization", "Bearer x")),
		"a user beside it":          at("https://me:pw@aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1", sigv4()),
	} {
		if _, _, err := managed(s, awsConfig()).Query(t.Context(), m, noon); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(s.requests()); n > 0 {
		t.Errorf("%d requests arrived", n)
	}
	for _, host := range []string{
		"aps-workspaces.us-gov-west-1.amazonaws.com", "aps-workspaces-fips.us-east-1.amazonaws.com", "aps-workspaces.cn-north-1.amazonaws.com.cn",
		"vpce-0a1b-x.aps-workspaces.eu-west-1.vpce.amazonaws.com", "aps-workspaces.eu-west-1.api.aws",
	} {
		m := at("https://"+host+"/workspaces/ws-1", sigv4(func(s *v1alpha1.Sigv4Config) { s.Region = amp.FindStringSubmatch(host)[1] }))
		if _, _, err := managed(s, awsConfig()).Query(t.Context(), m, noon); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestWithoutCredentialsNothingIsSigned(t *testing.T) {
	s := serve(t, http.StatusOK, success("vector", one))
	if _, _, err := managed(s, aws.Config{}).Query(t.Context(), at(workspace, sigv4()), noon); !fault.Is(err, fault.Denied) {
		t.Error(err)
	}
}

func TestARoleIsAssumedToSign(t *testing.T) {
	sts := handle(t, httptest.NewServer, func(w http.ResponseWriter, r *http.Request) {
		if r.Form.Get("RoleArn") != "arn:aws:iam::123456789012:role/metrics" {
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprint(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized</Message></Error></ErrorResponse>`)
			return
		}
		_, _ = fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>`+
			`<SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	})
	s := handle(t, httptest.NewTLSServer, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, success("vector", one)) })
	cfg := awsConfig()
	cfg.BaseEndpoint = &sts.URL
	role := func(arn string) v1alpha1.PrometheusMetric {
		return at(workspace, sigv4(func(s *v1alpha1.Sigv4Config) { s.RoleARN = arn }))
	}
	if _, _, err := managed(s, cfg).Query(t.Context(), role("arn:aws:iam::123456789012:role/metrics"), noon); err != nil {
		t.Fatal(err)
	}
	if auth := s.only(t).header.Get("Authorization"); !strings.Contains(auth, "Credential=ASIAROLE/") {
		t.Error(auth)
	}
	if got := sts.only(t).form.Get("RoleSessionName"); got != "slipway" {
		t.Error(got)
	}
	if _, _, err := managed(s, cfg).Query(t.Context(), role("arn:aws:iam::123456789012:role/admin"), noon); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "AccessDenied") {
		t.Error(err)
	}
}
