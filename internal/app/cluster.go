package app

// InCluster is what https://kubernetes.default.svc means: the cluster of this name in the configuration, as Argo CD's
// own cluster is called.
const (
	InCluster       = "in-cluster"
	InClusterServer = "https://kubernetes.default.svc"
)

// Cluster maps what a destination says to how the cluster is reached.
type Cluster struct {
	Name       string `json:"name"`
	Server     string `json:"server"`               // as destinations name it; need not be where the API server answers
	Kubeconfig string `json:"kubeconfig,omitempty"` // file
	Context    string `json:"context,omitempty"`    // "" means the file's current context
}
