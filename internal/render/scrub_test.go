package render

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"slipway/internal/fault"
)

// TestNoErrorShowsAValue goes through the ways in which a template's error quotes what the template was given.
func TestNoErrorShowsAValue(t *testing.T) {
	secret := rand.Text() // 26 letters and digits
	for name, template := range map[string]string{
		"fail":             `{{ fail .Values.s }}`,
		"fail in a text":   `{{ fail (printf "bad: %s, %q" .Values.s .Values.s) }}`,
		"fail in pieces":   `{{ fail (substr 0 12 .Values.s) }}`,
		"fail in lower":    `{{ fail (lower .Values.s) }}`,
		"fail in base64":   `{{ fail (b64enc .Values.s) }}`,
		"fail with all":    `{{ fail (toYaml .Values) }}`,
		"fail with JSON":   `{{ fail (toJson .Values) }}`,
		"fail with Go":     `{{ fail (printf "%#v" .Values) }}`,
		"required":         `{{ required .Values.s nil }}`,
		"tpl that parses":  `{{ tpl (printf "{{ .x.y.%s }}" .Values.s) . }}`,
		"tpl that doesn't": `{{ tpl (printf "{{ %s }}" .Values.s) . }}`,
		"include by name":  `{{ include .Values.s . }}`,
		"number":           `{{ mustToDuration .Values.s }}{{ atoi .Values.s | div 1 }}`,
		"date":             `{{ mustToDate "2006" .Values.s }}`,
		"URL":              `{{ urlParse (printf "http://%%%s" .Values.s) }}`,
		"regexp":           `{{ mustRegexMatch (printf "(%s" .Values.s) "x" }}`,
		"JSON":             `{{ mustFromJson .Values.s }}`,
		"version":          `{{ semver .Values.s }}`,
		"range":            `{{ range .Values.s }}{{ end }}`,
		"index":            `{{ index .Values.list .Values.s }}`,
		"field":            `{{ .Values.s.field }}`,
		"private key":      `{{ genCA .Values.s 1 | derivePassword 1 "x" "y" "z" }}`,
		"output":           "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  {{ .Values.s }}: 1\n  {{ .Values.s }}: 2\n",
		"output of no map": `{{ .Values.s }}`,
	} {
		t.Run(name, func(t *testing.T) {
			in := chartWith(template, fmt.Sprintf("s: %s\nlist: [a]\n", secret))
			_, err := InProcess(in, target)
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("got %v: %v", fault.Of(err), err)
			}
			for _, part := range []string{secret[:8], secret[9:17], secret[18:]} {
				if strings.Contains(strings.ToLower(err.Error()), strings.ToLower(part)) {
					t.Errorf("%q is shown in: %v", secret, err)
				}
			}
			if !strings.HasPrefix(err.Error(), "apps/web/templates/object.yaml:") {
				t.Errorf("no file and line in front: %v", err)
			}
		})
	}
}

// TestNoErrorShowsAFile: a chart keeps keys and configuration in files, too.
func TestNoErrorShowsAFile(t *testing.T) {
	secret := rand.Text()
	for name, c := range map[string]struct{ template, file string }{
		"fail":                          {`{{ fail (.Files.Get "key.pem") }}`, secret},
		"fail in base64":                {`{{ fail (.Files.AsSecrets) }}`, secret},
		"fail by line":                  {`{{ range .Files.Lines "key.pem" }}{{ fail . }}{{ end }}`, "\n" + secret},
		"tpl":                           {`{{ tpl (.Files.Get "key.pem") . }}`, "{{ " + secret + " }}"},
		"tpl of a value":                {`{{ tpl .Values.t . }}`, secret},
		"JSON":                          {`{{ mustFromJson (.Files.Get "key.pem") }}`, secret},
		"YAML":                          {`{{ index (fromYaml (.Files.Get "key.pem")) "Error" | fail }}`, "a: *" + secret},
		"of a subchart":                 {`{{ fail (.Subcharts.sub.Files.Get "key.pem") }}`, secret},
		"among megabytes":               {`{{ fail (.Files.Get "key.pem") }}`, strings.Repeat("word ", 4<<20) + secret},
		"at the beginning of megabytes": {`{{ fail (.Files.Get "key.pem") }}`, secret + strings.Repeat(" word", 900_000)},
	} {
		t.Run(name, func(t *testing.T) {
			in := chartWith(c.template, `t: '{{ fail (.Files.Get "key.pem") }}'`+"\n")
			in.Files["apps/web/key.pem"] = []byte(c.file)
			in.Files["apps/web/charts/sub/Chart.yaml"] = []byte("apiVersion: v2\nname: sub\nversion: 1.0.0\n")
			in.Files["apps/web/charts/sub/key.pem"] = []byte(c.file)
			_, err := InProcess(in, target)
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("got %v: %v", fault.Of(err), err)
			}
			for _, part := range []string{secret[:8], secret[9:17], secret[18:]} {
				if strings.Contains(strings.ToLower(err.Error()), strings.ToLower(part)) {
					t.Errorf("%q is shown in: %v", secret, err)
				}
			}
		})
	}
}

func TestAnErrorKeepsItsOwnWords(t *testing.T) {
	s := newScrubber([]string{"{{ .Values.image.tag }}", "web/templates/object.yaml"}, map[string]any{"a": "string", "b": "object.yaml", "c": 12345, "d": "image", "e": "hidden"})
	const msg = `web/templates/object.yaml:12345:3: wrong type for value; expected string; got map at <.Values.image.tag>: hidden`
	if got, want := s.text(msg), strings.Replace(msg, "hidden", masked, 1); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := s.text(strings.Repeat("ä b\n", 2000)); len(got) > maxError || !strings.HasSuffix(got, "(cut)") || strings.Contains(got, "\n") {
		t.Errorf("%d bytes: %.100q", len(got), got)
	}
}
