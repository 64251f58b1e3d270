package prom

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/scrape"
)

// maxScrape is upstream's timeout of a scrape, which may not be longer than the interval.
const maxScrape = 10 * time.Second

func metricsPath(job string) string { return "/" + job + "/metrics" }

// scrapes is the configuration with a job for each target.
func scrapes(o Options, logger *slog.Logger) (*config.Config, error) {
	if o.Interval < time.Millisecond {
		return nil, fmt.Errorf("scrape interval %s: too short", o.Interval) // 0 would be upstream's minute
	}
	c, err := config.Load(fmt.Sprintf("global: {scrape_interval: %s, scrape_timeout: %s}",
		model.Duration(o.Interval), model.Duration(min(o.Interval, maxScrape))), logger)
	if err != nil {
		return nil, err
	}
	for job := range o.Targets {
		s := config.DefaultScrapeConfig
		s.JobName, s.MetricsPath, s.HonorLabels = job, metricsPath(job), true
		if err := s.Validate(c.GlobalConfig); err != nil {
			return nil, fmt.Errorf("job %s: %w", job, err)
		}
		c.ScrapeConfigs = append(c.ScrapeConfigs, &s)
	}
	return c, nil
}

// startScraping scrapes every job at address, which is our own.
func (s *Server) startScraping(o Options, address string, logger *slog.Logger, registry prometheus.Registerer) error {
	m, err := scrape.NewManager(&scrape.Options{
		DiscoveryReloadOnStartup: true, DiscoveryReloadInterval: model.Duration(200 * time.Millisecond), // upstream waits 5 s
	}, logger, nil, nil, s.db, registry)
	if err != nil {
		return err
	}
	if err := m.ApplyConfig(s.config); err != nil {
		return err
	}
	targets := map[string][]*targetgroup.Group{}
	for job := range o.Targets {
		at := []model.LabelSet{{model.AddressLabel: model.LabelValue(address)}}
		targets[job] = []*targetgroup.Group{{Source: job, Targets: at}}
	}
	sets := make(chan map[string][]*targetgroup.Group, 1)
	sets <- targets
	s.scrape = m
	go func() {
		if err := m.Run(sets); err != nil {
			s.failed <- fmt.Errorf("prometheus: scrape: %w", err)
		}
	}()
	return nil
}
