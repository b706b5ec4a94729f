//! The process that is killed: a recorder with several producers.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use quipu::{ModelId, Recorder, TenantId, UsageRecord, fault};
use rustix::process::{Signal, getpid, kill_process, set_parent_process_death_signal};

use crate::args::Assignment;
use crate::child::{DONE, OPENED};
use crate::marks::mark;
use crate::notes::Notes;
use crate::plan::{Death, Plan, Producer, Style};
use crate::{points, settings};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How long a producer tries to get rid of a record.
const PATIENCE: Duration = Duration::from_secs(30);

/// Records as the plan says, and waits to be killed.
pub(crate) fn run(assignment: &Assignment) -> ExitCode {
    match work(assignment) {
        Ok(()) => loop {
            thread::park();
        },
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn work(assignment: &Assignment) -> Outcome<()> {
    // Nobody is left behind when the one who kills is killed.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let Assignment {
        place,
        seed,
        kill,
        point,
    } = assignment;
    let point = point.as_deref().and_then(points::find);
    let plan = Arc::new(Plan::new(*seed, *kill, point));
    if let Death::AtPoint { point, nth } = plan.death {
        die_at(point, nth);
    }
    let recorder = settings::builder(place, &plan).open(settings::store(place))?;
    say(OPENED)?;
    let threads: Vec<_> = (0..plan.producers.len())
        .map(|number| {
            let (recorder, plan, place) = (recorder.clone(), Arc::clone(&plan), place.clone());
            let name = format!("kill {kill}");
            thread::spawn(move || {
                Recording::begin(&recorder, &plan, &place, number, &name)?.go_on()
            })
        })
        .collect();
    for thread in threads {
        thread.join().map_err(|_| "a producer panicked")??;
    }
    if plan.closes {
        recorder.close(PATIENCE)?;
    } else if plan.flushes() {
        recorder.flush(PATIENCE)?;
    }
    say(DONE)?;
    // Dropping it would close it.
    std::mem::forget(recorder);
    Ok(())
}

/// Dies when somebody comes by the point for the n-th time.
fn die_at(point: &'static str, nth: u64) {
    let left = std::sync::Mutex::new(nth);
    fault::set_point_hook(Some(Arc::new(move |name| {
        if name != point {
            return;
        }
        let Ok(mut left) = left.lock() else { return };
        *left = left.saturating_sub(1);
        if *left == 0 {
            // Does not return.
            let _ = kill_process(getpid(), Signal::KILL);
        }
    })));
}

fn say(what: u8) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(&[what])?;
    stdout.flush()
}

/// One producer at work.
struct Recording<'a> {
    recorder: &'a Recorder,
    plan: &'a Plan,
    number: u64,
    producer: Producer,
    models: Vec<ModelId>,
    tenant: TenantId,
    notes: Notes,
    next: u64,
    batch: Vec<UsageRecord>,
}

impl<'a> Recording<'a> {
    fn begin(
        recorder: &'a Recorder,
        plan: &'a Plan,
        place: &Path,
        number: usize,
        name: &str,
    ) -> Outcome<Self> {
        let models: Result<_, _> = (0..plan.models)
            .map(|n| recorder.model("provider", &format!("model {n}")))
            .collect();
        let producer = plan.producers[number];
        let number = number as u64;
        let (notes, next) = Notes::go_on(place, number)?;
        Ok(Self {
            recorder,
            plan,
            number,
            producer,
            models: models?,
            tenant: recorder.tenant(&format!("producer {number}, {name}"))?,
            notes,
            next,
            batch: Vec::new(),
        })
    }

    fn go_on(mut self) -> Outcome<()> {
        let end = self.next + self.producer.budget;
        while self.next < end {
            let group = self.next..end.min(self.next + self.producer.group);
            self.notes.offer(&group)?;
            match self.producer.style {
                Style::Single => self.singly(group.start, group.end)?,
                Style::Wait => self.waiting(group.start, group.end)?,
                Style::Batch(len) => self.in_batches(group.start, group.end, len)?,
            }
            self.notes.accept(&group)?;
            self.next = group.end;
        }
        Ok(())
    }

    fn singly(&self, first: u64, end: u64) -> Outcome<()> {
        for n in first..end {
            let usage = self.usage(n);
            if self.recorder.record(usage).is_err() {
                self.recorder.record_timeout(usage, PATIENCE)?;
            }
        }
        Ok(())
    }

    fn waiting(&self, first: u64, end: u64) -> Outcome<()> {
        for n in first..end {
            self.recorder.record_timeout(self.usage(n), PATIENCE)?;
        }
        Ok(())
    }

    fn in_batches(&mut self, first: u64, end: u64, len: u64) -> Outcome<()> {
        let mut next = first;
        let mut last_success = Instant::now();
        while next < end {
            let mut batch = std::mem::take(&mut self.batch);
            batch.clear();
            batch.extend((next..end.min(next + len)).map(|n| self.usage(n)));
            let accepted = self.recorder.record_batch(&batch) as u64;
            self.batch = batch;
            next += accepted;
            if accepted > 0 {
                last_success = Instant::now();
            } else if last_success.elapsed() > PATIENCE {
                return Err("the ring stays full".into());
            } else {
                thread::yield_now();
            }
        }
        Ok(())
    }

    fn usage(&self, n: u64) -> UsageRecord {
        let model = self.models[(n % self.plan.models) as usize];
        let usage = UsageRecord::new(model).tenant(self.tenant);
        mark(usage, self.plan.store.width, self.number, n)
    }
}
