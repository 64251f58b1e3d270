// Command slipway runs and inspects Slipway: up, demo, app, sweep, render. It only hands over to internal/cli, and to the
// render child before anything else is set up, since a child starts for every application that is rendered.
package main

import (
	"fmt"
	"os"

	"slipway/internal/cli"
	"slipway/internal/render"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == render.ChildCommand {
		os.Exit(render.Child(os.Stdin, os.Stdout))
	}
	if err := render.Harden(); err != nil {
		fmt.Fprintln(os.Stderr, "slipway:", err)
		os.Exit(1)
	}
	os.Exit(cli.Run(os.Args[1:], os.Stdout, os.Stderr))
}
