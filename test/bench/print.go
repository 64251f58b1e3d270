package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
)

// print is the table, and below it what was counted.
func (r *results) print(out io.Writer) error {
	var table, all bytes.Buffer
	fmt.Fprintln(&table, "ROW\tVALUE\tUNIT\tGOAL\tOK\tRATIO\tPEER")
	for _, row := range r.rows {
		ok, ratio := "yes", "-"
		if !row.OK {
			ok = "NO"
		}
		if row.Ratio != nil {
			ratio = strconv.FormatFloat(*row.Ratio, 'f', 2, 64)
		}
		peer := row.Peer
		if peer == "" {
			peer = "-"
		}
		fmt.Fprintf(&table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row.Name, digits(row.Value), row.Unit, digits(row.Goal), ok, ratio, peer)
	}
	w := tabwriter.NewWriter(&all, 0, 0, 2, ' ', 0)
	if _, err := table.WriteTo(w); err != nil {
		return fmt.Errorf("print table: %w", err)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print table: %w", err)
	}
	fmt.Fprintln(&all)
	for _, n := range r.notes {
		fmt.Fprintln(&all, n)
	}
	if _, err := all.WriteTo(out); err != nil {
		return fmt.Errorf("print table: %w", err)
	}
	return nil
}

// digits is a number with what of it is worth reading.
func digits(v float64) string {
	switch {
	case v == float64(int64(v)):
		return strconv.FormatInt(int64(v), 10)
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 1:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

// write puts the rows of this run, and no others, into a file.
func (r *results) write(path string) error {
	rows := r.rows
	if rows == nil {
		rows = []row{}
	}
	b, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return fmt.Errorf("encode rows: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // the build's own cache
		return fmt.Errorf("write rows: %w", err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil { //nolint:gosec // no secrets
		return fmt.Errorf("write rows: %w", err)
	}
	return nil
}
