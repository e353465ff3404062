//! `starling fund`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use content::{Cid, share::ShareLink};
use light_client::TrustRoot;
use peer_native::{share_swarm, stream_swarm};
use primitives::{PeerId, SwarmId};
use serde_json::json;
use signaling_server::Proxies;
use starling::fund::{self, Desk, Payer};
use starling::key_file;
use starling::purse::{self, Closed, Pay, Purse, PurseError};
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;

use super::ledger::NODE;
use super::lines::Lines;
use super::{Problem, now_s, signals, told, units};

/// Bytes of a MiB.
const MIB: u64 = 1 << 20;
/// Of what is set aside, this part may be earned in an hour, unless it is said.
const HOURS: u128 = 24;

/// Options of `starling fund`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address of a video's playlist, the name in its tag's `swarm`, or the link or CID of a share; more than
    /// one: all are paid for
    #[arg(required_unless_present = "close", value_name = "URL|NAME|LINK")]
    videos: Vec<String>,
    /// The key that the tags pin as `publisher`, if they do
    #[arg(long, value_name = "KEY")]
    publisher: Option<PeerId>,
    /// Whose account pays; a new key is made unless it is there
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Units to set aside in a pool on the ledger: this run pays no more. A pool that the folder remembers goes on
    /// with what is left in it. Fees of the payments come on top
    #[arg(long, value_name = "UNITS", required_unless_present = "close")]
    amount: Option<u128>,
    /// Fill a pool that the folder remembers up to the amount
    #[arg(long, conflicts_with_all = ["close", "pool"])]
    refill: bool,
    /// Draw what is paid from this pool, a little at a time: somebody opened it on the Wallet page for the key of --key,
    /// and has what was not drawn
    #[arg(long, value_name = "NUMBER")]
    pool: Option<u64>,
    /// Pay nothing any more: ask for what is left, and take it once everybody had a day for what they were promised
    #[arg(long, conflicts_with_all = ["videos", "amount"])]
    close: bool,
    /// Units for a MiB that a viewer sent and another one verified
    #[arg(long, value_name = "UNITS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    price: u64,
    /// Most units that all viewers together earn in an hour [default: a 24th of the amount]
    #[arg(long, value_name = "UNITS")]
    hourly: Option<u128>,
    /// Most MiB that one viewer's word is worth in an hour: what it can watch in that time
    #[arg(long, value_name = "MIB", default_value_t = 2_048)]
    viewer_mib: u64,
    /// Most MiB that the word of all viewers of one address is worth in an hour
    #[arg(long, value_name = "MIB", default_value_t = 4_096)]
    address_mib: u64,
    /// Pay viewers of one address for what they send each other, too: easy to abuse
    #[arg(long)]
    same_address: bool,
    /// Someone is paid from so many units on [default: ten times the fees of it]
    #[arg(long, value_name = "UNITS")]
    payout: Option<u128>,
    /// How often payments are made
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = units::duration)]
    every: Duration,
    /// Where viewers report; put a web server with TLS before it
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8790")]
    listen: SocketAddr,
    /// That web server, by address or network: its word about viewers' addresses counts
    #[arg(long, value_name = "NETWORK")]
    proxy: Vec<String>,
    /// A server of the ledger
    #[arg(long, value_name = "URL", default_value = NODE)]
    node: String,
    /// Which ledger it must be, as the Ledger page shows it [default: the one that the server runs]
    #[arg(long, value_name = "ROOT")]
    ledger_root: Option<TrustRoot>,
    /// Folder that remembers the pool
    #[arg(long, value_name = "DIR", default_value = "starling-fund")]
    data: PathBuf,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    let json = args.json;
    told(json, work(args).await)
}

async fn work(args: Args) -> Result<(), Problem> {
    if args.close {
        return close(args).await;
    }
    let (listen, every) = (args.listen, args.every.max(Duration::from_secs(1)));
    let mut lines = Lines::new(args.json);
    let options = options(args)?;
    let fail = |error| Problem::no_fund_port(listen, &error);
    let listener = TcpListener::bind(listen).await.map_err(fail)?;
    let address = listener.local_addr().map_err(fail)?;
    let stop = signals::stop();
    let (payer, desk) = fund::open(options).await?;
    tell_open(&mut lines, address, &payer, &desk);
    let app = desk.router().into_make_service_with_connect_info::<SocketAddr>();
    let serving = tokio::spawn(axum::serve(listener, app).into_future());
    let ended = go_on(payer, &desk, every, &mut lines, stop).await;
    serving.abort();
    ended
}

async fn close(args: Args) -> Result<(), Problem> {
    let (mut lines, data, source) = (Lines::new(args.json), args.data.clone(), args.pool);
    match Purse::close(options(args)?.purse, &data, source).await? {
        Closed::Nothing => lines.tell("nothing", json!({}), "this folder remembers no open pool"),
        Closed::Waits { pool, units, ends_s } => {
            let about = json!({ "pool": pool, "units": units.to_string(), "ends_s": ends_s });
            let left = units::time(ends_s.saturating_sub(now_s()));
            let text = format!(
                "pool {pool} is closing: {units} units, less what payees still hand in, come back when \
                 this is called again in {left}"
            );
            lines.tell("closing", about, &text);
        }
        Closed::Returned { pool, units } => {
            let about = json!({ "pool": pool, "units": units.to_string() });
            lines.tell("closed", about, &format!("{units} units of pool {pool} came back"));
        }
    }
    Ok(())
}

