//! `starling publish`.

use std::path::{Path, PathBuf};

use serde_json::json;
use starling::key_file;
use starling::publish::{Job, POLL_EVERY, Report, Source, Step, Watch, whole};
use starling::serve::publisher_key;

use super::progress::ProgressLine;
use super::serve::percent;
use super::{Problem, signals};

/// Options of `starling publish`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder with the playlists and segments of an HLS stream, or the URL of its playlist
    source: String,
    /// The playlist viewers open, if there are several
    #[arg(long, value_name = "NAME")]
    playlist: Option<String>,
    /// The publisher's secret key; made if missing [default: publisher.key in the user's
    /// configuration folder]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Sign with the key of a server's data folder
    #[arg(long, value_name = "DIR", conflicts_with = "key")]
    data: Option<PathBuf>,
    /// Where to write the manifest; needed for a URL
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The stream is live: sign each new segment until stopped
    #[arg(long)]
    watch: bool,
    /// Replace a manifest that another key signed
    #[arg(long)]
    replace: bool,
    /// Print one JSON object per result
    #[arg(long)]
    json: bool,
}

impl Args {
    fn key_path(&self) -> Result<PathBuf, Problem> {
        if let Some(path) = &self.key {
            return Ok(path.clone());
        }
        if let Some(data) = &self.data {
            return Ok(publisher_key(data));
        }
        let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
        let config = config.or_else(|| std::env::home_dir().map(|home| home.join(".config")));
        Ok(config.ok_or_else(Problem::no_home)?.join("starling/publisher.key"))
    }

    fn job(&self) -> Result<Job, Problem> {
        let folder = Path::new(&self.source);
        let (source, own) = if folder.is_dir() {
            (Source::folder(folder), Some(folder.to_owned()))
        } else {
            (Source::web(&self.source)?, None)
        };
        let out = self.out.clone().or(own).ok_or_else(Problem::no_out)?;
        let path = self.key_path()?;
        let loaded = key_file::load_or_create(&path)?;
        if loaded.created {
            eprintln!("made a publisher's key: {}", path.display());
            eprintln!("  keep it: viewers who pinned it take nothing that another key signed");
        }
        let playlist = self.playlist.clone();
        Ok(Job { source, playlist, out, key: loaded.key, replace: self.replace })
    }
}

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    let result = if args.watch { watch(&args).await } else { once(&args).await };
    if let (Err(problem), true) = (&result, args.json) {
        let Problem { code, what, remedy, .. } = problem;
        println!("{}", json!({ "error": { "code": code, "what": what, "remedy": remedy } }));
    }
    result
}

async fn once(args: &Args) -> Result<(), Problem> {
    let mut line = ProgressLine::new("signing");
    let mut show = |step| match step {
        Step::Rendition { playlist, segments } => {
            eprintln!("{playlist}: {segments} segments");
            line = ProgressLine::new("signing");
        }
        Step::Segment { number, of, .. } => line.show(percent(number, of)),
    };
    let report = whole(&args.job()?, &mut show).await?;
    tell(&report, args.json);
    Ok(())
}

async fn watch(args: &Args) -> Result<(), Problem> {
    let mut watch = Watch::start(args.job()?).await?;
    let mut stop = Box::pin(signals::stop());
    tell(&watch.report(), args.json);
    let mut every = tokio::time::interval(POLL_EVERY);
    loop {
        tokio::select! {
            _ = every.tick() => {}
            () = &mut stop => return Ok(()),
        }
        let added = watch.poll().await?;
        for (track, index) in added.segments {
            if args.json {
                println!("{}", json!({ "track": track, "index": index }));
            } else {
                eprintln!("signed segment {index} of track {track}");
            }
        }
        if added.ended {
            eprintln!("the stream has ended; publish it again without --watch to keep it");
            return Ok(());
        }
    }
}

fn tell(report: &Report, as_json: bool) {
    if as_json {
        println!("{}", json!(report));
        return;
    }
    for rendition in &report.renditions {
        eprintln!(
            "track {}: {}, {} segments, {} bytes",
            rendition.track, rendition.playlist, rendition.segments, rendition.bytes
        );
    }
    println!("wrote {}", report.manifest.display());
    println!("publisher {}", report.publisher);
    println!("pin it in the page, so that nobody else's bytes are taken:");
    println!(
        "  <starling-player src=\".../{}\" publisher=\"{}\"></starling-player>",
        report.playlist, report.publisher
    );
}
