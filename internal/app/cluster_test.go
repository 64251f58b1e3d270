package app_test

import (
	"strings"
	"testing"

	. "slipway/internal/app"
	"slipway/internal/fault"
)

func TestResolve(t *testing.T) {
	local, staging, production := Cluster{Name: InCluster, Server: "https://127.0.0.1:6443"}, Cluster{Name: "staging", Server: "https://staging.example.com"}, Cluster{Name: "production", Server: "https://Production.example.com/"}
	all := []Cluster{local, staging, production}
	twin := Cluster{Name: "staging", Server: "https://production.example.com"}
	own := Cluster{Name: "own", Server: InClusterServer}
	for name, tc := range map[string]struct {
		clusters []Cluster
		d        Destination
		want     string // the cluster's name, or the error
	}{
		"finds by URL":                                 {all, Destination{Server: "https://staging.example.com"}, "staging"},
		"finds by URL with a slash at its end":         {all, Destination{Server: "https://staging.example.com/"}, "staging"},
		"finds by URL whatever its case":               {all, Destination{Server: "https://production.EXAMPLE.com"}, "production"},
		"finds by name":                                {all, Destination{Name: "production"}, "production"},
		"finds the cluster itself by its usual URL":    {all, Destination{Server: InClusterServer}, InCluster},
		"finds the cluster itself with a slash":        {all, Destination{Server: InClusterServer + "/"}, InCluster},
		"prefers who is configured for the usual URL":  {[]Cluster{local, own}, Destination{Server: InClusterServer}, "own"},
		"does not find the usual URL without the name": {[]Cluster{staging}, Destination{Server: InClusterServer}, `resolve destination: no cluster has the name "in-cluster"; there are: staging`},
		"names all when there is none of the URL":      {all, Destination{Server: "https://other"}, `resolve destination: no cluster has the server "https://other"; there are: in-cluster, production, staging`},
		"names all when there is none of the name":     {all, Destination{Name: "Staging"}, `resolve destination: no cluster has the name "Staging"; there are: in-cluster, production, staging`},
		"says so when there are none":                  {nil, Destination{Name: "staging"}, `resolve destination: no cluster has the name "staging"; there are: none`},
		"refuses a name that two have":                 {append(all, twin), Destination{Name: "staging"}, `resolve destination: 2 clusters have the name "staging": staging, staging`},
		"refuses a URL that two have":                  {append(all, twin), Destination{Server: "https://production.example.com"}, `resolve destination: 2 clusters have the server "https://production.example.com": production, staging`},
		"finds nothing by nothing":                     {[]Cluster{{}}, Destination{}, `resolve destination: no cluster has the name ""; there are: `},
		"finds nothing by both":                        {all, Destination{Name: "staging", Server: "https://staging.example.com"}, "resolve destination: no cluster has"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Resolve(tc.clusters, tc.d)
			if err == nil {
				if got.Name != tc.want {
					t.Errorf("got %q, want %s", got.Name, tc.want)
				}
				return
			}
			if !strings.HasPrefix(err.Error(), tc.want) || !fault.Is(err, fault.Invalid) {
				t.Errorf("%s error\n %v\nwant\n %s", fault.Of(err), err, tc.want)
			}
		})
	}
}

func TestAClusterIsSweptUnlessItSaysOtherwise(t *testing.T) {
	for said, want := range map[DriftMode]DriftMode{"": DriftSweep, DriftSweep: DriftSweep, DriftWatch: DriftWatch} {
		if got := (Cluster{Drift: said}).DriftMode(); got != want {
			t.Errorf("%q means %q, want %q", said, got, want)
		}
	}
}
