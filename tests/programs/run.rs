//! Runs a program on a real store, with the writer in a process of its own,
//! and compares what everybody sees with the model after each step.

use quipu::Reader;

use crate::call::{CLOCK_STANDS, Call, NOON};
use crate::check::{Checked, Seen, View, ensure};
use crate::common::by_the_page::Store;
use crate::common::image::Image;
use crate::common::{Place, files_in};
use crate::model::Model;
use crate::program::{Eye, Pace, Program, Step};
use crate::writer::{STATS, Writer};

#[derive(Debug)]
struct Run {
    place: Place,
    pace: Pace,
    /// `None` while nobody writes.
    writer: Option<Writer>,
    model: Model,
    /// Calls that are committed for sure.
    committed: usize,
    rejected_full: u64,
    rejected_closed: u64,
    /// As many of the names and calls that were refused are in the store for
    /// sure: those since the last commit may be forgotten by a kill.
    kept_refusals: [u64; 2],
    holes: u64,
    /// There from the first opening on.
    outside: Option<Reader>,
    seen: Seen,
}

/// Runs a program; gives what is wrong after which step, in words.
pub(crate) fn run(program: &Program) -> Checked {
    let mut run = Run {
        place: Place::new(),
        pace: program.pace,
        writer: None,
        model: Model::new(program.limits, program.hourly, NOON),
        committed: 0,
        rejected_full: 0,
        rejected_closed: 0,
        kept_refusals: [0; 2],
        holes: 0,
        outside: None,
        seen: Seen::default(),
    };
    run.open(program.pace)
        .map_err(|wrong| format!("at the creation: {wrong}"))?;
    for (n, step) in program.steps.iter().enumerate() {
        run.step(step)
            .and_then(|()| run.balance())
            .map_err(|wrong| format!("at step {}: {wrong}", n + 1))?;
    }
    run.flush()
        .and_then(|()| run.close(0))
        .map_err(|wrong| format!("at the end: {wrong}"))
}

impl Run {
    fn step(&mut self, step: &Step) -> Checked {
        match step {
            Step::Record(call) => self.offer("record", std::slice::from_ref(call)),
            Step::Wait(call) => self.offer("wait", std::slice::from_ref(call)),
            Step::Batch(calls) => self.offer("batch", calls),
            Step::Flush => self.flush(),
            Step::Look(eye) => self.look(*eye),
            Step::Clock(now) => {
                // What is drained has its bucket. The second one sees to it
                // that nobody goes on who looked at the clock before.
                self.flush()?;
                self.model.clock = *now;
                self.tell_time()?;
                self.flush()
            }
            Step::Close(late, pace, limits) => {
                self.close(*late)?;
                self.model.limit(*limits);
                self.open(*pace)
            }
            Step::Drop(pace, limits) => {
                self.writer().expect("drop", "dropped")?;
                self.is_at_rest()?;
                self.model.limit(*limits);
                self.open(*pace)
            }
            Step::Kill(unanswered, pace) => self.kill(unanswered, *pace),
        }
    }

    /// Opens, or creates, the store.
    fn open(&mut self, pace: Pace) -> Checked {
        if self.writer.is_none() {
            self.writer = Some(Writer::start(self.place.path()));
        }
        self.tell_time()?;
        self.pace = pace;
        let place = self.place.path().to_owned();
        let (hourly, limits) = (self.model.hourly, self.model.limits);
        self.writer().open(&place, hourly, pace, limits)?;
        if self.outside.is_none() {
            self.outside = Some(self.reader()?);
        }
        // All that was on a ring is committed by now.
        self.committed = self.model.accepted.len();
        Ok(())
    }

    fn offer(&mut self, how: &str, calls: &[Call]) -> Checked {
        let accepted = self.writer().offer(how, calls)?;
        let mut named: Vec<_> = calls.iter().map(|call| self.model.name(call)).collect();
        let refused = named.split_off(accepted).len();
        ensure!(how != "wait" || refused == 0, "refused after a wait");
        self.rejected_full += refused as u64;
        self.model.accepted.append(&mut named);
        Ok(())
    }

    fn flush(&mut self) -> Checked {
        self.writer().expect("flush", "done")?;
        self.committed = self.model.accepted.len();
        self.balance()?;
        self.look(Eye::Recorder)?;
        self.look(Eye::Outside)
    }

    fn close(&mut self, late: u64) -> Checked {
        self.writer().expect("close", "done")?;
        self.committed = self.model.accepted.len();
        self.writer().expect(&format!("late {late}"), "0")?;
        self.rejected_closed = late;
        self.balance()?;
        // Nobody is left who could commit them.
        self.rejected_closed = 0;
        self.look(Eye::Recorder)?;
        self.is_at_rest()
    }

