package cli

import (
	"testing"

	"slipway/infra/crds"
)

func TestTheDefinitionsArePrintedAsAManifest(t *testing.T) {
	code, stdout, stderr := call("crds")
	if code != exitDone || stdout != crds.YAML || stderr != "" {
		t.Errorf("exit code %d, %d bytes, %q", code, len(stdout), stderr)
	}
}
