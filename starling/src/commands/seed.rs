//! `starling seed`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use content::share::ShareLink;
use peer_native::{Blocks, Server};
use serde_json::{Value, json};
use starling::content::{ContentError, FileStore, Options, add};
use starling::share::{
    Look, Made, MakeOptions, Seeding, ShareError, StoreBlocks, Taker, key_of, make,
};

use super::get::password;
use super::progress::{ProgressLine, TransferLine};
use super::{Problem, now_s, signals, told, units, waiting};

/// How often it is looked who takes what.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Options of `starling seed`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A file or folder to share; or a link or CID whose blocks are in the store, to give them again
    #[arg(value_name = "PATH|LINK|CID")]
    what: String,
    /// Who introduces peers, and whose page opens the link: "https://host"; a link names its own
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Do not seal it: everybody who knows its CID can read it, and it has the CID of `starling add`.
    /// A copy is kept in the block store
    #[arg(long, conflicts_with_all = ["password", "ends_in"])]
    public: bool,
    /// A password that the link needs besides; better in the variable STARLING_PASSWORD, which no other
    /// user sees
    #[arg(long)]
    password: Option<String>,
    /// When the share ends ("2h", "3d") [default: when nobody gives it any more]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    ends_in: Option<Duration>,
    /// Most bytes a second to all takers together [default: as much as the line takes]
    #[arg(long, value_name = "BYTES")]
    limit: Option<u64>,
    /// Connect through relays only
    #[arg(long)]
    relay_only: bool,
    #[command(flatten)]
    money: super::money::Earning,
    #[command(flatten)]
    fund: super::money::Funded,
    /// Folder that holds the block store
    #[arg(long, value_name = "DIR", default_value = "starling-data")]
    data: PathBuf,
    /// Print JSON: the link in one object, then who takes what line by line
    #[arg(long)]
    json: bool,
}

/// What is given.
struct Given {
    link: ShareLink,
    key: content::share::ShareKey,
    blocks: Arc<dyn Blocks>,
    /// What is told of it besides its link.
    about: Value,
}

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    let json = args.json;
    told(json, work(args).await.map_err(Problem::from))
}

async fn work(args: Args) -> Result<(), ShareError> {
    let known = known(&args.what)?;
    let server = server(&args, known.is_some())?;
    let (json, limit, relay_only) = (args.json, args.limit, args.relay_only);
    let (money, fund) = (args.money.options(&server)?, args.fund.options());
    // Nobody hears signals before the link is told: until then an interrupt just ends the process.
    let given = waiting(move || match known {
        Some(link) => again(&args, link),
        None if args.public => public(&args),
        None => sealed(&args),
    });
    let Given { link, key, blocks, about } = given.await?;
    let stop = signals::stop();
    tell_link(&server, &link, &about, json);
    let mut seeding = Seeding::start(server, relay_only, link, key, blocks, limit, money).await?;
    seeding.report_to(fund);
    give(seeding, json, stop).await
}

/// The server that was named, or the link's own.
fn server(args: &Args, is_link: bool) -> Result<Server, ShareError> {
    let own = (is_link && args.what.contains("://")).then_some(&args.what);
    let named = args.server.as_ref().or(own).ok_or(ShareError::NoServer)?;
    Ok(Server::new(named)?)
}

/// A link or a CID; what is neither is a path.
fn known(what: &str) -> Result<Option<ShareLink>, ShareError> {
    if Path::new(what).exists() {
        return Ok(None);
    }
    if what.contains("/get/") {
        return what.parse().map(Some).map_err(ShareError::Link);
    }
    Ok(what.parse().ok().map(ShareLink::public))
}

/// A share that is in the store.
fn again(args: &Args, link: ShareLink) -> Result<Given, ShareError> {
    if link.is_expired(now_s()) {
        return Err(ShareError::Ended);
    }
    let key = key_of(&link, password(args.password.clone()).as_deref())?;
    let blocks = StoreBlocks::open(&args.data)?;
    if !blocks.has(&link.cid) {
        return Err(ContentError::Missing(link.cid).into());
    }
    Ok(Given { link, key, blocks: Arc::new(blocks), about: json!({}) })
}

fn public(args: &Args) -> Result<Given, ShareError> {
    let path = Path::new(&args.what);
    let mut line = ProgressLine::new("adding");
    let mut show = |done, total| line.show_bytes(done, total);
    let mut store = FileStore::open(&args.data)?;
    let added = add(path, Options::default(), &mut store, &mut show)?;
    let mut link = ShareLink::public(added.cid);
    if path.is_file() {
        // One that some system can't hold would be refused by every receiver.
        let name = path.file_name().and_then(|name| name.to_str());
        link.name = name.filter(|name| content::check_name(name).is_ok()).map(str::to_owned);
    }
    let key = key_of(&link, None)?;
    let blocks = Arc::new(StoreBlocks::open(&args.data)?);
    let about = json!({ "files": added.files, "content_bytes": added.content_bytes });
    Ok(Given { link, key, blocks, about })
}

