// Command bench measures what slipway promises, with the real binary against a real API server and real git: one table
// for people on standard output, the same rows in .cache/bench.json. It judges no times, ok does: the exit code is 0
// unless a measurement itself fails. Run it in the module's root, as `make bench` does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

// A whole run takes minutes, most of them the first time, to make the objects of the sweeps; much longer only on a machine
// that is starved.
const runDeadline = time.Hour

func main() {
	if len(os.Args) > 1 && os.Args[1] == childArg {
		if err := child(context.Background(), os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	pick := flag.String("run", "", "regular expression of the rows to measure")
	bin := flag.String("slipway", "bin/slipway", "the slipway binary to measure")
	out := flag.String("o", ".cache/bench.json", "file of the rows")
	soak := flag.Duration("soak", 10*time.Minute, "length of the soak, in whole minutes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, runDeadline)
	err := run(ctx, *pick, *bin, *out, *soak)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures each group that has a row of that name. One that fails does not keep the others from being measured.
func run(ctx context.Context, pick, bin, out string, soak time.Duration) (err error) {
	wanted, err := regexp.Compile(pick)
	if err != nil {
		return fmt.Errorf("read -run: %w", err)
	}
	m, err := newMachine(bin, soak)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close(ctx)) }()
	var all results
	var failed []error
	before := load()
	for _, g := range groups {
		if !g.matches(wanted) {
			continue
		}
		begin := time.Now()
		r := newResults(g)
		if err := g.measure(ctx, m, r); err != nil {
			failed = append(failed, fmt.Errorf("measure %s: %w", g.rows[0].Name, err))
			continue
		}
		failed = append(failed, r.complete())
		fmt.Fprintf(os.Stderr, "bench: %s and what goes with it: %.0f s\n", g.rows[0].Name, time.Since(begin).Seconds())
		all.add(r.only(wanted))
	}
	if err := errors.Join(failed...); len(all.rows) == 0 && err == nil {
		return fmt.Errorf("no row matches %q", pick)
	} else if len(all.rows) == 0 {
		return err
	}
	all.note("load average %s before, %s after", before, load())
	return errors.Join(append(failed, all.print(os.Stdout), all.write(out))...)
}
