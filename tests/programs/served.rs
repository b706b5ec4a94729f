//! The writer's own side: a recorder that does what it is told.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::{panic, process};

use quipu::{ModelId, Reader, Recorder, Snapshot, Stats, UsageRecord};

use crate::call::Call;
use crate::check::View;
use crate::common::PATIENCE;
use crate::common::child;
use crate::program::{Limits, Pace, builder};
use crate::writer::{STATS, read_frame, write_frame};

/// Does what the parent says, until it has gone.
pub(crate) fn serve() {
    let Some((place, _)) = child::assignment() else {
        return;
    };
    // The consumer would begin again after a panic; here none is foreseen.
    panic::set_hook(Box::new(|panic| {
        eprintln!("{panic}");
        process::abort();
    }));
    let mut socket = UnixStream::connect(place.join("socket")).unwrap();
    let mut served = Served::default();
    // Until the parent has gone.
    while let Ok(request) = read_frame(&mut socket) {
        let (what, with) = request.split_once(' ').unwrap_or((&request, ""));
        let answer = served.answer(what, with);
        if write_frame(&mut socket, &answer).is_err() {
            break;
        }
    }
}

#[derive(Debug, Default)]
struct Served {
    store: PathBuf,
    recorder: Option<Recorder>,
    prepared: Vec<UsageRecord>,
}

impl Served {
    fn answer(&mut self, what: &str, with: &str) -> String {
        match what {
            "clock" => {
                set_clock(with.parse().unwrap());
                return "set".to_owned();
            }
            "open" => return self.open(with),
            "drop" => {
                self.recorder = None;
                return "dropped".to_owned();
            }
            _ => {}
        }
        let recorder = self.recorder.as_ref().unwrap();
        let calls = || with.split_whitespace().map(Call::from_words);
        let records = || {
            calls()
                .map(|call| call.record(recorder))
                .collect::<Vec<_>>()
        };
        match what {
            "prepare" => {
                self.prepared = records();
                "prepared".to_owned()
            }
            "go" => recorder.record_batch(&self.prepared).to_string(),
            "record" => {
                let taken = calls().filter(|call| recorder.record(call.record(recorder)).is_ok());
                taken.count().to_string()
            }
            "wait" => {
                let wait = |call: &Call| recorder.record_timeout(call.record(recorder), PATIENCE);
                calls()
                    .filter(|call| wait(call).is_ok())
                    .count()
                    .to_string()
            }
            "batch" => recorder.record_batch(&records()).to_string(),
            "late" => late(recorder, with.parse().unwrap()),
            "flush" => outcome(recorder.flush(PATIENCE)),
            "stats" => stats(&recorder.stats()),
            "close" => outcome(recorder.close(PATIENCE)),
            "recorder" => view(&recorder.snapshot()),
            "inside" => match Reader::open(&self.store).map(|reader| reader.snapshot()) {
                Ok(Ok(snapshot)) => view(&snapshot),
                other => format!("{other:?}"),
            },
            other => panic!("{other}?"),
        }
    }

    fn open(&mut self, with: &str) -> String {
        let mut words = with.splitn(12, ' ');
        let mut number = || words.next().unwrap().parse::<usize>().unwrap();
        let hourly = number() == 1;
        let pace = Pace {
            shards: number(),
            slots: number(),
            flush_millis: number() as u64,
            flush_records: number() as u64,
            checkpoints: number() == 1,
        };
        let limits = Limits {
            rows: number(),
            buckets: number(),
            models: number(),
            tenants: number(),
            name_len: number(),
        };
        let place = PathBuf::from(words.next().unwrap());
        self.store = place.join("usage.quipu");
        let builder = builder(hourly, pace, limits).ring_dir(place.join("ring"));
        match builder.open(&self.store) {
            Ok(recorder) if recorder.set_aside().is_empty() => {
                self.recorder = Some(recorder);
                "opened".to_owned()
            }
            Ok(recorder) => format!("set aside: {:?}", recorder.set_aside()),
            Err(error) => error.to_string(),
        }
    }
}

/// Calls that come after the close; gives how many were accepted.
fn late(recorder: &Recorder, calls: u64) -> String {
    let usage = UsageRecord::new(ModelId::OTHER);
    let accepted = (0..calls).filter(|n| match n % 3 {
        0 => recorder.record(usage).is_ok(),
        1 => recorder.record_batch(&[usage]) == 1,
        _ => recorder.record_timeout(usage, PATIENCE).is_ok(),
    });
    assert!(recorder.model("p", "m").is_err() && recorder.flush(PATIENCE).is_err());
    accepted.count().to_string()
}

fn stats(stats: &Stats) -> String {
    let numbers: [u64; STATS.len()] = [
        stats.attempted,
        stats.accepted,
        stats.rejected,
        stats.rejected_full,
        stats.rejected_closed,
        stats.in_ring,
        stats.committed,
        stats.lost,
        stats.holes,
        stats.rings_lost,
        stats.names_refused,
        stats.models,
        stats.tenants,
        stats.generation,
    ];
    assert_eq!(stats.degraded, None);
    numbers.map(|n| n.to_string()).join(" ")
}

fn outcome<T, E: std::fmt::Display>(result: Result<T, E>) -> String {
    result.map_or_else(|error| error.to_string(), |_| "done".to_owned())
}

fn view(snapshot: &Snapshot) -> String {
    let view = View::of(snapshot);
    format!("{} {}\n{}", view.generation, view.requests, view.text)
}

#[cfg(feature = "__fault-points")]
fn set_clock(nanos: u64) {
    quipu::fault::set_clock(nanos);
}

#[cfg(not(feature = "__fault-points"))]
fn set_clock(_: u64) {}
