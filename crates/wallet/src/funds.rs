//! Funds as a page shows them, out of records that are proved: what one of their pools paid to an account, and pools that
//! an account opened for a fund to draw on; and what may be asked of those.
//!
//! A fund says what it paid (`docs/spec/payments.md`, "Funds"); the account's lane on the ledger says whether it did.
//! Whoever owns a site locks units in a pool whose vouchers the fund's key signs, with one lane: the fund's own
//! (`docs/adr/0077-a-pool-that-a-fund-draws-from.md`).
//!
//! The page runs this, not the wallet, as it runs [`crate::lending`].

use ledger::{
    AccountId, AssetId, Body, ChainId, Prefix,
    domains::paypool::{self, Lane, lane_key, pool_key},
};
use light_client::TrustRoot;
use primitives::PeerId;

use crate::{
    lending::Book,
    view::{self, Act, Command, Record, Records},
};

pub use payments::fund::Tally;

/// Shortest and longest life of a pool from now, in seconds.
pub const TTL_S: (u64, u64) = (paypool::TTL_MIN_S, paypool::TTL_MAX_S);

/// What a pool paid into an account, proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paid {
    /// Units, of the account's newest lane.
    pub units: u128,
    /// After which block.
    pub height: u64,
}

/// A pool that somebody opened for a fund, proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Its number.
    pub number: u64,
    /// Whose it is, hexadecimal.
    pub payer: String,
    /// The fund's key, hexadecimal.
    pub key: String,
    /// The account of that key.
    pub account: String,
    /// Units set aside for nobody.
    pub free: u128,
    /// Units that may still be drawn.
    pub reserved: u128,
    /// Lanes that are open.
    pub open_lanes: u32,
    /// Units that the fund has drawn; none: not proved yet.
    pub drawn: Option<u128>,
    /// Until when more may be drawn, in seconds since 1970.
    pub expiry_s: u64,
    /// When anybody may give the rest back, in seconds since 1970.
    pub ends_s: u64,
    /// Its owner asked for the rest.
    pub closing: bool,
    /// After which block.
    pub height: u64,
}

/// What is known of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing is proved yet.
    Unproved,
    /// It is not there, or no longer, after this block.
    Gone(u64),
    /// Its record is of a later version.
    Unread,
    /// It is there.
    Here(Pool),
}

/// What a person wants of a pool for a fund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Lock units in a new one.
    Open {
        /// The fund's key, hexadecimal.
        key: String,
        /// How many.
        units: u128,
        /// Life from now, in seconds.
        ttl_s: u64,
    },
    /// Let the fund draw.
    Allow {
        /// On which.
        pool: u64,
        /// The fund's account.
        account: String,
        /// How many units more.
        units: u128,
    },
    /// Keep it for longer.
    Extend {
        /// Which.
        pool: u64,
        /// Life from now, in seconds.
        ttl_s: u64,
    },
    /// Ask for the rest.
    Close(u64),
    /// Take the rest.
    Take(u64),
    /// Send the fund's account units for its fees.
    Fees {
        /// Its account.
        account: String,
        /// How many.
        units: u128,
    },
}

impl Wish {
    /// The pool that it is about; none: one that is to be opened, or none.
    pub const fn pool(&self) -> Option<u64> {
        match self {
            Self::Allow { pool, .. } | Self::Extend { pool, .. } => Some(*pool),
            Self::Close(pool) | Self::Take(pool) => Some(*pool),
            Self::Open { .. } | Self::Fees { .. } => None,
        }
    }

    /// Units that leave the account beside the fee.
    pub const fn units(&self) -> u128 {
        match self {
            Self::Open { units, .. } | Self::Fees { units, .. } => *units,
            Self::Allow { .. } | Self::Extend { .. } | Self::Close(_) | Self::Take(_) => 0,
        }
    }

    /// `None`: a key or an account in it is none, or it is a transfer.
    fn action(&self) -> Option<paypool::Action> {
        Some(match self {
            Self::Open { key, units, ttl_s } => paypool::Action::Open {
                asset: AssetId::NATIVE,
                deposit: *units,
                ttl_s: *ttl_s,
                signer: key.parse().ok()?,
            },
            Self::Allow { pool, account, units } => paypool::Action::Reserve {
                pool: *pool,
                lanes: vec![(account.parse().ok()?, *units)],
            },
            Self::Extend { pool, ttl_s } => paypool::Action::Extend { pool: *pool, ttl_s: *ttl_s },
            Self::Close(pool) => paypool::Action::CloseStart { pool: *pool },
            Self::Take(pool) => paypool::Action::CloseFinish { pool: *pool },
            Self::Fees { .. } => return None,
        })
    }
}

/// The fund's key in what a person pasted: itself, or what follows the word `key` in what a command printed.
pub fn key_in(pasted: &str) -> Option<String> {
    // A field of one line leaves the ends of lines out.
    let pasted = pasted.replace("account", " account ");
    let mut words = pasted.split_whitespace();
    let first = words.next()?;
    let found = if first.parse::<PeerId>().is_ok() {
        // An account looks alike: what follows may be said to be one.
        words.next().is_none().then_some(first)?
    } else {
        let mut all = pasted.split_whitespace();
        all.find(|word| *word == "key")?;
        all.next()?
    };
    found.parse::<PeerId>().ok().map(|key| key.to_string())
}

