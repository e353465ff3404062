//! A street with two meters: every action of a community once, in the order of its life; then one that
//! trades by a book, and one for trying out; then letters for who settles disputes.

use identity::grant::Recipient;
use ledger::{
    Action, AssetId,
    domains::energy::{
        self, Content, Friend, Limits, Mode, Opened, Opening, Purse, Reading, Rules, Side, Source,
        Tariff, Trust, meter_proof,
    },
};
use primitives::Seed;
use serde_json::json;

use super::{account, check, genesis, hex, key, story, story::Story};

/// A transaction's name, who signs it, what it does.
type Step = (&'static str, u64, energy::Action);

const COMMUNITY: u32 = 1;
/// The first slot that a meter of block 1 reads.
const SLOT: u64 = 1_888_889;
/// Block 1 is in the slot before, block 2 in the one after, block 3 when the window is over.
const TIMES_MS: [u64; 3] = [1_700_000_001_000, 1_700_001_500_000, 1_700_005_000_000];

fn rules() -> Rules {
    let tariff = Tariff { retail: 300_000, feed_in: 80_000, grid_fee: 50_000 };
    Rules { mode: Mode::Sharing, tariff, loss_ppm: 20_000, trust_min: Trust::SelfReported }
}

fn opening(import_wh: u64, export_wh: u64) -> Opening {
    let (import_register_wh, export_register_wh) = (70_000, 3_000);
    Opening { salt: [5; 32], import_wh, export_wh, import_register_wh, export_register_wh }
}

/// What a meter says of the slot, with another in its commitment; the signature is of this network.
fn say(meter: u32, (import_wh, export_wh): (u64, u64), opening: &Opening) -> Reading {
    let commitment = opening.commitment();
    let (import_total_wh, export_total_wh) = (import_wh, export_wh);
    let content = Content { import_wh, export_wh, import_total_wh, export_total_wh, commitment };
    let signer = key(20 + u64::from(meter));
    Reading::sign(&signer, genesis().chain(), (COMMUNITY, meter), (SLOT, 0), content)
}

fn add_meter(owner: u64, meter: u64, source: Source) -> energy::Action {
    let device = key(20 + meter);
    let proof = device.sign(&meter_proof(genesis().chain(), COMMUNITY, account(owner)));
    let (community, connection_w) = (COMMUNITY, 11_000);
    energy::Action::AddMeter { community, key: device.id(), source, connection_w, proof }
}

fn beginning() -> Vec<Step> {
    use energy::Action as Act;
    let community = COMMUNITY;
    let (asset, grid, network) = (AssetId::NATIVE, account(9), account(8));
    let auction = Rules { mode: Mode::Auction, ..rules() };
    let limits = Limits { buy: 250_000, sell: 120_000 };
    let friend = Some(Friend { meter: 0, price: 123_456 });
    let deposit = |purse| Act::Deposit { community, purse, amount: 1_000_000 };
    vec![
        ("energy-open", 1, Act::Open { asset, grid, network, window_slots: 4, rules: rules() }),
        ("energy-set-rules", 1, Act::SetRules { community, from_slot: SLOT + 100, rules: auction }),
        ("energy-admit", 1, Act::Admit { community, account: account(1) }),
        ("energy-admit-other", 1, Act::Admit { community, account: account(2) }),
        ("energy-deposit", 1, deposit(Purse::Member)),
        ("energy-deposit-grid", 1, deposit(Purse::Grid)),
        ("energy-deposit-other", 2, deposit(Purse::Member)),
        ("energy-add-meter", 1, add_meter(1, 0, Source::Unknown)),
        ("energy-add-meter-other", 2, add_meter(2, 1, Source::Solar)),
        ("energy-add-meter-liar", 1, add_meter(1, 2, Source::Storage)),
        ("energy-set-trust", 1, Act::SetTrust { community, meter: 1, trust: Trust::Hardware }),
        ("energy-set-limits", 2, Act::SetLimits { community, meter: 1, limits }),
        ("energy-set-friend", 2, Act::SetFriend { community, meter: 1, friend }),
    ]
}

/// The third meter says two things, and one of them is more than it committed to.
fn readings() -> Vec<Step> {
    use energy::Action as Act;
    let honest = |meter, import_wh, export_wh| {
        say(meter, (import_wh, export_wh), &opening(import_wh, export_wh))
    };
    let (first, second) = (Box::new(honest(2, 900, 0)), Box::new(honest(2, 0, 900)));
    let opening = Box::new(opening(0, 800));
    let reading = Box::new(say(2, (0, 900), &opening));
    vec![
        ("energy-read", 2, Act::Read { readings: vec![honest(0, 1_000, 0), honest(1, 0, 600)] }),
        ("energy-accuse", 2, Act::Accuse { first, second }),
        ("energy-expose-refused", 2, Act::Expose { reading, opening }),
    ]
}

fn ending() -> Vec<Step> {
    use energy::Action as Act;
    let (community, slot, meter) = (COMMUNITY, SLOT, 1);
    let (holder, energy_wh) = (account(1), 5);
    let (purse, to) = (Purse::Member, account(2));
    vec![
        ("energy-settle", 2, Act::Settle { community, slot, readings_max: 2 }),
        ("energy-claim", 2, Act::Claim { community, slot, meter, energy_wh, holder }),
        ("energy-withdraw", 2, Act::Withdraw { community, purse, to, amount: 1 }),
        ("energy-remove-meter", 2, Act::RemoveMeter { community, meter }),
        ("energy-leave", 2, Act::Leave { community, account: account(2) }),
    ]
}

#[test]
fn transactions_receipts_and_records_of_a_community_are_the_frozen_bytes() {
    check("ledger-energy.json", &played([beginning(), readings(), ending()]).vectors);
}

/// Orders that wait, meet and are taken back; a seller that is silent.
fn orders() -> [Vec<Step>; 3] {
    use energy::Action as Act;
    let community = COMMUNITY;
    let (asset, grid, network) = (AssetId::NATIVE, account(9), account(8));
    let book = Rules { mode: Mode::Book, ..rules() };
    let deposit = |purse| Act::Deposit { community, purse, amount: 1_000_000 };
    let place = |side, meter, limit, quantity_wh| Act::Place {
        community,
        slot: SLOT,
        meter,
        side,
        limit,
        quantity_wh,
        trades_max: 3,
    };
    let said = say(0, (700, 0), &opening(700, 0));
    let beginning = vec![
        ("book-open", 1, Act::Open { asset, grid, network, window_slots: 4, rules: book }),
        ("book-admit", 1, Act::Admit { community, account: account(1) }),
        ("book-admit-other", 1, Act::Admit { community, account: account(2) }),
        ("book-deposit", 1, deposit(Purse::Member)),
        ("book-deposit-grid", 1, deposit(Purse::Grid)),
        ("book-deposit-other", 2, deposit(Purse::Member)),
        ("book-add-meter", 1, add_meter(1, 0, Source::Unknown)),
        ("book-add-meter-other", 2, add_meter(2, 1, Source::Solar)),
        ("book-place-sell", 2, place(Side::Sell, 1, 123_456, 600)),
        ("book-place-buy", 1, place(Side::Buy, 0, 200_000, 1_000)),
        ("book-place-low", 1, place(Side::Buy, 0, 60_000, 50)),
        ("book-place-refused", 2, place(Side::Buy, 1, 49_999, 50)),
        ("book-cancel", 1, Act::Cancel { community, slot: SLOT, order: 1 }),
    ];
    let readings = vec![("book-read", 2, Act::Read { readings: vec![said] })];
    let settle = Act::Settle { community, slot: SLOT, readings_max: 2 };
    [beginning, readings, vec![("book-settle", 2, settle)]]
}

#[test]
fn transactions_receipts_and_records_of_a_book_are_the_frozen_bytes() {
    check("ledger-energy-book.json", &played(orders()).vectors);
}

/// A community whose clock runs faster, and a meter that traded more than it metered. Its friend is forgotten.
fn trial() -> Vec<Step> {
    use energy::Action as Act;
    let community = COMMUNITY;
    let (asset, grid, network) = (AssetId::NATIVE, account(9), account(8));
    let (window_slots, rules, pace) = (4, rules(), 900);
    let opening = Box::new(opening(0, 800));
    let reading = Box::new(say(0, (0, 900), &opening));
    vec![
        ("trial-open", 1, Act::OpenTrial { asset, grid, network, window_slots, rules, pace }),
        ("trial-admit", 1, Act::Admit { community, account: account(1) }),
        ("trial-add-meter", 1, add_meter(1, 0, Source::Solar)),
        ("trial-set-friend", 1, Act::SetFriend { community, meter: 0, friend: None }),
        ("trial-expose", 2, Act::Expose { reading, opening }),
    ]
}

#[test]
fn transactions_receipts_and_records_of_a_trial_are_the_frozen_bytes() {
    let mut story = Story::new();
    story.block(TIMES_MS[0], trial().into_iter().map(of_energy));
    story.records(&[7]);
    check("ledger-energy-trial.json", &story.vectors);
}

/// Letters of one and of two readers; who opens them is a secret of the vector.
#[test]
fn sealed_openings_are_the_frozen_bytes() {
    let secrets: [u8; 2] = [7, 8];
    let readers = secrets.map(|secret| Recipient::of_ed25519(&[secret; 32]).public());
    let opening = opening(1_000, 0);
    let opened = Opened { reading: say(0, (900, 0), &opening), opening };
    let chain = genesis().chain();
    let vector = |count: usize| {
        let bytes = opened.seal(&readers[..count], chain, Seed::from_number(3)).unwrap();
        for (at, secret) in secrets.iter().enumerate() {
            let found = Opened::open(&bytes, chain, &Recipient::of_ed25519(&[*secret; 32]));
            assert_eq!(found.as_ref(), (at < count).then_some(&opened), "reader {at} of {count}");
        }
        json!({
            "name": opened.file_name(), "kind": "ledger-energy-letter", "chain": chain.to_string(),
            "readers": secrets[..count].iter().map(|one| hex(&[*one; 32])).collect::<Vec<_>>(),
            "opened": hex(&minicbor::to_vec(&opened).unwrap()), "cbor": hex(&bytes),
        })
    };
    check("ledger-energy-letters.json", &[vector(1), vector(2)]);
}

/// Every step's transaction and receipt, and the records in the end. Records of the book while it waits are
/// as after the first block.
fn played(blocks: [Vec<Step>; 3]) -> Story {
    let mut story = Story::new();
    for (time_ms, steps) in TIMES_MS.into_iter().zip(blocks) {
        story.block(time_ms, steps.into_iter().map(of_energy));
        if time_ms == TIMES_MS[0] {
            // Tables 8 and 9: a book that waits, and positions on it.
            story.records(&[7, 8]);
            story.records(&[7, 9]);
        }
    }
    // Prefix 7: the community's own.
    story.records(&[7]);
    story
}

fn of_energy((name, who, action): Step) -> story::Step {
    (name, who, Action::Energy(action))
}
