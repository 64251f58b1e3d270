package up

import (
	"testing"
	"time"

	"slipway/internal/app"
	"slipway/internal/local"
	"slipway/internal/record"
)

// Seen is how long a consequence may take on a starved machine; what takes a second here is not waited for longer.
const Seen = 60 * time.Second

// Until asks until the answer is good and fails the test if it is not within limit. say is what is known then.
func Until[T any](t testing.TB, limit time.Duration, what string, ask func() (v T, ok bool, say string)) T {
	t.Helper()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	end := time.Now().Add(limit)
	for {
		v, ok, say := ask()
		if ok {
			return v
		}
		if time.Now().After(end) {
			t.Fatalf("not seen in %s: %s: %s", limit, what, say)
		}
		select {
		case <-t.Context().Done():
			t.Fatalf("the test's time is over: %s: %s", what, say)
		case <-tick.C:
		}
	}
}

// Application is what the process says of an application now; it must know it.
func (p *Process) Application(name app.Name) local.Application {
	p.t.Helper()
	a, err := p.Client.Application(p.t.Context(), name)
	if err != nil {
		p.t.Fatal(err)
	}
	return a
}

// Awaits waits until the application is as ok says.
func (p *Process) Awaits(name app.Name, limit time.Duration, what string, ok func(local.Application) bool) local.Application {
	p.t.Helper()
	return Until(p.t, limit, string(name)+" "+what, func() (local.Application, bool, string) {
		a, err := p.Client.Application(p.t.Context(), name)
		if err != nil {
			return a, false, err.Error()
		}
		return a, ok(a), Say(a)
	})
}

// Applied waits until the application has applied what is at commit sha, and nothing is left to do.
func (p *Process) Applied(name app.Name, sha string) local.Application {
	p.t.Helper()
	return p.Awaits(name, Seen, "applied "+sha, func(a local.Application) bool {
		return a.Status == "Synced" && Wants(a, sha) && a.Record.Lock.Owner == ""
	})
}

// Refused waits until the last run at commit sha was refused, and answers with the reason.
func (p *Process) Refused(name app.Name, sha string) string {
	p.t.Helper()
	a := p.Awaits(name, Seen, "refused "+sha, func(a local.Application) bool {
		return Wants(a, sha) && a.Last != nil && a.Last.Seq == a.Record.Wanted.Seq && a.Last.Outcome == record.RefusedRun
	})
	return a.Last.Reason
}

// Wants reports whether the application wants commit sha.
func Wants(a local.Application, sha string) bool {
	for _, rev := range a.Record.Wanted.Revs {
		if string(rev) == sha {
			return true
		}
	}
	return false
}

// Say is an application's state in a line.
func Say(a local.Application) string {
	say := string(a.Name) + " is " + a.Status
	for _, rev := range a.Record.Wanted.Revs {
		say += ", wants " + rev.Short()
	}
	for _, rev := range a.Record.Done.Revs {
		say += ", has done " + rev.Short()
	}
	if a.Record.Refused.Reason != "" {
		say += ", inputs refused: " + a.Record.Refused.Reason
	}
	if a.Last != nil {
		say += ", last run " + string(a.Last.Outcome) + " " + a.Last.Reason
	}
	return say
}
