package render

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestARequestArrivesAsItWasAsked(t *testing.T) {
	in := orderService(t, "values-production.yaml")
	ask, err := request{Memory: defaultMemory, CPU: defaultDeadline, Target: target, Inputs: in}.encode()
	if err != nil {
		t.Fatal(err)
	}
	r := bytes.NewReader(ask)
	h, err := readHeader(r)
	if err != nil {
		t.Fatal(err)
	}
	gotIn, gotTarget, err := readRequest(r, h)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, gotIn) + cmp.Diff(target, gotTarget); diff != "" {
		t.Errorf("request differs (-asked +arrived):\n%s", diff)
	}
	if r.Len() != 0 {
		t.Errorf("%d bytes are left", r.Len())
	}
}

func TestWhatIsNoRequestIsRefused(t *testing.T) {
	ask, err := request{Target: target, Inputs: chartWith("", "")}.encode()
	if err != nil {
		t.Fatal(err)
	}
	huge := bytes.Clone(ask)
	huge[32] = 0xFF // the bundle's length
	for name, data := range map[string][]byte{
		"empty": nil, "cut header": ask[:20], "cut target": ask[:45], "cut bundle": ask[:len(ask)-1], "huge": huge, "text": []byte(strings.Repeat("usage ", 20)),
	} {
		r := bytes.NewReader(data)
		h, err := readHeader(r)
		if err == nil {
			_, _, err = readRequest(r, h)
		}
		if err == nil {
			t.Errorf("%s: taken as a request", name)
		}
	}
}

func TestACappedWriterKeepsItsCap(t *testing.T) {
	full := 0
	c := &capped{limit: 5, full: func() { full++ }}
	for range 3 {
		if n, err := c.Write([]byte("abc")); n != 3 || err != nil {
			t.Fatalf("write gives %d, %v", n, err)
		}
	}
	if string(c.data) != "abcab" || c.over != 4 || full != 1 {
		t.Errorf("kept %q, dropped %d, full %d times", c.data, c.over, full)
	}
	if _, ok := any(c).(io.ReaderFrom); ok {
		t.Error("has ReadFrom, which io.Copy prefers to Write")
	}
}
