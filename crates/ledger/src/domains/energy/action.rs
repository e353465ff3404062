//! What one may ask of communities.

use minicbor::{Decode, Encode};
use primitives::PeerId;

use super::{Friend, Limits, Opening, Reading, Rules, Side, Source, Trust};
use crate::{AccountId, AssetId};

/// Whose money it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Purse {
    /// The signer's own, as a member.
    #[n(0)]
    Member,
    /// The retailer's: it pays for what is fed in.
    #[n(1)]
    Grid,
    /// What neighbours paid for using the grid: whoever runs it takes them out.
    #[n(2)]
    Fees,
    /// The community's: what rounding left, and gifts. The operator spends it.
    #[n(3)]
    Fund,
}

impl Purse {
    /// The number it is known by.
    pub const fn number(self) -> u8 {
        match self {
            Self::Member => 0,
            Self::Grid => 1,
            Self::Fees => 2,
            Self::Fund => 3,
        }
    }
}

/// What one may ask of communities. Slots are counted from 1970-01-01 UTC; meters are numbered in a
/// community from 0 in order of coming, so that a number says nothing of who it is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Action {
    /// Open a community; the signer is its operator.
    #[n(0)]
    Open {
        /// In what is paid: an asset whose units are millionths.
        #[n(0)]
        asset: AssetId,
        /// The retailer.
        #[n(1)]
        grid: AccountId,
        /// Who gets the grid fees.
        #[n(2)]
        network: AccountId,
        /// Time for readings after a slot, in slots.
        #[n(3)]
        window_slots: u16,
        /// What holds from the first slot on.
        #[n(4)]
        rules: Rules,
    },
    /// Announce other rules.
    #[n(1)]
    SetRules {
        /// Which community.
        #[n(0)]
        community: u32,
        /// The first slot they hold for: a day from now or later.
        #[n(1)]
        from_slot: u64,
        /// The rules.
        #[n(2)]
        rules: Rules,
    },
    /// Take somebody in.
    #[n(2)]
    Admit {
        /// Which community.
        #[n(0)]
        community: u32,
        /// Whom.
        #[n(1)]
        account: AccountId,
    },
    /// End a membership; what is free goes back.
    #[n(3)]
    Leave {
        /// Which community.
        #[n(0)]
        community: u32,
        /// Whose.
        #[n(1)]
        account: AccountId,
    },
    /// Pay in.
    #[n(4)]
    Deposit {
        /// Which community.
        #[n(0)]
        community: u32,
        /// Into what.
        #[n(1)]
        purse: Purse,
        /// Units, more than none.
        #[n(2)]
        amount: u128,
    },
    /// Take out what no reading holds.
    #[n(5)]
    Withdraw {
        /// Which community.
        #[n(0)]
        community: u32,
        /// From what.
        #[n(1)]
        purse: Purse,
        /// For whom.
        #[n(2)]
        to: AccountId,
        /// Units, more than none.
        #[n(3)]
        amount: u128,
    },
    /// Bring a meter, trusted as little as any.
    #[n(6)]
    AddMeter {
        /// Which community.
        #[n(0)]
        community: u32,
        /// What it signs with.
        #[n(1)]
        key: PeerId,
        /// Where what it feeds in comes from.
        #[n(2)]
        source: Source,
        /// What its connection carries, in W.
        #[n(3)]
        connection_w: u32,
        /// Ed25519 by that key over [`super::meter_proof`]: nobody brings another's meter.
        #[cbor(n(4), with = "minicbor::bytes")]
        proof: [u8; 64],
    },
    /// Say how far a meter is trusted.
    #[n(7)]
    SetTrust {
        /// Which community.
        #[n(0)]
        community: u32,
        /// Which meter.
        #[n(1)]
        meter: u32,
        /// How far.
        #[n(2)]
        trust: Trust,
    },
    /// Say for what a meter's energy is traded in auctions, from the next slot on.
    #[n(8)]
    SetLimits {
        /// Which community.
        #[n(0)]
        community: u32,
        /// Which meter.
        #[n(1)]
        meter: u32,
        /// The limits.
        #[n(2)]
        limits: Limits,
    },
    /// Take a meter away.
    #[n(9)]
    RemoveMeter {
        /// Which community.
        #[n(0)]
        community: u32,
        /// Which meter.
        #[n(1)]
        meter: u32,
    },
    /// Hand in what meters say; what was handed in before is passed over.
    #[n(10)]
    Read {
        /// Each signed by its meter.
        #[n(0)]
        readings: Vec<Reading>,
    },
    /// Show that a meter said two things of one slot.
    #[n(11)]
    Accuse {
        /// One.
        #[n(0)]
        first: Box<Reading>,
        /// The other, of the same revision.
        #[n(1)]
        second: Box<Reading>,
    },
    /// Show that a meter traded more than it metered.
    #[n(12)]
    Expose {
        /// What it said.
        #[n(0)]
        reading: Box<Reading>,
        /// What it committed to.
        #[n(1)]
        opening: Box<Opening>,
    },
    /// Settle a slot whose window is over.
    #[n(13)]
    Settle {
        /// Which community.
        #[n(0)]
        community: u32,
        /// Which slot.
        #[n(1)]
        slot: u64,
        /// Most readings to settle, and to forget for it: what the fee pays for.
        #[n(2)]
        readings_max: u16,
    },
    /// Use certificates up that neighbours did not.
    #[n(14)]
    Claim {
        /// Which community.
        #[n(0)]
        community: u32,
        /// Of which slot.
        #[n(1)]
        slot: u64,
        /// Of which meter.
        #[n(2)]
        meter: u32,
        /// How much, more than none.
        #[n(3)]
        energy_wh: u64,
        /// In whose name: a member.
        #[n(4)]
        holder: AccountId,
    },
    /// Say to whom a meter gives before all others, from the next slot on.
    #[n(15)]
    SetFriend {
        /// Which community.
        #[n(0)]
        community: u32,
        /// Which meter.
        #[n(1)]
        meter: u32,
        /// To whom and for what; none: to nobody before others.
        #[n(2)]
        friend: Option<Friend>,
    },
    /// Open a community for trying out, whose clock runs faster; the signer is its operator.
    #[n(16)]
    OpenTrial {
        /// In what is paid: an asset whose units are millionths.
        #[n(0)]
        asset: AssetId,
        /// The retailer.
        #[n(1)]
        grid: AccountId,
        /// Who gets the grid fees.
        #[n(2)]
        network: AccountId,
        /// Time for readings after a slot, in slots.
        #[n(3)]
        window_slots: u16,
        /// What holds from the first slot on.
        #[n(4)]
        rules: Rules,
        /// How many times as fast its clock runs, from 2 to [`super::PACE_MAX`].
        #[n(5)]
        pace: u32,
    },
    /// Put an order on the book of a slot that has not begun: it meets those that wait at their prices,
    /// and waits for the rest.
    #[n(17)]
    Place {
        /// Which community.
        #[n(0)]
        community: u32,
        /// Which slot: from the next one to a day from now.
        #[n(1)]
        slot: u64,
        /// For which meter.
        #[n(2)]
        meter: u32,
        /// Whether it wants or has energy.
        #[n(3)]
        side: Side,
        /// Most it pays, grid fee included, or least it takes; millionths per kWh.
        #[n(4)]
        limit: u64,
        /// Wh, more than none.
        #[n(5)]
        quantity_wh: u64,
        /// Most orders to meet, at most [`super::TRADES_MAX`]: what the fee pays for. What is left
        /// then ends.
        #[n(6)]
        trades_max: u8,
    },
    /// Take an order back that waits.
    #[n(18)]
    Cancel {
        /// Which community.
        #[n(0)]
        community: u32,
        /// On the book of which slot.
        #[n(1)]
        slot: u64,
        /// The order's number there.
        #[n(2)]
        order: u64,
    },
}
