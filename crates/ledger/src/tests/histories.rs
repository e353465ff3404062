//! Random histories of all that people hold, promise and lend at once. Whoever may freeze an asset may freeze what
//! pools and markets hold of it, too: that keeps from nobody what is not frozen, and breaks no law.

use std::sync::LazyLock;

use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};

use crate::{
    AccountId, Action, AssetId, ChainId, Code as _, MemoryStore, Store as _,
    domains::{
        accounts::{self, Balance},
        assets,
        lending::{self, Config, Curve},
        oracle,
        paypool::{self, Voucher},
    },
    testing::{Lab, account, key},
};

const PEOPLE: std::ops::RangeInclusive<u64> = 1..=5;
/// Accounts of domains are called by the numbers behind people's.
const PLACES: std::ops::RangeInclusive<u64> = 1..=8;
/// Assets that are there from the beginning: the ledger's own, one that its issuer may freeze, one that nobody may.
/// Histories make others.
const FREEZABLE: AssetId = AssetId(1);
const FIXED: AssetId = AssetId(2);
const ASSETS: u32 = 4;
/// Whoever makes the first three of them.
const ISSUERS: [u64; 2] = [1, 2];
/// Units that everybody begins with, of each.
const UNITS: u128 = 1_000_000_000_000;
/// Of all assets here.
const DECIMALS: u8 = 6;
/// A price of one, with 8 decimals.
const ONE: u64 = 100_000_000;
/// Who says prices.
const REPORTERS: std::ops::Range<u64> = 60..64;
const MARKET: u32 = 1;
/// Whoever opens it.
const CREATOR: u64 = 5;
const HOUR_S: u64 = 3_600;

/// A person, or where a domain keeps what it holds.
fn place(number: u64) -> AccountId {
    match number {
        6 => AccountId::of_domain("paypool"),
        7 => AccountId::of_domain("lending"),
        8 => AccountId::of_domain("energy"),
        who => account(who),
    }
}

fn rules(asset: AssetId) -> Config {
    Config {
        asset,
        feed: asset.0 + 1,
        decimals: DECIMALS,
        ltv_bps: 8_050,
        threshold_bps: 8_300,
        bonus_bps: 10_500,
        reserve_factor_bps: 1_000,
        protocol_fee_bps: 1_000,
        supply_cap: u128::MAX,
        borrow_cap: u128::MAX,
        borrowable: true,
        curve: Curve { optimal_bps: 9_000, base_bps: 0, slope1_bps: 400, slope2_bps: 6_000 },
    }
}

/// Three of four reporters say a price until it is no jump any more.
fn report(lab: &mut Lab, feed: u32, percent: u64) {
    for _ in 0..2 {
        lab.wait_s(1);
        let (seen_s, number) = (lab.context.now_s(), lab.context.height);
        let price = ONE / 100 * percent;
        for who in REPORTERS.skip(1) {
            let report = oracle::Action::Report { feed, price, seen_s, number };
            lab.act(account(who), &Action::Oracle(report)).unwrap();
        }
    }
}

/// Everybody has some of three assets; two of them are lent, by one each.
static TOWN: LazyLock<Lab> = LazyLock::new(|| {
    let mut lab = Lab::new();
    lab.wait_s(1_700_000_000);
    for (issuer, asset) in ISSUERS.into_iter().zip([FREEZABLE, FIXED]) {
        let (symbol, supply_max) = ("TOWN".to_owned(), None);
        let freezable = asset == FREEZABLE;
        let create = assets::Action::Create { symbol, decimals: DECIMALS, supply_max, freezable };
        lab.act(account(issuer), &Action::Assets(create)).unwrap();
        for who in PEOPLE {
            let issue = assets::Action::Issue { asset, to: account(who), amount: UNITS };
            lab.act(account(issuer), &Action::Assets(issue)).unwrap();
        }
    }
    PEOPLE.for_each(|who| lab.fund(account(who), AssetId::NATIVE, UNITS));
    let mut reporters: Vec<AccountId> = REPORTERS.map(account).collect();
    reporters.sort();
    for feed in 1..3 {
        let create =
            oracle::Action::Create { reporters: reporters.clone(), age_max_s: oracle::AGE_MAX_S };
        lab.act(account(CREATOR), &Action::Oracle(create)).unwrap();
        report(&mut lab, feed, 100);
    }
    let reserves = vec![rules(AssetId::NATIVE), rules(FREEZABLE)];
    let open = lending::Action::Open { treasury: account(90), reserves };
    lab.act(account(CREATOR), &Action::Lending(open)).unwrap();
    for (who, reserve) in [(3, 0), (4, 1)] {
        let supply = lending::Action::Supply { market: MARKET, reserve, amount: UNITS / 4 };
        lab.act(account(who), &Action::Lending(supply)).unwrap();
    }
    lab
});