    /// Nobody writes any more, and the last who did ended well.
    fn is_at_rest(&mut self) -> Checked {
        self.committed = self.model.accepted.len();
        self.kept_refusals = [self.rejected_full, self.model.names_refused];
        let rings = files_in(&self.place.ring_dir());
        ensure!(rings.is_empty(), "left behind: {rings:?}");
        self.is_sound()?;
        self.look(Eye::Fresh)?;
        let by_the_page = Store::read(Image::read(&self.place.aggregate()));
        let (found, seen) = (by_the_page.counts.to_string(), self.fresh_view()?.text);
        ensure!(
            found == seen,
            "by the page it is\n{found}and seen is\n{seen}"
        );
        Ok(())
    }

    fn kill(&mut self, unanswered: &[Call], pace: Pace) -> Checked {
        let (held, holes) = (self.model.accepted.len(), self.holes);
        for call in unanswered {
            let named = self.model.name(call);
            self.model.accepted.push(named);
        }
        if let Some(writer) = self.writer.take() {
            writer.kill_in(unanswered)?;
        }
        self.is_sound()?;
        self.look(Eye::Outside)?;
        self.look(Eye::Fresh)?;
        let seen = self.fresh_view()?.requests;
        self.open(pace)?;

        // Of those that were not answered some were accepted, from the first on.
        let stats = self.stats()?;
        let counted = stats("committed") as usize;
        let least = held.max(seen);
        let most = self.model.accepted.len();
        ensure!(
            (least..=most).contains(&counted),
            "{counted} counted, of {least} at least and {most} at most"
        );
        self.model.accepted.truncate(counted);
        self.committed = counted;
        let refused = (most - counted) as u64;
        self.holes = stats("holes");
        ensure!(
            (holes..=holes + refused).contains(&self.holes),
            "{} holes, after {holes} and {refused} that are not there",
            self.holes
        );
        let found = [stats("rejected_full"), stats("names_refused")];
        let most = [self.rejected_full + refused, self.model.names_refused];
        let kept = self.kept_refusals;
        ensure!(
            (0..2).all(|n| (kept[n]..=most[n]).contains(&found[n])),
            "{found:?} refused (calls, names), not from {kept:?} to {most:?}"
        );
        [self.rejected_full, self.model.names_refused] = found;
        Ok(())
    }

    fn tell_time(&mut self) -> Checked {
        if CLOCK_STANDS {
            let request = format!("clock {}", self.model.clock);
            self.writer().expect(&request, "set")?;
        }
        Ok(())
    }

    fn writer(&mut self) -> &mut Writer {
        self.writer.as_mut().unwrap()
    }

    fn reader(&self) -> Result<Reader, String> {
        Reader::open(self.place.store()).map_err(words)
    }

    fn fresh_view(&self) -> Result<View, String> {
        view(&self.reader()?)
    }

    fn is_sound(&self) -> Checked {
        let found = quipu::verify(self.place.store()).map_err(words)?;
        ensure!(found.is_sound(), "{:?}", found.problems);
        Ok(())
    }

    fn look(&mut self, eye: Eye) -> Checked {
        let view = match (eye, &self.outside) {
            (Eye::Recorder, _) => self.writer().look("recorder")?,
            (Eye::Inside, _) => self.writer().look("inside")?,
            (Eye::Outside, Some(reader)) => view(reader)?,
            (Eye::Outside | Eye::Fresh, _) => self.fresh_view()?,
        };
        let (n, accepted) = (view.requests, self.model.accepted.len());
        ensure!(
            (self.committed..=accepted).contains(&n),
            "{eye:?} sees {n} calls, of {} at least and {accepted} at most",
            self.committed
        );
        // With one shard they are committed in the order they came in.
        let is_sequential = self.pace.shards == 1 || n == accepted;
        let seen = self.seen.look(eye, &view, &self.model, is_sequential);
        seen.map_err(|wrong| format!("{eye:?}: {wrong}"))
    }

    fn stats(&mut self) -> Result<impl Fn(&str) -> u64 + use<>, String> {
        let stats = self.writer().stats()?;
        Ok(move |name: &str| stats[STATS.iter().position(|known| *known == name).unwrap()])
    }

    /// What the recorder says of itself adds up (I1), and is what happened.
    fn balance(&mut self) -> Checked {
        let stats = self.stats()?;
        let accepted = self.model.accepted.len() as u64;
        let rejected = self.rejected_full + self.rejected_closed;
        let committed = stats("committed");
        ensure!(
            (self.committed as u64..=accepted).contains(&committed),
            "{committed} of {accepted} committed, after {}",
            self.committed
        );
        for (name, expected) in [
            ("accepted", accepted),
            ("in_ring", accepted - committed),
            ("rejected_full", self.rejected_full),
            ("rejected_closed", self.rejected_closed),
            ("rejected", rejected),
            ("attempted", accepted + rejected),
            ("lost", 0),
            ("rings_lost", 0),
            ("holes", self.holes),
            ("names_refused", self.model.names_refused),
            ("models", self.model.models()),
            ("tenants", self.model.tenants()),
        ] {
            let found = stats(name);
            ensure!(found == expected, "{name} is {found} and not {expected}");
        }
        Ok(())
    }
}

fn view(reader: &Reader) -> Result<View, String> {
    let snapshot = reader.snapshot().map_err(words)?;
    Ok(View::of(&snapshot))
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
