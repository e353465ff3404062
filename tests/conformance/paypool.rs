//! Pools of two payers: every action once, and vouchers as they are signed, whom nobody asks the ledger about.

use ledger::{
    Action, AssetId,
    domains::paypool::{self, Voucher},
};
use primitives::KeyPair;
use serde_json::{Value, json};

use super::{
    account, check, genesis, hex, key,
    story::{Step, Story},
};

/// In the last block the second pool's day for claims is over.
const TIMES_MS: [u64; 3] = [1_700_000_001_000, 1_700_000_002_000, 1_700_090_000_000];

/// What vouchers of both pools are signed with.
fn signer() -> KeyPair {
    key(30)
}

fn voucher(pool: u64, payee: u64, epoch: u32, cumulative: u128) -> Voucher {
    Voucher::sign(&signer(), genesis().chain(), pool, account(payee), epoch, cumulative)
}

fn of_paypool((name, who, action): (&'static str, u64, paypool::Action)) -> Step {
    (name, who, Action::Paypool(action))
}

fn reserve(pool: u64, payees: &[(u64, u128)]) -> paypool::Action {
    let mut lanes: Vec<_> = payees.iter().map(|(who, amount)| (account(*who), *amount)).collect();
    lanes.sort();
    paypool::Action::Reserve { pool, lanes }
}

/// Large numbers are bignums, small ones are not.
fn beginning() -> Vec<Step> {
    use paypool::Action as Act;
    let asset = AssetId::NATIVE;
    let open = |deposit, ttl_s| Act::Open { asset, deposit, ttl_s, signer: signer().id() };
    let steps = [
        ("pool-open", 1, open(1 << 66, 3_600)),
        ("pool-open-other", 2, open(1_000_000, 86_400)),
        ("pool-top-up", 1, Act::TopUp { pool: 1, amount: 5 }),
        ("pool-extend", 1, Act::Extend { pool: 1, ttl_s: 7_200 }),
        ("pool-reserve", 1, reserve(1, &[(2, 1 << 65), (3, 700)])),
        ("pool-reserve-other", 2, reserve(2, &[(1, 900_000)])),
    ];
    steps.map(of_paypool).into()
}

/// Anyone claims for both payees; one of them gives its lane back and has another.
fn paying() -> Vec<Step> {
    use paypool::Action as Act;
    let claim =
        || Act::Claim { vouchers: vec![voucher(1, 2, 1, 1 << 64), voucher(2, 1, 1, 5_000)] };
    let steps = [
        ("pool-claim", 2, claim()),
        ("pool-claim-again-refused", 2, claim()),
        ("pool-release", 2, Act::Release { pool: 1, epoch: 1 }),
        ("pool-reserve-again", 1, reserve(1, &[(2, 10)])),
        ("pool-close-start", 2, Act::CloseStart { pool: 2 }),
        ("pool-close-finish-refused", 2, Act::CloseFinish { pool: 2 }),
    ];
    steps.map(of_paypool).into()
}

fn vouchers() -> Vec<Value> {
    let chain = genesis().chain();
    let vouchers = [
        ("small", voucher(1, 2, 1, 1)),
        ("more than 64 bits", voucher(u64::MAX, 3, 7, 1 << 64)),
        ("all that there can be", voucher(2, 1, u32::MAX, u128::MAX)),
    ];
    let vector = |(name, voucher): (&str, Voucher)| {
        let bytes = minicbor::to_vec(&voucher).unwrap();
        assert_eq!(minicbor::decode::<Voucher>(&bytes).unwrap(), voucher);
        assert_eq!(voucher.verify(chain, signer().id()), Ok(()));
        json!({
            "name": name, "kind": "ledger-voucher", "chain": chain.to_string(),
            "key": hex(signer().id().as_bytes()), "pool": voucher.pool.to_string(),
            "payee": voucher.payee.to_string(), "epoch": voucher.epoch,
            "cumulative": voucher.cumulative.to_string(), "signed": hex(&voucher.to_sign(chain)),
            "signature": hex(&voucher.signature), "cbor": hex(&bytes),
        })
    };
    vouchers.map(vector).into()
}

#[test]
fn transactions_receipts_records_and_vouchers_of_pools_are_the_frozen_bytes() {
    let mut story = Story::new();
    story.block(TIMES_MS[0], beginning());
    story.block(TIMES_MS[1], paying());
    // Prefix 3: one pool that is open, one that closes, their lanes and payees.
    story.records(&[3]);
    let finish = paypool::Action::CloseFinish { pool: 2 };
    story.block(TIMES_MS[2], [of_paypool(("pool-close-finish", 1, finish))]);
    story.vectors.extend(vouchers());
    check("ledger-paypool.json", &story.vectors);
}
