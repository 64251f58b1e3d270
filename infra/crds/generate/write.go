package main

import (
	"fmt"
	"io"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// open is by kind the way to what stays open: properties, and [] for the items of a list.
var open = map[string]string{
	"AnalysisRun":             "spec.metrics.[].provider.job.spec",
	"AnalysisTemplate":        "spec.metrics.[].provider.job.spec",
	"ClusterAnalysisTemplate": "spec.metrics.[].provider.job.spec",
	"Experiment":              "spec.templates.[].template",
}

// write copies one definition.
func write(w io.Writer, text string) error {
	crd := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &crd.Object); err != nil {
		return err
	}
	kind, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "kind")
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	if len(versions) != 1 {
		return fmt.Errorf("%s has %d versions, want 1", kind, len(versions))
	}
	if way, ok := open[kind]; ok {
		version, _ := versions[0].(map[string]any)
		if err := leaveOpen(version, way); err != nil {
			return fmt.Errorf("leave %s of %s open: %w", way, kind, err)
		}
		if err := unstructured.SetNestedSlice(crd.Object, versions, "spec", "versions"); err != nil {
			return err
		}
	}
	out, err := yaml.Marshal(crd.Object)
	if err == nil {
		_, err = fmt.Fprintf(w, "---\n%s", out)
	}
	return err
}

func leaveOpen(version map[string]any, way string) error {
	path := []string{"schema", "openAPIV3Schema"}
	for step := range strings.SplitSeq(way, ".") {
		if step == "[]" {
			path = append(path, "items")
		} else {
			path = append(path, "properties", step)
		}
	}
	if _, ok, err := unstructured.NestedMap(version, path...); err != nil || !ok {
		return fmt.Errorf("it is not there: %w", err)
	}
	return unstructured.SetNestedMap(version, map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}, path...)
}
