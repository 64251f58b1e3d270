package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"helm.sh/helm/v3/pkg/chart"

	"slipway/internal/fault"
)

// deny loads nothing. Helm's own validation follows $ref to http, https and file URLs: a chart could read local files
// through the error text and call what only this machine reaches (security R3; CVE-2025-55199, CVE-2025-32387).
type deny struct{}

var errDenied = errors.New("not allowed")

// Load implements jsonschema.URLLoader.
func (deny) Load(string) (any, error) { return nil, errDenied }

const (
	schemaFile = "values.schema.json"
	schemaURL  = "slipway:///values.schema.json" // a base that no $ref of a chart resolves to anything loadable from
	maxCauses  = 10
)

// checkSchemas checks the values against the schema of the chart and of each subchart that has one, and says what is
// wrong in all of them.
func checkSchemas(dir string, c *chart.Chart, values map[string]any) error {
	reasons := schemaReasons(dir, c, values)
	if len(reasons) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "%s", cut(strings.Join(reasons, "\n")))
}

func schemaReasons(dir string, c *chart.Chart, values map[string]any) (reasons []string) {
	if c.Schema != nil {
		if err := checkSchema(path.Join(dir, schemaFile), c.Schema, values); err != nil {
			reasons = append(reasons, err.Error())
		}
	}
	for _, sub := range c.Dependencies() {
		raw, ok := values[sub.Name()]
		if !ok || raw == nil {
			continue
		}
		v, ok := raw.(map[string]any)
		if !ok {
			reasons = append(reasons, fmt.Sprintf("%s: values of subchart %s are not a map", dir, sub.Name()))
			continue
		}
		reasons = append(reasons, schemaReasons(path.Join(dir, "charts", sub.Name()), sub, v)...)
	}
	return reasons
}

func checkSchema(file string, schema []byte, values map[string]any) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return fault.New(fault.Invalid, "%s: is not JSON", file)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(deny{})
	if err := c.AddResource(schemaURL, doc); err != nil {
		return fault.New(fault.Invalid, "%s: is not a schema", file)
	}
	s, err := c.Compile(schemaURL)
	if err != nil {
		return fault.New(fault.Invalid, "%s: %s", file, compileReason(err))
	}
	raw, err := json.Marshal(values)
	if err != nil {
		return fault.New(fault.Invalid, "%s: the values cannot be written as JSON", file)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return fault.Wrap(fault.Internal, fmt.Errorf("read values back: %w", err))
	}
	var invalid *jsonschema.ValidationError
	switch err := s.Validate(v); {
	case errors.As(err, &invalid):
		lines := causes(invalid, nil)
		slices.Sort(lines) // the validator walks maps
		if len(lines) > maxCauses {
			lines = append(lines[:maxCauses], "and more")
		}
		return fault.New(fault.Invalid, "values do not meet %s:\n%s", file, strings.Join(lines, "\n"))
	case err != nil:
		return fault.New(fault.Invalid, "%s: values cannot be validated", file)
	}
	return nil
}

func compileReason(err error) string {
	var load *jsonschema.LoadURLError
	if errors.As(err, &load) {
		where := load.URL
		if u, err := url.Parse(load.URL); err == nil {
			where = (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, Opaque: u.Opaque}).String()
		}
		return fmt.Sprintf("refers to %.200q: a schema may refer only to itself and to the JSON Schema drafts", where)
	}
	var invalid *jsonschema.SchemaValidationError
	if errors.As(err, &invalid) {
		return "is not a valid JSON schema"
	}
	return "cannot be compiled as a JSON schema"
}

// causes gives one line for each thing that is wrong, by path and rule. What was given is never said: it may be secret
// (security R15; CVE-2025-23216).
func causes(e *jsonschema.ValidationError, lines []string) []string {
	if len(e.Causes) > 0 {
		for _, c := range e.Causes {
			lines = causes(c, lines)
		}
		return lines
	}
	at := strings.Join(append([]string{".Values"}, e.InstanceLocation...), ".")
	return append(lines, at+": "+rule(e.ErrorKind))
}

func rule(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		return "is " + k.Got + ", must be " + strings.Join(k.Want, " or ")
	case *kind.Required:
		return "misses " + strings.Join(k.Missing, ", ")
	case *kind.AdditionalProperties:
		return "does not allow " + strings.Join(k.Properties, ", ")
	case *kind.Enum:
		return fmt.Sprintf("must be one of %v", k.Want)
	case *kind.Const:
		return fmt.Sprintf("must be %v", k.Want)
	case *kind.Pattern:
		return "does not match " + k.Want
	case *kind.Format:
		return "is not of format " + k.Want
	case *kind.Minimum:
		return "must be at least " + k.Want.RatString()
	case *kind.Maximum:
		return "must be at most " + k.Want.RatString()
	case *kind.FalseSchema:
		return "is not allowed"
	}
	return "does not satisfy " + strings.Join(k.KeywordPath(), ".")
}
