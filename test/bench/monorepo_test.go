package main

import (
	"testing"

	"slipway/internal/app"
	"slipway/internal/local"
)

func TestApplicationsWithoutANewLockAreNotAskedForTheirRuns(t *testing.T) {
	same := local.Application{}
	same.Record.Lock.Fence = 7
	all := map[app.Name]local.Application{"argocd/a": same}
	if n, err := (&slipway{}).runs(t.Context(), all, all); err != nil || n != 0 { // a question would panic: there is no client
		t.Errorf("%d, %v", n, err)
	}
}
