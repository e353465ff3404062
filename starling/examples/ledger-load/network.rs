//! Validators that run: finality, transactions in a second, what a light client checks.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ledger::domains::{accounts, lending};
use ledger::{AccountId, Action, AssetId, Body, TransactionId};
use light_client::Verifier;
use primitives::{KeyPair, Seed};
use serde_json::{Value, json};
use starling::keepers::demo;
use starling::key_file;
use starling::ledger_client::{Client, Nodes, Status};
use tokio::task::JoinSet;
use wire::ledger::StateProof;

use super::{Fault, Options, at, per_s};

/// Number of the first payer's key.
const PAYERS: u64 = 5_000;
/// Units that each payer gets for its fees.
const PURSE: u128 = 10_000_000;
/// Units of a purse for each transaction that is sent: more than one costs.
const PURSE_EACH: u128 = 50_000;
/// How often a receipt is asked for while a time is taken.
const ASK_EVERY: Duration = Duration::from_millis(2);
/// How long a transaction may take.
const WITHIN: Duration = Duration::from_secs(120);
/// Transactions of an account that may wait.
const WAITING_MAX: usize = 64;
/// How often a certificate and a proof are checked.
const CHECKS: u32 = 200;
/// Paid beyond what a transaction costs, which grows by a byte or two with its numbers.
const EXTRA: u128 = 1_000;
/// What is lent with each supply, in units.
const LENT: u128 = 1_000;
/// The reserve of the demo's market that people lend to.
const COIN: u8 = 1;

/// An account that signs without asking for its number.
struct Payer {
    key: KeyPair,
    account: AccountId,
    nonce: u64,
}

/// What everybody needs.
struct Rig {
    nodes: Vec<Client>,
    bases: Vec<String>,
    http: reqwest::Client,
    status: Status,
}

/// Which action is sent again and again.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Transfer(AccountId),
    Supply(u32),
}

impl Kind {
    fn action(self) -> Action {
        match self {
            Self::Transfer(to) => {
                let (asset, amount) = (AssetId::NATIVE, 1);
                Action::Accounts(accounts::Action::Transfer { asset, to, amount })
            }
            Self::Supply(market) => {
                let (reserve, amount) = (COIN, LENT);
                Action::Lending(lending::Action::Supply { market, reserve, amount })
            }
        }
    }
}

impl Payer {
    fn new(key: KeyPair, nonce: u64) -> Self {
        let account = AccountId::of_key(key.id());
        Self { key, account, nonce }
    }

    fn sign(&mut self, status: &Status, action: Action) -> Vec<u8> {
        let mut body = Body::new(status.chain, self.account, self.nonce, action);
        body.fee = body.cost(&status.params).saturating_add(EXTRA);
        self.nonce += 1;
        body.sign(&self.key).to_bytes()
    }
}

/// Latency first, while nothing else is sent; then all payers at once; then what is checked.
pub(crate) async fn measure(options: &Options) -> Result<Value, Fault> {
    let nodes = options.node.iter().map(|base| Client::new(base));
    let nodes: Vec<Client> = nodes.collect::<Result<_, _>>()?;
    let status = nodes.first().ok_or("no validator")?.status().await?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let rig = Rig { nodes, bases: options.node.clone(), http, status };
    let owner = KeyPair::from_seed(key_file::load(&options.key)?);
    let purse = PURSE.max(PURSE_EACH.saturating_mul(options.each.into()));
    let mut payers = rig.payers(&owner, options.payers, purse).await?;
    let kind = if options.lending {
        Kind::Supply(rig.market(&owner, options, &payers).await?)
    } else {
        Kind::Transfer(AccountId::of_key(owner.id()))
    };
    for payer in &mut payers {
        payer.nonce = rig.nodes[0].holding(payer.account).await?.nonce;
    }
    let first = payers.first_mut().ok_or("no payer")?;
    let bytes = first.sign(&rig.status, kind.action()).len();
    first.nonce -= 1;
    let mut singles = rig.singles(first, kind, options.singles).await?;
    let all = rig.all(&mut payers, kind, options.each).await?;
    let checks = rig.checks(AccountId::of_key(owner.id())).await?;
    Ok(json!({
        "validators": rig.nodes.len(), "bytes": bytes,
        "final_ms": { "p50": at(&mut singles, 50), "p99": at(&mut singles, 99), "count": singles.len() },
        "together": all, "checks": checks,
    }))
}

impl Rig {
    /// Accounts with units for their fees.
    async fn payers(&self, owner: &KeyPair, count: u64, purse: u128) -> Result<Vec<Payer>, Fault> {
        let nonce = self.nodes[0].holding(AccountId::of_key(owner.id())).await?.nonce;
        let mut owner = Payer::new(owner.clone(), nonce);
        let (mut payers, mut last) = (Vec::new(), None);
        for number in 0..count {
            let payer = Payer::new(KeyPair::from_seed(Seed::from_number(PAYERS + number)), 0);
            let (asset, to, amount) = (AssetId::NATIVE, payer.account, purse);
            let gift = Action::Accounts(accounts::Action::Transfer { asset, to, amount });
            last = Some(self.submit(0, owner.sign(&self.status, gift)).await?);
            payers.push(payer);
        }
        if let Some(last) = last {
            self.nodes[0].done(last, WITHIN).await?;
        }
        Ok(payers)
    }

