//! `starling serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use starling::publish::Step;
use starling::serve::{Config, MediaState, Progress, Server, from_here};
use starling::settings;

use super::progress::ProgressLine;
use super::{Problem, signals};

/// Options of `starling serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address and port to listen on [default: 127.0.0.1:8787]; more than once: all of them; port 0:
    /// any free one
    #[arg(long, value_name = "ADDR")]
    listen: Vec<SocketAddr>,
    /// Folder of the server's keys, its ledger, and the demo video [default: starling-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Settings (see --print-config)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder with an HLS stream to serve at /media/ instead of the demo; signed if it is not yet
    #[arg(long, value_name = "DIR")]
    media: Option<PathBuf>,
    /// A page to serve instead of the one in this program: the CID, or the link, of one in the block store
    #[arg(long, value_name = "CID|LINK")]
    page: Option<String>,
    /// Origin of streams nobody signed ("https://media.example"), whose segments this server fetches
    /// once to vouch for them, so that viewers may share them; "*": every origin at public addresses;
    /// more than once: all of them
    #[arg(long, value_name = "ORIGIN")]
    witness: Vec<String>,
    /// Let /ipfs/ fetch what the block store lacks from peers that give it as a public share
    #[arg(long)]
    gateway_swarm: bool,
    /// A host that runs the ledger ("https://a.example"): this server runs none, and hands /ledger/* on to it;
    /// more than once: to the next where one does not answer
    #[arg(long, value_name = "URL")]
    ledger_from: Vec<String>,
    /// The trust root that those hosts must name
    #[arg(long, value_name = "ROOT")]
    ledger_root: Option<String>,
    /// Print every setting with its default and end
    #[arg(long)]
    print_config: bool,
}

impl Args {
    fn config(self) -> Result<Config, Problem> {
        let mut config = match &self.config {
            Some(path) => settings::read(path)?,
            None => Config::default(),
        };
        if !self.listen.is_empty() {
            config.listen = self.listen;
        }
        config.signaling.witness.origins.extend(self.witness);
        config.gateway.swarm.enabled |= self.gateway_swarm;
        config.ledger.from.extend(self.ledger_from);
        config.ledger.root = self.ledger_root.or(config.ledger.root);
        config.data = self.data.unwrap_or(config.data);
        config.media = self.media.or(config.media);
        config.page = self.page.or(config.page);
        Ok(config)
    }
}

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    if args.print_config {
        print!("{}", Config::commented_default());
        return Ok(());
    }
    let mut stop = Box::pin(signals::stop());
    let server = Server::bind(args.config()?)?;
    // A person who stops the start must not wait for the encoder.
    let media = tokio::select! {
        media = prepare(&server) => media,
        () = &mut stop => return Ok(()),
    };
    tell(&media);
    let scheme = if server.is_tls() { "https" } else { "http" };
    let ready = |addresses: &[SocketAddr]| addresses.iter().for_each(|one| open_line(scheme, one));
    server.run(media, ready, stop).await?;
    Ok(())
}

async fn prepare(server: &Server) -> MediaState {
    let mut encoding = ProgressLine::new("making the demo video (once)");
    let mut signing = None;
    let mut show = |progress: Progress| match progress {
        Progress::Encoding(percent) => encoding.show(percent),
        Progress::Signing(Step::Rendition { .. }) => {
            signing = Some(ProgressLine::new("signing the segments"));
        }
        Progress::Signing(Step::Segment { number, of, .. }) => {
            if let Some(line) = &mut signing {
                line.show(percent(number, of));
            }
        }
    };
    server.prepare_media(&mut show).await
}

fn tell(media: &MediaState) {
    match media {
        MediaState::Signed { publisher } => tracing::info!(%publisher, "media are signed"),
        MediaState::Live(_) => tracing::info!("media are live and signed as they come"),
        MediaState::Unsigned(error) => tracing::warn!(
            "media are served without a manifest of this server's: {error}. {}",
            error.remedy()
        ),
        MediaState::NoDemo(error) => tracing::warn!("no demo video: {error}. {}", error.remedy()),
    }
}

/// Where a browser of this machine finds the server.
fn open_line(scheme: &str, address: &SocketAddr) {
    println!("open {scheme}://{}/", from_here(*address));
}

pub(super) fn percent(number: usize, of: usize) -> u32 {
    u32::try_from(number * 100 / of.max(1)).unwrap_or(100)
}
