//! Runs it, and adds up.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use quipu::{Outcome, Reader, TokenKind, verify};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::calls::{BODY_BYTES, Client, Gateway, HEADER_BYTES};
use crate::cases::of_json;
use crate::client::{page, served_at_rest};
use crate::plan::{Manner, request};
use crate::server::{Server, command};
use crate::tally::{End, Tally};

const MODELS: u64 = 200;
const TENANTS: u64 = 200;

/// Bytes by which the gateway may grow in the second half, when it has seen
/// everything: allocators keep a little more from time to time.
const GROWTH: u64 = 24 << 20;

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) requests: u64,
    pub(crate) kills: u64,
    pub(crate) clients: u64,
    pub(crate) seed: u64,
}

/// What a client needs to go on.
#[derive(Debug)]
struct Shared {
    gateway: Gateway,
    next: AtomicU64,
    done: AtomicU64,
    tally: Tally,
}

pub(crate) fn run(settings: &Settings) {
    let begun = Instant::now();
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("usage.quipu");
    let mock = Server::mock(["--chunks", "4", "--output", "8"]);
    let config = configure(dir.path(), mock.address);
    let mut gateway = start(&config, &store);
    let shared = Arc::new(Shared {
        gateway: Gateway::at(gateway.address),
        next: AtomicU64::new(0),
        done: AtomicU64::new(0),
        tally: Tally::default(),
    });
    let mut halfway = 0;
    thread::scope(|scope| {
        let clients = scope.spawn(|| call(settings, &shared));
        // All kills are in the first half, so that the second shows the
        // memory of one process.
        let half = settings.requests / 2;
        for kill in 1..=settings.kills {
            wait_until_done(&shared, half * kill / (settings.kills + 1));
            gateway.kill();
            let found = verify(&store).unwrap();
            assert!(found.is_sound(), "{:?}", found.problems);
            gateway = start(&config, &store);
            shared.gateway.is_now_at(gateway.address);
        }
        wait_until_done(&shared, settings.requests * 3 / 4);
        halfway = gateway.memory();
        clients.join().unwrap();
    });
    let elapsed = begun.elapsed();
    let served = served_at_rest(&mock);
    let memory = gateway.memory();
    for path in ["/healthz", "/metrics", "/usage"] {
        assert_eq!(page(&gateway, path, &[]).status, 200);
    }
    assert!(gateway.end().success(), "{}", gateway.said());

    let tally = &shared.tally;
    println!("{settings:?} in {elapsed:.1?}");
    tally.print();
    println!(
        "  memory of the gateway: {} KiB, later {} KiB",
        halfway >> 10,
        memory >> 10
    );
    check(&store, tally, &served);
    let grown = memory.saturating_sub(halfway);
    assert!(grown < GROWTH, "{grown} bytes more");
}

fn configure(dir: &Path, mock: SocketAddr) -> PathBuf {
    let path = dir.join("gateway.toml");
    let text = format!(
        "admin = \"127.0.0.1:0\"\nmax_models = {MODELS}\nmax_tenants = {TENANTS}\n\
         max_header_bytes = {HEADER_BYTES}\nmax_body_bytes = {BODY_BYTES}\ngrace_seconds = 5\n\
         metrics_by_tenant = false\ntenant = [{{ header = \"x-tenant\" }}]\n\
         [[route]]\nupstream = \"http://{mock}\"\ntimeout_seconds = 20\n"
    );
    fs::write(&path, text).unwrap();
    path
}

fn start(config: &Path, store: &Path) -> Server {
    let mut gateway = command();
    gateway
        .args(["run", "--listen", "127.0.0.1:0", "--store"])
        .args([store, config]);
    Server::spawn(gateway, 2)
}

/// Waits, however long it takes: there is no telling how many were asked for.
/// A client that gets stuck says so itself.
fn wait_until_done(shared: &Shared, requests: u64) {
    while shared.done.load(Ordering::Relaxed) < requests {
        thread::sleep(Duration::from_millis(5));
    }
}

/// All clients, until every request was made.
fn call(settings: &Settings, shared: &Arc<Shared>) {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async {
        let (requests, seed) = (settings.requests, settings.seed);
        let mut clients = JoinSet::new();
        for _ in 0..settings.clients {
            let shared = Arc::clone(shared);
            clients.spawn(async move {
                let mut client = Client::default();
                loop {
                    let number = shared.next.fetch_add(1, Ordering::Relaxed);
                    if number >= requests {
                        break;
                    }
                    let request = request(seed, number);
                    client.call(&shared.gateway, &request, &shared.tally).await;
                    shared.done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        clients.join_all().await;
    });
}

/// Whatever became of them: counts lie between what clients had received and
/// what the mock was asked for.
fn check(store: &Path, tally: &Tally, served: &Value) {
    let found = verify(store).unwrap();
    assert!(found.is_sound(), "{:?}", found.problems);
    let reader = Reader::open(store).unwrap();
    let stats = reader.stats().unwrap();
    assert_eq!(stats.attempted, stats.accepted + stats.rejected);
    assert_eq!((stats.accepted, stats.in_ring), (stats.committed, 0));
    assert_eq!((stats.rejected, stats.lost, &stats.degraded), (0, 0, &None));
    assert!(
        stats.models <= MODELS + 1 && stats.tenants <= TENANTS + 2,
        "{stats:?}"
    );
    let snapshot = reader.snapshot().unwrap();
    let total = snapshot.total();
    assert_eq!(total.requests, stats.committed);

    assert_eq!(tally.count(|_, end| end == End::Stuck), 0);
    let whole = tally.count(|_, end| matches!(end, End::Whole(200)));
    let ok = total.outcome(Outcome::Ok);
    // Answers that were cut as if they were whole are no success, but for those
    // that nobody could tell.
    let untold = served["requests"]["truncated"].as_u64().unwrap();
    let broken = served["requests"]["broken"].as_u64().unwrap();
    assert!(ok + untold + broken >= whole, "{ok} counted of {whole}");

    let requests = &served["requests"];
    let ended = ["complete", "cancelled", "truncated", "broken", "resets"];
    let ended = ended.iter().map(|how| requests[how].as_u64().unwrap());
    let errors = requests["errors"].as_object().unwrap().values();
    let asked = ended.sum::<u64>() + errors.map(|it| it.as_u64().unwrap()).sum::<u64>();
    // Calls that may have ended before the mock heard of them.
    let unheard = tally.count(|manner, end| {
        let may_be = [Manner::LeavesEarly, Manner::BreaksOff, Manner::SendsTooMuch];
        may_be.contains(&manner) || end == End::Closed
    });
    assert!(
        total.requests <= asked + unheard,
        "{} counted, {asked} asked",
        total.requests
    );
    assert!(
        total.requests >= whole,
        "{} counted, {whole} received",
        total.requests
    );

    let of = |fate: &str| of_json(&served["tokens"][fate]);
    let (complete, cut) = (of("served"), of("cut"));
    for kind in TokenKind::ALL {
        let stated = complete[kind.index()] + cut[kind.index()];
        assert!(total.token(kind) <= stated, "{kind:?}: {total:?}, {served}");
    }
    let input = total.token(TokenKind::Input);
    assert!(
        input >= tally.input(),
        "{input} counted, {} received",
        tally.input()
    );
    println!(
        "  counted {} calls (received {whole}, the mock was asked {asked}), \
         input {input} (received {}, stated {}), replayed {}, rows {}, models {}, tenants {}",
        total.requests,
        tally.input(),
        complete[0] + cut[0],
        stats.replayed,
        stats.rows,
        stats.models,
        stats.tenants,
    );
}
