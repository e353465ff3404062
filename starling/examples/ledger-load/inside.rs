//! Validators in this process, their disks and sockets as ever: transactions are handed over and asked for without
//! HTTP, by who sends them.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ledger::{AccountId, Action, AssetId, Body, ChainId, Params, domains::accounts};
use ledger_node::mempool::Unwanted;
use ledger_node::{Config, Handle, Node, Plan, deal_network};
use primitives::{KeyPair, Seed};
use serde_json::{Value, json};

use super::{Fault, at, per_s};

/// Number of the first payer's key.
const PAYERS: u64 = 5_000;
/// Units that each payer begins with.
const PURSE: u128 = 1_000_000_000_000;
/// Paid beyond what a transaction costs, which grows by a byte or two with its numbers.
const EXTRA: u128 = 1_000;
/// Threads that hand transactions over.
const SENDERS: usize = 2;
/// How long anything may take.
const WITHIN: Duration = Duration::from_secs(120);
/// How often is looked for a block, while no account may send.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// How many validators, and how much of what.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// New folder for their disks
    #[arg(long, value_name = "DIR")]
    folder: PathBuf,
    /// Validators
    #[arg(long, default_value_t = 1)]
    validators: usize,
    /// Transfers one after the other, whose time is taken
    #[arg(long, default_value_t = 50)]
    singles: u64,
    /// Accounts that send at the same time
    #[arg(long, default_value_t = 64)]
    payers: u64,
    /// Transfers of each of them
    #[arg(long, default_value_t = 1_000)]
    each: u64,
}

/// What is still to be sent of one account, its last first.
type Queue = Vec<Vec<u8>>;

/// Latency first, while nothing else is sent; then all payers at once.
pub(crate) async fn measure(options: &Options) -> Result<Value, Fault> {
    let keys: Vec<KeyPair> = (0..=options.payers)
        .map(|number| KeyPair::from_seed(Seed::from_number(PAYERS + number)))
        .collect();
    let nodes = start(options, &keys)?;
    let handles: Vec<Handle> = nodes.iter().map(Node::handle).collect();
    let first = handles.first().ok_or("no validator")?;
    let chain = first.chain();
    // The last key's account is not one of those that send together.
    let (single, payers) = keys.split_last().ok_or("no payer")?;
    // Until all are connected and a first block is final.
    alone(first, &signed(chain, single, 0)).await?;
    let mut took_ms = Vec::new();
    for turn in 0..options.singles {
        let node = handles.get(usize::try_from(turn)? % handles.len()).ok_or("no validator")?;
        took_ms.push(alone(node, &signed(chain, single, turn + 1)).await?);
    }
    let count = usize::try_from(options.payers * options.each)?;
    let queues = payers.iter().map(|key| {
        (0..options.each).rev().map(|nonce| signed(chain, key, nonce)).collect::<Queue>()
    });
    let queues: Vec<Queue> = queues.collect();
    let began = Instant::now();
    let handles = Arc::new(handles);
    let sending = (0..SENDERS).map(|sender| {
        // Each account's to one validator, so that they come in order.
        let own = queues.iter().enumerate().skip(sender).step_by(SENDERS);
        let own: Vec<(usize, Queue)> = own.map(|(place, queue)| (place, queue.clone())).collect();
        let handles = handles.clone();
        tokio::task::spawn_blocking(move || send(&handles, own))
    });
    for sender in sending.collect::<Vec<_>>() {
        sender.await?.map_err(|fault| -> Fault { fault.into() })?;
    }
    let lasts = queues.iter().filter_map(|queue| queue.first());
    for (place, last) in lasts.enumerate() {
        let handle = handles.get(place % handles.len()).ok_or("no validator")?;
        done(handle, last, began).await?;
    }
    let seconds = began.elapsed().as_secs_f64();
    for node in nodes {
        node.stop().await;
    }
    Ok(json!({
        "validators": options.validators,
        "final_ms": { "p50": at(&mut took_ms, 50), "p99": at(&mut took_ms, 99), "count": took_ms.len() },
        "together": { "count": count, "seconds": seconds, "per_s": per_s(count, seconds) },
    }))
}

