package asl

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
)

// task calls a function, and waits for its token to be answered if it has one.
type task struct {
	function           string
	token              bool
	payload            expr
	timeout, heartbeat expr // in seconds; nil: none
	selector           expr // ResultSelector; nil: the result as it is
	toResult           resultPath
	retriers           []retrier
	catchers           []catcher
}

// catcher says which state goes on after which failure, and where its input has the error.
type catcher struct {
	errors   []string
	toResult resultPath
	next     string
}

// retrier says which failure is tried again, and when.
type retrier struct {
	errors   []string
	interval time.Duration
	attempts int64 // 0: never
	rate     float64
	longest  time.Duration // MaxDelaySeconds; 0: none
	jitter   bool
}

// lambdaInvoke is the one integration: in any partition, with a token or without. The plain ARN of a function and all
// other services are refused.
var lambdaInvoke = regexp.MustCompile(`^arn:aws[a-z-]*:states:::lambda:invoke(\.waitForTaskToken)?$`)

func (r *reader) task(o object) *task {
	t := &task{toResult: r.resultPath(o)}
	resource := lambdaInvoke.FindStringSubmatch(o.word("Resource"))
	if resource == nil {
		r.fault(o.at("Resource"), "only arn:aws:states:::lambda:invoke and arn:aws:states:::lambda:invoke.waitForTaskToken are supported")
	}
	t.token = len(resource) > 0 && resource[1] != ""
	params := r.object(o.at("Parameters"), o.need("Parameters"))
	t.function = params.word("FunctionName")
	t.payload = constant(map[string]any{})
	if v, ok := params.take("Payload"); ok {
		t.payload = r.template(params.at("Payload"), v)
	} else if v, ok := params.take("Payload.$"); ok {
		t.payload = r.expression(params.at("Payload.$"), v)
	}
	params.end()
	timeout, ok := whole(o.left["TimeoutSeconds"], 1)
	if heartbeat, both := whole(o.left["HeartbeatSeconds"], 1); ok && both && heartbeat >= timeout {
		r.fault(o.at("HeartbeatSeconds"), "must be less than TimeoutSeconds")
	}
	t.timeout = o.either("TimeoutSeconds", r.seconds(1))
	t.heartbeat = o.either("HeartbeatSeconds", r.seconds(1))
	if t.heartbeat != nil && !t.token {
		r.fault(o.at("HeartbeatSeconds"), "only a task with .waitForTaskToken can be told that it is alive")
	}
	if t.token && len(r.tokens) == 0 {
		r.fault(o.path, "waits for a token that its Parameters do not hand on: $$.Task.Token")
	}
	if v, ok := o.take("ResultSelector"); ok {
		t.selector = r.template(o.at("ResultSelector"), v)
	}
	t.retriers, t.catchers = r.retriers(o), r.catchers(o)
	return t
}

func (r *reader) retriers(o object) []retrier {
	var all []retrier
	v, ok := o.take("Retry")
	if !ok {
		return nil
	}
	items := r.list(o.at("Retry"), v)
	for i, v := range items {
		item := r.object(index(o.at("Retry"), i), v)
		one := retrier{errors: r.errorNames(item, i == len(items)-1), interval: time.Second, attempts: 3, rate: 2}
		if v, ok := item.take("IntervalSeconds"); ok {
			one.interval = r.duration(item.at("IntervalSeconds"), v)
		}
		if v, ok := item.take("MaxAttempts"); ok {
			if one.attempts, ok = whole(v, 0); !ok {
				r.fault(item.at("MaxAttempts"), "%s is not a whole number from 0", short(v))
			}
		}
		if v, ok := item.take("BackoffRate"); ok {
			if one.rate, ok = number(v); !ok || one.rate < 1 {
				r.fault(item.at("BackoffRate"), "%s is not a number from 1.0", short(v))
			}
		}
		if v, ok := item.take("MaxDelaySeconds"); ok {
			one.longest = r.duration(item.at("MaxDelaySeconds"), v)
			if one.longest <= one.interval {
				r.fault(item.at("MaxDelaySeconds"), "must be more than IntervalSeconds")
			}
		}
		if v := item.maybe("JitterStrategy"); v != "" {
			one.jitter = v == "FULL"
			if v != "FULL" && v != "NONE" {
				r.fault(item.at("JitterStrategy"), "%q is neither FULL nor NONE", v)
			}
		}
		item.end()
		all = append(all, one)
	}
	return all
}

func (r *reader) duration(at string, v any) time.Duration {
	n, ok := whole(v, 1)
	if !ok {
		r.fault(at, "%s is not a whole number of seconds from 1", short(v))
	}
	return time.Duration(n) * time.Second
}

func (r *reader) catchers(o object) []catcher {
	var all []catcher
	v, ok := o.take("Catch")
	if !ok {
		return nil
	}
	items := r.list(o.at("Catch"), v)
	for i, v := range items {
		item := r.object(index(o.at("Catch"), i), v)
		all = append(all, catcher{r.errorNames(item, i == len(items)-1), r.resultPath(item), item.word("Next")})
		item.end()
	}
	return all
}

// errorNames reads ErrorEquals. States.ALL stands alone and last; names of ours do not begin with States.
func (r *reader) errorNames(o object, last bool) []string {
	at := o.at("ErrorEquals")
	var names []string
	for i, v := range r.list(at, o.need("ErrorEquals")) {
		name := r.text(index(at, i), v)
		names = append(names, name)
		switch name {
		case nameAll, nameTaskFailed, nameTimeout, nameHeartbeat:
		case nameRuntime, nameTooLarge:
			r.fault(index(at, i), "%s ends the execution: nothing retries or catches it", name)
		default:
			if name == "" || strings.HasPrefix(name, "States.") {
				r.fault(index(at, i), "%q is not supported", name)
			}
		}
	}
	if slices.Contains(names, nameAll) && (len(names) > 1 || !last) {
		r.fault(at, "States.ALL must be alone and in the last one")
	}
	return names
}

// delay is how long to wait before retry n, from 1. Jitter is drawn from the seed, so that the time is the same when
// it is worked out again after a restart.
func (one retrier) delay(n int64, seed string) time.Duration {
	const forever = 99_999_999 * time.Second
	d := float64(one.interval) * math.Pow(one.rate, float64(n-1))
	longest := forever
	if one.longest > 0 {
		longest = one.longest
	}
	delay := longest
	if d < float64(longest) {
		delay = time.Duration(d)
	}
	if !one.jitter {
		return delay
	}
	drawn := sha256.Sum256([]byte(seed))
	return time.Duration(binary.BigEndian.Uint64(drawn[:]) % uint64(delay+1)) //nolint:gosec // neither can be negative
}

// envelope is what lambda:invoke makes of a function's result; the answer to a token comes without one.
func envelope(result any) any {
	return map[string]any{"ExecutedVersion": "$LATEST", "Payload": result, "StatusCode": json.Number("200")}
}