fn town() -> Lab {
    Lab { store: TOWN.store.clone(), context: TOWN.context.clone() }
}

#[derive(Debug, Clone)]
enum Step {
    Act(u64, Action),
    /// By whoever pays for the pool of this number.
    Payer(u64, paypool::Action),
    /// Of a feed, in hundredths.
    Price(u32, u64),
    Wait(u64),
}

fn any_amount() -> impl Strategy<Value = u128> {
    prop_oneof![1 => 0..50_u128, 8 => 1..UNITS / 8, 1 => Just(u128::MAX)]
}

fn any_asset() -> impl Strategy<Value = AssetId> {
    prop_oneof![3 => Just(0), 4 => Just(1), 2 => Just(2), 1 => Just(3_u32)].prop_map(AssetId)
}

fn any_place() -> impl Strategy<Value = AccountId> {
    prop_oneof![5 => PEOPLE, 3 => 6..=8_u64].prop_map(place)
}

/// What accounts and issuers do; issuers mostly with what is their own.
fn any_holding() -> impl Strategy<Value = Step> {
    let (to, amount) = (any_place, any_amount);
    let issuer = || prop_oneof![4 => Just(1_u64), 1 => PEOPLE];
    let own = || prop_oneof![4 => Just(FREEZABLE), 1 => any_asset()];
    let create = (PEOPLE, prop::option::of(amount()), any::<bool>()).prop_map(
        |(who, supply_max, freezable)| {
            let symbol = "MORE".to_owned();
            let decimals = DECIMALS;
            (who, assets::Action::Create { symbol, decimals, supply_max, freezable })
        },
    );
    let issue = (issuer(), own(), to(), amount())
        .prop_map(|(who, asset, to, amount)| (who, assets::Action::Issue { asset, to, amount }));
    let burn = (PEOPLE, any_asset(), amount())
        .prop_map(|(who, asset, amount)| (who, assets::Action::Burn { asset, amount }));
    let freeze =
        (issuer(), own(), to(), any::<bool>()).prop_map(|(who, asset, account, frozen)| {
            (who, assets::Action::Freeze { asset, account, frozen })
        });
    let renounce =
        (PEOPLE, any_asset()).prop_map(|(who, asset)| (who, assets::Action::Renounce { asset }));
    let issuing = prop_oneof![1 => create, 2 => issue, 1 => burn, 4 => freeze, 1 => renounce];
    let transfer = (PEOPLE, any_asset(), to(), amount()).prop_map(|(who, asset, to, amount)| {
        (who, Action::Accounts(accounts::Action::Transfer { asset, to, amount }))
    });
    let issuing = issuing.prop_map(|(who, action)| (who, Action::Assets(action)));
    prop_oneof![2 => issuing, 1 => transfer].prop_map(|(who, action)| Step::Act(who, action))
}

fn any_voucher() -> impl Strategy<Value = Voucher> {
    let (pool, epoch) = (1..4_u64, prop_oneof![3 => Just(1_u32), 1 => Just(2)]);
    let signer = prop_oneof![20 => Just(100_u64), 1 => Just(1)];
    (signer, pool, PEOPLE, epoch, any_amount()).prop_map(|(signer, pool, payee, epoch, sum)| {
        let chain = ChainId::new([1; 32]);
        Voucher::sign(&key(signer), chain, pool, account(payee), epoch, sum)
    })
}