fn options(args: Args) -> Result<fund::Options, Problem> {
    let proxies = Proxies::parse(&args.proxy).map_err(|error| Problem::no_proxy(&error))?;
    let key = key_file::load_or_create(&args.key)?.key;
    let amount = args.amount.unwrap_or(0);
    let pay = Pay { spend_max: amount, per_mib_max: args.price, data: args.data };
    let publisher = args.publisher;
    Ok(fund::Options {
        purse: purse::Options {
            node: args.node,
            root: args.ledger_root,
            key,
            pay: None,
            earn: None,
        },
        pay,
        refills: args.refill,
        source: args.pool,
        swarms: args.videos.iter().map(|video| swarm(video, publisher)).collect(),
        hour_units_max: args.hourly.unwrap_or((amount / HOURS).max(1)),
        viewer_bytes_max: args.viewer_mib.saturating_mul(MIB),
        place_bytes_max: args.address_mib.saturating_mul(MIB),
        same_place: args.same_address,
        payout_from: args.payout,
        proxies,
    })
}

/// The swarm of a share, or of a video; its address as a browser writes it.
fn swarm(video: &str, publisher: Option<PeerId>) -> SwarmId {
    let share = if video.contains("/get/") {
        video.parse::<ShareLink>().ok().map(|link| link.cid)
    } else {
        video.parse::<Cid>().ok()
    };
    if let Some(cid) = share {
        return share_swarm(&cid);
    }
    let written = url::Url::parse(video).ok().filter(url::Url::has_host);
    let video = written.map_or_else(|| video.to_owned(), |url| url.to_string());
    stream_swarm(&video, publisher)
}

fn tell_open(lines: &mut Lines, address: SocketAddr, payer: &Payer, desk: &Desk) {
    let (pool, from, fees) = (desk.pool(), payer.payout_from(), payer.cost());
    let (url, units) = (format!("http://{address}/fund"), desk.left_units());
    let about = json!({
        "url": url, "pool": pool, "units": units.to_string(), "payout_from": from.to_string(),
        "fees_max": fees.to_string(),
    });
    let text = format!(
        "pool {pool} pays viewers who report to {url}, {units} units in all; someone is paid from {from} \
         units on, which costs {fees} units of fees at most"
    );
    lines.tell("open", about, &text);
}

/// Pays until it is stopped, and once more then.
async fn go_on(
    mut payer: Payer,
    desk: &Desk,
    every: Duration,
    lines: &mut Lines,
    stop: impl Future<Output = ()>,
) -> Result<(), Problem> {
    let mut stop = std::pin::pin!(stop);
    let mut every = tokio::time::interval(every);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut last, mut pool) = (None, desk.pool());
    loop {
        let stops = tokio::select! {
            () = &mut stop => true,
            _ = every.tick() => false,
        };
        let paid = if stops {
            payer.settle().await.map_err(PurseError::from)
        } else {
            payer.round().await
        };
        match paid {
            Ok(()) => lines.settle(),
            Err(error) => lines.warn(&error.into()),
        }
        if pool != desk.pool() {
            pool = desk.pool();
            tell_pool(lines, pool);
        }
        let spent = desk.spent();
        if last != Some(spent) {
            tell_spent(lines, &spent);
            last = Some(spent);
        }
        if stops {
            tell_owed(lines, desk.owed());
            return Ok(());
        }
    }
}

fn tell_pool(lines: &mut Lines, pool: u64) {
    let text = format!("pool {pool} pays from now on: the one before could pay nobody new");
    lines.tell("pool", json!({ "pool": pool }), &text);
}

/// What somebody earned who is not paid any more.
fn tell_owed(lines: &mut Lines, (payees, units): (usize, u128)) {
    if payees == 0 {
        return;
    }
    let about = json!({ "payees": payees, "units": units.to_string() });
    let text = format!(
        "{payees} accounts earned {units} units that are not paid: for each of them it is less than its fees, \
         or the ledger did not take it"
    );
    lines.tell("unpaid", about, &text);
}

fn tell_spent(lines: &mut Lines, spent: &fund::Spent) {
    let fund::Spent { viewers, payees, bytes, earned, promised, paid, is_over } = *spent;
    let about = json!({
        "viewers": viewers, "payees": payees, "bytes": bytes, "earned": earned.to_string(),
        "promised": promised.to_string(), "paid": paid.to_string(), "over": is_over,
    });
    let over = if is_over { "; all of it is earned" } else { "" };
    let text = format!(
        "{viewers} viewers this hour; {payees} accounts earned {earned} units for {}, {paid} units are \
         paid{over}",
        units::bytes(bytes)
    );
    lines.tell("spent", about, &text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_video_is_named_as_in_a_browser() {
        let plain = swarm("https://media.example/a/master.m3u8", None);
        assert_eq!(swarm("https://MEDIA.example:443/a/master.m3u8?token=1", None), plain);
        assert_ne!(swarm("film", None), plain);
        assert_ne!(swarm("film: a story", None), swarm("film", None));
        let key = primitives::KeyPair::from_seed(primitives::Seed::from_number(1)).id();
        assert_ne!(swarm("film", Some(key)), swarm("film", None));
    }
}
