//! What is lost when the process is killed. A child records and stores how
//! many events it has recorded in a file of its own, after each; the parent
//! kills it and counts what the peer left on disk.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::event::mix;
use crate::peer::{Row, Setup};

const CHILD: &str = "QUIPU_PEERS_CHILD";
const DIR: &str = "QUIPU_PEERS_DIR";
const ACKNOWLEDGED: &str = "acknowledged";
/// Kills of a peer that has files.
const KILLS: u64 = 5;

/// What killed processes had acknowledged, and what was found.
#[derive(Debug)]
pub(crate) struct Loss {
    pub(crate) name: &'static str,
    pub(crate) recorded: u64,
    /// `None`: in memory only.
    pub(crate) found: Option<u64>,
    pub(crate) lost: u64,
    pub(crate) kills: u64,
}

pub(crate) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// In the child: records until it is killed.
pub(crate) fn run() -> ! {
    let name = std::env::var(CHILD).unwrap();
    let dir = std::env::var_os(DIR).unwrap();
    let dir = Path::new(&dir);
    let row = crate::rows().into_iter().find(|row| row.name == name);
    let peer = (row.unwrap().make)(&Setup {
        held: false,
        dir: dir.to_owned(),
    });
    let events = mix();
    let acknowledged = File::create(dir.join(ACKNOWLEDGED)).unwrap();
    let mut handle = peer.handle();
    let mut count = 0_u64;
    loop {
        for event in &events {
            handle.record(std::slice::from_ref(event));
            count += 1;
            acknowledged.write_all_at(&count.to_le_bytes(), 0).unwrap();
        }
    }
}

pub(crate) fn measure(rows: &[Row], quick: bool) -> Vec<Loss> {
    let alive = Duration::from_millis(if quick { 100 } else { 500 });
    let losses = rows.iter().map(|row| {
        // More kills find nothing else where nothing is on disk.
        let kills = if row.found.is_none() || quick {
            1
        } else {
            KILLS
        };
        let mut all = lose(row, alive);
        for _ in 1..kills {
            let loss = lose(row, alive);
            all.kills += 1;
            all.recorded += loss.recorded;
            all.lost += loss.lost;
            all.found = all.found.zip(loss.found).map(|(all, found)| all + found);
        }
        all
    });
    losses.collect()
}

fn lose(row: &Row, alive: Duration) -> Loss {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .env(CHILD, row.name)
        .env(DIR, dir.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let acknowledged = || {
        let bytes = fs::read(dir.path().join(ACKNOWLEDGED)).unwrap_or_default();
        bytes.try_into().map_or(0, u64::from_le_bytes)
    };
    let start = Instant::now();
    while acknowledged() == 0 {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "{} is stuck",
            row.name
        );
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(alive);
    child.kill().unwrap();
    child.wait().unwrap();
    let recorded = acknowledged();
    let found = row.found.map(|found| found(dir.path()));
    Loss {
        name: row.name,
        recorded,
        found,
        // The event in whose record it was killed may be there unacknowledged.
        lost: recorded.saturating_sub(found.unwrap_or(0)),
        kills: 1,
    }
}