/// What payers, payees and others do with pools, all of which have the same key for vouchers.
fn any_pooling() -> impl Strategy<Value = Step> {
    use paypool::Action as Act;
    let (who, pool, ttl_s) = (|| PEOPLE, || 1..4_u64, || (1..30_u64).prop_map(|h| h * HOUR_S));
    let open =
        (who(), any_asset(), any_amount(), ttl_s()).prop_map(|(who, asset, deposit, ttl_s)| {
            let open = Act::Open { asset, deposit, ttl_s, signer: key(100).id() };
            Step::Act(who, Action::Paypool(open))
        });
    let top_up = (pool(), any_amount())
        .prop_map(|(pool, amount)| Step::Payer(pool, Act::TopUp { pool, amount }));
    let extend =
        (pool(), ttl_s()).prop_map(|(pool, ttl_s)| Step::Payer(pool, Act::Extend { pool, ttl_s }));
    let lanes = prop::collection::btree_map(PEOPLE.prop_map(account), 1..UNITS / 32, 1..4);
    let reserve = (pool(), lanes).prop_map(|(pool, lanes)| {
        Step::Payer(pool, Act::Reserve { pool, lanes: lanes.into_iter().collect() })
    });
    let claim = (who(), prop::collection::vec(any_voucher(), 1..4))
        .prop_map(|(who, vouchers)| Step::Act(who, Action::Paypool(Act::Claim { vouchers })));
    let release = (who(), pool(), 1..3_u32).prop_map(|(who, pool, epoch)| {
        Step::Act(who, Action::Paypool(Act::Release { pool, epoch }))
    });
    let start = pool().prop_map(|pool| Step::Payer(pool, Act::CloseStart { pool }));
    let finish = pool().prop_map(|pool| Step::Payer(pool, Act::CloseFinish { pool }));
    let by_others = (who(), pool())
        .prop_map(|(who, pool)| Step::Act(who, Action::Paypool(Act::CloseFinish { pool })));
    prop_oneof![
        4 => open,
        1 => top_up,
        1 => extend,
        5 => reserve,
        7 => claim,
        2 => release,
        1 => start,
        1 => finish,
        1 => by_others,
    ]
}

