//! One model call of a program: small numbers that stand for names, moments
//! and values, so that it prints in a line, and goes to a child as words.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use proptest::sample::select;
use quipu::{ModelId, Outcome, Recorder, TenantId, TokenKind, UsageRecord};

/// Providers and models: plain ones, the one that every store has, and some
/// that no limit lets through.
pub(crate) const MODELS: [(&str, &str); 8] = [
    ("p", "m"),
    ("p", "n"),
    ("q", "m"),
    ("p", "ninebytes"),
    ("__other__", "__other__"),
    ("p", "__other__"),
    ("", "m"),
    ("two\nlines", "\"a\",b"),
];

/// Tenants; `None` is a call without one.
pub(crate) const TENANTS: [Option<&str>; 6] = [
    None,
    Some("t"),
    Some("u"),
    Some("ninebytes"),
    Some("__other__"),
    Some(""),
];

pub(crate) const SECOND: i128 = 1_000_000_000;
pub(crate) const HOUR: i128 = 3600 * SECOND;
pub(crate) const DAY: i128 = 24 * HOUR;

/// The day of most calls: noon of 2024-02-29.
pub(crate) const NOON: i128 = 19_782 * DAY + 12 * HOUR;

/// The last moment of the last whole day that a record can hold.
const LATEST: i128 = u64::MAX as i128 / DAY * DAY - 1;

/// Moments in nanoseconds since 1970: about midnight, years apart, the first
/// and the last that a record can hold, and one beyond each.
const MOMENTS: [i128; 14] = [
    NOON,
    NOON + 12 * HOUR - 1,
    NOON + 12 * HOUR,
    NOON + DAY,
    NOON - DAY,
    NOON + HOUR,
    NOON - 40 * DAY,
    NOON + 3652 * DAY,
    0,
    DAY,
    -1,
    LATEST,
    u64::MAX as i128,
    u64::MAX as i128 + 1,
];

/// The clocks of programs.
pub(crate) const CLOCKS: [i128; 6] = [
    NOON,
    NOON + 12 * HOUR,
    NOON - DAY,
    NOON + 3652 * DAY,
    1,
    LATEST - SECOND,
];

/// What goes into a record; see [`UsageRecord`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    /// Of [`MODELS`].
    pub(crate) model: usize,
    /// Of [`TENANTS`].
    pub(crate) tenant: usize,
    /// Nanoseconds since 1970; `None` is the clock's when it is drained.
    pub(crate) at: Option<i128>,
    pub(crate) outcome: usize,
    pub(crate) streamed: bool,
    pub(crate) estimated: bool,
    pub(crate) tokens: [Option<u64>; 6],
    pub(crate) cost: Option<u64>,
    /// Microseconds, as the next.
    pub(crate) latency: Option<u64>,
    pub(crate) ttft: Option<u64>,
}

/// Whether calls without a time of their own can be foreseen: only a build with
/// the hooks for tests has a clock that stands.
pub(crate) const CLOCK_STANDS: bool = cfg!(feature = "__fault-points");

pub(crate) fn calls() -> impl Strategy<Value = Call> {
    let maybe = |values: &'static [u64]| {
        prop_oneof![
            2 => Just(None),
            1 => select(values).prop_map(Some),
        ]
    };
    let tokens = || maybe(&[0, 3, 1000, 0xffff_ffff, 1 << 32]);
    let times = || maybe(&[0, 17, 70_000, 80_000_000, 5_000_000_000]);
    let at = prop_oneof![
        10 => select(&MOMENTS[..6]).prop_map(Some),
        2 => select(&MOMENTS[..]).prop_map(Some),
        if CLOCK_STANDS { 2 } else { 0 } => Just(None),
    ];
    let models = prop_oneof![8 => 0..3usize, 1 => 0..MODELS.len()];
    let tenants = prop_oneof![8 => 0..3usize, 1 => 0..TENANTS.len()];
    (
        (models, tenants, at),
        (0..8usize, any::<bool>(), any::<bool>()),
        (tokens(), tokens(), tokens()),
        (maybe(&[0, 7, 1 << 63]), times(), times()),
    )
        .prop_map(|(who, how, tokens, (cost, latency, ttft))| {
            let (model, tenant, at) = who;
            let (outcome, streamed, estimated) = how;
            let (input, output, audio) = tokens;
            Call {
                model,
                tenant,
                at,
                outcome,
                streamed,
                estimated,
                tokens: [input, None, None, output, None, audio],
                cost,
                latency,
                ttft,
            }
        })
}

