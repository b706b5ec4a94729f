//! `quipu-gateway run`: the reference gateway.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgGroup, Args};
use http::Uri;
use hyper_util::service::TowerToHyperService;
use quipu::{Durability, Recorder};
use quipu_gateway::prices::{PriceBook, Pricer};
use tokio::runtime::Builder;

use super::error::{CommandError, say};
use crate::proxy::{Config, Gateway, PriceLists, Routes, keep_fresh, keep_telling, pages};
use crate::serve::{Ended, Hangups, Limits, Server, Signals};

const EXAMPLES: &str = "\
Examples:
  quipu-gateway run --upstream https://api.openai.com --store usage.quipu
  quipu-gateway run gateway.toml
  curl localhost:8400/usage?by=day,model

A configuration, with what it is where a line is left out:
  listen = \"127.0.0.1:8400\"      # where clients call
  #admin = \"127.0.0.1:8401\"      # /usage, /metrics, /healthz; else where clients call
  store = \"usage.quipu\"          # made where there is none
  tenant = [{ key_hash = true }]   # else none
  [prices]                       # else calls are unpriced
  litellm = \"model_prices_and_context_window.json\"
  [[route]]                      # one or more, the longest path goes first
  path = \"/v1/messages\"
  upstream = \"https://api.anthropic.com\"
  provider = \"anthropic\"         # else told by host, path and answer
  key_env = \"ANTHROPIC_API_KEY\"  # else the client's own key is sent

docs/gateway.md has all of them. SIGHUP reads the price lists again.";

/// Time to commit what was counted, at the end.
const CLOSE: Duration = Duration::from_secs(60);

/// Passes model calls on to their providers, and counts them.
///
/// Prints `listening on http://ADDRESS` when it can be called. At SIGINT or
/// SIGTERM it accepts no more, lets running answers end, and commits; a second
/// signal breaks off what still runs, and counts it as cancelled.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[command(group = ArgGroup::new("where").required(true).args(["config", "upstream"]))]
pub(super) struct RunArgs {
    /// The configuration; else --upstream
    #[arg(value_name = "CONFIG")]
    config: Option<PathBuf>,

    /// Where all requests go, in place of a configuration
    #[arg(long, value_name = "URL")]
    upstream: Option<Uri>,

    /// Where to listen; port 0 takes any that is free
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,

    /// The directory of the store
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
}

pub(super) fn run(args: RunArgs) -> Result<(), CommandError> {
    let config = match (&args.config, args.upstream) {
        (Some(path), _) => Config::read(path),
        (None, upstream) => Config::of_upstream(upstream.unwrap_or_default()),
    };
    let mut config = config.map_err(CommandError::Config)?;
    config.listen = args.listen.unwrap_or(config.listen);
    config.store = args.store.unwrap_or(config.store);

    let routes = Routes::new(&config).map_err(CommandError::Config)?;
    let prices = match config.prices.files() {
        None => None,
        Some(files) => {
            let table = files.load().map_err(CommandError::Prices)?;
            let book = Arc::new(PriceBook::new(table));
            Some(Arc::new(PriceLists::new(files, book)))
        }
    };
    let recorder = open(&config, prices.as_deref())?;
    for aside in recorder.set_aside() {
        say(&format!(
            "{:?} was set aside as {:?}: {}",
            aside.original, aside.path, aside.reason
        ));
    }
    let gateway = Gateway {
        recorder: recorder.clone(),
        prices: prices.clone(),
        metrics_by_tenant: config.metrics_by_tenant,
    };
    let mut runtime = Builder::new_multi_thread();
    let runtime = runtime.enable_all().build().map_err(CommandError::Start)?;
    let served = runtime.block_on(async {
        // Taken over from the system's default, which is to die, also where
        // there is nothing to read again.
        let hangups = Hangups::new().map_err(CommandError::Start)?;
        if let Some(lists) = prices {
            let every = config.prices.reload();
            tokio::spawn(keep_fresh(lists, every, hangups, |what| say(&what)));
        }
        tokio::spawn(keep_telling(gateway.recorder.clone(), |what| say(&what)));
        serve(&config, routes, gateway).await
    });
    // Ends all tasks, and with them the calls that are still under way.
    runtime.shutdown_timeout(Duration::from_secs(1));
    let closed = recorder.close(CLOSE).map_err(CommandError::Close);
    if let Ended::CutOff(connections) = served? {
        say(&format!("broke off {connections} connections"));
    }
    closed.map(|_| ())
}

fn open(config: &Config, prices: Option<&PriceLists>) -> Result<Recorder, CommandError> {
    let mut builder = Recorder::builder();
    if config.hours {
        builder = builder.bucket(quipu::Bucket::Hour);
    }
    if let Some(seconds) = config.checkpoint_seconds {
        builder = builder.durability(Durability::Checkpoint(Duration::from_secs(seconds)));
    }
    if let Some(models) = config.max_models {
        builder = builder.max_models(models);
    }
    if let Some(dir) = &config.ring_dir {
        builder = builder.ring_dir(dir);
    }
    if let Some(tenants) = config.max_tenants {
        builder = builder.max_tenants(tenants);
    }
    if let Some(lists) = prices {
        builder = builder.price_with(Pricer::new(Arc::clone(lists.book())));
    }
    builder.open(&config.store).map_err(CommandError::Store)
}

async fn bind(address: SocketAddr, config: &Config) -> Result<Server, CommandError> {
    let limits = Limits {
        header_bytes: config.max_header_bytes,
        idle_time: Duration::from_secs(config.idle_seconds),
        connections: config.connections,
        grace: Duration::from_secs(config.grace_seconds),
        ..Limits::default()
    };
    let server = Server::bind(address, limits).await;
    server.map_err(|source| CommandError::Listen { address, source })
}

async fn serve(config: &Config, routes: Routes, gateway: Gateway) -> Result<Ended, CommandError> {
    let signals = Signals::new().map_err(CommandError::Start)?;
    let service = gateway.service(config, routes);
    let service = service.map_err(CommandError::Certificates)?;
    let server = bind(config.listen, config).await?;
    let admin = match config.admin {
        Some(admin) => Some(bind(admin, config).await?),
        None => None,
    };
    let mut out = io::stdout().lock();
    writeln!(out, "listening on http://{}", server.address())?;
    if let Some(server) = admin {
        writeln!(out, "usage and metrics on http://{}", server.address())?;
        let signals = Signals::new().map_err(CommandError::Start)?;
        let pages = TowerToHyperService::new(pages(gateway));
        tokio::spawn(server.run(pages, signals));
    }
    out.flush()?;
    drop(out);
    Ok(server.run(TowerToHyperService::new(service), signals).await)
}
