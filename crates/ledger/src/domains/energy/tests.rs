//! A street of households with a retailer behind it; `histories` plays random ones.

mod histories;
mod mechanisms;
mod optimum;
mod orders;
mod refusals;
mod slots;
mod trial;

use std::collections::BTreeMap;

use super::{
    Action, Community, Content, Error, Friend, Limits, Member, Mode, Opening, Position, Purse,
    Reading, Record, Rules, SLOT_S, Side, Slot, Source, TRADES_MAX, Tariff, Trust, community,
    member, meter, meter_proof, order_book, position, record, slot,
};
use crate::{
    self as ledger, AssetId, Code as _, Event,
    testing::{Lab, account, key},
};

const COMMUNITY: u32 = 1;
const OPERATOR: u64 = 50;
const GRID: u64 = 51;
const NETWORK: u64 = 52;
const STRANGER: u64 = 53;
/// Slots for readings after a slot.
const WINDOW: u16 = 4;
/// The slot in which the street comes together; its meters read from the next on.
const START: u64 = 1_000;
/// Units that each household and the grid bring.
const DEPOSIT: u128 = 5_000_000;
/// Units that everybody has at the beginning.
const WEALTH: u128 = 20_000_000;

/// 30 cents from the grid, 8 to it, 5 for the way between neighbours: 16.5 in the middle.
const RULES: Rules = Rules {
    mode: Mode::Sharing,
    tariff: Tariff { retail: 300_000, feed_in: 80_000, grid_fee: 50_000 },
    loss_ppm: 0,
    trust_min: Trust::SelfReported,
};

/// Household 1 has meter 0, and so on.
struct Street {
    lab: Lab,
    /// What each meter has taken and given.
    totals: BTreeMap<u32, (u64, u64)>,
}

impl Street {
    fn new(households: u32, rules: Rules) -> Self {
        let (grid, network) = (account(GRID), account(NETWORK));
        let (asset, window_slots) = (AssetId::NATIVE, WINDOW);
        Self::opened(households, Action::Open { asset, grid, network, window_slots, rules })
    }

    fn opened(households: u32, open: Action) -> Self {
        let mut street = Self { lab: Lab::new(), totals: BTreeMap::new() };
        street.wait_slots(START);
        let people = (1..=u64::from(households)).chain([OPERATOR, GRID, NETWORK, STRANGER]);
        people.for_each(|who| street.lab.fund(account(who), AssetId::NATIVE, WEALTH));
        street.done(OPERATOR, open);
        street.done(GRID, deposit(Purse::Grid, DEPOSIT));
        for number in 0..households {
            let who = u64::from(number) + 1;
            street.done(OPERATOR, admit(who));
            street.done(who, deposit(Purse::Member, DEPOSIT));
            let action = street.add_meter(who, number);
            street.done(who, action);
        }
        street
    }

    fn wait_slots(&mut self, slots: u64) {
        self.lab.wait_s(slots * SLOT_S);
    }

    /// The slot that runs.
    fn now(&self) -> u64 {
        self.lab.context.now_s() / SLOT_S
    }

    fn act(&mut self, who: u64, action: Action) -> Result<Vec<Event>, u16> {
        self.lab.act(account(who), &ledger::Action::Energy(action))
    }

    fn done(&mut self, who: u64, action: Action) -> Vec<Event> {
        self.act(who, action).unwrap()
    }

    fn refused(&mut self, who: u64, action: Action, error: Error) {
        let store = self.lab.store.clone();
        assert_eq!(self.act(who, action).unwrap_err(), error.code(), "{error:?}");
        assert_eq!(self.lab.store, store, "a refusal writes nothing");
    }

    fn add_meter(&self, who: u64, number: u32) -> Action {
        let device = meter_key(number);
        let signed = meter_proof(self.lab.context.chain, COMMUNITY, account(who));
        let (key, proof) = (device.id(), device.sign(&signed));
        let (community, source, connection_w) = (COMMUNITY, Source::Solar, 20_000);
        Action::AddMeter { community, key, source, connection_w, proof }
    }

    /// What a meter says of its next slot, counted on.
    fn next(&mut self, meter: u32, slot: u64, import_wh: u64, export_wh: u64) -> Reading {
        let totals = self.totals.entry(meter).or_default();
        *totals = (totals.0 + import_wh, totals.1 + export_wh);
        let content = content(import_wh, export_wh, *totals);
        self.say(meter, (slot, 0), content)
    }

    fn say(&self, meter: u32, place: (u64, u8), content: Content) -> Reading {
        let (key, chain) = (meter_key(meter), self.lab.context.chain);
        Reading::sign(&key, chain, (COMMUNITY, meter), place, content)
    }

    /// Every meter reads a slot: Wh taken and given by meter.
    fn read(&mut self, slot: u64, energy: &[(u32, u64, u64)]) {
        let said = |(meter, import_wh, export_wh): &(u32, u64, u64)| {
            self.next(*meter, slot, *import_wh, *export_wh)
        };
        let readings = energy.iter().map(said).collect();
        self.done(STRANGER, Action::Read { readings });
    }

