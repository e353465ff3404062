//! The command line: see `starling help`.
#![allow(clippy::print_stdout, reason = "a command line program answers on standard output")]

mod commands;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

/// Video that viewers pass on to each other.
#[derive(Debug, Parser)]
#[command(name = "starling", version, propagate_version = true)]
struct Cli {
    /// How to log, on standard error; RUST_LOG chooses what
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    log: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    /// Lines for a person
    Text,
    /// One JSON object per line
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the page, media and the signaling server on one port
    Serve(commands::serve::Args),
    /// Keep the page of this program as blocks, so that others can hand it on, and print what it is called
    Page(commands::page::Args),
    /// Relay between peers whose networks let no direct path through (TURN)
    Relay(commands::relay::Args),
    /// Sign what the segments of an HLS stream must be, so that viewers can pass them on
    Publish(commands::publish::Args),
    /// Make the demo video, or play it out as a live stream; or a market, or a community, to try
    Demo(commands::demo::Args),
    /// Keep a file or folder as blocks, and print what it is called
    Add(commands::add::Args),
    /// Get a file or folder: from peers by its link, from gateways or the block store by its CID
    Get(commands::get::Args),
    /// Share a file or folder: give it to whoever has the link, until stopped
    Seed(commands::seed::Args),
    /// Pay viewers of a video who upload, out of a pool on a ledger
    Fund(commands::fund::Args),
    /// Blocks in one file (CARv1), out of the block store and into it
    Car(commands::car::Args),
    /// What is pinned: it stays when room is made
    Pins(commands::store::Pins),
    /// Keep what is in the block store, or will be
    Pin(commands::store::PinOne),
    /// Let go of what was pinned or added; it stays until room is made
    Unpin(commands::store::Unpin),
    /// How much the block store holds, or what is in a folder of it
    Ls(commands::store::Ls),
    /// Remove something that is not pinned from the block store
    Rm(commands::store::Rm),
    /// Remove everything that is not pinned, or set how much may be held
    Gc(commands::store::Gc),
    /// Run a validator of a ledger, alone or among others
    Validator(commands::validator::Args),
    /// Make and show keys: a person's, or those of a new network
    Keys(commands::keys::Args),
    /// Pay and ask on a ledger
    Ledger(commands::ledger::Args),
    /// Report prices to a feed of a ledger, signed, from a file or a command
    Report(commands::report::Args),
    /// List positions of a ledger's markets that may be liquidated, or liquidate them
    Liquidate(commands::liquidate::Args),
    /// Issue, hold, show and check credentials; give somebody the key of a document
    Id(commands::id::Args),
    /// Say what is in a file of meter readings, or be a live meter of a community that tells it
    Meter(commands::meter::Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    log(cli.log);
    let result = match cli.command {
        Command::Serve(args) => commands::serve::run(args).await,
        Command::Page(args) => commands::page::run(args).await,
        Command::Relay(args) => commands::relay::run(args).await,
        Command::Publish(args) => commands::publish::run(args).await,
        Command::Demo(args) => commands::demo::run(args).await,
        Command::Add(args) => commands::add::run(args).await,
        Command::Get(args) => commands::get::run(args).await,
        Command::Seed(args) => commands::seed::run(args).await,
        Command::Fund(args) => commands::fund::run(args).await,
        Command::Car(args) => commands::car::run(args).await,
        Command::Pins(args) => commands::store::pins(args).await,
        Command::Pin(args) => commands::store::pin(args).await,
        Command::Unpin(args) => commands::store::unpin(args).await,
        Command::Ls(args) => commands::store::ls(args).await,
        Command::Rm(args) => commands::store::rm(args).await,
        Command::Gc(args) => commands::store::gc(args).await,
        Command::Validator(args) => commands::validator::run(args).await,
        Command::Keys(args) => commands::keys::run(args),
        Command::Ledger(args) => commands::ledger::run(args).await,
        Command::Report(args) => commands::report::run(args).await,
        Command::Liquidate(args) => commands::liquidate::run(args).await,
        Command::Id(args) => commands::id::run(args).await,
        Command::Meter(args) => commands::meter::run(args).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(problem.exit_code)
        }
    }
}

/// What is logged where `RUST_LOG` says nothing: the ledger's engine tells every step of every block, and
/// WebRTC every address that did not work; what matters of it, the peer says.
const LOGGED: &str = "info,commonware=warn,rtc=off,webrtc=off";

fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().init(),
    }
}
