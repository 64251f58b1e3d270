package manifest

import (
	"encoding/base64"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Normalize changes u into the form that is compared and sent. status and what the API server writes into metadata are
// dropped, and maps of metadata that are null. A Secret's stringData is folded into data, as the API server does it and
// as Argo CD compares it (gitops-engine pkg/diff/diff.go NormalizeSecret): stringData wins over data, null is "". Without
// it each apply would own a field that the server never keeps. Malformed values are left for Refuse to name.
func Normalize(u *unstructured.Unstructured) {
	delete(u.Object, "status")
	if meta, ok := u.Object["metadata"].(map[string]any); ok {
		for _, k := range serverMetadata {
			delete(meta, k)
		}
		for k, v := range meta {
			if v == nil {
				delete(meta, k)
			}
		}
	}
	if id := IDOf(u); id.Group == "" && id.Kind == "Secret" {
		foldStringData(u.Object)
	}
}

func foldStringData(secret map[string]any) {
	data, ok := secret["data"].(map[string]any)
	if !ok && secret["data"] != nil {
		return
	}
	for k, v := range data {
		if v == nil {
			data[k] = ""
		}
	}
	if secret["data"] == nil {
		delete(secret, "data")
	}
	plain, ok := secret["stringData"].(map[string]any)
	if !ok && secret["stringData"] != nil {
		return
	}
	for _, v := range plain {
		if _, ok := v.(string); !ok && v != nil {
			return
		}
	}
	delete(secret, "stringData")
	if len(plain) == 0 {
		return
	}
	if data == nil {
		data = map[string]any{}
	}
	for k, v := range plain {
		s, _ := v.(string)
		data[k] = base64.StdEncoding.EncodeToString([]byte(s))
	}
	secret["data"] = data
}
