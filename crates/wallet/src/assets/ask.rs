//! What a person wants of assets, as a command of the wallet, what it would do, and what was asked before.

use ledger::{
    AccountId, Action, AssetId, Body, ChainId, Code as _, Key, Overlay, Prefix,
    domains::{
        Domain as _,
        accounts::{self, Accounts, balance_key, supply_key},
        assets::{self, Assets, asset_key, count_key},
    },
};

use super::Scene;
use crate::{
    lending::{NOBODY, context},
    view::{self, Act, Command, Fate, Received, Sent},
};

/// What a person wants. Accounts are named as a [`view::View`] does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Send units.
    Send {
        /// Of which asset.
        asset: u32,
        /// To whom.
        to: String,
        /// How many.
        amount: u128,
    },
    /// Make an asset, whose issuer one is.
    Create {
        /// 1 to 12 upper-case letters and digits.
        symbol: String,
        /// Decimals by which units are shown.
        decimals: u8,
        /// Most units there may ever be; none: no cap.
        supply_max: Option<u128>,
        /// Whether one may freeze what others hold.
        freezable: bool,
    },
    /// Make units for somebody.
    Issue {
        /// Of which asset.
        asset: u32,
        /// For whom.
        to: String,
        /// How many.
        amount: u128,
    },
    /// Destroy units of one's own.
    Burn {
        /// Of which asset.
        asset: u32,
        /// How many.
        amount: u128,
    },
    /// Freeze what somebody holds, or thaw it.
    Freeze {
        /// Of which asset.
        asset: u32,
        /// Whose.
        account: String,
        /// Frozen from now on, or no longer.
        frozen: bool,
    },
    /// Give up issuing for good.
    Renounce {
        /// Of which asset.
        asset: u32,
    },
}

/// What an action would do in a block that is made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preview {
    /// What it costs at most, in units of the ledger's own asset.
    pub fee: u128,
    /// Why it would be refused: the refusal's number.
    pub refusal: Option<u16>,
}

impl Wish {
    /// The asset that it is about; none: one that is to be made.
    pub const fn asset(&self) -> Option<u32> {
        match self {
            Self::Send { asset, .. }
            | Self::Issue { asset, .. }
            | Self::Burn { asset, .. }
            | Self::Freeze { asset, .. }
            | Self::Renounce { asset } => Some(*asset),
            Self::Create { .. } => None,
        }
    }

    /// `None`: an account in it is no name.
    pub(super) fn action(&self) -> Option<Action> {
        let made = match self {
            Self::Send { asset, to, amount } => {
                let (asset, to, amount) = (AssetId(*asset), to.parse().ok()?, *amount);
                return Some(Action::Accounts(accounts::Action::Transfer { asset, to, amount }));
            }
            Self::Create { symbol, decimals, supply_max, freezable } => assets::Action::Create {
                symbol: symbol.clone(),
                decimals: *decimals,
                supply_max: *supply_max,
                freezable: *freezable,
            },
            Self::Issue { asset, to, amount } => assets::Action::Issue {
                asset: AssetId(*asset),
                to: to.parse().ok()?,
                amount: *amount,
            },
            Self::Burn { asset, amount } => {
                assets::Action::Burn { asset: AssetId(*asset), amount: *amount }
            }
            Self::Freeze { asset, account, frozen } => assets::Action::Freeze {
                asset: AssetId(*asset),
                account: account.parse().ok()?,
                frozen: *frozen,
            },
            Self::Renounce { asset } => assets::Action::Renounce { asset: AssetId(*asset) },
        };
        Some(Action::Assets(made))
    }
}

/// What a wallet is told to do; `None`: an account in it is no name.
pub fn ask(wish: &Wish) -> Option<Command> {
    Some(match (wish, wish.action()?) {
        (Wish::Send { asset, to, amount }, _) => {
            Command::Send { to: to.clone(), units: *amount, asset: *asset }
        }
        (_, Action::Assets(action)) => Command::Asset(view::to_bytes(&action)),
        _ => return None,
    })
}

/// Keys of the records that decide about a wish of this account; empty: an account in it is no name.
pub fn deciding(account: &str, wish: &Wish) -> Vec<Vec<u8>> {
    let keys = account.parse().ok().and_then(|account| decide(account, wish));
    keys.into_iter().flatten().map(|key| key.as_bytes().to_vec()).collect()
}

