package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

const (
	watchTime  = 5 * time.Minute // of a watch whose context has no end
	watchGrace = time.Second     // that the server ends before the context does
)

// Watch hands over each change since resourceVersion to the metadata of objects of a kind that carry our label.
// resourceVersion is one of a Sweep or of an earlier Watch. An object that loses the label is deleted, as seen from here.
//
// It ends in order, without an error, when ctx ends, which may be at any moment, or when the server ends it, which it is
// told to do a second before ctx's deadline. last is where the next watch goes on, with an error too: each change up to
// it was given to event, and event returned nil for it.
//
// Bookmarks keep last new enough for the next watch where nothing changes. The server sends them once a minute and two
// seconds before the end, so a watch of less than three seconds may see none.
//
// A resourceVersion that the server no longer has is fault.Conflict: sweep the kind again. A kind that the cluster does
// not know is fault.NotFound. A watch that breaks, ends early or is refused for now is fault.Unavailable: it goes on from
// last after a pause. An error of event ends the watch and is returned as it is.
func (c *Cluster) Watch(ctx context.Context, gk schema.GroupKind, resourceVersion string, event func(manifest.Event) error) (last string, err error) {
	if resourceVersion == "" || resourceVersion == "0" { // would begin with all objects, or with any state
		return resourceVersion, fault.New(fault.Internal, "watch %s: without resourceVersion", gk)
	}
	return c.watch(ctx, gk, manifest.Label, resourceVersion, event)
}

// watch is Watch of what a selector selects; without resourceVersion it begins with all that is there.
func (c *Cluster) watch(ctx context.Context, gk schema.GroupKind, selector, resourceVersion string, event func(manifest.Event) error) (last string, err error) {
	last = resourceVersion
	v, err := c.resolve(ctx, gk, "")
	if err != nil {
		return last, fmt.Errorf("watch %s: %w", gk, err)
	}
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, watchTime)
	defer cancel()
	r := request{verb: "watch", what: gk.String(), about: about(gk, "", ""), method: http.MethodGet, path: collection(gk.Group, v, ""), accept: acceptWatch}
	end, _ := ctx.Deadline()
	seconds := int((time.Until(end) - watchGrace) / time.Second)
	if seconds < 1 {
		return last, nil
	}
	r.query = url.Values{
		"watch": {"true"}, "allowWatchBookmarks": {"true"}, "timeoutSeconds": {strconv.Itoa(seconds)},
		"labelSelector": {selector},
	}
	if resourceVersion != "" {
		r.query.Set("resourceVersion", resourceVersion)
	}
	begin := time.Now()
	body, f, err := c.stream(ctx, r)
	if err == nil {
		defer func() { _ = body.Close() }()
		last, err = follow(f, typeOf(gk, v.version), last, event)
	}
	var s stop
	switch {
	case errors.As(err, &s):
		return last, s.error
	case outer.Err() != nil:
		return last, nil
	case errors.Is(err, io.EOF):
		// Half a second for the server's clock. It ends watches early when it stops, and those that cannot keep up.
		if early := time.Duration(seconds)*time.Second - time.Since(begin); early > watchGrace/2 {
			return last, fault.New(fault.Unavailable, "watch %s: the server ended it %s early", gk, early.Round(time.Second/10))
		}
		return last, nil
	}
	return last, expired(r, err)
}

// expired is err of a watch with its kind.
func expired(r request, err error) error {
	var s *refused
	if errors.As(err, &s) && (s.status == http.StatusGone || s.reason == metav1.StatusReasonExpired) {
		return fault.Wrap(fault.Conflict, fmt.Errorf("%s %s: %w", r.verb, r.what, err))
	}
	return r.sort(err)
}

// follow reads events until there are no more, which is io.EOF.
func follow(f frames, kind metav1.TypeMeta, last string, event func(manifest.Event) error) (string, error) {
	for {
		e, err := f.next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				err = &broken{err: fmt.Errorf("read events: %w", err), sent: true}
			}
			return last, err
		}
		if e.refused != nil {
			return last, e.refused
		}
		if e.Object.ResourceVersion == "" {
			return last, &broken{err: fmt.Errorf("read events: %.100q without resourceVersion", e.Type), sent: true}
		}
		if e.Type != manifest.Bookmark {
			e.Object.TypeMeta = kind
		}
		if err := event(e.Event); err != nil {
			return last, stop{err}
		}
		last = e.Object.ResourceVersion
	}
}

// stream sends r until the server begins to answer: for at most the time of a call, with the repetitions of one.
func (c *Cluster) stream(ctx context.Context, r request) (io.Closer, frames, error) {
	begun, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	for try := 1; ; try++ {
		body, f, err := c.open(ctx, begun, r)
		if err == nil {
			return body, f, nil
		}
		wait, again := c.again(r, err, try)
		if !again || try == maxTries || !sleep(begun, wait) {
			return nil, nil, err
		}
	}
}

// open sends r once. The head of the answer must be there before begun ends, its body lives as long as ctx.
func (c *Cluster) open(ctx, begun context.Context, r request) (io.Closer, frames, error) {
	ctx, cancel := context.WithCancel(ctx)
	inTime := context.AfterFunc(begun, cancel)
	resp, err := c.do(ctx, r) //nolint:bodyclose // whoever gets body closes it
	if err != nil {
		cancel()
		return nil, nil, err
	}
	body := &closing{resp.Body, cancel}
	if resp.StatusCode != http.StatusOK {
		defer func() { _ = body.Close() }()
		text, _, err := r.read(resp)
		if err != nil {
			return nil, nil, &broken{err: fmt.Errorf("read answer: %w", err), sent: true}
		}
		return nil, nil, refusal(resp.StatusCode, retryAfter(resp.Header), text)
	}
	f, err := framesOf(resp)
	if err == nil && !inTime() {
		err = begun.Err()
	}
	if err != nil {
		_ = body.Close()
		return nil, nil, &broken{err: err, sent: true}
	}
	return body, f, nil
}

// closing is a body whose request is given up when it is closed: its connection need not wait for the rest.
type closing struct {
	io.Closer
	cancel context.CancelFunc
}

func (c *closing) Close() error {
	c.cancel()
	return c.Closer.Close()
}