    fn settle(&mut self, slot: u64) -> Vec<Event> {
        self.done(STRANGER, settle(slot))
    }

    fn community(&self) -> Community {
        community(&self.lab.store, COMMUNITY).unwrap()
    }

    fn member(&self, who: u64) -> Member {
        member(&self.lab.store, COMMUNITY, account(who)).unwrap()
    }

    fn slot(&self, number: u64) -> Slot {
        slot(&self.lab.store, COMMUNITY, number).unwrap()
    }

    fn record(&self, slot: u64, meter: u32) -> Record {
        record(&self.lab.store, COMMUNITY, slot, meter).unwrap()
    }

    fn position(&self, slot: u64, meter: u32) -> Position {
        position(&self.lab.store, COMMUNITY, slot, meter).unwrap()
    }

    /// What a settled slot left in a household's purse, beside what it had.
    fn gained(&self, who: u64) -> i128 {
        let member = self.member(who);
        i128::try_from(member.free + member.held).unwrap() - i128::try_from(DEPOSIT).unwrap()
    }
}

fn meter_key(number: u32) -> primitives::KeyPair {
    key(60 + u64::from(number))
}

fn opening(import_wh: u64, export_wh: u64) -> Opening {
    let (import_register_wh, export_register_wh) = (import_wh, export_wh);
    Opening { salt: [3; 32], import_wh, export_wh, import_register_wh, export_register_wh }
}

fn content(
    import_wh: u64,
    export_wh: u64,
    (import_total_wh, export_total_wh): (u64, u64),
) -> Content {
    let commitment = opening(import_wh, export_wh).commitment();
    Content { import_wh, export_wh, import_total_wh, export_total_wh, commitment }
}

fn read(readings: &[&Reading]) -> Action {
    Action::Read { readings: readings.iter().map(|reading| (*reading).clone()).collect() }
}

fn settle(slot: u64) -> Action {
    Action::Settle { community: COMMUNITY, slot, readings_max: 128 }
}

fn admit(who: u64) -> Action {
    Action::Admit { community: COMMUNITY, account: account(who) }
}

fn leave(who: u64) -> Action {
    Action::Leave { community: COMMUNITY, account: account(who) }
}

fn deposit(purse: Purse, amount: u128) -> Action {
    Action::Deposit { community: COMMUNITY, purse, amount }
}

fn withdraw(purse: Purse, to: u64, amount: u128) -> Action {
    Action::Withdraw { community: COMMUNITY, purse, to: account(to), amount }
}

fn set_rules(from_slot: u64, rules: Rules) -> Action {
    Action::SetRules { community: COMMUNITY, from_slot, rules }
}

fn set_trust(meter: u32, trust: Trust) -> Action {
    Action::SetTrust { community: COMMUNITY, meter, trust }
}

fn set_limits(meter: u32, buy: u64, sell: u64) -> Action {
    Action::SetLimits { community: COMMUNITY, meter, limits: Limits { buy, sell } }
}

fn set_friend(meter: u32, friend: Option<Friend>) -> Action {
    Action::SetFriend { community: COMMUNITY, meter, friend }
}

fn remove_meter(meter: u32) -> Action {
    Action::RemoveMeter { community: COMMUNITY, meter }
}

fn claim(slot: u64, meter: u32, energy_wh: u64, holder: u64) -> Action {
    Action::Claim { community: COMMUNITY, slot, meter, energy_wh, holder: account(holder) }
}

fn accuse(first: &Reading, second: &Reading) -> Action {
    Action::Accuse { first: Box::new(first.clone()), second: Box::new(second.clone()) }
}

fn expose(reading: &Reading, opening: Opening) -> Action {
    Action::Expose { reading: Box::new(reading.clone()), opening: Box::new(opening) }
}

fn auction() -> Rules {
    Rules { mode: Mode::Auction, ..RULES }
}

fn book() -> Rules {
    Rules { mode: Mode::Book, ..RULES }
}

fn buy(slot: u64, meter: u32, limit: u64, quantity_wh: u64) -> Action {
    order(Side::Buy, (slot, meter), limit, quantity_wh, TRADES_MAX)
}

fn sell(slot: u64, meter: u32, limit: u64, quantity_wh: u64) -> Action {
    order(Side::Sell, (slot, meter), limit, quantity_wh, TRADES_MAX)
}

fn order(
    side: Side,
    (slot, meter): (u64, u32),
    limit: u64,
    quantity_wh: u64,
    trades_max: u8,
) -> Action {
    Action::Place { community: COMMUNITY, slot, meter, side, limit, quantity_wh, trades_max }
}

fn cancel(slot: u64, order: u64) -> Action {
    Action::Cancel { community: COMMUNITY, slot, order }
}
