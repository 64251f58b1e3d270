package hook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"sync"
	"sync/atomic"
	"time"

	"slipway/internal/fault"
	"slipway/internal/secret"
)

// Keys reads the secrets that are valid now: the current one and, while it is being replaced, the previous one.
type Keys func(ctx context.Context) ([]secret.Key, error)

// Static are secrets that do not change.
func Static(keys ...secret.Key) Keys {
	return func(context.Context) ([]secret.Key, error) { return keys, nil }
}

// minSecret is the hash's length in bytes: a shorter key makes HMAC weaker (RFC 2104, section 3).
const minSecret = 32

// A warm sandbox lives for hours, so secrets are read again: an old one must stop to work (reference fault 63), and a new
// one must work at once. Refused requests cause a read once a minute at most, whoever sends them.
const (
	staleAfter  = 5 * time.Minute
	retryAfter  = time.Minute
	readTimeout = time.Second // of the three in which a delivery is answered (security W13)
)

type keyring struct {
	read    Keys
	current atomic.Pointer[[]secret.Key]
	reading sync.Mutex
	at      atomic.Int64          // Unix nanoseconds of the last try
	failed  atomic.Pointer[error] // of the last try
}

// load reads the secrets, or keeps those it has.
func (k *keyring) load(ctx context.Context) error {
	k.at.Store(time.Now().UnixNano())
	keys, err := k.read(ctx)
	if err == nil {
		err = check(keys)
	}
	if err != nil {
		k.failed.Store(&err)
		return err
	}
	k.current.Store(&keys)
	k.failed.Store(nil)
	return nil
}

func check(keys []secret.Key) error {
	if len(keys) == 0 {
		return fault.New(fault.Invalid, "read webhook secret: there is none")
	}
	for _, key := range keys {
		if n := key.Value.Len(); n < minSecret {
			return fault.New(fault.Invalid, "read webhook secret %s: it has %d bytes, want at least %d", key.ID, n, minSecret)
		}
	}
	return nil
}

// refresh reads the secrets again if the last try is older than age, and reports whether it has. A failed read leaves
// the known secrets valid: the host of secrets being away must not stop deliveries.
func (k *keyring) refresh(ctx context.Context, age time.Duration) bool {
	if time.Since(time.Unix(0, k.at.Load())) < age || !k.reading.TryLock() {
		return false
	}
	defer k.reading.Unlock()
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	return k.load(ctx) == nil
}

// match is the id of the key whose HMAC-SHA256 over the exact bytes is mac. Every key is tried, in constant time.
func (k *keyring) match(mac, body []byte) (id string) {
	for _, key := range *k.current.Load() {
		h := hmac.New(sha256.New, key.Value.Reveal())
		h.Write(body)
		if subtle.ConstantTimeCompare(h.Sum(nil), mac) == 1 {
			id = key.ID
		}
	}
	return id
}
