package invoke

import (
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// ServeHTTP is API Gateway's part where there is none: the request as an event, the answer as a response. The body's cap
// holds before it is read (security W5).
func (h HTTP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	limit := h.Hook.MaxBody()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(limit)))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		body = make([]byte, limit+1) // its content does not matter: it gets the answer and the log line of any large body
	} else if err != nil {
		return // the sender is gone
	}
	e := events.APIGatewayV2HTTPRequest{RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery, Headers: map[string]string{}}
	e.RequestContext.HTTP.Method = r.Method
	e.RequestContext.HTTP.Path = r.URL.Path
	e.RequestContext.HTTP.SourceIP, _, _ = net.SplitHostPort(r.RemoteAddr)
	for k, v := range r.Header {
		e.Headers[strings.ToLower(k)] = strings.Join(v, ",") // as API Gateway joins them
	}
	if e.Body = string(body); !utf8.Valid(body) {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	a, err := h.Handle(r.Context(), e)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	for k, v := range a.Headers {
		w.Header().Set(k, v)
	}
	w.WriteHeader(a.StatusCode)
	_, _ = io.WriteString(w, a.Body) // the sender may be gone
}