fn moment(nanos: i128) -> SystemTime {
    let distance = |nanos: u128| {
        let second = SECOND as u128;
        Duration::new((nanos / second) as u64, (nanos % second) as u32)
    };
    match u128::try_from(nanos) {
        Ok(nanos) => UNIX_EPOCH + distance(nanos),
        Err(_) => UNIX_EPOCH - distance(nanos.unsigned_abs()),
    }
}

impl Call {
    /// Interns the names, the model's first, and makes the record.
    pub(crate) fn record(&self, recorder: &Recorder) -> UsageRecord {
        let (provider, model) = MODELS[self.model];
        let model = recorder.model(provider, model).unwrap();
        let tenant = match TENANTS[self.tenant] {
            Some(tenant) => recorder.tenant(tenant).unwrap(),
            None => TenantId::NONE,
        };
        self.fill(model, tenant)
    }

    fn fill(&self, model: ModelId, tenant: TenantId) -> UsageRecord {
        let mut record = UsageRecord::new(model)
            .tenant(tenant)
            .outcome(Outcome::ALL[self.outcome])
            .streamed(self.streamed)
            .estimated(self.estimated);
        for (kind, tokens) in TokenKind::ALL.into_iter().zip(self.tokens) {
            if let Some(tokens) = tokens {
                record = record.tokens(kind, tokens);
            }
        }
        if let Some(at) = self.at {
            record = record.at(moment(at));
        }
        if let Some(cost) = self.cost {
            record = record.cost_nanos(cost);
        }
        if let Some(us) = self.latency {
            record = record.latency(Duration::from_micros(us));
        }
        if let Some(us) = self.ttft {
            record = record.time_to_first_token(Duration::from_micros(us));
        }
        record
    }

    /// As words that [`from_words`](Self::from_words) takes.
    pub(crate) fn to_words(&self) -> String {
        let option = |value: Option<i128>| value.map_or("-".to_owned(), |n| n.to_string());
        let mut words = vec![
            self.model.to_string(),
            self.tenant.to_string(),
            option(self.at),
            self.outcome.to_string(),
            self.streamed.to_string(),
            self.estimated.to_string(),
        ];
        let numbers = self.tokens.iter();
        let numbers = numbers.chain([&self.cost, &self.latency, &self.ttft]);
        words.extend(numbers.map(|n| option(n.map(i128::from))));
        words.join(",")
    }

    pub(crate) fn from_words(words: &str) -> Self {
        let words: Vec<&str> = words.split(',').collect();
        let number = |n: usize| words[n].parse().ok();
        let tokens = std::array::from_fn(|kind| number(6 + kind));
        Self {
            model: words[0].parse().unwrap(),
            tenant: words[1].parse().unwrap(),
            at: words[2].parse().ok(),
            outcome: words[3].parse().unwrap(),
            streamed: words[4] == "true",
            estimated: words[5] == "true",
            tokens,
            cost: number(12),
            latency: number(13),
            ttft: number(14),
        }
    }
}

/// A moment as days and hours from [`NOON`], where that is shorter.
pub(crate) fn show_moment(nanos: i128) -> String {
    match nanos - NOON {
        0 => "noon".to_owned(),
        off if off % DAY == 0 => format!("noon{:+}d", off / DAY),
        off if off % HOUR == 0 => format!("noon{:+}h", off / HOUR),
        off if (off + 1) % HOUR == 0 => format!("noon{:+}h-1ns", (off + 1) / HOUR),
        _ => format!("{nanos}ns"),
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (provider, model) = MODELS[self.model];
        write!(f, "{:?}", format!("{provider}/{model}"))?;
        if let Some(tenant) = TENANTS[self.tenant] {
            write!(f, " tenant {tenant:?}")?;
        }
        match self.at {
            Some(at) => write!(f, " at {}", show_moment(at))?,
            None => write!(f, " at the clock")?,
        }
        if self.outcome != 0 {
            write!(f, " {}", Outcome::ALL[self.outcome].name())?;
        }
        for (what, is_so) in [("streamed", self.streamed), ("estimated", self.estimated)] {
            if is_so {
                write!(f, " {what}")?;
            }
        }
        for (kind, tokens) in TokenKind::ALL.into_iter().zip(self.tokens) {
            if let Some(tokens) = tokens {
                write!(f, " {} {tokens}", kind.name())?;
            }
        }
        for (what, value) in [
            ("cost", self.cost),
            ("latency us", self.latency),
            ("first token us", self.ttft),
        ] {
            if let Some(value) = value {
                write!(f, " {what} {value}")?;
            }
        }
        Ok(())
    }
}
