// Package infra holds what is deployed beside the code, for those who run it elsewhere than in AWS.
package infra

import _ "embed" // the state machines

// The definitions of the state machines, in the Amazon States Language: what drives one rollout, and what a person starts
// in the console to promote, abort or retry one.
var (
	//go:embed rollout.asl.json
	Rollout []byte
	//go:embed rollout-control.asl.json
	RolloutControl []byte
)
