package cluster

import (
	"encoding/json"
	"testing"
)

func TestAnObjectIsSettledWhenItsControllerHasSaidItsLast(t *testing.T) {
	const available = `{"metadata":{"generation":2},"status":{"observedGeneration":2,"conditions":[{"type":"Progressing","reason":"NewReplicaSetAvailable"}]}}`
	for name, c := range map[string]struct {
		object     string
		deployment bool
		want       bool
	}{
		"untouched":                   {`{"metadata":{"generation":1}}`, false, false},
		"seen":                        {`{"metadata":{"generation":1},"status":{"observedGeneration":1}}`, false, true},
		"changed since it was seen":   {`{"metadata":{"generation":2},"status":{"observedGeneration":1}}`, false, false},
		"a Deployment that was seen":  {`{"metadata":{"generation":1},"status":{"observedGeneration":1}}`, true, false},
		"a Deployment that is rolled": {available, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			var o settling
			if err := json.Unmarshal([]byte(c.object), &o); err != nil {
				t.Fatal(err)
			}
			if got := o.done(c.deployment); got != c.want {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestTheKeyOfACrowdIsTheSameEachTime(t *testing.T) {
	first, err := CrowdKey()
	if err != nil {
		t.Fatal(err)
	}
	second, err := CrowdKey()
	if err != nil || first != second || len(first) != 16 {
		t.Errorf("%q, then %q, %v", first, second, err)
	}
}
