//go:build cluster

package conformance

// difference is what slipway does otherwise than helm template, on purpose.
type difference struct {
	lines []string // as compare gives them, or who refuses
	says  string   // of a refusal: part of its reason
	why   string
}

const (
	refusesOurs = "slipway refuses"
	refusesHelm = "helm refuses"
	inX         = ": apps/web/templates/x.yaml: "
)

// deliberate are the differences by chart/variant.
var deliberate = map[string]difference{
	"hooks/tests": {
		lines: []string{
			"only helm: apps/web/templates/rollback.yaml: Job rollback",
			"only helm: apps/web/templates/tests/connection.yaml: ConfigMap old-name",
			"only helm: apps/web/templates/tests/connection.yaml: Pod connection",
			"only slipway" + inX + "CustomResourceDefinition installed.example.com",
		},
		why: "Argo CD applies neither tests nor rollbacks (argo-cd.md 2.1.8). crd-install is Helm 2's: Helm 3 drops the object " +
			"in silence, Argo CD's rule is a plain resource",
	},
	"hooks/no-tests": {
		lines: []string{
			"only helm: apps/web/templates/rollback.yaml: Job rollback",
			"only slipway" + inX + "CustomResourceDefinition installed.example.com",
		},
		why: "as hooks/tests; --skip-tests leaves out the tests on both sides",
	},
	"hooks-refused": {
		lines: []string{refusesOurs}, says: "Job.batch migrate: annotation helm.sh/hook: pre-install,pre-upgrade is a hook",
		why: "a hook that is applied as a plain object would run at the wrong time",
	},
	"lists": {
		lines: []string{
			"only helm" + inX + "ConfigMapList", "only helm" + inX + "List",
			"only slipway" + inX + "ConfigMap a", "only slipway" + inX + "ConfigMap b", "only slipway" + inX + "ConfigMap c",
		},
		why: "kubectl and Argo CD take a List apart after helm template (argo-cd.md 2.2)",
	},
	"list-maps": {
		lines: []string{"differs" + inX + "Deployment x: .spec.template.spec.containers"},
		why:   "a server-side apply of a variable that comes twice is refused; the last wins, with a warning, as in a client-side apply",
	},
	"random": {
		lines: []string{
			"differs" + inX + "Secret x: .data.password", "differs" + inX + "Secret x: .data.tls.crt", "differs" + inX + "Secret x: .data.uuid",
		},
		why: "chance; slipway renders twice and warns (security R13)",
	},
	"helm-version": {
		lines: []string{"differs" + inX + "ConfigMap x: .data.helm"},
		why:   "Helm's module calls itself v3.22, and only its release script links the patch in; comparisons of versions agree",
	},
	"indented": {
		lines: []string{refusesHelm}, says: "mapping values are not allowed in this context",
		why: "Helm trims the first line and leaves the second indented; the document itself is good YAML",
	},
	"duplicate-keys/in-a-template": {
		lines: []string{refusesOurs}, says: `templates/x.yaml:9: key "a" is already set in line 8`,
		why: "one of the two is lost without a word (security R12)",
	},
	"duplicate-keys/in-a-label": {
		lines: []string{refusesOurs}, says: `templates/x.yaml:7: key "app" is already set in line 6`,
		why: "as in-a-template",
	},
	"duplicate-keys/in-a-value-file": {
		lines: []string{refusesOurs}, says: `twice.yaml:2: key "a" is given twice, first in line 1`,
		why: "as in-a-template",
	},
	"yaml-float-key": {
		lines: []string{refusesOurs}, says: "a key must be text: quote it",
		why: "1.10 would silently become 1.1",
	},
	"value-files/two-documents": {
		lines: []string{refusesOurs}, says: "two.yaml: holds more than one document",
		why: "Helm reads the first and drops the rest in silence",
	},
	"values/parameter-below-null": {
		lines: []string{refusesHelm}, says: "interface {} is nil",
		why: "Helm's parser trips over its own types; what is meant is plain",
	},
	"not-objects/no-kind": {
		lines: []string{refusesOurs}, says: "kind is missing: not a Kubernetes object",
		why: "the API server would refuse it, after others were applied",
	},
	"not-objects/no-name": {
		lines: []string{refusesOurs}, says: "metadata.name is missing", why: "as no-kind",
	},
	"not-objects/empty-map": {
		lines: []string{refusesOurs}, says: "apiVersion is missing", why: "as no-kind",
	},
	"not-objects/number-as-label": {
		lines: []string{refusesOurs}, says: `metadata.labels["version"] is not text: quote it`, why: "as no-kind",
	},
	"not-objects/generated-name": {
		lines: []string{refusesOurs}, says: "generateName makes another object with each sync",
		why: "Argo CD applies such an object anew with each sync and never knows it again",
	},
}
