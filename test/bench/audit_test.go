package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWritesAreCountedApartFromDryRunsAndReadsAndFromOthers(t *testing.T) {
	const log = `{"verb":"get","userAgent":"slipway","requestURI":"/apis"}
{"verb":"list","userAgent":"slipway","requestURI":"/api/v1/configmaps?limit=500","objectRef":{"resource":"configmaps"}}
{"verb":"watch","userAgent":"slipway","requestURI":"/api/v1/configmaps?watch=true","objectRef":{"resource":"configmaps"}}
{"verb":"list","userAgent":"bench","requestURI":"/api/v1/configmaps?limit=500","objectRef":{"resource":"configmaps"}}
{"verb":"patch","userAgent":"slipway","requestURI":"/api/v1/namespaces/a/configmaps/x?dryRun=All&fieldManager=slipway","objectRef":{"resource":"configmaps","name":"x"}}
{"verb":"patch","userAgent":"slipway","requestURI":"/api/v1/namespaces/a/configmaps/x?fieldManager=slipway","objectRef":{"resource":"configmaps","name":"x"}}
{"verb":"create","userAgent":"kubectl/v1.36","requestURI":"/api/v1/namespaces","objectRef":{"resource":"namespaces","name":"b"}}
{"verb":"delete","userAgent":"slipway","requestURI":"/api/v1/namespaces/a/secrets/dryRun","objectRef":{"resource":"secrets","name":"dryRun"}}
`
	got, err := countWrites([]byte(log))
	if err != nil {
		t.Fatal(err)
	}
	want := counted{
		writes: 2, dry: 1, reads: 1, watches: 1, what: []string{"patch configmaps x", "delete secrets dryRun"},
		by: map[string]int{
			"discover": 1, "list configmaps": 1, "watch configmaps": 1, "dry run patch configmaps": 1, "patch configmaps": 1, "delete secrets": 1,
		},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(counted{})); diff != "" {
		t.Error(diff)
	}
	if _, err := countWrites([]byte("{\"verb\":")); err == nil {
		t.Error("a broken line was passed over")
	}
}
