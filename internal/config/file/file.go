// Package file reads the local configuration: which clusters there are and which git hosts are meant by their names.
// What it does not know is an error by line and path, never ignored.
package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/internal/app"
	"slipway/internal/fault"
)

// Local is the value of a host that means the git host in this process.
const Local = "local"

// maxSize of the file, in bytes.
const maxSize = 1 << 20

// File is the configuration:
//
//	clusters:
//	  - name: in-cluster          # destinations name it so, or by its server
//	    server: https://kubernetes.default.svc
//	    kubeconfig: ~/.kube/config # from the file's folder if relative
//	    context: kind-slipway      # empty: the file's current context
//	    drift: watch               # healed within a second; empty or sweep: a look a minute
//	hosts:
//	  github.com: local            # or the URL of the host's API, or that and a token:
//	  git.example.com:
//	    api: https://git.example.com/api/v3/
//	    tokenFile: ~/.git-token     # for its owner only; from the file's folder if relative
type File struct {
	Clusters []app.Cluster
	Hosts    map[string]Host // by host name
}

// Host is how a git host is reached.
type Host struct {
	API       string // Local or an http(s) URL
	TokenFile string // "" asks anonymously
}

// Read reads and checks the file at path.
func Read(path string) (File, error) {
	f, err := os.Open(path) //nolint:gosec // the operator's own file
	if err != nil {
		return File{}, fault.New(fault.NotFound, "read configuration: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return File{}, fmt.Errorf("read configuration %s: %w", path, err)
	}
	return Decode(path, data)
}

// Decode checks a configuration. name is the file's path: errors begin with it, and relative kubeconfigs are below its
// folder. All errors are Invalid, and all that are found are returned, one a line.
func Decode(name string, data []byte) (File, error) {
	if len(data) > maxSize {
		return File{}, fault.New(fault.Invalid, "%s: more than %d bytes", name, maxSize)
	}
	var doc yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return File{}, fault.New(fault.Invalid, "%s: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	r := &reader{file: name}
	f := File{Hosts: map[string]Host{}}
	if len(doc.Content) == 1 {
		r.fields(doc.Content[0], "", map[string]func(*yaml.Node, string){
			"clusters": func(n *yaml.Node, path string) { f.Clusters = r.clusters(n, path) },
			"hosts":    func(n *yaml.Node, path string) { r.hosts(n, path, f.Hosts) },
		})
	}
	if err := d.Decode(new(yaml.Node)); err == nil {
		r.fail(&doc, "", "a second document: want one")
	}
	return f, r.err()
}

var (
	nameForm  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._:/@-]{0,251}[A-Za-z0-9])?$`) // EKS and kubeconfig names hold : / @
	labelForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)                // RFC 1123
	hostForm  = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?$`)
)

func (r *reader) clusters(list *yaml.Node, path string) []app.Cluster {
	var all []app.Cluster
	for i, n := range r.list(list, path) {
		at := fmt.Sprintf("%s[%d]", path, i)
		var c app.Cluster
		text := func(to *string) func(*yaml.Node, string) {
			return func(n *yaml.Node, path string) { *to = r.text(n, path) }
		}
		r.fields(n, at, map[string]func(*yaml.Node, string){
			"name": text(&c.Name), "server": text(&c.Server), "kubeconfig": text(&c.Kubeconfig), "context": text(&c.Context),
			"drift":      func(n *yaml.Node, path string) { c.Drift = r.mode(n, path) },
			"prometheus": func(n *yaml.Node, path string) { c.PrometheusNamespace = r.prometheus(n, path) },
		})
		if c.Server == "" && c.Name == app.InCluster {
			c.Server = app.InClusterServer
		}
		same := func(o app.Cluster) bool {
			return o.Name == c.Name || c.Server != "" && strings.TrimRight(o.Server, "/") == strings.TrimRight(c.Server, "/")
		}
		switch {
		case !nameForm.MatchString(c.Name):
			r.fail(n, at+".name", "%.80q is not a name", c.Name)
		case c.Server != "" && !isURL(c.Server, "https", "http"):
			r.fail(n, at+".server", "%.200s is not the URL of an API server", hidden(c.Server))
		case slices.ContainsFunc(all, same):
			r.fail(n, at, "a cluster of the same name or server is there already")
		}
		c.Kubeconfig = r.path(n, at+".kubeconfig", c.Kubeconfig)
		all = append(all, c)
	}
	return all
}

// mode is one of the modes of drift; "" where nothing is said.
func (r *reader) mode(n *yaml.Node, path string) app.DriftMode {
	m := app.DriftMode(r.text(n, path))
	if m != "" && m != app.DriftSweep && m != app.DriftWatch {
		r.fail(n, path, "%.80q: want %s or %s", m, app.DriftSweep, app.DriftWatch)
	}
	return m
}

// prometheus is where a cluster has its Prometheus.
func (r *reader) prometheus(n *yaml.Node, path string) (namespace string) {
	r.fields(n, path, map[string]func(*yaml.Node, string){
		"namespace": func(n *yaml.Node, path string) {
			if namespace = r.text(n, path); !labelForm.MatchString(namespace) {
				r.fail(n, path, "%.80q is not the name of a namespace", namespace)
			}
		},
	})
	return namespace
}

func (r *reader) hosts(n *yaml.Node, path string, into map[string]Host) {
	r.each(n, path, func(key string, v *yaml.Node, at string) {
		var h Host
		if v.Kind == yaml.MappingNode {
			r.fields(v, at, map[string]func(*yaml.Node, string){
				"api":       func(n *yaml.Node, path string) { h.API = r.text(n, path) },
				"tokenFile": func(n *yaml.Node, path string) { h.TokenFile = r.path(n, path, r.text(n, path)) },
			})
		} else {
			h.API = r.text(v, at)
		}
		switch {
		case !hostForm.MatchString(key):
			r.fail(v, at, "%.80q is not the name of a host in lower case", key)
		case h.API != Local && !isURL(h.API, "https", "http"):
			r.fail(v, at, "%.200s: want %q or the URL of the host's API", hidden(h.API), Local)
		case h.API == Local && h.TokenFile != "":
			r.fail(v, at, "the git host in this process asks for no token")
		}
		into[key] = h
	})
}

// path is where a file is meant: absolute, in the home folder, or below the configuration's own folder.
func (r *reader) path(n *yaml.Node, at, p string) string {
	if rest, ok := strings.CutPrefix(p, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			r.fail(n, at, "find the home folder: %v", err)
		}
		return filepath.Join(home, rest)
	}
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(filepath.Dir(r.file), p)
}

// isURL accepts an address and nothing that belongs into a secret.
func isURL(s string, schemes ...string) bool {
	u, err := url.Parse(s)
	return err == nil && slices.Contains(schemes, u.Scheme) && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

// hidden is a URL as it may be printed: without user, query and fragment (security X5).
func hidden(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "the text"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return fmt.Sprintf("%q", u.String())
}
