package render

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"slipway/internal/app"
	"slipway/internal/fault"
)

// TestASchemaReachesNothing: with Helm's own validation a chart's $ref made a GET from the rendering process, and the
// content of a local file came out in the error (CVE-2025-55199 and what was left of it).
func TestASchemaReachesNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			_ = c.Close()
		}
	}()
	secret := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(secret, []byte(`{"const":"CANARY-file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	host := listener.Addr().String()
	for name, schema := range map[string]string{
		"http":           `{"$ref":"http://HOST/x"}`,
		"https":          `{"$ref":"https://user:CANARY-pw@HOST/x?token=CANARY-token"}`,
		"file":           `{"$ref":"file://FILE"}`,
		"environ":        `{"$ref":"file:///proc/self/environ"}`,
		"relative":       `{"$ref":"other.json"}`,
		"absolute path":  `{"$ref":"FILE"}`,
		"urn":            `{"$ref":"urn:example:x"}`,
		"foreign schema": `{"$schema":"http://HOST/x"}`,
		"foreign id":     `{"$id":"http://HOST/a","$ref":"b"}`,
		"dynamic":        `{"$dynamicRef":"http://HOST/x"}`,
		"nested":         `{"properties":{"a":{"anyOf":[{"$ref":"http://HOST/x#/a"}]}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			schema := strings.NewReplacer("HOST", host, "FILE", secret).Replace(schema)
			for _, skip := range []bool{false, true} {
				in := chartWith(fmt.Sprintf(configMap, "1"), "a: 1")
				in.Files["apps/web/values.schema.json"] = []byte(schema)
				in.Application.Source.Helm = &app.Helm{SkipSchemaValidation: skip}
				_, err := InProcess(in, target)
				if skip {
					if err != nil {
						t.Errorf("skipped, and yet: %v", err)
					}
					continue
				}
				if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "CANARY") {
					t.Errorf("got %v: %v", fault.Of(err), err)
				}
			}
		})
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	<-done
	if n := connections.Load(); n != 0 {
		t.Errorf("the listener saw %d connections, want none", n)
	}
}

func TestASchemaThatIsNoneIsNamed(t *testing.T) {
	for _, schema := range []string{`{`, `[]`, `{"type": 1}`, `{"pattern": "("}`, `{"$ref": "#/nowhere"}`} {
		in := chartWith(fmt.Sprintf(configMap, "1"), "")
		in.Files["apps/web/values.schema.json"] = []byte(schema)
		_, err := InProcess(in, target)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "apps/web/values.schema.json") {
			t.Errorf("%s: got %v: %v", schema, fault.Of(err), err)
		}
	}
}
