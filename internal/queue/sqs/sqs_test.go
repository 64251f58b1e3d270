package sqs

import (
	"context"
	"crypto/md5" //nolint:gosec // what SQS answers with
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"slipway/internal/fault"
	"slipway/internal/queue"
)

const queueURL = "https://sqs.eu-west-1.amazonaws.com/123456789012/slipway-moves.fifo"

type sent struct{ QueueUrl, MessageBody, MessageGroupId, MessageDeduplicationId string } //nolint:revive // SQS's names

// service speaks SQS's JSON protocol: it takes messages, or answers with fail, an error code, as often as times says.
type service struct {
	mu    sync.Mutex
	got   []sent
	calls int
	code  int
	fail  string
	times int
	block chan struct{}
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.block != nil {
		<-s.block
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amzn-RequestId", "1")
	var m sent
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if s.calls++; s.calls <= s.times {
		w.WriteHeader(s.code)
		_, _ = io.WriteString(w, `{"__type":"com.amazonaws.sqs#`+s.fail+`","message":"no"}`)
		return
	}
	if err := d.Decode(&m); err != nil || r.Header.Get("X-Amz-Target") != "AmazonSQS.SendMessage" || r.Header.Get("Authorization") == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.got = append(s.got, m)
	sum := md5.Sum([]byte(m.MessageBody)) //nolint:gosec // as above
	_, _ = io.WriteString(w, `{"MessageId":"059f36b4-87a3-44ab-83d2-661975830a7d","MD5OfMessageBody":"`+hex.EncodeToString(sum[:])+`","SequenceNumber":"18849496460467696128"}`)
}

func sender(t *testing.T, s *service) *Sender {
	t.Helper()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return New(aws.Config{Region: "eu-west-1", BaseEndpoint: &srv.URL, Credentials: credentials.NewStaticCredentialsProvider("id", "key", "")}, queueURL)
}

func TestAMessageCarriesItsGroupAndItsOwnId(t *testing.T) {
	s := &service{}
	q := sender(t, s)
	form := regexp.MustCompile(`^[!-~]{1,128}$`) // what AWS allows: ASCII, 128 characters
	group := "github.com/o/n#feature/ünïcode-" + strings.Repeat("long/", 100)
	for _, m := range []struct{ dedup, body string }{{"72d3162e-cc78-11e3-81ab-4c9367dc0958", `{"text":"<&> ünïcode"}`}, {"", "b"}, {"", "b"}, {strings.Repeat("ü", 200), "c"}} {
		if err := q.Send(t.Context(), group, m.dedup, m.body); err != nil {
			t.Fatal(err)
		}
	}
	for i, m := range s.got {
		if m.QueueUrl != queueURL || m.MessageGroupId != queue.GroupID(group) || !form.MatchString(m.MessageGroupId) || !form.MatchString(m.MessageDeduplicationId) {
			t.Errorf("message %d is %+v", i, m)
		}
	}
	if s.got[0].MessageDeduplicationId != "72d3162e-cc78-11e3-81ab-4c9367dc0958" || s.got[0].MessageBody != `{"text":"<&> ünïcode"}` {
		t.Errorf("first message is %+v", s.got[0])
	}
	if s.got[1].MessageDeduplicationId == s.got[2].MessageDeduplicationId {
		t.Error("two messages without an id are one")
	}
}

func TestErrorsAreSorted(t *testing.T) {
	for _, c := range []struct {
		code int
		fail string
		want fault.Kind
	}{
		{http.StatusBadRequest, "QueueDoesNotExist", fault.NotFound},
		{http.StatusForbidden, "AccessDeniedException", fault.Denied},
		{http.StatusForbidden, "InvalidClientTokenId", fault.Denied},
		{http.StatusBadRequest, "InvalidMessageContents", fault.Invalid},
		{http.StatusBadRequest, "InvalidParameterValue", fault.Invalid},
		{http.StatusBadRequest, "KmsThrottled", fault.Unavailable},
		{http.StatusServiceUnavailable, "ServiceUnavailable", fault.Unavailable},
	} {
		s := &service{code: c.code, fail: c.fail, times: 1000}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		err := sender(t, s).Send(ctx, "g", "", "b")
		cancel()
		if !fault.Is(err, c.want) || s.calls > 3 {
			t.Errorf("%s: got %s after %d calls: %v, want %s after 3 at most", c.fail, fault.Of(err), s.calls, err, c.want)
		}
	}
	s := &service{}
	if err := sender(t, s).Send(t.Context(), "g", "", strings.Repeat("a", queue.MaxBody+1)); !fault.Is(err, fault.Invalid) || s.calls != 0 {
		t.Errorf("a long body: %v after %d calls", err, s.calls)
	}
}

func TestAPassingErrorIsTriedAgain(t *testing.T) {
	s := &service{code: http.StatusInternalServerError, fail: "InternalFailure", times: 1}
	if err := sender(t, s).Send(t.Context(), "g", "", "b"); err != nil || len(s.got) != 1 {
		t.Errorf("%v after %d calls, %d messages", err, s.calls, len(s.got))
	}
}

func TestASlowQueueIsUnavailableAtTheDeadline(t *testing.T) {
	s := &service{block: make(chan struct{})}
	q := sender(t, s)
	defer close(s.block)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := q.Send(ctx, "g", "", "b"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want Unavailable", err)
	}
}