/// What a wallet is told to do; `None`: a key or an account in it is none.
pub fn ask(wish: &Wish) -> Option<Command> {
    if let Wish::Fees { account, units } = wish {
        return Some(Command::Send { to: account.clone(), units: *units, asset: 0 });
    }
    Some(Command::Pool(view::to_bytes(&wish.action()?)))
}

/// What was asked of a fund's pool; `None`: something else.
pub fn asked(act: &Act) -> Option<Wish> {
    if act.domain != Some(Prefix::Paypool.byte()) {
        return None;
    }
    Some(match view::read::<paypool::Action>(&act.action)? {
        paypool::Action::Open { deposit, ttl_s, signer, .. } => {
            Wish::Open { key: signer.to_string(), units: deposit, ttl_s }
        }
        paypool::Action::Reserve { pool, lanes } => {
            let (account, units) = lanes.first()?;
            Wish::Allow { pool, account: account.to_string(), units: *units }
        }
        paypool::Action::Extend { pool, ttl_s } => Wish::Extend { pool, ttl_s },
        paypool::Action::CloseStart { pool } => Wish::Close(pool),
        paypool::Action::CloseFinish { pool } => Wish::Take(pool),
        _ => return None,
    })
}

/// What it costs at most, in units of the ledger's own asset; `None`: prices are not proved, or it is a transfer.
pub fn fee(book: &Book, account: &str, wish: &Wish) -> Option<u128> {
    let (params, account) = (ledger::params(book)?, account.parse().ok()?);
    let action = ledger::Action::Paypool(wish.action()?);
    // The longest number.
    Some(Body::new(ChainId::new([0; 32]), account, u64::MAX, action).cost(&params))
}

/// Keys of the records that tell of pools: of each itself, and of the fund's lane once its key is known.
pub fn wanted(records: &Records, pools: &[u64]) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    for number in pools {
        keys.push(pool_key(*number).as_bytes().to_vec());
        if let Found::Here(pool) = pool(records, *number) {
            keys.extend(lane(*number, &pool.account));
        }
    }
    keys
}

/// A pool, as far as it is proved.
pub fn pool(records: &Records, number: u64) -> Found {
    let Some(found) = record(records, pool_key(number).as_bytes()) else { return Found::Unproved };
    let Some(bytes) = &found.record else { return Found::Gone(found.height) };
    let Ok(pool) = minicbor::decode::<paypool::Pool>(bytes.as_slice()) else {
        return Found::Unread;
    };
    let account = AccountId::of_key(pool.signer).to_string();
    let drawn = paid(records, number, &account).map(|paid| paid.units);
    Found::Here(Pool {
        number,
        payer: pool.payer.to_string(),
        key: pool.signer.to_string(),
        account,
        free: pool.free,
        reserved: pool.reserved,
        open_lanes: pool.open_lanes,
        drawn,
        expiry_s: pool.expiry_s,
        ends_s: pool.ends_s(),
        closing: pool.closing_s.is_some(),
        height: found.height,
    })
}

/// Whether a trust root is of the ledger that a fund names. Pools of two ledgers have the same numbers.
pub fn is_of(root: &str, chain: &str) -> bool {
    root.parse::<TrustRoot>().is_ok_and(|root| root.chain.to_string() == chain)
}

/// The key of the record that says what a pool paid into an account; `None`: it is no account.
pub fn lane(pool: u64, account: &str) -> Option<Vec<u8>> {
    let account: AccountId = account.parse().ok()?;
    Some(lane_key(pool, account).as_bytes().to_vec())
}

/// What it paid; `None`: it is not proved, or can't be read.
pub fn paid(records: &Records, pool: u64, account: &str) -> Option<Paid> {
    let found = record(records, &lane(pool, account)?)?;
    let units = match &found.record {
        Some(record) => minicbor::decode::<Lane>(record.as_slice()).ok()?.redeemed,
        None => 0,
    };
    Some(Paid { units, height: found.height })
}

fn record<'a>(records: &'a Records, key: &[u8]) -> Option<&'a Record> {
    records.list.iter().find(|one| one.key.as_slice() == key)
}

#[cfg(test)]
mod tests {
    use primitives::{Hash, KeyPair, Seed};

    use super::*;

    const POOL: u64 = 7;

    fn records(pool: u64, account: &str, record: Option<Vec<u8>>) -> Records {
        let (key, record) = (lane(pool, account).unwrap().into(), record.map(Into::into));
        Records { list: vec![Record { key, record, height: 12, time_ms: 0 }] }
    }

