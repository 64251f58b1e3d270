package app

// Registered is an application in the registry: what was declared, by which application's manifests, and in which file.
type Registered struct {
	Application Application `json:"application"`
	Owner       Name        `json:"owner"`              // the application whose source declares it; the root for the first level
	File        string      `json:"file,omitempty"`     // from the root of the owner's repository
	Warnings    []string    `json:"warnings,omitempty"` // such as a missing project
}
