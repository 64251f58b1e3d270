package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"slipway/internal/app"
	"slipway/internal/kube"
	"slipway/internal/manifest"
	"slipway/internal/render"
)

const (
	renderRuns = 30
	chartRoot  = "internal/local/demo/k8s-config" // a small chart as people have it: 3 templates and helpers
	chartPath  = "apps/order-service"
	chartFile  = "argocd/order-service.yaml"
)

// renders is what a process of its own costs a rendering, and how it compares with who starts one too.
var renders = group{
	rows:    []row{{Name: "render_child_over_inprocess_ms", Unit: "ms", Goal: 25}},
	measure: measureRenders,
}

func measureRenders(ctx context.Context, m *machine, r *results) error {
	in, err := chartInputs()
	if err != nil {
		return err
	}
	k, err := m.cluster(ctx)
	if err != nil {
		return err
	}
	c, err := kube.Connect(app.Cluster{Name: app.InCluster, Kubeconfig: k.Kubeconfig})
	if err != nil {
		return err
	}
	target, err := c.Target(ctx) // with all API versions of a cluster, as a sync hands it over
	if err != nil {
		return err
	}
	h, err := helm(ctx)
	if err != nil {
		return err
	}
	child := render.New(render.Options{Binary: m.slipway})
	var extra, inChild, inProcess, forked []float64
	for range renderRuns + 1 { // the first warms caches and is not counted; one after the other, so that all see the same load
		a, err := took(func() error { return rendered(child.Render(ctx, in, target)) })
		if err != nil {
			return err
		}
		b, err := took(func() error { return rendered(render.InProcess(in, target)) })
		if err != nil {
			return err
		}
		d, err := took(func() error { return h.template(ctx, target.KubeVersion) })
		if err != nil {
			return err
		}
		extra, inChild, inProcess, forked = append(extra, a-b), append(inChild, a), append(inProcess, b), append(forked, d)
	}
	r.value("render_child_over_inprocess_ms", median(extra[1:]))
	r.versus("render_child_over_inprocess_ms", fmt.Sprintf("helm template %s, forked: %.0f ms", h.version, median(forked[1:])), median(inChild[1:])/median(forked[1:]))
	r.note("render_child: medians of %d: child %.1f ms, in process %.1f ms, helm template %.1f ms; the ratio is child to helm template",
		renderRuns, median(inChild[1:]), median(inProcess[1:]), median(forked[1:]))
	return nil
}

func took(do func() error) (float64, error) {
	begin := time.Now()
	err := do()
	return ms(time.Since(begin)), err
}

func rendered(out manifest.Rendered, err error) error {
	if err == nil && len(out.Objects) == 0 {
		err = errors.New("nothing was rendered")
	}
	return err
}

// chartInputs is the Application and its chart as fetch would cut them.
func chartInputs() (app.Inputs, error) {
	data, err := os.ReadFile(filepath.Join(chartRoot, chartFile))
	if err != nil {
		return app.Inputs{}, fmt.Errorf("read chart: run this in the module's root: %w", err)
	}
	declared, err := app.Decode(chartFile, data)
	if err != nil {
		return app.Inputs{}, err
	}
	if len(declared.Applications) != 1 {
		return app.Inputs{}, fmt.Errorf("read %s: it declares %d Applications, want 1", chartFile, len(declared.Applications))
	}
	in := app.Inputs{Application: declared.Applications[0].Application, Files: map[string][]byte{}}
	root := os.DirFS(filepath.Join(chartRoot, chartPath))
	err = fs.WalkDir(root, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		in.Files[path.Join(chartPath, name)], err = fs.ReadFile(root, name)
		return err
	})
	if err != nil {
		return in, fmt.Errorf("read chart: %w", err)
	}
	return in, nil
}