fn sealed(args: &Args) -> Result<Given, ShareError> {
    let ends_at_s = args.ends_in.map(|time| now_s().saturating_add(time.as_secs()));
    let options = MakeOptions { password: password(args.password.clone()), ends_at_s };
    let mut line = ProgressLine::new("sealing");
    let mut show = |done, total| line.show_bytes(done, total);
    let made = make(Path::new(&args.what), &options, &mut show)?;
    let Made { link, key, name, files, content_bytes, left_out, sources } = made;
    for path in &left_out {
        eprintln!("left out: {path} is a symlink");
    }
    let about = json!({ "name": name, "files": files, "content_bytes": content_bytes,
                        "left_out": left_out });
    Ok(Given { link, key, blocks: Arc::new(sources), about })
}

fn tell_link(server: &Server, link: &ShareLink, about: &Value, json: bool) {
    let text = format!("{}{link}", server.page());
    if json {
        let mut object = json!({ "link": text, "cid": link.cid.to_string() });
        if let (Some(object), Some(about)) = (object.as_object_mut(), about.as_object()) {
            object.extend(about.clone());
        }
        println!("{object}");
    } else {
        println!("{text}");
        eprintln!("whoever has this link can get it while this runs; Ctrl-C stops it");
    }
}

/// Gives until it is stopped, and says who takes what.
async fn give(
    mut seeding: Seeding,
    json: bool,
    stop: impl Future<Output = ()>,
) -> Result<(), ShareError> {
    let mut shown = Shown { line: TransferLine::new("giving"), json, last: None };
    let mut stop = std::pin::pin!(stop);
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            () = &mut stop => break,
            _ = looks.tick() => shown.show(seeding.look().await?),
        }
    }
    shown.line.end();
    seeding.stop().await;
    Ok(())
}

struct Shown {
    line: TransferLine,
    json: bool,
    last: Option<Look>,
}

impl Shown {
    fn show(&mut self, look: Look) {
        if self.json {
            // The rate alone is no news.
            let news = self.last.as_ref().is_none_or(|last| {
                let told =
                    |one: &Look| (one.connected, one.sent_bytes, one.held, one.earned, one.fund);
                told(last) != told(&look) || last.takers != look.takers
            });
            if news {
                println!("{}", object(&look));
            }
        } else {
            self.tell(&look);
        }
        self.last = Some(look);
    }

    fn tell(&mut self, look: &Look) {
        for taker in &look.came {
            self.say(&format!("{} came{}", taker.peer, way(taker)));
        }
        for taker in &look.went {
            let Taker { peer, sent_bytes, has_percent, .. } = taker;
            let sent = units::bytes(*sent_bytes);
            self.say(&format!("{peer} left: got {sent} from here, has {has_percent} %"));
        }
        let was = self.last.as_ref().is_some_and(|last| last.connected);
        match (was, look.connected) {
            (false, true) => self.say("the server introduces whoever has the link"),
            (true, false) => self.say("the server is away; who is here gets on"),
            _ => {}
        }
        let takers = look.takers.iter().map(|taker| {
            let sent = units::bytes(taker.sent_bytes);
            format!("{} {sent} ({} %)", taker.peer, taker.has_percent)
        });
        let takers: Vec<String> = takers.collect();
        let (sent, rate) = (units::bytes(look.sent_bytes), units::bytes(look.send_bytes_per_s));
        let earned = look.earned.map(|earned| format!(", earned {} units", earned.sure));
        let fund = look.fund.map(|units| format!(", earned {units} units of the fund"));
        let earned = [earned, fund].into_iter().flatten().collect::<String>();
        self.line.write_over(&format!("given: {sent}, {rate}/s{earned}; {}", takers.join(", ")));
    }

    /// A line that stays.
    fn say(&mut self, text: &str) {
        self.line.write_over(text);
        self.line.end();
        if !std::io::IsTerminal::is_terminal(&std::io::stderr()) {
            eprintln!("{text}");
        }
    }
}

/// How a taker is reached.
fn way(taker: &Taker) -> String {
    let relayed = match taker.relayed {
        Some(true) => " through a relay",
        Some(false) => " directly",
        None => "",
    };
    taker.rtt_ms.map_or_else(|| relayed.to_owned(), |rtt| format!("{relayed}, {rtt} ms away"))
}

fn object(look: &Look) -> Value {
    let taker = |taker: &Taker| {
        json!({ "peer": taker.peer, "sent_bytes": taker.sent_bytes,
                "has_percent": taker.has_percent, "relayed": taker.relayed,
                "rtt_ms": taker.rtt_ms })
    };
    json!({ "connected": look.connected, "sent_bytes": look.sent_bytes,
            "held_bytes": look.held.map(|(held, _)| held),
            "earned_units": look.earned.map(|earned| earned.sure.to_string()),
            "unclaimed_units": look.earned.map(|earned| earned.unclaimed.to_string()),
            "fund_units": look.fund.map(|units| units.to_string()),
            "takers": look.takers.iter().map(taker).collect::<Vec<_>>() })
}
