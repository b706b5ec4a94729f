//! Metrics registries: seven series for each provider, model and tenant. Each
//! is there twice: labels looked up for each event, and handles kept.

use std::sync::Arc;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use prometheus::{HistogramVec, IntCounterVec};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

use crate::event::{Event, KINDS, SERIES, Totals, names};
use crate::peer::{Each, Handle, Peer, Row};

pub(crate) const ROWS: &[Row] = &[
    Row::in_memory("metrics, looked up", |_| Box::new(Metrics::new(false))),
    Row::in_memory("metrics, handles kept", |_| Box::new(Metrics::new(true))),
    Row::in_memory("prometheus, looked up", |_| {
        Box::new(Prometheus::new(false))
    }),
    Row::in_memory("prometheus, handles kept", |_| {
        Box::new(Prometheus::new(true))
    }),
    Row::in_memory("prometheus-client, looked up", |_| {
        Box::new(Client::new(false))
    }),
    Row::in_memory("prometheus-client, handles kept", |_| {
        Box::new(Client::new(true))
    }),
];

/// Upper bounds of the latency histograms, in seconds.
pub(crate) const BOUNDS: [f64; 12] = [
    0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4,
];

/// What a scrape says.
fn scraped(text: &str) -> Totals {
    let sum = |name: &str, label: &str| -> u64 {
        let lines = text.lines().filter(|line| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with('{')) && line.contains(label)
        });
        lines
            .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap() as u64)
            .sum()
    };
    let seconds: f64 = text
        .lines()
        .filter(|line| line.starts_with("latency_seconds_sum{"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum();
    Totals {
        requests: sum("requests_total", ""),
        tokens: KINDS.map(|kind| sum("tokens_total", &format!("kind=\"{kind}\""))),
        cost_nanos: sum("cost_nanos_total", ""),
        latency_us: (seconds * 1e6).round() as u64,
        timed: sum("latency_seconds_count", ""),
    }
}

/// Handles of one provider, model and tenant.
struct Series<C, H> {
    requests: C,
    tokens: [C; 4],
    cost: C,
    latency: H,
}

/// Adds to handles that are kept, or else looked up for each event.
fn by_series<'a, S: Sync>(
    kept: &'a Option<Vec<S>>,
    look_up: impl Fn(usize) -> S + Send + 'a,
    add: impl Fn(&S, &Event) + Send + 'a,
) -> Box<dyn Handle + 'a> {
    match kept {
        Some(kept) => Box::new(Each(move |event: &Event| add(&kept[event.series], event))),
        None => Box::new(Each(move |event: &Event| {
            add(&look_up(event.series), event);
        })),
    }
}

struct Metrics {
    recorder: PrometheusRecorder,
    kept: Option<Vec<Series<metrics::Counter, metrics::Histogram>>>,
}

impl Metrics {
    fn new(kept: bool) -> Self {
        let builder = PrometheusBuilder::new().set_buckets(&BOUNDS).unwrap();
        let recorder = builder.build_recorder();
        let kept = kept.then(|| {
            metrics::with_local_recorder(&recorder, || (0..SERIES).map(Self::series).collect())
        });
        Self { recorder, kept }
    }

    fn series(series: usize) -> Series<metrics::Counter, metrics::Histogram> {
        let [provider, model, tenant] = names(series);
        Series {
            requests: metrics::counter!("requests_total", "provider" => provider, "model" => model, "tenant" => tenant),
            tokens: KINDS.map(|kind| metrics::counter!("tokens_total", "provider" => provider, "model" => model, "tenant" => tenant, "kind" => kind)),
            cost: metrics::counter!("cost_nanos_total", "provider" => provider, "model" => model, "tenant" => tenant),
            latency: metrics::histogram!("latency_seconds", "provider" => provider, "model" => model, "tenant" => tenant),
        }
    }

    fn add(series: &Series<metrics::Counter, metrics::Histogram>, event: &Event) {
        series.requests.increment(1);
        for (counter, tokens) in series.tokens.iter().zip(event.tokens) {
            counter.increment(tokens.into());
        }
        series.cost.increment(event.cost_nanos);
        series.latency.record(event.latency.as_secs_f64());
    }
}

/// Macros find the recorder that is installed; here it is that of the thread,
/// so that several can be measured.
struct Looked<'a>(&'a PrometheusRecorder);

impl Handle for Looked<'_> {
    fn record(&mut self, events: &[Event]) {
        metrics::with_local_recorder(self.0, || {
            for event in events {
                let event = std::hint::black_box(event);
                Metrics::add(&Metrics::series(event.series), event);
            }
        });
    }
}

impl Peer for Metrics {
    fn handle(&self) -> Box<dyn Handle + '_> {
        match &self.kept {
            Some(kept) => Box::new(Each(|event: &Event| Self::add(&kept[event.series], event))),
            None => Box::new(Looked(&self.recorder)),
        }
    }

    fn settle(&self, _: u64) {
        // Samples wait in a list until upkeep sorts them into buckets, which
        // an exporter does on a timer.
        self.recorder.handle().run_upkeep();
    }

    fn totals(&self) -> Totals {
        scraped(&self.recorder.handle().render())
    }
}

