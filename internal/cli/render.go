package cli

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"slipway/internal/app"
	"slipway/internal/appset"
	"slipway/internal/fault"
	"slipway/internal/git/bundle"
	"slipway/internal/manifest"
	"slipway/internal/render"
	"slipway/internal/revision"
)

// localCommit stands for the work tree, which has no commit id.
const localCommit = revision.SHA("0000000000000000000000000000000000000000")

func renderCommand() *cobra.Command {
	var source string
	var target app.Target
	c := &cobra.Command{
		Use:   "render APPLICATION.yaml --source DIR",
		Short: "Print an application's manifests in the order in which they are applied",
		Args:  exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			if source == "" {
				return usage{fmt.Errorf("--source is required: the work tree of the application's repository")}
			}
			return renderFile(c.Context(), c.OutOrStdout(), c.ErrOrStderr(), args[0], source, target)
		},
	}
	c.Flags().StringVar(&source, "source", "", "work tree of the application's repository")
	c.Flags().StringVar(&target.KubeVersion, "kube-version", "v1.36.0", "Kubernetes version to render for")
	c.Flags().StringSliceVar(&target.APIVersions, "api-versions", nil, "API versions of the cluster, such as monitoring.coreos.com/v1")
	return c
}

func renderFile(ctx context.Context, stdout, stderr io.Writer, file, source string, target app.Target) error {
	data, err := os.ReadFile(file) //nolint:gosec // named by the user
	if err != nil {
		return usage{fmt.Errorf("read application: %w", err)}
	}
	declared, err := app.Decode(file, data)
	if err != nil {
		return err
	}
	var apps []app.Application
	for _, r := range declared.Applications {
		warn(stderr, r.Warnings)
		apps = append(apps, r.Application)
	}
	for _, s := range declared.Sets {
		expanded, warnings, err := appset.Expand(s)
		if err != nil {
			return err
		}
		warn(stderr, s.Warnings)
		warn(stderr, warnings)
		apps = append(apps, expanded...)
	}
	if len(apps) == 0 {
		return fault.New(fault.Invalid, "%s: it declares no Application", file)
	}
	inputs, err := cut(ctx, source, apps)
	if err != nil {
		return err
	}
	for _, a := range apps {
		in := inputs[a.Key()]
		if in.Err != nil {
			return in.Err
		}
		if err := printRendered(ctx, stdout, stderr, in.Inputs, target); err != nil {
			return err
		}
	}
	return nil
}

// cut takes the applications' inputs out of a work tree by way of an archive, so that what is accepted here is what is
// accepted from a git host.
func cut(ctx context.Context, dir string, apps []app.Application) (map[app.Name]bundle.Result, error) {
	r, w := io.Pipe()
	go func() { w.CloseWithError(archive(w, dir)) }()
	defer func() { _ = r.Close() }()
	out, err := bundle.Cut(ctx, r, localCommit, apps, bundle.Limits{})
	if err != nil {
		return nil, fmt.Errorf("read work tree %s: %w", dir, err)
	}
	return out, nil
}

func archive(w io.Writer, dir string) error {
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	top := "worktree-" + localCommit.Short() + "/"
	head := &tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": string(localCommit)}}
	if err := t.WriteHeader(head); err != nil {
		return fmt.Errorf("pack work tree: %w", err)
	}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.Name() == ".git" {
			return fs.SkipDir
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return fmt.Errorf("pack %s: %w", path, err)
		}
		return pack(t, path, top+filepath.ToSlash(rel), e)
	})
	if err != nil {
		return err
	}
	if err := t.Close(); err != nil {
		return fmt.Errorf("pack work tree: %w", err)
	}
	return z.Close()
}

func pack(t *tar.Writer, path, name string, e fs.DirEntry) error {
	info, err := e.Info()
	if err != nil {
		return fmt.Errorf("pack %s: %w", path, err)
	}
	link := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		link = "link" // where it points does not matter: links are refused
	}
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return fmt.Errorf("pack %s: %w", path, err)
	}
	if h.Name = strings.TrimSuffix(name, "/."); info.IsDir() {
		h.Name += "/"
	}
	if err := t.WriteHeader(h); err != nil {
		return fmt.Errorf("pack %s: %w", path, err)
	}
	if !info.Mode().IsRegular() {
		return nil
	}
	f, err := os.Open(path) //nolint:gosec // below the folder that the user named
	if err != nil {
		return fmt.Errorf("pack %s: %w", path, err)
	}
	defer func() { _ = f.Close() }()
	if _, err := io.Copy(t, f); err != nil {
		return fmt.Errorf("pack %s: %w", path, err)
	}
	return nil
}

func printRendered(ctx context.Context, stdout, stderr io.Writer, in app.Inputs, target app.Target) error {
	out, err := render.New(render.Options{}).Render(ctx, in, target)
	if err != nil {
		return fmt.Errorf("render %s: %w", in.Application.Key(), err)
	}
	warn(stderr, out.Warnings)
	for _, o := range out.Objects {
		if err := manifest.Refuse(o); err != nil {
			return err
		}
	}
	objs, doubled := manifest.Duplicates(out.Objects)
	warn(stderr, doubled)
	manifest.Order(objs)
	for _, o := range objs {
		b, err := yaml.Marshal(o.Object)
		if err != nil {
			return fmt.Errorf("print %s: %w", o.ID(), err)
		}
		fmt.Fprintf(stdout, "---\n# Source: %s\n%s", o.File, b)
	}
	return nil
}

func warn(w io.Writer, lines []string) {
	for _, l := range lines {
		fmt.Fprintln(w, "warning:", manifest.CleanText(l, 2048))
	}
}
