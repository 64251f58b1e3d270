package kube

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"sync"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/transport"
	"k8s.io/klog/v2"
	"sigs.k8s.io/yaml"

	"slipway/internal/app"
	"slipway/internal/fault"
)

// quiet silences klog for the process: at its higher levels it prints request bodies (CVE-2020-8565, CVE-2019-11250,
// security X9), and every error that it would print is returned as well.
var quiet = sync.OnceFunc(func() { klog.SetLogger(logr.Discard()) })

// Connect reads c's kubeconfig and prepares a connection; it sends nothing yet. A kubeconfig that starts programs,
// skips verification, has a password or impersonates anything but a service account is refused: fault.Invalid.
func Connect(c app.Cluster) (*Cluster, error) {
	quiet()
	cfg, err := load(c)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, fmt.Errorf("connect to cluster %s: %w", c.Name, err))
	}
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, fmt.Errorf("connect to cluster %s: kubeconfig %s: %w", c.Name, c.Kubeconfig, err))
	}
	base, _, err := rest.DefaultServerUrlFor(cfg)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, fmt.Errorf("connect to cluster %s: kubeconfig %s: %w", c.Name, c.Kubeconfig, err))
	}
	client.Timeout = 0 // each call has its own
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	k := newCluster(c.Name, base, client)
	k.renews = cfg.WrapTransport != nil
	return k, nil
}

func load(c app.Cluster) (*rest.Config, error) {
	if c.Kubeconfig == "" {
		return nil, fmt.Errorf("no kubeconfig is configured")
	}
	raw, err := os.ReadFile(c.Kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	file, err := clientcmd.Load(raw)
	if err != nil {
		return nil, fmt.Errorf("parse kubeconfig %s: %w", c.Kubeconfig, err)
	}
	name := c.Context
	if name == "" {
		name = file.CurrentContext
	}
	kctx, ok := file.Contexts[name]
	if !ok {
		return nil, fmt.Errorf("kubeconfig %s has no context %q", c.Kubeconfig, name)
	}
	target, ok := file.Clusters[kctx.Cluster]
	if !ok {
		return nil, fmt.Errorf("kubeconfig %s: context %q names cluster %q, which it does not have", c.Kubeconfig, name, kctx.Cluster)
	}
	user, ok := file.AuthInfos[kctx.AuthInfo]
	if !ok {
		return nil, fmt.Errorf("kubeconfig %s: context %q names user %q, which it does not have", c.Kubeconfig, name, kctx.AuthInfo)
	}
	if err := refuse(target, user, namesNobody(raw, kctx.AuthInfo)); err != nil {
		return nil, fmt.Errorf("kubeconfig %s, context %q: %w", c.Kubeconfig, name, err)
	}
	for _, part := range file.Clusters {
		part.LocationOfOrigin = c.Kubeconfig
	}
	for _, part := range file.AuthInfos {
		part.LocationOfOrigin = c.Kubeconfig
	}
	if err := clientcmd.ResolveLocalPaths(file); err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", c.Kubeconfig, err)
	}
	cfg, err := clientcmd.NewNonInteractiveClientConfig(*file, name, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", c.Kubeconfig, err)
	}
	cfg.UserAgent = "slipway"
	if cfg.BearerTokenFile != "" { // this source forgets its token on a 401, the one that rest would make does not
		cfg.Wrap(transport.ResettableTokenSourceWrapTransport(transport.NewCachedFileTokenSource(cfg.BearerTokenFile)))
		cfg.BearerToken, cfg.BearerTokenFile = "", ""
	}
	return cfg, nil
}

var serviceAccount = regexp.MustCompile(`^system:serviceaccount:[a-z0-9]([-a-z0-9]*[a-z0-9])?:[a-z0-9]([-.a-z0-9]*[a-z0-9])?$`)

// refuse says what of a kubeconfig is not used. emptyAs: the user has an `as` that is empty.
func refuse(target *api.Cluster, user *api.AuthInfo, emptyAs bool) error {
	u, err := url.Parse(target.Server)
	switch {
	case err != nil || u.Host == "":
		return fmt.Errorf("server %.200q is not a URL", target.Server)
	case u.Scheme != "https":
		return fmt.Errorf("server %.200q is not https: credentials and Secrets would travel in the clear", target.Server)
	case target.InsecureSkipTLSVerify:
		return fmt.Errorf("insecure-skip-tls-verify is not supported: give the server's certificate-authority")
	case user.Exec != nil: // security R7; Flux has its exec off by default too
		return fmt.Errorf("exec %.200q is not supported: a kubeconfig may not start programs; use a client certificate, a token or a tokenFile", user.Exec.Command)
	case user.AuthProvider != nil:
		return fmt.Errorf("auth-provider %.200q is not supported: use a client certificate, a token or a tokenFile", user.AuthProvider.Name)
	case user.Username != "" || user.Password != "":
		return fmt.Errorf("username and password are not supported: use a client certificate, a token or a tokenFile")
	}
	// An empty user would send no impersonation header at all, and so act as the administrator (CVE-2026-23990,
	// client-go transport/round_trippers.go; security P6).
	wanted := emptyAs || user.Impersonate != "" || user.ImpersonateUID != "" || len(user.ImpersonateGroups) > 0 || len(user.ImpersonateUserExtra) > 0
	if wanted && !serviceAccount.MatchString(user.Impersonate) {
		return fmt.Errorf("as %.200q is not supported: only system:serviceaccount:NAMESPACE:NAME may be impersonated", user.Impersonate)
	}
	return nil
}

// namesNobody reports whether the user of a kubeconfig has an `as` that is there and empty, which the loaded form
// cannot tell from one that is not there.
func namesNobody(raw []byte, user string) bool {
	var file struct {
		Users []struct {
			Name string         `json:"name"`
			User map[string]any `json:"user"`
		} `json:"users"`
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		return false // clientcmd has parsed it already
	}
	for _, u := range file.Users {
		as, there := u.User["as"]
		if u.Name == user && there && (as == nil || as == "") {
			return true
		}
	}
	return false
}