    #[test]
    fn what_was_paid_is_what_the_lane_of_this_pool_and_account_says() {
        let (mine, other) = ("a1".repeat(32), "b2".repeat(32));
        let lane = Lane { reserve: 900, redeemed: 700, epoch: 1, open: true };
        let proved = records(POOL, &mine, Some(minicbor::to_vec(lane).unwrap()));
        assert_eq!(paid(&proved, POOL, &mine), Some(Paid { units: 700, height: 12 }));
        assert_eq!(paid(&proved, POOL + 1, &mine), None, "another pool");
        assert_eq!(paid(&proved, POOL, &other), None, "somebody else");
        assert_eq!(paid(&proved, POOL, "me"), None);
        let nothing = records(POOL, &mine, None);
        assert_eq!(paid(&nothing, POOL, &mine), Some(Paid { units: 0, height: 12 }));
        let unread = records(POOL, &mine, Some(vec![0xff]));
        assert_eq!(paid(&unread, POOL, &mine), None);
    }

    #[test]
    fn a_pool_of_another_ledger_is_not_looked_up_on_this_one() {
        let root = TrustRoot { chain: Hash::new([3; 32]), group_key: [0; 96] }.to_string();
        assert!(is_of(&root, &"03".repeat(32)));
        assert!(!is_of(&root, &"04".repeat(32)));
        assert!(!is_of("", "") && !is_of("no root", "no root"));
    }

    #[test]
    fn a_pool_is_told_as_it_is_proved_with_what_its_fund_has_drawn() {
        let fund = KeyPair::from_seed(Seed::from_number(3)).id();
        let (mine, theirs) = (AccountId::new([1; 32]), AccountId::of_key(fund));
        let held = paypool::Pool {
            payer: mine,
            asset: AssetId::NATIVE,
            signer: fund,
            free: 5,
            reserved: 300,
            expiry_s: 1_000,
            closing_s: None,
            payees: 1,
            open_lanes: 1,
        };
        let one = |key: Vec<u8>, record: Option<Vec<u8>>| Record {
            key: key.into(),
            record: record.map(Into::into),
            height: 9,
            time_ms: 0,
        };
        let key = pool_key(POOL).as_bytes().to_vec();
        assert_eq!(pool(&Records::default(), POOL), Found::Unproved);
        assert_eq!(wanted(&Records::default(), &[POOL]), std::slice::from_ref(&key));
        let gone = Records { list: vec![one(key.clone(), None)] };
        assert_eq!(pool(&gone, POOL), Found::Gone(9));
        let unread = Records { list: vec![one(key.clone(), Some(vec![0xff]))] };
        assert_eq!(pool(&unread, POOL), Found::Unread);

        let mut proved = Records { list: vec![one(key.clone(), minicbor::to_vec(held).ok())] };
        let Found::Here(first) = pool(&proved, POOL) else { panic!("it is there") };
        assert_eq!((first.free, first.reserved, first.drawn), (5, 300, None));
        assert_eq!((first.key, first.payer), (fund.to_string(), mine.to_string()));
        let of_lane = lane_key(POOL, theirs).as_bytes().to_vec();
        assert_eq!(wanted(&proved, &[POOL]), [key, of_lane.clone()]);
        let lane = Lane { reserve: 1_000, redeemed: 700, epoch: 1, open: true };
        proved.list.push(one(of_lane, minicbor::to_vec(lane).ok()));
        let Found::Here(then) = pool(&proved, POOL) else { panic!("it is there") };
        assert_eq!(then.drawn, Some(700));
    }

    #[test]
    fn what_is_asked_of_a_pool_is_read_again_in_a_history() {
        let key = KeyPair::from_seed(Seed::from_number(3)).id().to_string();
        let account = "a1".repeat(32);
        let wishes = [
            Wish::Open { key: key.clone(), units: 500, ttl_s: 86_400 },
            Wish::Allow { pool: POOL, account: account.clone(), units: 500 },
            Wish::Extend { pool: POOL, ttl_s: 86_400 },
            Wish::Close(POOL),
            Wish::Take(POOL),
        ];
        for wish in wishes {
            let Some(Command::Pool(action)) = ask(&wish) else { panic!("{wish:?}") };
            let act = |domain| Act {
                action: action.clone(),
                code: 0,
                amount: None,
                seized: None,
                domain,
            };
            assert_eq!(asked(&act(Some(Prefix::Paypool.byte()))), Some(wish));
            assert_eq!(asked(&act(None)), None, "of a market");
        }
        assert_eq!(ask(&Wish::Open { key: "me".to_owned(), units: 1, ttl_s: 1 }), None);
        let fees = Wish::Fees { account: account.clone(), units: 7 };
        assert_eq!(ask(&fees), Some(Command::Send { to: account, units: 7, asset: 0 }));
        assert_eq!(key_in(&format!(" {key}\n")), Some(key.clone()));
        let printed = format!("key     {key}\naccount {}", "a1".repeat(32));
        assert_eq!(key_in(&printed), Some(key.clone()));
        assert_eq!(key_in(&printed.replace('\n', "")), Some(key.clone()));
        for wrong in ["", "key", "key me", &format!("account {key}"), &format!("{key} {key}")] {
            assert_eq!(key_in(wrong), None, "{wrong}");
        }
    }
}
