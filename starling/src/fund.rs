//! Whoever funds a video pays viewers who upload (`starling fund`): HTTP for their reports, and rounds that pay what is
//! owed out of one pool. What counts is decided in `crates/payments/src/fund.rs`.
//!
//! | request | answer |
//! |---|---|
//! | `GET /fund` | what a report must name |
//! | `POST /fund` | a report; what its viewer earned |

mod reporting;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Method, StatusCode, request::Parts};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use ledger::domains::paypool::BATCH_MAX;
use peer_native::payments::fund::{Fund, PAYEES_MAX, Refusal, Rules};
use primitives::{KeyPair, Seed, SwarmId, Time};
use serde_json::json;
use signaling_server::Proxies;
use tower_http::cors::{Any, CorsLayer};
use wire::fund::REPORT_BYTES_MAX;

use crate::key_file::KeyFileError;
use crate::ledger_client::ClientError;
use crate::purse::{self, Handed, Outlook, Pay, Pot, Purse, PurseError, Source, Stock};

pub use peer_native::payments::fund::Spent;
pub use reporting::{Reported, Reports};

/// Someone is paid when they earned so many times what paying costs.
const WORTH_TIMES: u128 = 10;
/// How often it is looked whether what is left in pools of before can be taken back.
const BACK_EVERY: Duration = Duration::from_secs(3_600);
/// Of a pool that is drawn from, enough for so many hours is drawn at a time.
const DRAWN_HOURS: u128 = 2;
/// How often it is looked whether such a pool's owner asked for the rest.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// When another pool is tried to be opened again, after it could not be.
const AGAIN: Duration = Duration::from_secs(300);

/// What the owner decides.
#[derive(Debug)]
pub struct Options {
    /// Which ledger, and whose account.
    pub purse: purse::Options,
    /// What is set aside, and where it is remembered.
    pub pay: Pay,
    /// A pool that is there is filled up to that; otherwise it goes on with what is left in it.
    pub refills: bool,
    /// A pool that its owner opened for this key, to draw from it what is paid; none: the account pays.
    pub source: Option<u64>,
    /// The swarms that are paid for.
    pub swarms: Vec<SwarmId>,
    /// Most units in an hour.
    pub hour_units_max: u128,
    /// Most bytes that one viewer's word is worth in an hour.
    pub viewer_bytes_max: u64,
    /// Most bytes that the word of all viewers of one address is worth in an hour.
    pub place_bytes_max: u64,
    /// Whether viewers of one address are paid for what they send each other.
    pub same_place: bool,
    /// Someone is paid from so many units on; none: some times what paying costs.
    pub payout_from: Option<u128>,
    /// Whose word about addresses counts.
    pub proxies: Proxies,
}

/// Takes reports.
#[derive(Debug, Clone)]
pub struct Desk(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    fund: Mutex<Fund>,
    proxies: Proxies,
    started: Instant,
}

/// Pays what is owed.
#[derive(Debug)]
pub struct Payer {
    purse: Purse,
    signer: KeyPair,
    desk: Desk,
    payout_from: u128,
    cost: u128,
    /// Where the pool is remembered.
    data: PathBuf,
    source: Option<Source>,
    look_at: Instant,
    back_at: Instant,
    replace_at: Instant,
}

/// Meets the ledger, and finds or opens the pool.
///
/// # Errors
/// See [`PurseError`].
pub async fn open(options: Options) -> Result<(Payer, Desk), PurseError> {
    let pay = options.pay;
    let step = options.hour_units_max.saturating_mul(DRAWN_HOURS).min(pay.spend_max);
    let source = options.source.map(|pool| Source { pool, step });
    let (purse, pot) = Purse::pot(options.purse, &pay, options.refills, source).await?;
    let Pot { chain, pool, signer, free, drawable, cost } = pot;
    let rules = Rules {
        chain,
        pool,
        swarms: options.swarms,
        per_mib: pay.per_mib_max.max(1),
        units_max: free.saturating_add(drawable).min(pay.spend_max),
        hour_units_max: options.hour_units_max,
        viewer_bytes_max: options.viewer_bytes_max,
        place_bytes_max: options.place_bytes_max,
        same_place: options.same_place,
    };
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(KeyFileError::Entropy)?;
    let fund = Mutex::new(Fund::new(rules, Seed::new(seed), Time::ZERO));
    let now = Instant::now();
    let desk = Desk(Arc::new(Shared { fund, proxies: options.proxies, started: now }));
    let payout_from = options.payout_from.unwrap_or(cost.saturating_mul(WORTH_TIMES));
    let payer = Payer {
        purse,
        signer,
        desk: desk.clone(),
        payout_from,
        cost,
        data: pay.data,
        source,
        look_at: now + LOOK_EVERY,
        back_at: now + BACK_EVERY,
        replace_at: now,
    };
    Ok((payer, desk))
}

impl Desk {
    /// The routes.
    pub fn router(&self) -> Router {
        let cors = CorsLayer::new().allow_origin(Any).allow_methods([Method::GET, Method::POST]);
        Router::new()
            .route("/fund", get(terms).post(report))
            .layer(DefaultBodyLimit::max(REPORT_BYTES_MAX))
            .layer(cors)
            .with_state(self.clone())
    }

    /// The pool that pays.
    pub fn pool(&self) -> u64 {
        self.fund().pool()
    }

    /// Units that may still be paid.
    pub fn left_units(&self) -> u128 {
        self.fund().left_units()
    }

    /// Accounts that earned something which they were not promised, and how many units.
    pub fn owed(&self) -> (usize, u128) {
        self.fund().owed()
    }

    /// What was earned and paid so far.
    pub fn spent(&self) -> Spent {
        self.fund().spent()
    }

