//! Reports of strangers to a fund: any bytes count for nothing, or for no more than its owner is ready to lose. Besides
//! raw bytes, what a report says is said again about viewers of ours and signed by them: nothing behind the signature
//! would be reached otherwise.

use std::{net::IpAddr, sync::LazyLock};

use ledger::{AccountId, ChainId, domains::paypool::Voucher};
use payments::fund::{Fund, Rules};
use primitives::{Hash, KeyPair, Seed, SwarmId, Time};
use wire::fund::{GIVERS_MAX, REPORT_BYTES_MAX, Report, Said};

/// Viewers of ours, each at a place of its own.
const VIEWERS: u8 = 2;
const MIB: u64 = 1 << 20;
const PER_MIB: u64 = 1_000;
const UNITS_MAX: u128 = 100_000;
const HOUR_UNITS_MAX: u128 = 60_000;
const VIEWER_BYTES_MAX: u64 = 20 * MIB;
const POOL: u64 = 7;

/// What they report first: nothing yet, but where they want to be paid.
static GREETINGS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let viewers = 0..VIEWERS;
    viewers.map(|viewer| body(viewer, &said(Some(account(viewer)), Vec::new()))).collect()
});

fn fund() -> Fund {
    let rules = Rules {
        chain: ChainId::new([3; 32]),
        pool: POOL,
        swarms: vec![swarm()],
        per_mib: PER_MIB,
        units_max: UNITS_MAX,
        hour_units_max: HOUR_UNITS_MAX,
        viewer_bytes_max: VIEWER_BYTES_MAX,
        place_bytes_max: 30 * MIB,
        same_place: false,
    };
    Fund::new(rules, Seed::from_number(77), Time::ZERO)
}

fn swarm() -> SwarmId {
    SwarmId::new([8; 32])
}

fn key(viewer: u8) -> KeyPair {
    KeyPair::from_seed(Seed::from_number(viewer.into()))
}

fn account(viewer: u8) -> AccountId {
    AccountId::of_key(key(100 + viewer).id())
}

fn at(viewer: u8) -> IpAddr {
    IpAddr::from([198, 51, 100, viewer])
}

/// What is said to the fund above in its first hour.
fn said(account: Option<AccountId>, from: Vec<(u8, u64)>) -> Said {
    let terms = fund().terms(Time::ZERO);
    let account = account.map(|account| Hash::new(*account.as_bytes()));
    let from = from.into_iter().map(|(giver, bytes)| (key(giver).id(), bytes)).collect();
    let (chain, pool, session) = (terms.chain, terms.pool, terms.session);
    Said { chain, pool, session, swarm: swarm(), account, from }
}

fn body(viewer: u8, said: &Said) -> Vec<u8> {
    let key = key(viewer);
    Report::make(key.id(), said, |bytes| key.sign(bytes)).to_json()
}

/// Reads it as it is, and then as the word of each viewer of ours.
pub fn run(bytes: &[u8]) {
    let mut fund = fund();
    for (viewer, body) in (0..VIEWERS).zip(GREETINGS.iter()) {
        fund.report(Time::ZERO, at(viewer), body).expect("they are who they say");
    }
    drop(fund.report(Time::ZERO, at(VIEWERS), bytes));
    if let Some((report, told)) = Report::read(bytes) {
        assert!(bytes.len() <= REPORT_BYTES_MAX && told.from.len() <= GIVERS_MAX);
        let again = Report::read(&report.to_json());
        assert!(again.is_none_or(|(again, _)| again == report), "it survives being written");
        let ours = said(None, Vec::new());
        let from = told.from.iter();
        let from = from.map(|(giver, bytes)| (key(giver.as_bytes()[0] % VIEWERS).id(), *bytes));
        let said = Said { account: told.account, from: from.collect(), ..ours };
        for viewer in 0..VIEWERS {
            drop(fund.report(Time::ZERO, at(viewer), &body(viewer, &said)));
        }
    }
    holds(&mut fund);
}

/// Whatever was said, the owner's bounds hold, and no more is signed than was earned.
fn holds(fund: &mut Fund) {
    let spent = fund.spent();
    // With the stranger, who may be a viewer, too.
    assert!(spent.bytes <= u64::from(VIEWERS + 1) * VIEWER_BYTES_MAX, "{spent:?}");
    assert!(spent.earned <= HOUR_UNITS_MAX && spent.promised == 0, "{spent:?}");
    let chain = ChainId::new([3; 32]);
    for (payee, units) in fund.due(1) {
        fund.promised(Voucher::sign(&key(99), chain, POOL, payee, 1, units), units);
    }
    let spent = fund.spent();
    assert!(spent.promised <= spent.earned && spent.paid == 0, "{spent:?}");
    assert!(fund.due(1).is_empty(), "it is signed twice");
}

/// Reports of one viewer about the other, and of somebody else.
pub fn seeds() -> Vec<Vec<u8>> {
    let all = vec![(0, 3 * MIB), (1, 900 * MIB), (9, 1)];
    let mut seeds = GREETINGS.clone();
    seeds.extend([
        body(0, &said(Some(account(0)), all.clone())),
        body(1, &said(Some(account(0)), all.clone())),
        body(9, &said(None, all)),
    ]);
    seeds
}
