//! `starling demo`.

mod energy;
mod lending;

use std::path::{Path, PathBuf};

use starling::demo::{Live, PLAYLIST, Shape, make};
use starling::key_file;
use starling::publish::{Job, Source, Watch, whole};
use starling::serve::publisher_key;

use super::progress::ProgressLine;
use super::{Problem, signals};

/// Options of `starling demo`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Folder to write the stream to
    #[arg(long, value_name = "DIR", required = true)]
    out: Option<PathBuf>,
    /// Length of the video, in seconds
    #[arg(long, default_value_t = Shape::default().seconds, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Play it out as a live stream, without end, until stopped
    #[arg(long)]
    live: bool,
    /// With --live: the finished demo to play out; made if missing [default: the demo of --data]
    #[arg(long, value_name = "DIR", requires = "live")]
    from: Option<PathBuf>,
    /// With --live: segments in the playlist
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(3..=1000))]
    window: u32,
    /// Folder of the publisher's key
    #[arg(long, value_name = "DIR", default_value = "starling-data")]
    data: PathBuf,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make a market to try lending on: two assets, their prices, something to borrow
    Lending(lending::Args),
    /// Make a community to try energy on: twelve households, a sunny day and a cloudy one
    Energy(energy::Args),
}

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    match args.what {
        Some(What::Lending(args)) => lending::run(args).await,
        Some(What::Energy(args)) => energy::run(args).await,
        None => video(args).await,
    }
}

async fn video(args: Args) -> Result<(), Problem> {
    let out = args.out.expect("it is required where nothing else is asked for");
    let key = key_file::load_or_create(&publisher_key(&args.data))?.key;
    let job = |folder: &Path| Job {
        source: Source::folder(folder),
        playlist: Some(PLAYLIST.to_owned()),
        out: folder.to_owned(),
        key: key.clone(),
        replace: false,
    };
    if !args.live {
        make_if_missing(&out, args.seconds).await?;
        let report = whole(&job(&out), &mut |_| ()).await?;
        println!("made {}, signed by {}", out.join(PLAYLIST).display(), report.publisher);
        return Ok(());
    }
    let from = args.from.clone().unwrap_or_else(|| args.data.join("demo"));
    make_if_missing(&from, args.seconds).await?;
    let mut live = Live::start(&from, &out, args.window, chrono::Utc::now()).await?;
    let mut watch = Watch::start(job(&out)).await?;
    let mut stop = Box::pin(signals::stop());
    println!("live at {}, signed by {}", out.join(PLAYLIST).display(), key.id());
    let mut every = tokio::time::interval(live.segment_duration());
    every.tick().await;
    loop {
        tokio::select! {
            _ = every.tick() => {}
            () = &mut stop => return Ok(()),
        }
        live.advance().await?;
        watch.poll().await?;
    }
}

async fn make_if_missing(folder: &Path, seconds: u32) -> Result<(), Problem> {
    if folder.join(PLAYLIST).is_file() {
        return Ok(());
    }
    let mut line = ProgressLine::new("making the demo video");
    let shape = Shape { seconds, ..Shape::default() };
    make(folder, shape, &mut |percent| line.show(percent)).await?;
    Ok(())
}
