//! Whoever funds a video pays viewers who upload (`starling fund`): HTTP for their reports, and rounds that pay what is
//! owed out of one pool. What counts is decided in `crates/payments/src/fund.rs`.
//!
//! | request | answer |
//! |---|---|
//! | `GET /fund` | what a report must name |
//! | `POST /fund` | a report; what its viewer earned |

mod reporting;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

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
use crate::purse::{self, Handed, Pay, Pot, Purse, PurseError};

pub use peer_native::payments::fund::Spent;
pub use reporting::{Reported, Reports};

/// Someone is paid when they earned so many times what paying costs.
const WORTH_TIMES: u128 = 10;

/// What the owner decides.
#[derive(Debug)]
pub struct Options {
    /// Which ledger, and whose account.
    pub purse: purse::Options,
    /// What is set aside, and where it is remembered.
    pub pay: Pay,
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
    pool: u64,
}

/// Pays what is owed.
#[derive(Debug)]
pub struct Payer {
    purse: Purse,
    signer: KeyPair,
    desk: Desk,
    payout_from: u128,
    cost: u128,
}

/// Meets the ledger, and finds or opens the pool.
///
/// # Errors
/// See [`PurseError`].
pub async fn open(options: Options) -> Result<(Payer, Desk), PurseError> {
    let pay = options.pay;
    let (purse, pot) = Purse::pot(options.purse, &pay).await?;
    let Pot { chain, pool, signer, free, cost } = pot;
    let rules = Rules {
        chain,
        pool,
        swarms: options.swarms,
        per_mib: pay.per_mib_max.max(1),
        units_max: free.min(pay.spend_max),
        hour_units_max: options.hour_units_max,
        viewer_bytes_max: options.viewer_bytes_max,
        place_bytes_max: options.place_bytes_max,
        same_place: options.same_place,
    };
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(KeyFileError::Entropy)?;
    let fund = Mutex::new(Fund::new(rules, Seed::new(seed), Time::ZERO));
    let shared = Shared { fund, proxies: options.proxies, started: Instant::now(), pool };
    let desk = Desk(Arc::new(shared));
    let payout_from = options.payout_from.unwrap_or(cost.saturating_mul(WORTH_TIMES));
    Ok((Payer { purse, signer, desk: desk.clone(), payout_from, cost }, desk))
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
        self.0.pool
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
    /// The ledger does not answer or refuses. Nothing is lost: the next round tries again.
    pub async fn round(&mut self) -> Result<(), ClientError> {
        let prolonged = self.purse.prolong().await;
        self.pay(self.payout_from).await?;
        prolonged
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
