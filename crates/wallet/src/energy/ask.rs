//! What a person wants of a community, as a command of the wallet, and what was asked, in parts.

use ledger::{
    AccountId, AssetId, Body, ChainId, Code as _, Key, Overlay,
    domains::{
        Domain as _,
        accounts::{self, balance_key},
        energy::{self as rules, Action, Energy, Reading},
    },
};
use primitives::PeerId;

use super::{Friend, Limits, METERS_MAX, Purse, Rules, Scene, Side, Source, TRADES_MAX, Trust};
use crate::{
    lending::{NOBODY, context},
    view::{self, Act, Command},
};

/// A community that somebody opens; they are the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The retailer's account, as text.
    pub grid: String,
    /// Who gets the grid fees.
    pub network: String,
    /// Time for readings after a slot, in slots.
    pub window_slots: u16,
    /// What holds from the first slot on.
    pub rules: Rules,
    /// How many times as fast as the ledger's its clock runs: more than once to try things out.
    pub pace: u32,
}

/// What a person wants. Accounts are named as a [`view::View`] does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Open a community that counts in the ledger's own asset.
    Open(Opening),
    /// Take somebody in.
    Admit(String),
    /// Announce rules, from this slot on.
    Rules(u64, Rules),
    /// Leave, with what is free.
    Leave,
    /// End somebody's membership, who has no meter: what is free goes to them.
    Dismiss(String),
    /// Pay in.
    Deposit(Purse, u128),
    /// Take out for oneself.
    Withdraw(Purse, u128),
    /// Bring a meter whose key is the wallet's of this number.
    AddMeter {
        /// Which key.
        device: u8,
        /// Where what it feeds in comes from.
        source: Source,
        /// What its connection carries, in W.
        connection_w: u32,
    },
    /// Say how far a meter is trusted.
    Trust(u32, Trust),
    /// Say for what a meter's energy is traded in auctions.
    Limits(u32, Limits),
    /// Say to whom a meter gives first, or to nobody.
    Friend(u32, Option<Friend>),
    /// Put an order on the book of a slot.
    Place {
        /// Which slot.
        slot: u64,
        /// For which meter.
        meter: u32,
        /// Whether it buys or sells.
        side: Side,
        /// Most it pays, grid fee included, or least it takes.
        limit: u64,
        /// Wh.
        quantity_wh: u64,
    },
    /// Take an order back: its slot and number.
    Cancel(u64, u64),
    /// Take a meter away.
    RemoveMeter(u32),
    /// Hand in what a meter says, signed by the wallet's key of this number.
    Read {
        /// Which key.
        device: u8,
        /// What it says; at most [`super::READINGS_MAX`].
        readings: Vec<Reading>,
        /// For whom what it commits to is sealed: DIDs.
        readers: Vec<String>,
    },
    /// Settle a slot.
    Settle(u64),
    /// Use up certificates of a meter's slot in one's own name.
    Claim {
        /// Which slot.
        slot: u64,
        /// Which meter.
        meter: u32,
        /// How much.
        energy_wh: u64,
    },
}

/// What was asked, as a history tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which community; none: one that was opened.
    pub community: Option<u32>,
    /// What.
    pub wish: Wish,
}

impl Opening {
    fn action(&self) -> Option<Action> {
        let (asset, window_slots, rules) = (AssetId::NATIVE, self.window_slots, self.rules);
        let (grid, network) = (self.grid.parse().ok()?, self.network.parse().ok()?);
        Some(match self.pace {
            0 | 1 => Action::Open { asset, grid, network, window_slots, rules },
            pace => Action::OpenTrial { asset, grid, network, window_slots, rules, pace },
        })
    }
}