fn decide(account: AccountId, wish: &Wish) -> Option<Vec<Key>> {
    let mut keys = vec![balance_key(account, AssetId::NATIVE), ledger::params_key()];
    let Some(asset) = wish.asset().map(AssetId) else {
        keys.push(count_key());
        return Some(keys);
    };
    keys.push(asset_key(asset));
    match wish {
        Wish::Send { to, .. } => {
            keys.extend([account, to.parse().ok()?].map(|who| balance_key(who, asset)));
        }
        Wish::Issue { to, .. } => {
            keys.extend([balance_key(to.parse().ok()?, asset), supply_key(asset)]);
        }
        Wish::Burn { .. } => keys.extend([balance_key(account, asset), supply_key(asset)]),
        Wish::Freeze { account, .. } => keys.push(balance_key(account.parse().ok()?, asset)),
        Wish::Create { .. } | Wish::Renounce { .. } => {}
    }
    Some(keys)
}

/// What it would do in a block that is made now, after what is on its way (`sent`, the newest first); `None`: what
/// decides it is not proved.
pub fn preview(scene: &Scene<'_>, sent: &[Sent], wish: &Wish) -> Option<Preview> {
    scene.book.seen(&decide(scene.account, wish)?)?;
    let action = wish.action()?;
    let params = ledger::params(scene.book)?;
    // The longest number.
    let body = Body::new(ChainId::new([0; 32]), scene.account, u64::MAX, action.clone());
    let fee = body.cost(&params);
    let mut state = Overlay::new(scene.book);
    let on_way = sent.iter().rev().filter(|one| matches!(one.fate, Fate::Sending | Fate::Waiting));
    let on_way = on_way.filter_map(|one| asked(one.act.as_ref()?)?.action());
    for before in on_way {
        // One that would be refused changes nothing.
        let _ = run(scene, &before, &mut state);
    }
    let paid = accounts::send(&mut state, AssetId::NATIVE, scene.account, NOBODY, fee);
    let refusal = match paid {
        Ok(()) => run(scene, &action, &mut state).err(),
        Err(refused) => Some(refused.code()),
    };
    Some(Preview { fee, refusal })
}

/// Acts as a block does; or the refusal's number.
fn run(scene: &Scene<'_>, action: &Action, state: &mut Overlay<'_>) -> Result<(), u16> {
    let context = context(scene.book, scene.now_ms);
    match action {
        Action::Accounts(action) => Accounts::execute(&context, scene.account, action, state)
            .map_err(|refused| refused.code()),
        Action::Assets(action) => Assets::execute(&context, scene.account, action, state)
            .map_err(|refused| refused.code()),
        _ => Ok(()),
    }
}

/// What was asked of an asset; `None`: something else was asked, or of something else.
pub fn asked(act: &Act) -> Option<Wish> {
    if act.domain == Some(Prefix::Accounts.byte()) {
        let accounts::Action::Transfer { asset, to, amount } =
            view::read::<accounts::Action>(&act.action)?
        else {
            return None;
        };
        return Some(Wish::Send { asset: asset.0, to: to.to_string(), amount });
    }
    if act.domain != Some(Prefix::Assets.byte()) {
        return None;
    }
    Some(match view::read::<assets::Action>(&act.action)? {
        assets::Action::Create { symbol, decimals, supply_max, freezable } => {
            Wish::Create { symbol, decimals, supply_max, freezable }
        }
        assets::Action::Issue { asset, to, amount } => {
            Wish::Issue { asset: asset.0, to: to.to_string(), amount }
        }
        assets::Action::Burn { asset, amount } => Wish::Burn { asset: asset.0, amount },
        assets::Action::Freeze { asset, account, frozen } => {
            Wish::Freeze { asset: asset.0, account: account.to_string(), frozen }
        }
        assets::Action::Renounce { asset } => Wish::Renounce { asset: asset.0 },
    })
}

/// Assets that a history names: what was done from here, the newest first, then what a server tells of what came. It
/// says where to look, never what is there.
pub fn named(sent: &[Sent], received: &[Received]) -> Vec<u32> {
    let out = sent.iter().filter_map(|one| asked(one.act.as_ref()?)?.asset());
    let mut numbers: Vec<u32> = Vec::new();
    for number in out.chain(received.iter().map(|one| one.asset)) {
        if number != AssetId::NATIVE.0 && !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    numbers
}