    /// The demo's market, with units of its assets for everybody.
    async fn market(
        &self,
        owner: &KeyPair,
        options: &Options,
        payers: &[Payer],
    ) -> Result<u32, Fault> {
        let mut nodes = Nodes::new(&self.bases)?;
        let demo = demo::set_up(&mut nodes, owner, &options.folder).await?;
        for payer in payers {
            demo::give(&mut nodes, owner, &demo, payer.account).await?;
        }
        Ok(demo.market)
    }

    async fn submit(&self, node: usize, bytes: Vec<u8>) -> Result<TransactionId, Fault> {
        submit(&self.http, &self.bases[node % self.bases.len()], bytes).await
    }

    /// Milliseconds from handing a transaction over to its receipt, one after the other.
    async fn singles(
        &self,
        payer: &mut Payer,
        kind: Kind,
        count: usize,
    ) -> Result<Vec<f64>, Fault> {
        let mut took_ms = Vec::new();
        for turn in 0..count {
            let bytes = payer.sign(&self.status, kind.action());
            let client = &self.nodes[turn % self.nodes.len()];
            let began = Instant::now();
            let id = self.submit(turn, bytes).await?;
            while client.receipt(id).await?.is_none() {
                if began.elapsed() > WITHIN {
                    return Err(format!("transaction {id} waits still").into());
                }
                tokio::time::sleep(ASK_EVERY).await;
            }
            took_ms.push(began.elapsed().as_secs_f64() * 1e3);
            client.done(id, WITHIN).await?;
        }
        Ok(took_ms)
    }

    /// All payers at once, each to one of the validators; until the last receipt.
    async fn all(&self, payers: &mut [Payer], kind: Kind, each: u64) -> Result<Value, Fault> {
        let mut signed = Vec::new();
        for payer in payers.iter_mut() {
            let list = (0..each).map(|_| payer.sign(&self.status, kind.action()));
            signed.push(list.collect::<Vec<_>>());
        }
        let count: usize = signed.iter().map(Vec::len).sum();
        let began = Instant::now();
        let mut sending = JoinSet::new();
        for (turn, list) in signed.into_iter().enumerate() {
            let (http, base) = (self.http.clone(), self.bases[turn % self.bases.len()].clone());
            let client = self.nodes[turn % self.nodes.len()].clone();
            sending.spawn(async move { send_all(&http, &base, &client, list).await });
        }
        while let Some(sent) = sending.join_next().await {
            sent?.map_err(|fault| -> Fault { fault.into() })?;
        }
        let seconds = began.elapsed().as_secs_f64();
        Ok(json!({ "count": count, "seconds": seconds, "per_s": per_s(count, seconds) }))
    }

    /// What a certificate and a proof weigh, and how long they take to check.
    async fn checks(&self, account: AccountId) -> Result<Value, Fault> {
        let verifier = Verifier::new(&self.nodes[0].root().await?)?;
        let key = accounts::balance_key(account, AssetId::NATIVE);
        let url = format!("{}/ledger/state/{key}", self.bases[0]);
        let asked = self.http.get(url).header("accept", "application/cbor").send().await?;
        let bytes = asked.error_for_status()?.bytes().await?;
        let proof = StateProof::read(&bytes).ok_or("no proof")?;
        let (mut certificate_us, mut record_us) = (Vec::new(), Vec::new());
        for _ in 0..CHECKS {
            let began = Instant::now();
            let headers =
                verifier.finality(&proof.finality).map_err(|fault| format!("{fault:?}"))?;
            certificate_us.push(began.elapsed().as_secs_f64() * 1e6);
            let header = headers.first().ok_or("no header")?;
            let began = Instant::now();
            Verifier::record(header, key.as_bytes(), &proof)
                .map_err(|fault| format!("{fault:?}"))?;
            record_us.push(began.elapsed().as_secs_f64() * 1e6);
        }
        Ok(json!({
            "answer_bytes": bytes.len(), "proof_bytes": proof.proof.len(),
            "certificate_bytes": proof.finality.certificate.len(),
            "certificate_us": at(&mut certificate_us, 50), "record_us": at(&mut record_us, 50),
        }))
    }
}

/// One payer's, in order, as many at a time as may wait; done when the last one is in a block and was not refused.
async fn send_all(
    http: &reqwest::Client,
    base: &str,
    client: &Client,
    list: Vec<Vec<u8>>,
) -> Result<(), String> {
    let mut waiting = VecDeque::new();
    for bytes in list {
        if waiting.len() == WAITING_MAX {
            // Half of them are final before more are sent.
            let half = waiting.drain(..WAITING_MAX / 2).next_back();
            done(client, half).await?;
        }
        let id = submit(http, base, bytes).await.map_err(|fault| fault.to_string())?;
        waiting.push_back(id);
    }
    done(client, waiting.pop_back()).await
}

async fn done(client: &Client, last: Option<TransactionId>) -> Result<(), String> {
    let Some(last) = last else { return Ok(()) };
    client.done(last, WITHIN).await.map(|_| ()).map_err(|fault| fault.to_string())
}

async fn submit(
    http: &reqwest::Client,
    base: &str,
    bytes: Vec<u8>,
) -> Result<TransactionId, Fault> {
    let url = format!("{base}/ledger/transactions");
    let text = http.post(url).body(bytes).send().await?.text().await?;
    let value: Value = serde_json::from_str(&text)?;
    let id = value["transaction"].as_str().ok_or_else(|| format!("not taken: {value}"))?;
    id.parse().map_err(|_| format!("no name of a transaction: {id}").into())
}
