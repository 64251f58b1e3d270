package app

// Registered is an application in the registry: what was declared, by which application's manifests, and in which file.
type Registered struct {
	Application Application `json:"application"`
	Owner       Name        `json:"owner"`              // the application whose source declares it; the root for the first level
	File        string      `json:"file,omitempty"`     // from the root of the owner's repository
	Warnings    []string    `json:"warnings,omitempty"` // such as a missing project
}

// Wake is the message that has an application synced. It says nothing else: what is wanted is read from the record.
type Wake struct {
	Application Name `json:"application"`
}
