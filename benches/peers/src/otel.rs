//! `opentelemetry_sdk`: attributes made for each event, attributes kept, and
//! bound instruments, which are experimental.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, BoundHistogram, Counter, Histogram, MeterProvider};
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, HistogramDataPoint, MetricData, ScopeMetrics,
};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};

use crate::event::{Event, KINDS, SERIES, Totals, names};
use crate::peer::{Each, Handle, Peer, Row};
use crate::registries::BOUNDS;

pub(crate) const ROWS: &[Row] = &[
    Row::in_memory("opentelemetry, attributes made", |_| {
        Box::new(Otel::new(How::Made))
    }),
    Row::in_memory("opentelemetry, attributes kept", |_| {
        Box::new(Otel::new(How::Kept))
    }),
    Row::in_memory("opentelemetry, bound", |_| Box::new(Otel::new(How::Bound))),
];

enum How {
    Made,
    Kept,
    Bound,
}

/// Attributes of a series, and with each kind of token.
type Attributes = ([KeyValue; 3], [[KeyValue; 4]; 4]);

struct Bound {
    requests: BoundCounter<u64>,
    tokens: [BoundCounter<u64>; 4],
    cost: BoundCounter<u64>,
    latency: BoundHistogram<f64>,
}

struct Otel {
    how: How,
    provider: SdkMeterProvider,
    exporter: InMemoryMetricExporter,
    requests: Counter<u64>,
    tokens: Counter<u64>,
    cost: Counter<u64>,
    latency: Histogram<f64>,
    kept: Vec<Attributes>,
    bound: Vec<Bound>,
}

fn attributes(series: usize) -> Attributes {
    let [provider, model, tenant] = names(series);
    let labels = || {
        [
            KeyValue::new("provider", provider),
            KeyValue::new("model", model),
            KeyValue::new("tenant", tenant),
        ]
    };
    let with = KINDS.map(|kind| {
        let [provider, model, tenant] = labels();
        [provider, model, tenant, KeyValue::new("kind", kind)]
    });
    (labels(), with)
}

impl Otel {
    fn new(how: How) -> Self {
        let exporter = InMemoryMetricExporter::default();
        // Its default interval is a minute.
        let reader = PeriodicReader::builder(exporter.clone()).build();
        let provider = SdkMeterProvider::builder().with_reader(reader).build();
        let meter = provider.meter("gateway");
        let mut this = Self {
            how,
            exporter,
            requests: meter.u64_counter("requests").build(),
            tokens: meter.u64_counter("tokens").build(),
            cost: meter.u64_counter("cost_nanos").build(),
            latency: meter
                .f64_histogram("latency_seconds")
                .with_boundaries(BOUNDS.to_vec())
                .build(),
            provider,
            kept: (0..SERIES).map(attributes).collect(),
            bound: Vec::new(),
        };
        if matches!(this.how, How::Bound) {
            let kept = this.kept.iter();
            this.bound = kept
                .map(|(labels, with)| Bound {
                    requests: this.requests.bind(labels),
                    tokens: with.each_ref().map(|labels| this.tokens.bind(labels)),
                    cost: this.cost.bind(labels),
                    latency: this.latency.bind(labels),
                })
                .collect();
        }
        this
    }

    fn add(&self, (labels, with): &Attributes, event: &Event) {
        self.requests.add(1, labels);
        for (labels, tokens) in with.iter().zip(event.tokens) {
            self.tokens.add(tokens.into(), labels);
        }
        self.cost.add(event.cost_nanos, labels);
        self.latency.record(event.latency.as_secs_f64(), labels);
    }
}

impl Bound {
    fn add(&self, event: &Event) {
        self.requests.add(1);
        for (counter, tokens) in self.tokens.iter().zip(event.tokens) {
            counter.add(tokens.into());
        }
        self.cost.add(event.cost_nanos);
        self.latency.record(event.latency.as_secs_f64());
    }
}

impl Peer for Otel {
    fn handle(&self) -> Box<dyn Handle + '_> {
        match self.how {
            How::Made => Box::new(Each(|event: &Event| {
                self.add(&attributes(event.series), event);
            })),
            How::Kept => Box::new(Each(|event: &Event| {
                self.add(&self.kept[event.series], event);
            })),
            How::Bound => Box::new(Each(|event: &Event| self.bound[event.series].add(event))),
        }
    }

    fn settle(&self, _: u64) {}

    fn totals(&self) -> Totals {
        self.exporter.reset();
        self.provider.force_flush().unwrap();
        let mut totals = Totals::default();
        for exported in self.exporter.get_finished_metrics().unwrap() {
            for metric in exported.scope_metrics().flat_map(ScopeMetrics::metrics) {
                match metric.data() {
                    AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                        for point in sum.data_points() {
                            *field(&mut totals, metric.name(), point.attributes()) += point.value();
                        }
                    }
                    AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                        let points = || histogram.data_points();
                        totals.timed = points().map(HistogramDataPoint::count).sum();
                        let seconds: f64 = points().map(HistogramDataPoint::sum).sum();
                        totals.latency_us = (seconds * 1e6).round() as u64;
                    }
                    _ => {}
                }
            }
        }
        totals
    }
}

fn field<'a, 'b>(
    totals: &'a mut Totals,
    metric: &str,
    mut attributes: impl Iterator<Item = &'b KeyValue>,
) -> &'a mut u64 {
    match metric {
        "requests" => &mut totals.requests,
        "cost_nanos" => &mut totals.cost_nanos,
        _ => {
            let kind = attributes.find(|label| label.key.as_str() == "kind");
            let kind = kind.unwrap().value.as_str().into_owned();
            let at = KINDS.iter().position(|name| *name == kind).unwrap();
            &mut totals.tokens[at]
        }
    }
}