impl Wish {
    fn action(&self, scene: &Scene<'_>, community: u32) -> Option<Action> {
        Some(match self {
            Self::Open(opening) => opening.action()?,
            Self::Admit(account) => Action::Admit { community, account: account.parse().ok()? },
            Self::Rules(from_slot, rules) => {
                Action::SetRules { community, from_slot: *from_slot, rules: *rules }
            }
            Self::Leave => Action::Leave { community, account: scene.account },
            Self::Dismiss(account) => Action::Leave { community, account: account.parse().ok()? },
            Self::Deposit(purse, amount) => {
                Action::Deposit { community, purse: *purse, amount: *amount }
            }
            Self::Withdraw(purse, amount) => {
                let (to, amount) = (scene.account, *amount);
                Action::Withdraw { community, purse: *purse, to, amount }
            }
            Self::AddMeter { source, connection_w, .. } => Action::AddMeter {
                community,
                // The wallet's, as is the proof.
                key: PeerId::new([0; 32]),
                source: *source,
                connection_w: *connection_w,
                proof: [0; 64],
            },
            Self::Trust(meter, trust) => {
                Action::SetTrust { community, meter: *meter, trust: *trust }
            }
            Self::Limits(meter, limits) => {
                Action::SetLimits { community, meter: *meter, limits: *limits }
            }
            Self::Friend(meter, friend) => {
                Action::SetFriend { community, meter: *meter, friend: *friend }
            }
            Self::Place { slot, meter, side, limit, quantity_wh } => Action::Place {
                community,
                slot: *slot,
                meter: *meter,
                side: *side,
                limit: *limit,
                quantity_wh: *quantity_wh,
                trades_max: TRADES_MAX,
            },
            Self::Cancel(slot, order) => Action::Cancel { community, slot: *slot, order: *order },
            Self::RemoveMeter(meter) => Action::RemoveMeter { community, meter: *meter },
            Self::Read { readings, .. } => Action::Read { readings: readings.clone() },
            Self::Settle(slot) => {
                let readings_max = METERS_MAX;
                Action::Settle { community, slot: *slot, readings_max }
            }
            Self::Claim { slot, meter, energy_wh } => Action::Claim {
                community,
                slot: *slot,
                meter: *meter,
                energy_wh: *energy_wh,
                holder: scene.account,
            },
        })
    }

    fn device(&self) -> Option<u8> {
        match self {
            Self::AddMeter { device, .. } | Self::Read { device, .. } => Some(*device),
            _ => None,
        }
    }
}

/// What a wallet is told to do; `None`: an account in it is no name.
pub fn ask(scene: &Scene<'_>, community: u32, wish: &Wish) -> Option<Command> {
    let action = wish.action(scene, community)?;
    let asset = rules::community(scene.book, community).map(|one| one.asset);
    let units = match wish {
        Wish::Deposit(_, amount) if asset == Some(AssetId::NATIVE) => *amount,
        _ => 0,
    };
    let readers = match wish {
        Wish::Read { readers, .. } => readers.clone(),
        _ => Vec::new(),
    };
    Some(Command::Energy { action: view::to_bytes(&action), units, meter: wish.device(), readers })
}

/// What it costs at most, in units of the ledger's own asset; `None`: prices are not proved, or an
/// account in it is no name.
pub fn fee(scene: &Scene<'_>, community: u32, wish: &Wish) -> Option<u128> {
    let params = ledger::params(scene.book)?;
    let action = ledger::Action::Energy(wish.action(scene, community)?);
    // The longest number.
    let body = Body::new(ChainId::new([0; 32]), scene.account, u64::MAX, action);
    Some(body.cost(&params))
}

/// Why the ledger would refuse it now: the refusal's number. `Ok`: it would not, or what decides it is
/// signed by a meter or lies in records that are not proved, so that only a block can say. The rules
/// are the ledger's own, run on an overlay of what is proved.
pub fn refusal(scene: &Scene<'_>, community: u32, wish: &Wish) -> Result<(), u16> {
    let Some(action) = wish.action(scene, community) else { return Ok(()) };
    Energy::check(&action).map_err(|refused| refused.code())?;
    let Some(keys) = decides(scene, community, wish) else { return Ok(()) };
    if scene.book.seen(&keys).is_none() {
        return Ok(());
    }
    let mut state = Overlay::new(scene.book);
    let fee = fee(scene, community, wish).unwrap_or_default();
    accounts::send(&mut state, AssetId::NATIVE, scene.account, NOBODY, fee)
        .map_err(|refused| refused.code())?;
    let context = context(scene.book, scene.now_ms);
    Energy::execute(&context, scene.account, &action, &mut state).map_err(|refused| refused.code())
}

