//go:build cluster

package kube

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"

	"slipway/internal/manifest"
	"slipway/internal/ownership"
	"slipway/test/cluster"
)

// BenchmarkSweep sweeps 10,000 objects (or SLIPWAY_CROWD of them), hashing each, and lists them with client-go's metadata
// client, page by page and kind after kind, in turn. The metrics: requests and MB of a sweep, its time as a part of the
// plain lists', and the most memory that the process had resident when it had only swept.
func BenchmarkSweep(b *testing.B) {
	n := 10_000
	if s := os.Getenv("SLIPWAY_CROWD"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	if err := cluster.Crowd(b.Context(), adminKubeconfig(), n); err != nil {
		b.Fatal(err)
	}
	if err := cluster.CrowdSettled(b.Context(), adminKubeconfig()); err != nil {
		b.Fatal(err)
	}
	c := connect(b)
	kinds := cluster.CrowdKinds()
	lists := plainLists(b, c, kinds)
	sweepAll(b, c, kinds, n) // discovery and TLS are not what is measured
	resident := peak(b)
	var ours, plain time.Duration
	var swept manifest.Swept
	for b.Loop() {
		start := time.Now()
		swept = sweepAll(b, c, kinds, n)
		between := time.Now()
		if found := lists(); found != n {
			b.Fatalf("%d objects of %d are listed", found, n)
		}
		ours, plain = ours+between.Sub(start), plain+time.Since(between)
	}
	b.ReportMetric(float64(ours.Milliseconds())/float64(b.N), "ms/sweep")
	b.ReportMetric(ours.Seconds()/plain.Seconds(), "of-plain-lists")
	b.ReportMetric(float64(swept.Requests), "requests")
	b.ReportMetric(float64(swept.Bytes)/1e6, "MB")
	b.ReportMetric(resident, "peak-MiB")
}

func sweepAll(b *testing.B, c *Cluster, kinds []schema.GroupKind, want int) manifest.Swept {
	b.Helper()
	swept, err := c.Sweep(b.Context(), kinds, func(_ schema.GroupKind, _ string, items []metav1.PartialObjectMetadata) error {
		for i := range items {
			ownership.Fast(&items[i])
		}
		return nil
	})
	if err != nil || swept.Objects != want {
		b.Fatalf("%d objects of %d are swept: %v", swept.Objects, want, err)
	}
	return swept
}

// plainLists lists kinds with client-go's own client and says how many objects it found.
func plainLists(b *testing.B, c *Cluster, kinds []schema.GroupKind) func() int {
	b.Helper()
	client := metadata.NewForConfigOrDie(cluster.Admin(b))
	return func() (n int) {
		for _, gk := range kinds {
			s, err := c.resolve(b.Context(), gk, "")
			if err != nil {
				b.Fatal(err)
			}
			o := metav1.ListOptions{LabelSelector: manifest.Label, Limit: sweepSize}
			for more := true; more; more = o.Continue != "" {
				list, err := client.Resource(schema.GroupVersionResource{Group: gk.Group, Version: s.version, Resource: s.resource}).List(b.Context(), o)
				if err != nil {
					b.Fatal(err)
				}
				n += len(list.Items)
				o.Continue = list.Continue
			}
		}
		return n
	}
}

// peak is the most memory that this process had resident, in MiB.
func peak(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); f[0] == "VmHWM:" {
			kib, err := strconv.ParseFloat(f[1], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kib / 1024
		}
	}
	b.Fatal("no VmHWM")
	return 0
}
