package hook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"mime"
	"regexp"
	"strings"

	"slipway/internal/fault"
	"slipway/internal/revision"
)

// push is what we read of a push; it has no more fields so that the rest of a payload is skipped without memory.
type push struct {
	Ref        string `json:"ref"`
	After      string `json:"after"`
	Deleted    bool   `json:"deleted"`
	HeadCommit *struct {
		ID string `json:"id"`
	} `json:"head_commit"`
	Repository *struct {
		CloneURL      string `json:"clone_url"`
		HTMLURL       string `json:"html_url"`
		DefaultBranch string `json:"default_branch"`
	} `json:"repository"`
}

var deliveryForm = regexp.MustCompile(`^[0-9A-Za-z-]{1,64}$`)

// GitHub verifies and reads a delivery of GitHub or GitHub Enterprise. Header names are in lower case, body is exactly what was sent.
// Errors: Denied when it is not authentic; Invalid, with ErrTooLarge or for an authentic body that cannot be read.
func (h *Hook) GitHub(ctx context.Context, header map[string]string, body []byte) (Delivery, error) {
	d := Delivery{ID: header["x-github-delivery"], Event: header["x-github-event"]}
	if err := h.size(header, body); err != nil {
		return d, err
	}
	var err error
	if d.KeyID, err = h.verify(ctx, header["x-hub-signature-256"], body); err != nil {
		return d, err
	}
	if d.ID == "" {
		sum := sha256.Sum256(body)
		d.ID = hex.EncodeToString(sum[:])
	} else if !deliveryForm.MatchString(d.ID) {
		return d, fault.New(fault.Invalid, "read header X-GitHub-Delivery %.80q: want a GUID", d.ID)
	}
	if t, _, err := mime.ParseMediaType(header["content-type"]); err != nil || t != "application/json" {
		return d, fault.New(fault.Invalid, "read content type %.80q: set the webhook's content type to application/json", header["content-type"])
	}
	if err := shallow(body); err != nil {
		return d, err
	}
	switch d.Event {
	case "":
		return d, fault.New(fault.Invalid, "read header X-GitHub-Event: it is missing")
	case "push":
		err = d.push(body)
	default: // ping too: the host wants 2xx for what we do not use (W11)
		d.Ignored = "event is not a push"
		if !json.Valid(body) {
			err = fault.New(fault.Invalid, "parse body of event %.40q: not JSON", d.Event)
		}
	}
	return d, err
}

// verify is the id of the key that signed body. Only X-Hub-Signature-256 in exactly its form counts: no SHA-1, and no
// algorithm by the sender's choice (security W3; go-github v60 takes both).
func (h *Hook) verify(ctx context.Context, signature string, body []byte) (string, error) {
	digits, ok := strings.CutPrefix(signature, "sha256=")
	mac, err := hex.DecodeString(digits)
	if ok = ok && err == nil && len(mac) == sha256.Size; !ok {
		mac = make([]byte, sha256.Size) // hashed all the same, so that it takes as long
	}
	h.keys.refresh(ctx, staleAfter)
	id := h.keys.match(mac, body)
	if id == "" && h.keys.refresh(ctx, retryAfter) {
		id = h.keys.match(mac, body)
	}
	if id == "" || !ok {
		return "", errNotAuthentic
	}
	return id, nil
}

func (d *Delivery) push(body []byte) error {
	var p push
	if err := json.Unmarshal(body, &p); err != nil {
		return fault.New(fault.Invalid, "parse push: %w", err)
	}
	if p.Repository == nil {
		return fault.New(fault.Invalid, "parse push: repository is missing")
	}
	url := p.Repository.CloneURL
	if url == "" {
		url = p.Repository.HTMLURL
	}
	if len(url) > maxName {
		return fault.New(fault.Invalid, "parse push: the repository's URL has %d bytes, at most %d", len(url), maxName)
	}
	repo, err := revision.ParseRepository(url)
	if err != nil {
		return fault.New(fault.Invalid, "parse push: %w", err)
	}
	m := revision.Move{Repository: repo, Delivery: d.ID}
	branch, isBranch := strings.CutPrefix(p.Ref, "refs/heads/")
	tag, isTag := strings.CutPrefix(p.Ref, "refs/tags/")
	switch {
	case isBranch:
		m.Ref, m.Default = branch, branch == p.Repository.DefaultBranch
	case isTag:
		m.Ref = tag
	default:
		d.Ignored = "ref is neither a branch nor a tag"
		return nil
	}
	if err := refName(m.Ref); err != nil {
		return err
	}
	if p.Deleted || p.After != "" && strings.Trim(p.After, "0") == "" {
		d.Ignored = "branch or tag was deleted: what it deployed stays"
		return nil
	}
	after, err := revision.ParseSHA(p.After)
	if err != nil {
		return fault.New(fault.Invalid, "parse push: after: %w", err)
	}
	m.Hint = after
	if isTag { // after is the tag object's id where the tag is annotated
		m.Hint = ""
		if p.HeadCommit != nil {
			m.Hint, _ = revision.ParseSHA(p.HeadCommit.ID) // empty is a good hint too
		}
	}
	d.Moves = []revision.Move{m}
	return nil
}