fn any_lending() -> impl Strategy<Value = Step> {
    use lending::Action as Act;
    let market = MARKET;
    let what = (0..12_u8, 0..2_u8, any_amount(), any::<bool>());
    (PEOPLE, PEOPLE, what).prop_map(move |(who, other, (kind, reserve, amount, yes))| {
        let (debtor, borrower, part) = (account(other), account(other), yes.then_some(amount));
        let action = match kind {
            0..=2 => Act::Supply { market, reserve, amount },
            3..=5 => Act::Borrow { market, reserve, amount },
            6 => Act::Repay { market, reserve, amount: part, debtor },
            7 => Act::Withdraw { market, reserve, amount: part },
            8 => Act::SetCollateral { market, reserve, on: yes },
            9 => {
                let (collateral, debt) = (reserve, 1 - reserve);
                Act::Liquidate { market, collateral, debt, borrower, cover: amount }
            }
            10 if yes => Act::Collect { market, reserve },
            10 => Act::Cover { market, reserve, amount },
            _ => Act::Freeze { market, reserve, frozen: yes },
        };
        Step::Act(who, Action::Lending(action))
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let wait = prop_oneof![5 => 0..600_u64, 1 => 0..90_000_u64];
    prop_oneof![
        12 => any_holding(),
        20 => any_pooling(),
        12 => any_lending(),
        2 => (1..3_u32, 60..140_u64).prop_map(|(feed, percent)| Step::Price(feed, percent)),
        3 => wait.prop_map(Step::Wait),
    ]
}

/// Who does what; none: it is nobody's, and done.
fn resolve(lab: &mut Lab, step: &Step) -> Option<(AccountId, Action)> {
    match step {
        Step::Act(who, action) => Some((account(*who), action.clone())),
        Step::Payer(number, action) => {
            let payer = paypool::pool(&lab.store, *number).map_or(account(1), |pool| pool.payer);
            Some((payer, Action::Paypool(action.clone())))
        }
        Step::Price(feed, percent) => {
            report(lab, *feed, *percent);
            None
        }
        Step::Wait(seconds) => {
            lab.wait_s(*seconds);
            None
        }
    }
}

fn balance(store: &MemoryStore, account: AccountId, asset: AssetId) -> Balance {
    let record = store.get(&accounts::balance_key(account, asset));
    record.map(|record| minicbor::decode(&record).unwrap()).unwrap_or_default()
}

/// What no action of anybody does: units come and go by their issuer and who burns them only, nothing that is frozen
/// moves, and of people only who signs has less.
fn keeps(
    (before, after): (&MemoryStore, &MemoryStore),
    signer: AccountId,
    action: &Action,
) -> Result<(), TestCaseError> {
    use assets::Action as Act;
    let makes = matches!(action, Action::Assets(Act::Issue { .. } | Act::Burn { .. }));
    for asset in (0..ASSETS).map(AssetId) {
        let is_same = accounts::supply(before, asset) == accounts::supply(after, asset);
        prop_assert!(makes || is_same, "{action:?} made or destroyed units");
        for number in PLACES {
            let held = place(number);
            let (old, new) = (balance(before, held, asset), balance(after, held, asset));
            prop_assert!(!old.frozen || old.amount == new.amount, "{action:?} moved frozen units");
            let is_other = PEOPLE.contains(&number) && held != signer;
            prop_assert!(!is_other || old.amount <= new.amount, "{action:?} took from {number}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// The laws of every domain hold after each action (asked by `Lab::act`), and a refusal writes nothing.
    #[test]
    fn any_history_of_everything_keeps_the_laws(steps in prop::collection::vec(any_step(), 1..40)) {
        let mut lab = town();
        for step in steps {
            let Some((signer, action)) = resolve(&mut lab, &step) else { continue };
            let before = lab.store.clone();
            if lab.act(signer, &action).is_err() {
                prop_assert_eq!(&lab.store, &before, "a refusal writes nothing");
            } else {
                keeps((&before, &lab.store), signer, &action)?;
            }
        }
    }
}

/// The histories are not all refusals: they reach what they are about.
#[test]
fn histories_of_everything_reach_each_other() {
    let mut runner = TestRunner::deterministic();
    let strategy = prop::collection::vec(any_step(), 40);
    let (mut claims, mut extended, mut closed, mut borrowed) = (0, 0, 0, 0);
    let (mut frozen_vaults, mut held_back) = (0, 0);
    for _ in 0..200 {
        let mut lab = town();
        for step in strategy.new_tree(&mut runner).unwrap().current() {
            let Some((signer, action)) = resolve(&mut lab, &step) else { continue };
            let is_done = match lab.act(signer, &action) {
                Ok(_) => true,
                Err(code) => {
                    let is_held = matches!(action, Action::Paypool(_) | Action::Lending(_));
                    held_back += u32::from(is_held && code == accounts::Error::Frozen.code());
                    false
                }
            };
            let counter = match &action {
                Action::Paypool(paypool::Action::Claim { .. }) => &mut claims,
                Action::Paypool(paypool::Action::Extend { .. }) => &mut extended,
                Action::Paypool(paypool::Action::CloseFinish { .. }) => &mut closed,
                Action::Lending(lending::Action::Borrow { .. }) => &mut borrowed,
                Action::Assets(assets::Action::Freeze { account, frozen: true, .. })
                    if (6..=8).any(|vault| place(vault) == *account) =>
                {
                    &mut frozen_vaults
                }
                _ => continue,
            };
            *counter += u32::from(is_done);
        }
    }
    let found = format!(
        "{claims} claims, {extended} extended, {closed} closed, {borrowed} borrowed, {frozen_vaults} vaults \
         frozen, {held_back} held back"
    );
    assert!(claims > 20 && extended > 5 && closed > 5 && borrowed > 10, "{found}");
    assert!(frozen_vaults > 10 && held_back > 20, "{found}");
}
