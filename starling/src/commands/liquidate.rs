//! `starling liquidate`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::pin;
use std::time::{Duration, Instant};

use ledger::AccountId;
use ledger::domains::lending::{Offer, math::U256};
use primitives::KeyPair;
use serde_json::{Value, json};
use starling::keepers::{Done, Found, Look, Plan, Price, liquidate};
use starling::key_file;
use starling::ledger_client::{Client, ClientError, Nodes};
use tokio::time::MissedTickBehavior;

use super::ledger::NodeArgs;
use super::lines::Lines;
use super::{Problem, now_ms, signals, told};

/// How long a block may take to hold a liquidation.
const RECEIPT_WITHIN: Duration = Duration::from_secs(30);
/// How long a position is left alone after a liquidation of it failed: trying costs a fee each time.
const REST: Duration = Duration::from_secs(30);
/// Most liquidations between two times of --every.
const ACTS_MAX: usize = 64;
/// Decimals of a value and of a health factor.
const VALUE_DECIMALS: usize = 8;
const HEALTH_DECIMALS: usize = 18;
/// Decimals of either that a person is shown.
const SHOWN_DECIMALS: usize = 4;

/// Options of `starling liquidate`. Without --watch and --once it lists, and signs nothing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Liquidate what is found, until stopped
    #[arg(long, conflicts_with = "once")]
    watch: bool,
    /// Liquidate what is found now, then end
    #[arg(long)]
    once: bool,
    /// Say what would be done and sign nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    validators: NodeArgs,
    /// The liquidator's key: what its account holds bounds what it repays. Without it, a list says what
    /// somebody could do who has enough of everything
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Only this market; more than once: these. Needed where something is signed: anybody opens a market
    /// and says what its collateral is worth
    #[arg(long, value_name = "NUMBER")]
    market: Vec<u32>,
    /// Most units of a debt to repay at once
    #[arg(long, value_name = "UNITS")]
    max_repay: Option<u128>,
    /// Least gain that is worth the fee, in the unit of the feeds
    #[arg(long, value_name = "VALUE", default_value = "1")]
    min_gain: Price,
    /// With --watch: time between looks, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: u64,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    let json = args.json;
    told(json, work(args).await)
}

type Name = (u32, AccountId);
/// Reserves of a debt and of what is pledged.
type Pair = (u8, u8);

/// Who looks and acts.
struct Keeper {
    /// None: nothing is signed.
    key: Option<KeyPair>,
    plan: Plan,
    /// Least gain of what is done.
    least: Price,
    nodes: Nodes,
    lines: Lines,
    /// What was told of positions that are below 1 still.
    known: BTreeMap<Name, Option<Pair>>,
    /// Positions that are left alone, since when.
    resting: BTreeMap<Name, Instant>,
    /// Why the last liquidation failed.
    failed: Option<ClientError>,
}

async fn work(args: Args) -> Result<(), Problem> {
    let seed = args.key.as_deref().map(key_file::load).transpose()?;
    let key = seed.map(KeyPair::from_seed);
    let acts = (args.watch || args.once) && !args.dry_run;
    if acts && key.is_none() {
        return Err(Problem::no_key());
    }
    if acts && args.market.is_empty() {
        return Err(Problem::no_market());
    }
    let plan = Plan {
        account: key.as_ref().map(|key| AccountId::of_key(key.id())),
        markets: args.market.into_iter().collect(),
        repay_max: args.max_repay,
    };
    let mut keeper = Keeper {
        key: key.filter(|_| acts),
        plan,
        least: args.min_gain,
        nodes: args.validators.open()?,
        lines: Lines::new(args.json),
        known: BTreeMap::new(),
        resting: BTreeMap::new(),
        failed: None,
    };
    let (watch, every) = (args.watch, Duration::from_secs(args.every));
    let mut stop = pin!(signals::stop());
    let keeping = async { if watch { keeper.watch(every).await } else { keeper.once().await } };
    tokio::select! {
        () = &mut stop => Ok(()),
        ended = keeping => ended.map_err(Problem::from),
    }
}

impl Keeper {
    /// Looks and acts until stopped.
    async fn watch(&mut self, every: Duration) -> Result<(), ClientError> {
        let mut every = tokio::time::interval(every);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_first = true;
        loop {
            every.tick().await;
            match self.round().await {
                Ok(look) if is_first => {
                    self.tell_look(&look);
                    is_first = false;
                }
                Ok(_) => {}
                Err(error) => self.lines.warn(&error.into()),
            }
            if let Some(error) = self.failed.take() {
                self.lines.warn(&error.into());
            }
        }
    }

