package prom

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/grafana/regexp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/route"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/features"
	"github.com/prometheus/prometheus/util/notifications"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"
)

// api is upstream's HTTP API v1 below its prefix. The parts that are not run have nothing to tell.
func (s *Server) api(address, dir string, logger *slog.Logger, registry *prometheus.Registry, language parser.Parser) http.Handler {
	const (
		noAdmin, noSearch, noAgent, noRemoteWrite, noOTLP = false, false, false, false, false
		readSamples, readConcurrency, readBytes           = 5e7, 10, 1 << 20 // upstream's defaults
		upstreamLookback                                  = 0
	)
	api := apiv1.NewAPI(s.engine, s.db, s.db, s.db, s.db,
		func(context.Context) apiv1.ScrapePoolsRetriever { return s.scrape },
		func(context.Context) apiv1.TargetRetriever { return s.scrape },
		func(context.Context) apiv1.AlertmanagerRetriever { return nothing{} },
		func() config.Config { return *s.config },
		nil,
		apiv1.GlobalURLOptions{ListenAddress: address, Host: address, Scheme: "http"},
		func(h http.HandlerFunc) http.HandlerFunc { return h }, // always ready
		admin{s.db}, dir, noAdmin, noSearch, 0, logger,
		func(context.Context) apiv1.RulesRetriever { return nothing{} },
		readSamples, readConcurrency, readBytes, noAgent,
		regexp.MustCompile("^$"), // no other origin
		func() (apiv1.RuntimeInfo, error) { return apiv1.RuntimeInfo{}, nil },
		&apiv1.PrometheusVersion{Version: "embedded"},
		func() []notifications.Notification { return nil },
		func() (<-chan notifications.Notification, func(), bool) { return nil, nil, false },
		registry, registry, nil, noRemoteWrite, nil, noOTLP, false, false, false, upstreamLookback, false, false, nil,
		features.NewRegistry(),
		apiv1.OpenAPIOptions{IncludePaths: []string{"/query"}}, // to render all of that document takes 70 ms of a start
		language)
	r := route.New()
	api.Register(r)
	return r
}

// nothing stands for rules and Alertmanagers.
type nothing struct{}

func (nothing) RuleGroups() []*rules.Group           { return nil }
func (nothing) AlertingRules() []*rules.AlertingRule { return nil }
func (nothing) Alertmanagers() []*url.URL            { return nil }
func (nothing) DroppedAlertmanagers() []*url.URL     { return nil }

// admin is the storage, with the answers that the API wants in another shape.
type admin struct{ *tsdb.DB }

func (a admin) BlockMetas() ([]tsdb.BlockMeta, error) { return a.DB.BlockMetas(), nil }

func (a admin) Stats(label string, limit int) (*tsdb.Stats, error) {
	return a.Head().Stats(label, limit), nil
}

func (a admin) WALReplayStatus() (tsdb.WALReplayStatus, error) { return tsdb.WALReplayStatus{}, nil }