/// Starts them; the accounts of these keys hold units from the beginning.
fn start(options: &Options, keys: &[KeyPair]) -> Result<Vec<Node>, Fault> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let homes: Vec<PathBuf> =
        (0..options.validators).map(|index| options.folder.join(index.to_string())).collect();
    let addresses = homes.iter().map(|_| free_address()).collect::<Result<Vec<_>, _>>()?;
    let plan = Plan {
        name: "bench".to_owned(),
        demo: false,
        time_ms: u64::try_from(since.as_millis())?,
        addresses: addresses.clone(),
        allocations: keys.iter().map(|key| (AccountId::of_key(key.id()), PURSE)).collect(),
    };
    deal_network(&plan, &options.folder, &homes)?;
    let network = options.folder.join("network.toml");
    let one = |(home, listen): (&PathBuf, &SocketAddr)| started(home, &network, *listen);
    homes.iter().zip(&addresses).map(one).collect()
}

fn started(home: &Path, network: &Path, listen: SocketAddr) -> Result<Node, Fault> {
    let (data, network) = (home.to_owned(), Some(network.to_owned()));
    Ok(Node::start(&Config { data, network, listen, ..Config::default() })?)
}

/// One that was free a moment ago.
fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn signed(chain: ChainId, key: &KeyPair, nonce: u64) -> Vec<u8> {
    let (asset, to, amount) = (AssetId::NATIVE, AccountId::new([7; 32]), 1);
    let action = Action::Accounts(accounts::Action::Transfer { asset, to, amount });
    let mut body = Body::new(chain, AccountId::of_key(key.id()), nonce, action);
    body.fee = body.cost(&Params::default()).saturating_add(EXTRA);
    body.sign(key).to_bytes()
}

/// Milliseconds from handing it over until it is final at the same validator.
async fn alone(handle: &Handle, bytes: &[u8]) -> Result<f64, Fault> {
    let began = Instant::now();
    handle.submit(bytes).map_err(|unwanted| format!("not taken: {unwanted:?}"))?;
    done(handle, bytes, began).await?;
    Ok(began.elapsed().as_secs_f64() * 1e3)
}

/// Waits until it is final.
async fn done(handle: &Handle, bytes: &[u8], began: Instant) -> Result<(), Fault> {
    let id = ledger::Checked::open(bytes, handle.chain()).map_err(|_| "no transaction")?.id();
    let mut heights = handle.height();
    loop {
        heights.mark_unchanged();
        match handle.receipt(&id)? {
            Some(receipt) if receipt.code == 0 => return Ok(()),
            Some(receipt) => return Err(format!("refused: {}", receipt.code).into()),
            None => {}
        }
        let left = WITHIN.checked_sub(began.elapsed()).ok_or("it takes too long")?;
        tokio::time::timeout(left, heights.changed()).await??;
    }
}

/// Hands all over, as fast as they are taken.
fn send(handles: &[Handle], queues: Vec<(usize, Queue)>) -> Result<(), String> {
    // With the height at which too many of an account waited: no more is taken before the next block.
    let mut accounts: Vec<_> =
        queues.into_iter().map(|(place, queue)| (place, queue, None)).collect();
    let mut progress = Instant::now();
    while accounts.iter().any(|(_, queue, _)| !queue.is_empty()) {
        let mut taken = false;
        for (place, queue, full) in &mut accounts {
            let handle = handles.get(*place % handles.len()).ok_or("no validator")?;
            let height = *handle.height().borrow();
            if *full == Some(height) {
                continue;
            }
            *full = None;
            while let Some(next) = queue.last().filter(|_| full.is_none()) {
                match handle.submit(next) {
                    Ok(_) => {
                        queue.pop();
                        taken = true;
                    }
                    Err(Unwanted::NonceGap | Unwanted::Full) => *full = Some(height),
                    Err(unwanted) => return Err(format!("not taken: {unwanted:?}")),
                }
            }
        }
        if taken {
            progress = Instant::now();
        } else if progress.elapsed() > WITHIN {
            return Err("nothing is taken any more".to_owned());
        } else {
            std::thread::sleep(LOOK_EVERY);
        }
    }
    Ok(())
}
