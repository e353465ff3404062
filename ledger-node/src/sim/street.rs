//! Two neighbours whose meters read slots of a second each, shared and settled while everything else goes wrong.

use ledger::{
    AccountId, Action, AssetId, ChainId, Store,
    domains::energy::{
        self as rules, Community, Content, Mode, Opening, Purse, Reading, Rules, Source, Tariff,
        Trust, meter_proof,
    },
};
use primitives::{KeyPair, Seed};

const COMMUNITY: u32 = 1;
/// Clients with a meter: the first ones.
const HOUSEHOLDS: usize = 2;
/// Clients that operate it, and that are the grid.
const OPERATOR: usize = 2;
const GRID: usize = 3;
/// How many times as fast its clock runs as the ledger's: a slot is a second.
const PACE: u32 = 900;
/// Slots for readings after a slot: the fewest.
const WINDOW_SLOTS: u16 = rules::WINDOW_MIN_SLOTS;
/// Units in each purse; filled up when half is gone.
const PURSE: u128 = 100_000_000;
/// Slots among which one is looked for that waits to be settled.
const LOOK_BACK: u64 = 32;

const RULES: Rules = Rules {
    mode: Mode::Sharing,
    tariff: Tariff { retail: 300_000, feed_in: 80_000, grid_fee: 50_000 },
    loss_ppm: 0,
    trust_min: Trust::SelfReported,
};

/// What a household's meter signs with.
fn device(household: usize) -> KeyPair {
    let number = u64::try_from(household).unwrap();
    KeyPair::from_seed(Seed::from_number(number).derive("meter"))
}

/// What clients ask next, by the state of a validator.
pub(super) fn next(
    clients: &[AccountId],
    chain: ChainId,
    state: &dyn Store,
) -> Vec<(usize, Action)> {
    let asks = match rules::community(state, COMMUNITY) {
        None => {
            let (asset, grid, network) = (AssetId::NATIVE, clients[GRID], clients[GRID]);
            let open = rules::Action::OpenTrial {
                asset,
                grid,
                network,
                window_slots: WINDOW_SLOTS,
                rules: RULES,
                pace: PACE,
            };
            vec![(OPERATOR, open)]
        }
        Some(community) => {
            let mut asks = coming(clients, chain, &community, state);
            asks.extend(going_on(clients, chain, &community, state));
            asks
        }
    };
    asks.into_iter().map(|(who, action)| (who, Action::Energy(action))).collect()
}

/// Members, their meters, and money in all purses.
fn coming(
    clients: &[AccountId],
    chain: ChainId,
    found: &Community,
    state: &dyn Store,
) -> Vec<(usize, rules::Action)> {
    let (community, amount) = (COMMUNITY, PURSE);
    let mut asks = Vec::new();
    if found.funds.grid_free < PURSE / 2 {
        let purse = Purse::Grid;
        asks.push((GRID, rules::Action::Deposit { community, purse, amount }));
    }
    for (who, account) in clients.iter().enumerate().take(HOUSEHOLDS) {
        let Some(member) = rules::member(state, COMMUNITY, *account) else {
            asks.push((OPERATOR, rules::Action::Admit { community, account: *account }));
            continue;
        };
        if member.free < PURSE / 2 {
            let purse = Purse::Member;
            asks.push((who, rules::Action::Deposit { community, purse, amount }));
        }
        if member.meters == 0 {
            let (source, connection_w, key) = (Source::Solar, 20_000, device(who).id());
            let proof = device(who).sign(&meter_proof(chain, COMMUNITY, *account));
            let add = rules::Action::AddMeter { community, key, source, connection_w, proof };
            asks.push((who, add));
        }
    }
    asks
}

/// Readings of the slot that ended last, and the settlement of one whose window is over.
fn going_on(
    clients: &[AccountId],
    chain: ChainId,
    found: &Community,
    state: &dyn Store,
) -> Vec<(usize, rules::Action)> {
    let now = found.slot_at(ledger::tip(state).unwrap().time_ms);
    let read = |meter| reading(clients, chain, now - 1, meter, state);
    let readings: Vec<Reading> = (0..found.meters_ever).filter_map(read).collect();
    let mut asks = Vec::new();
    if !readings.is_empty() {
        asks.push((GRID, rules::Action::Read { readings }));
    }
    let over = found.oldest(now);
    let waits = |slot: &u64| {
        rules::slot(state, COMMUNITY, *slot).is_some_and(|slot| slot.summary.is_none())
    };
    if let Some(slot) = (over.saturating_sub(LOOK_BACK)..over).find(waits) {
        let (community, readings_max) = (COMMUNITY, 2);
        asks.push((OPERATOR, rules::Action::Settle { community, slot, readings_max }));
    }
    asks
}

/// What a meter says of a slot: the first takes, the other gives and takes. `None`: it has said it, or came later.
fn reading(
    clients: &[AccountId],
    chain: ChainId,
    slot: u64,
    number: u32,
    state: &dyn Store,
) -> Option<Reading> {
    let meter = rules::meter(state, COMMUNITY, number)?;
    let owner = clients.iter().position(|client| *client == meter.owner)?;
    if meter.from_slot > slot || meter.last.is_some_and(|last| last.slot >= slot) {
        return None;
    }
    let (import_wh, export_wh) = match number {
        0 => (500 + slot % 7 * 100, 0),
        _ => (slot % 5 * 50, 300 + slot % 3 * 200),
    };
    let before = meter.last.map_or((0, 0), |last| (last.import_wh, last.export_wh));
    let (import_total_wh, export_total_wh) = (before.0 + import_wh, before.1 + export_wh);
    let opening = Opening {
        salt: [0; 32],
        import_wh,
        export_wh,
        import_register_wh: import_total_wh,
        export_register_wh: export_total_wh,
    };
    let commitment = opening.commitment();
    let content = Content { import_wh, export_wh, import_total_wh, export_total_wh, commitment };
    Some(Reading::sign(&device(owner), chain, (COMMUNITY, number), (slot, 0), content))
}

/// Checks that slots were settled in which neighbours traded.
pub(super) fn check_used(state: &dyn Store) {
    let community = rules::community(state, COMMUNITY).unwrap();
    assert!(community.settled_slots > 0, "no slot was settled");
    assert!(community.certificates.claimed_wh > 0, "neighbours traded nothing");
}