/// Records that decide about a wish; `None`: not to be told beforehand.
fn decides(scene: &Scene<'_>, community: u32, wish: &Wish) -> Option<Vec<Key>> {
    let native = balance_key(scene.account, AssetId::NATIVE);
    let mut keys = vec![native, ledger::params_key()];
    if let Wish::Open(_) = wish {
        keys.push(rules::count_key());
        return Some(keys);
    }
    keys.push(rules::community_key(community));
    match wish {
        Wish::Admit(account) => {
            keys.push(rules::member_key(community, account.parse().ok()?));
        }
        Wish::Leave | Wish::Deposit(..) | Wish::Withdraw(..) => {
            keys.push(rules::member_key(community, scene.account));
            let asset = rules::community(scene.book, community)?.asset;
            keys.extend([scene.account, rules::vault()].map(|who| balance_key(who, asset)));
        }
        // Who has nothing there is paid nothing; what others get lies in balances that nobody watches here.
        Wish::Dismiss(account) => {
            let account = account.parse().ok()?;
            keys.push(rules::member_key(community, account));
            if rules::member(scene.book, community, account)?.free > 0 {
                return None;
            }
        }
        // What the community itself says decides.
        Wish::Rules(..) => {}
        Wish::Limits(meter, _) | Wish::Trust(meter, _) => {
            keys.push(rules::meter_key(community, *meter));
        }
        Wish::Friend(meter, friend) => {
            let friend = friend.map(|friend| friend.meter);
            let both = [Some(*meter), friend].into_iter().flatten();
            keys.extend(both.map(|one| rules::meter_key(community, one)));
        }
        Wish::Cancel(slot, order) => {
            keys.push(rules::slot_key(community, *slot));
            keys.push(rules::order_book_key(community, *slot));
            let orders = rules::order_book(scene.book, community, *slot)?;
            let gone = orders.waiting.iter().find(|one| one.order == *order)?;
            keys.push(rules::position_key(community, *slot, gone.meter));
            keys.push(rules::meter_key(community, gone.meter));
            keys.push(rules::member_key(community, gone.owner));
        }
        Wish::RemoveMeter(meter) => {
            let owner = rules::meter(scene.book, community, *meter)?.owner;
            keys.extend([rules::meter_key(community, *meter), rules::member_key(community, owner)]);
        }
        _ => return None,
    }
    Some(keys)
}

/// What was asked of a community; `None`: something that these pages do not offer.
pub fn asked(act: &Act) -> Option<Asked> {
    if act.domain != Some(ledger::Prefix::Energy.byte()) {
        return None;
    }
    let (community, wish) = match view::read::<Action>(&act.action)? {
        Action::Open { grid, network, window_slots, rules, .. } => {
            return Some(opened((grid, network), window_slots, rules, 1));
        }
        Action::OpenTrial { grid, network, window_slots, rules, pace, .. } => {
            return Some(opened((grid, network), window_slots, rules, pace));
        }
        Action::Admit { community, account } => (community, Wish::Admit(account.to_string())),
        Action::SetRules { community, from_slot, rules } => {
            (community, Wish::Rules(from_slot, rules))
        }
        // Whether it was one's own is known to who asks.
        Action::Leave { community, account } => (community, Wish::Dismiss(account.to_string())),
        Action::Deposit { community, purse, amount } => (community, Wish::Deposit(purse, amount)),
        Action::Withdraw { community, purse, amount, .. } => {
            (community, Wish::Withdraw(purse, amount))
        }
        Action::AddMeter { community, source, connection_w, .. } => {
            (community, Wish::AddMeter { device: 0, source, connection_w })
        }
        Action::SetTrust { community, meter, trust } => (community, Wish::Trust(meter, trust)),
        Action::SetLimits { community, meter, limits } => (community, Wish::Limits(meter, limits)),
        Action::RemoveMeter { community, meter } => (community, Wish::RemoveMeter(meter)),
        Action::SetFriend { community, meter, friend } => (community, Wish::Friend(meter, friend)),
        Action::Place { community, slot, meter, side, limit, quantity_wh, .. } => {
            (community, Wish::Place { slot, meter, side, limit, quantity_wh })
        }
        Action::Cancel { community, slot, order } => (community, Wish::Cancel(slot, order)),
        Action::Read { readings } => {
            let readers = Vec::new();
            (readings.first()?.community, Wish::Read { device: 0, readings, readers })
        }
        Action::Settle { community, slot, .. } => (community, Wish::Settle(slot)),
        Action::Claim { community, slot, meter, energy_wh, .. } => {
            (community, Wish::Claim { slot, meter, energy_wh })
        }
        _ => return None,
    };
    Some(Asked { community: Some(community), wish })
}

/// A community that was opened; it had no number then.
fn opened(
    (grid, network): (AccountId, AccountId),
    window_slots: u16,
    rules: Rules,
    pace: u32,
) -> Asked {
    let (grid, network) = (grid.to_string(), network.to_string());
    let opening = Opening { grid, network, window_slots, rules, pace };
    Asked { community: None, wish: Wish::Open(opening) }
}
