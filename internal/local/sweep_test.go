package local

import (
	"strings"
	"testing"

	"slipway/internal/app"
	"slipway/internal/fault"
)

func TestASweepOfAnUnknownClusterIsToldByItsName(t *testing.T) {
	l, c := served(t)
	l.clusters = []app.Cluster{{Name: "in-cluster"}}
	if _, err := c.Sweep(t.Context(), "production"); !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "production") {
		t.Errorf("got %v", err)
	}
}
