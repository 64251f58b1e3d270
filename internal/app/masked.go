package app

import "slices"

const redacted = "[redacted]"

// Masked is a as it may be shown: what it gives to its chart is left out, for people put passwords there (security X1).
// That there is something, and the names of parameters, stay.
func (a Application) Masked() Application {
	if a.Source.Helm == nil {
		return a
	}
	h := *a.Source.Helm
	if h.Values != "" || len(h.ValuesObject) > 0 {
		h.Values, h.ValuesObject = redacted, nil
	}
	h.Parameters = slices.Clone(h.Parameters)
	for i := range h.Parameters {
		h.Parameters[i].Value = redacted
	}
	a.Source.Helm = &h
	return a
}