    fn fund(&self) -> MutexGuard<'_, Fund> {
        self.0.fund.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Time {
        Time::ZERO + self.0.started.elapsed()
    }
}

async fn terms(State(desk): State<Desk>) -> Response {
    let now = desk.now();
    let terms = desk.fund().terms(now);
    Json(terms).into_response()
}

async fn report(State(desk): State<Desk>, parts: Parts, body: Bytes) -> Response {
    let (now, place) = (desk.now(), desk.0.proxies.place(&parts));
    let told = desk.fund().report(now, place, &body);
    match told {
        Ok(told) => Json(told).into_response(),
        Err(why) => refused(why),
    }
}

fn refused(why: Refusal) -> Response {
    let status = match why {
        Refusal::Form | Refusal::Signature => StatusCode::BAD_REQUEST,
        Refusal::Pool | Refusal::Session => StatusCode::CONFLICT,
        Refusal::Swarm => StatusCode::NOT_FOUND,
        Refusal::Busy => StatusCode::TOO_MANY_REQUESTS,
    };
    let told = json!({ "error": { "code": why.code(), "message": why.to_string() } });
    (status, Json(told)).into_response()
}

impl Payer {
    /// Most units that paying one person costs in fees, which come on top.
    pub fn cost(&self) -> u128 {
        self.cost
    }

    /// Someone is paid from so many units on.
    pub fn payout_from(&self) -> u128 {
        self.payout_from
    }

    /// Pays whoever is owed enough, one transaction's worth of people.
    ///
    /// # Errors
    /// The ledger does not answer or refuses, or there are too few units for another pool. Nothing is lost: the next
    /// round tries again.
    pub async fn round(&mut self) -> Result<(), PurseError> {
        let kept = self.keep().await;
        self.pay(self.payout_from).await?;
        kept
    }

    /// Keeps the pool alive, or opens another where it can pay nobody new.
    async fn keep(&mut self) -> Result<(), PurseError> {
        let now = Instant::now();
        if now >= self.back_at {
            self.back_at = now + BACK_EVERY;
            self.purse.give_back(&self.data).await?;
        }
        let outlook = self.purse.prolong().await?;
        if let (Outlook::Open(free), Some(source)) = (outlook, self.source) {
            return self.draw(source, free, now).await;
        }
        let wanted = {
            let fund = self.desk.fund();
            // What was signed of the old one is handed in first.
            if fund.unclaimed().is_empty() { fund.left_units() } else { 0 }
        };
        if outlook != Outlook::Over || wanted == 0 || now < self.replace_at {
            return Ok(());
        }
        self.replace_at = now + AGAIN;
        let (wanted, drawable) = match self.source {
            Some(Source { pool, step }) => {
                let Stock { drawn, drawable, .. } =
                    self.purse.stock(&self.data, pool, step.min(wanted)).await?;
                (drawn, drawable)
            }
            None => (wanted, 0),
        };
        let (pool, units) = self.purse.replace(&self.data, &self.signer, wanted).await?;
        self.replace_at = now;
        self.desk.fund().renew(pool, units.saturating_add(drawable));
        if self.source.is_some() {
            self.purse.note_used(&self.data, wanted.min(units)).await?;
        }
        Ok(())
    }

    /// Draws what the pool lacks from its owner's, who may have asked for the rest.
    async fn draw(&mut self, source: Source, free: u128, now: Instant) -> Result<(), PurseError> {
        let Source { pool, step } = source;
        let lacking = if free <= step / 2 { step.saturating_sub(free) } else { 0 };
        let lacking = lacking.min(self.desk.left_units().saturating_sub(free));
        if now < self.look_at && lacking == 0 {
            return Ok(());
        }
        let stock = self.purse.stock(&self.data, pool, lacking).await?;
        self.purse.top_up(stock.drawn).await?;
        self.purse.note_used(&self.data, stock.drawn).await?;
        let there = free.saturating_add(stock.drawn).saturating_add(stock.drawable);
        self.desk.fund().limit(there);
        self.look_at = now + LOOK_EVERY;
        if stock.is_over {
            self.purse.let_go(pool).await?;
            // Only then: a lane that could not be given back is tried again.
            self.source = None;
        }
        Ok(())
    }

    /// Pays everybody who is owed what paying costs at least, before it ends. What is less is forgotten.
    ///
    /// # Errors
    /// As of [`Self::round`].
    pub async fn settle(&mut self) -> Result<(), ClientError> {
        let least = self.payout_from.min(self.cost);
        for _ in 0..=PAYEES_MAX / BATCH_MAX {
            if !self.pay(least).await? {
                break;
            }
        }
        Ok(())
    }

    /// Whether there was something to pay.
    async fn pay(&mut self, least: u128) -> Result<bool, ClientError> {
        let due = self.desk.fund().due(least);
        let signed = match due.is_empty() {
            true => Ok(Vec::new()),
            false => self.purse.sign_for(&self.signer, &due).await,
        };
        // What was signed before is handed in whatever became of that.
        let (signed, failed) = match signed {
            Ok(signed) => (signed, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        for (voucher, units) in signed {
            self.desk.fund().promised(voucher, units);
        }
        let open = self.desk.fund().unclaimed();
        let is_idle = due.is_empty() && open.is_empty();
        if !open.is_empty() {
            let Handed { paid, given_back } = self.purse.hand_in(open).await?;
            let mut fund = self.desk.fund();
            for (payee, epoch, redeemed) in paid {
                fund.claimed(payee, epoch, redeemed);
            }
            for (payee, epoch) in given_back {
                fund.forfeited(payee, epoch);
            }
        }
        failed.map_or(Ok(!is_idle), Err)
    }
}