    /// Looks, and acts if it has a key, until nothing is left to do now.
    async fn once(&mut self) -> Result<(), ClientError> {
        let look = self.round().await?;
        self.tell_look(&look);
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Acts on what is found, one at a time: each changes what there is to find. The last look.
    async fn round(&mut self) -> Result<Look, ClientError> {
        let mut acts = 0;
        loop {
            let plan = self.plan.clone();
            let taking = async |client: &Client| Look::take(client, &plan, now_ms()).await;
            let look = self.nodes.ask(taking).await?;
            self.tell_found(&look);
            if acts == ACTS_MAX || !self.act(&look).await {
                return Ok(look);
            }
            acts += 1;
        }
    }

    /// Liquidates the position that gains most, enough, and is not left alone; whether there was one.
    async fn act(&mut self, look: &Look) -> bool {
        let Some(key) = self.key.clone() else { return false };
        self.resting.retain(|_, since| since.elapsed() < REST);
        let is_free = |one: &&Found| !self.resting.contains_key(&name(one));
        let mut free = look.found.iter().filter(is_free);
        let least = self.least;
        let Some((found, offer)) = free.find_map(|one| Some((one, one.worth(least)?))) else {
            return false;
        };
        match liquidate(&mut self.nodes, &key, found, offer, RECEIPT_WITHIN).await {
            Ok(done) => self.tell_done(found, offer, done),
            Err(error) => {
                self.resting.insert(name(found), Instant::now());
                self.failed = Some(error);
            }
        }
        true
    }

    fn tell_look(&mut self, look: &Look) {
        let Look { height, markets, borrowers, stale, found } = look;
        let (below, stale) = (found.len(), stale.values().sum::<usize>());
        let about = json!({
            "height": height, "markets": markets, "borrowers": borrowers, "below": below,
            "stale": stale,
        });
        let text = format!(
            "block {height}: {markets} markets, {borrowers} borrowers, {below} below 1, {stale} \
             without a price"
        );
        self.lines.tell("looked", about, &text);
    }

    /// Tells of positions what is new.
    fn tell_found(&mut self, look: &Look) {
        if look.stale.is_empty() {
            self.lines.settle();
        }
        for (market, count) in &look.stale {
            self.lines.warn(&Problem::stale(*market, *count));
        }
        for one in &look.found {
            if self.known.get(&name(one)) != Some(&pair(one)) {
                let (about, text) = shown(one, self.least);
                self.lines.tell("below", about, &text);
            }
        }
        self.known = look.found.iter().map(|one| (name(one), pair(one))).collect();
    }

    fn tell_done(&mut self, found: &Found, offer: Offer, done: Done) {
        let Found { market, borrower, .. } = found;
        let Offer { collateral, debt, .. } = offer;
        let Done { transaction, height, repaid, seized, fee } = done;
        let about = json!({
            "market": market, "borrower": borrower, "debt_reserve": debt,
            "collateral_reserve": collateral, "repaid": repaid.to_string(),
            "seized": seized.to_string(), "fee": fee.to_string(), "height": height,
            "transaction": transaction,
        });
        let text = format!(
            "market {market}, {borrower}: repaid {repaid} of reserve {debt}, got {seized} of reserve \
             {collateral}, in block {height}"
        );
        self.lines.tell("liquidated", about, &text);
    }
}

fn name(found: &Found) -> Name {
    (found.market, found.borrower)
}

fn pair(found: &Found) -> Option<Pair> {
    found.offer.map(|offer| (offer.debt, offer.collateral))
}

/// A position below 1, for programs and for people.
fn shown(found: &Found, least: Price) -> (Value, String) {
    let Found { market, borrower, health, offer } = found;
    let passed = if found.worth(least).is_some() { "" } else { ": less than --min-gain" };
    let values = [health.collateral, health.debt].map(|value| decimal(value, VALUE_DECIMALS));
    let [collateral, debt] = &values;
    let factor = decimal(health.factor, HEALTH_DECIMALS);
    let about = json!({
        "market": market, "borrower": borrower, "health": factor, "collateral": collateral,
        "debt": debt, "offer": offer.map(|offer| json!({
            "debt_reserve": offer.debt, "collateral_reserve": offer.collateral,
            "cover": offer.cover.to_string(), "repaid": offer.repaid.to_string(),
            "seized": offer.seized.to_string(), "fee": offer.fee.to_string(),
            "gain": decimal(offer.gain, VALUE_DECIMALS),
        })),
    });
    let would = offer.map_or_else(
        || "nothing of this account would be accepted and gain anything".to_owned(),
        |Offer { collateral, debt, repaid, seized, gain, .. }| {
            let gain = short(&decimal(gain, VALUE_DECIMALS)).to_owned();
            format!(
                "repay {repaid} of reserve {debt} for {seized} of reserve {collateral}, gain \
                 {gain}{passed}"
            )
        },
    );
    let [factor, collateral, debt] = [&factor, collateral, debt].map(|text| short(text));
    let text = format!(
        "market {market}, {borrower}: health {factor}, owes {debt}, pledged {collateral}\n  {would}"
    );
    (about, text)
}

/// A fixed-point number as text.
fn decimal(value: U256, decimals: usize) -> String {
    let (digits, width) = (value.to_string(), decimals + 1);
    let digits = format!("{digits:0>width$}");
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    format!("{whole}.{fraction}")
}

/// Without the decimals that nobody reads.
fn short(text: &str) -> &str {
    let end = text.find('.').map_or(text.len(), |point| point + 1 + SHOWN_DECIMALS);
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_with_their_point() {
        let shown = [0_u64, 5, 123_456_789, 100_000_000].map(|value| decimal(U256::from(value), 8));
        assert_eq!(shown, ["0.00000000", "0.00000005", "1.23456789", "1.00000000"]);
        assert_eq!(shown.each_ref().map(|text| short(text))[2], "1.2345");
        assert_eq!(short("12"), "12");
    }
}
