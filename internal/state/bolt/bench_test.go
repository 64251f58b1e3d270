package bolt

import (
	"testing"

	"slipway/internal/record"
)

// A push takes about six of these.
func BenchmarkRecordUpdate(b *testing.B) {
	s, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	stores := s.Stores()
	for b.Loop() {
		_, err := stores.Records.Update(b.Context(), "argocd/order-service", func(r *record.Record) error { r.Ver++; return nil })
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBlobPut(b *testing.B) {
	s, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	stores, data := s.Stores(), make([]byte, 50_000)
	for i := 0; b.Loop(); i++ {
		data[i%len(data)]++
		if _, err := stores.Blobs.Put(b.Context(), data); err != nil {
			b.Fatal(err)
		}
	}
}
