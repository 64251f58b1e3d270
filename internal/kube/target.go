package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"slipway/internal/app"
	"slipway/internal/fault"
)

// Target is what rendering is told of the cluster: its version as vMAJOR.MINOR.PATCH, without what vendors put behind
// it ("v1.33.4-eks-a1b2c3": charts compare it with semver, which takes a suffix for a pre-release), and the API
// versions, sorted. What is told is at most half a minute old.
func (c *Cluster) Target(ctx context.Context) (app.Target, error) {
	k, err := c.discover(ctx, ageOfTarget)
	if err != nil {
		return app.Target{}, err
	}
	return app.Target{KubeVersion: k.release, APIVersions: slices.Clone(k.versions)}, nil
}

var release = regexp.MustCompile(`^v?([0-9]{1,5})\.([0-9]{1,5})(?:\.([0-9]{1,5}))?`)

// normal is a version as vMAJOR.MINOR.PATCH; "" when it is none.
func normal(version string) string {
	m := release.FindStringSubmatch(version)
	if m == nil {
		return ""
	}
	if m[3] == "" {
		m[3] = "0"
	}
	return "v" + m[1] + "." + m[2] + "." + m[3]
}

func (c *Cluster) version(ctx context.Context) (string, error) {
	r := request{verb: "read", what: "version of cluster " + c.name, method: http.MethodGet, path: "/version", accept: "application/json"}
	a, err := c.call(ctx, r)
	if err != nil {
		return "", err
	}
	var v struct {
		GitVersion string `json:"gitVersion"`
	}
	if err := json.Unmarshal(a.body, &v); err != nil {
		return "", fault.Wrap(fault.Unavailable, fmt.Errorf("read %s: decode answer: %w", r.what, err))
	}
	n := normal(v.GitVersion)
	if n == "" {
		return "", fault.New(fault.Unavailable, "read %s: %.100q is not a version", r.what, v.GitVersion)
	}
	return n, nil
}
