package invoke

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// Any event gets an answer and one log line, and only 202 means that something was queued.
func FuzzHandle(f *testing.F) {
	for _, file := range []string{"http/push.json", "http/push-base64.json", "http/ping.json", "http/push-unsigned.json"} {
		b, err := os.ReadFile(filepath.Join("../../events", file))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"body":"` + base64.StdEncoding.EncodeToString([]byte("{}")) + `","isBase64Encoded":true,"headers":{"A":"1","a":"2"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var e events.APIGatewayV2HTTPRequest
		if json.Unmarshal(b, &e) != nil {
			return
		}
		w := newWeb(t, 0)
		a := w.do(t, e)
		if (a.StatusCode == 202) != (w.queue.Len() == 1) {
			t.Fatalf("answer %d with %d messages", a.StatusCode, w.queue.Len())
		}
		w.line(t)
	})
}
