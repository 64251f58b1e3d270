package metrics

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"

	"slipway/internal/fault"
)

// target is where a question goes, and what goes with it.
type target struct {
	host    string   // as the metric names it, for people
	address *url.URL // without user and password
	user    *url.Userinfo
	headers []v1alpha1.WebMetricHeader
	next    http.RoundTripper
	sign    func(*http.Request) error // nil for all but Amazon Managed Prometheus
	onlyGet bool
}

var (
	label = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`) // RFC 1123
	port  = regexp.MustCompile(`^[0-9]{1,5}$`)
	// route is a path in front of /api/v1. What else a path may hold, dots that climb and slashes written otherwise, would
	// leave the service proxy for any other path of the API server.
	route = regexp.MustCompile(`^(/[A-Za-z0-9_~:.-]+)*/?$`)
	// proxied are the headers that may go through the API server: Authorization is ours there, and Impersonate-User
	// would lend the template our rights.
	proxied = regexp.MustCompile(`^(?i:x-scope-orgid|thanos-tenant)$`)
)

func (p *Prometheus) target(ctx context.Context, m v1alpha1.PrometheusMetric) (target, error) {
	u, err := url.Parse(m.Address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return target{}, fault.New(fault.Invalid, "the address is not a URL as http://prometheus:9090") // it may hold a password
	}
	t := target{host: u.Host, user: u.User, headers: m.Headers}
	switch {
	case u.RawQuery != "" || u.Fragment != "" || u.Opaque != "":
		return t, fault.New(fault.Invalid, "%s: the address has more than a host, a port and a path", t.host)
	case !route.MatchString(u.Path) || u.RawPath != "" || u.Path != "" && path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/") && u.Path != "/":
		return t, fault.New(fault.Invalid, "%s: the address has a path that is not plain", t.host)
	case u.Port() != "" && !port.MatchString(u.Port()):
		return t, fault.New(fault.Invalid, "%s: the address has a port that is none", t.host)
	}
	for _, h := range m.Headers {
		if strings.EqualFold(h.Key, "Host") {
			return t, fault.New(fault.Invalid, "%s: header Host cannot be set, the address says it", t.host)
		}
	}
	t.address = &url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if service, namespace, ok := p.service(u.Hostname()); ok {
		return p.through(t, m, service, namespace)
	}
	t.next = p.secure
	if m.Insecure {
		t.next = p.insecure
	}
	t.sign, err = p.signer(ctx, t, m.Authentication.Sigv4)
	return t, err
}

// service is the Service that a host names, if it names one: a host without a dot, or name.namespace.svc, whatever the
// cluster's domain.
func (p *Prometheus) service(host string) (name, namespace string, ok bool) {
	if _, err := netip.ParseAddr(host); err == nil || strings.EqualFold(host, "localhost") {
		return "", "", false
	}
	parts := strings.Split(strings.TrimSuffix(strings.ToLower(host), "."), ".")
	switch {
	case len(parts) == 1:
		return parts[0], p.options.Namespace, true
	case len(parts) >= 3 && parts[2] == "svc":
		return parts[0], parts[1], true
	}
	return "", "", false
}

// through sends t through the API server's service proxy. Whether the Service's certificate is verified is up to the API
// server, which does not.
func (p *Prometheus) through(t target, m v1alpha1.PrometheusMetric, service, namespace string) (target, error) {
	if p.options.API == nil || p.options.Transport == nil {
		return t, fault.New(fault.Invalid, "%s: names a Service, and there is no cluster to ask through", t.host)
	}
	if !label.MatchString(service) || !label.MatchString(namespace) {
		return t, fault.New(fault.Invalid, "%s: Service %.80q in namespace %.80q is no name", t.host, service, namespace)
	}
	if m.Authentication.Sigv4 != (v1alpha1.Sigv4Config{}) {
		return t, fault.New(fault.Invalid, "%s: sigv4 is for Amazon Managed Prometheus, and this is a Service", t.host)
	}
	bad := slices.IndexFunc(m.Headers, func(h v1alpha1.WebMetricHeader) bool { return !proxied.MatchString(h.Key) })
	if bad >= 0 || t.user != nil {
		what := "a user"
		if bad >= 0 {
			what = "header " + m.Headers[bad].Key
		}
		return t, fault.New(fault.Invalid, "%s: %.80s cannot be sent through the API server's service proxy", t.host, what)
	}
	number := t.address.Port()
	if number == "" {
		number = map[string]string{"http": "80", "https": "443"}[t.address.Scheme]
	}
	address := p.options.API.JoinPath("api/v1/namespaces", namespace, "services", t.address.Scheme+":"+service+":"+number, "proxy", t.address.Path)
	t.address, t.next, t.onlyGet = address, p.options.Transport, true
	return t, nil
}