struct Prometheus {
    registry: prometheus::Registry,
    requests: IntCounterVec,
    tokens: IntCounterVec,
    cost: IntCounterVec,
    latency: HistogramVec,
    kept: Option<Vec<Series<prometheus::IntCounter, prometheus::Histogram>>>,
}

impl Prometheus {
    fn new(kept: bool) -> Self {
        let registry = prometheus::Registry::new();
        let labels = ["provider", "model", "tenant"];
        let by_kind = ["provider", "model", "tenant", "kind"];
        let counter = |name: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(prometheus::Opts::new(name, name), labels).unwrap();
            registry.register(Box::new(counter.clone())).unwrap();
            counter
        };
        let requests = counter("requests_total", &labels);
        let tokens = counter("tokens_total", &by_kind);
        let cost = counter("cost_nanos_total", &labels);
        let name = "latency_seconds";
        let options = prometheus::HistogramOpts::new(name, name).buckets(BOUNDS.to_vec());
        let latency = HistogramVec::new(options, &labels).unwrap();
        registry.register(Box::new(latency.clone())).unwrap();
        let mut this = Self {
            registry,
            requests,
            tokens,
            cost,
            latency,
            kept: None,
        };
        this.kept = kept.then(|| (0..SERIES).map(|series| this.series(series)).collect());
        this
    }

    fn series(&self, series: usize) -> Series<prometheus::IntCounter, prometheus::Histogram> {
        let labels = names(series);
        let [provider, model, tenant] = labels;
        Series {
            requests: self.requests.with_label_values(&labels),
            tokens: KINDS.map(|kind| {
                self.tokens
                    .with_label_values(&[provider, model, tenant, kind])
            }),
            cost: self.cost.with_label_values(&labels),
            latency: self.latency.with_label_values(&labels),
        }
    }

    fn add(series: &Series<prometheus::IntCounter, prometheus::Histogram>, event: &Event) {
        series.requests.inc();
        for (counter, tokens) in series.tokens.iter().zip(event.tokens) {
            counter.inc_by(tokens.into());
        }
        series.cost.inc_by(event.cost_nanos);
        series.latency.observe(event.latency.as_secs_f64());
    }
}

impl Peer for Prometheus {
    fn handle(&self) -> Box<dyn Handle + '_> {
        by_series(&self.kept, |series| self.series(series), Self::add)
    }

    fn settle(&self, _: u64) {}

    fn totals(&self) -> Totals {
        let families = self.registry.gather();
        scraped(
            &prometheus::TextEncoder::new()
                .encode_to_string(&families)
                .unwrap(),
        )
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    provider: &'static str,
    model: &'static str,
    tenant: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    provider: &'static str,
    model: &'static str,
    tenant: &'static str,
    kind: &'static str,
}

type Histograms = Family<Labels, Histogram, fn() -> Histogram>;

struct Client {
    registry: Arc<prometheus_client::registry::Registry>,
    requests: Family<Labels, Counter>,
    tokens: Family<KindLabels, Counter>,
    cost: Family<Labels, Counter>,
    latency: Histograms,
    kept: Option<Vec<Series<Counter, Histogram>>>,
}

impl Client {
    fn new(kept: bool) -> Self {
        let mut registry = prometheus_client::registry::Registry::default();
        let (requests, tokens, cost) = (Family::default(), Family::default(), Family::default());
        let latency = Histograms::new_with_constructor(|| Histogram::new(BOUNDS));
        registry.register("requests", "requests", requests.clone());
        registry.register("tokens", "tokens", tokens.clone());
        registry.register("cost_nanos", "cost", cost.clone());
        registry.register("latency_seconds", "latency", latency.clone());
        let mut this = Self {
            registry: Arc::new(registry),
            requests,
            tokens,
            cost,
            latency,
            kept: None,
        };
        this.kept = kept.then(|| (0..SERIES).map(|series| this.series(series)).collect());
        this
    }

    fn series(&self, series: usize) -> Series<Counter, Histogram> {
        let [provider, model, tenant] = names(series);
        let labels = Labels {
            provider,
            model,
            tenant,
        };
        Series {
            requests: self.requests.get_or_create_owned(&labels),
            tokens: KINDS.map(|kind| {
                self.tokens.get_or_create_owned(&KindLabels {
                    provider,
                    model,
                    tenant,
                    kind,
                })
            }),
            cost: self.cost.get_or_create_owned(&labels),
            latency: self.latency.get_or_create_owned(&labels),
        }
    }

    fn add(series: &Series<Counter, Histogram>, event: &Event) {
        series.requests.inc();
        for (counter, tokens) in series.tokens.iter().zip(event.tokens) {
            counter.inc_by(tokens.into());
        }
        series.cost.inc_by(event.cost_nanos);
        series.latency.observe(event.latency.as_secs_f64());
    }
}

impl Peer for Client {
    fn handle(&self) -> Box<dyn Handle + '_> {
        by_series(&self.kept, |series| self.series(series), Self::add)
    }

    fn settle(&self, _: u64) {}

    fn totals(&self) -> Totals {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        scraped(&text)
    }
}
