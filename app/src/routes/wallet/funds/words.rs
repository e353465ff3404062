//! Funds' pools in words: how they are, what may be done with them, what was done, and the command that pays from one.

use wallet::funds::{Found, Pool, Wish};

use crate::format::short_key;
use crate::money;

/// With less life than this, keeping a pool for longer is offered, in seconds: 25 days.
const LONG_S: u64 = 25 * 86_400;

/// What may be done with a pool of one's own now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Steps {
    pub(super) allow: bool,
    pub(super) longer: bool,
    pub(super) close: bool,
    pub(super) take: bool,
    /// Nothing more is drawn from it.
    pub(super) is_over: bool,
}

impl Steps {
    pub(super) fn of(pool: &Pool, now_s: u64) -> Self {
        let is_open = !pool.closing && now_s < pool.expiry_s;
        // Nobody has to be waited for.
        let take = pool.open_lanes == 0 || now_s >= pool.ends_s;
        Self {
            allow: is_open && pool.free > 0,
            longer: is_open && pool.expiry_s.saturating_sub(now_s) < LONG_S,
            close: !take && is_open,
            take,
            is_over: !is_open,
        }
    }

    /// The next of them, for programs.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self { allow: true, .. } => "allow",
            Self { close: true, .. } => "close",
            Self { take: true, .. } => "take",
            _ => "none",
        }
    }
}

/// What it is.
pub(super) fn title(number: u64, pool: Option<&Pool>) -> String {
    match pool {
        Some(pool) => format!("Pool {number}, for the fund {}", short_key(&pool.account)),
        None => format!("Pool {number}"),
    }
}

/// Of a pool of another account.
pub(super) fn others(pool: &Pool) -> String {
    format!("Opened by another account, {}", short_key(&pool.payer))
}

/// How it is; `moment` says when something is, on the person's clock.
pub(super) fn state(found: &Found, now_s: u64, moment: fn(u64) -> String) -> String {
    let pool = match found {
        Found::Here(pool) => pool,
        Found::Unproved => return "Being proved".to_owned(),
        Found::Gone(_) => return "There is none: it is closed, or was never opened".to_owned(),
        Found::Unread => return "This page is too old to read it. Load the page anew".to_owned(),
    };
    let drawn = pool.drawn.filter(|units| *units > 0);
    let drawn = drawn.map(|units| format!(", {} drawn", money::named(units))).unwrap_or_default();
    let end = wait(pool.ends_s.saturating_sub(now_s));
    let is_over = pool.closing || now_s >= pool.expiry_s;
    if is_over && pool.open_lanes > 0 && now_s < pool.ends_s {
        return format!(
            "Closing: {} may still be drawn{drawn}; the rest comes back in {end}, or once the fund gives its part back",
            money::named(pool.reserved)
        );
    }
    if is_over {
        return format!("Over{drawn}; take back what is left");
    }
    if pool.open_lanes == 0 {
        return format!("Set aside{drawn}; the fund may not draw on it yet");
    }
    let until = moment(pool.expiry_s);
    format!("{} may be drawn until {until}{drawn}", money::named(pool.reserved))
}

fn wait(seconds: u64) -> String {
    match seconds {
        0..=5_400 => format!("{}\u{a0}min", seconds.div_ceil(60)),
        _ => format!("{}\u{a0}h", seconds.div_ceil(3_600)),
    }
}

/// What vouches for it.
pub(super) fn proof(found: &Found) -> String {
    match found {
        Found::Here(pool) => format!("Proved at block {}", pool.height),
        Found::Gone(height) => format!("Proved at block {height}"),
        Found::Unproved | Found::Unread => String::new(),
    }
}

/// What a wish is called before it is signed.
pub(super) const fn question(wish: &Wish) -> &'static str {
    match wish {
        Wish::Open { .. } => "Set this aside?",
        Wish::Allow { .. } => "Let the fund draw on it?",
        Wish::Extend { .. } => "Keep it for longer?",
        Wish::Close(_) => "Close this pool?",
        Wish::Take(_) => "Take back what is left?",
        Wish::Fees { .. } => "Sign and send?",
    }
}

/// What follows of it that is not in its numbers.
pub(super) const fn warning(wish: &Wish) -> &'static str {
    match wish {
        Wish::Open { .. } => {
            "It is locked, not spent. The fund can draw nothing before you let it, which is the next step. Until then you can take all of it back at any time."
        }
        Wish::Allow { .. } => {
            "Whoever has the fund\u{2019}s key can draw all of this, at any time until you close the pool. How fast the fund pays viewers is bounded by how it is started."
        }
        Wish::Extend { .. } => "The fund may draw for so long. You can still close it at any time.",
        Wish::Close(_) => {
            "The fund has a day to draw what it may. Then what is left is yours to take here; at once, if the fund gives its part back."
        }
        Wish::Take(_) => "It is in your account with the next block.",
        Wish::Fees { .. } => "It is the fund\u{2019}s from then on.",
    }
}

/// What was done.
pub(super) fn done(wish: &Wish) -> String {
    match wish {
        Wish::Open { units, .. } => format!("{} set aside for a fund", money::named(*units)),
        Wish::Allow { pool, units, .. } => {
            format!("Pool {pool}: the fund may draw {}", money::named(*units))
        }
        Wish::Extend { pool, .. } => format!("Pool {pool} is kept for longer"),
        Wish::Close(pool) => format!("Pool {pool}: the rest was asked for"),
        Wish::Take(pool) => format!("Pool {pool}: the rest came back"),
        Wish::Fees { units, .. } => format!("{} sent for fees", money::named(*units)),
    }
}

/// Why the ledger refused, by the refusal's number (`docs/spec/ledger.md`, "Receipts").
pub(super) const fn refusal(number: u16) -> &'static str {
    match number {
        0x0301 => "Nothing is not an amount.",
        0x0302 => "A pool lasts an hour at least and 30 days at most.",
        0x0304 => "There is no such pool any more.",
        0x0305 => "Another account opened it.",
        0x0306 => "It is closing, or its time is over.",
        0x0307 => "It lasts that long already.",
        0x0308 => "Less than that was free.",
        0x030d => "The fund still has time to draw.",
        _ => "The ledger refused it.",
    }
}

/// The command that pays out of a pool.
pub(super) fn command(about: &str, origin: &str, pool: u64, units: u128) -> String {
    let about = match about.trim() {
        "" => "VIDEO".to_owned(),
        about => format!("'{}'", about.replace('\'', "'\\''")),
    };
    format!("starling fund {about} --key fund.key --node {origin} --pool {pool} --amount {units}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> Pool {
        Pool {
            number: 7,
            payer: "a1".repeat(32),
            key: "b2".repeat(32),
            account: "c3".repeat(32),
            free: 2_000_000,
            reserved: 0,
            open_lanes: 0,
            drawn: Some(0),
            expiry_s: 30 * 86_400,
            ends_s: 31 * 86_400,
            closing: false,
            height: 12,
        }
    }

    fn said(pool: Pool, now_s: u64) -> String {
        state(&Found::Here(pool), now_s, |seconds| seconds.to_string()).replace('\u{a0}', " ")
    }

    #[test]
    fn a_pool_goes_from_set_aside_to_drawn_on_to_taken_back() {
        let steps = |pool: &Pool, now_s| Steps::of(pool, now_s);
        let new = pool();
        assert!(said(new.clone(), 0).ends_with("the fund may not draw on it yet"));
        let all = steps(&new, 0);
        assert!(all.allow && all.take && !all.close && !all.longer, "{all:?}");

        let drawn =
            Pool { free: 0, reserved: 1_500_000, open_lanes: 1, drawn: Some(500_000), ..pool() };
        assert_eq!(said(drawn.clone(), 0), "1.50 STAR may be drawn until 2592000, 0.50 STAR drawn");
        assert_eq!(steps(&drawn, 0).name(), "close");
        assert!(steps(&drawn, 6 * 86_400).longer);

        let closing = Pool { closing: true, ends_s: 86_400, ..drawn.clone() };
        let words = said(closing.clone(), 3_600);
        assert!(words.starts_with("Closing: 1.50 STAR may still be drawn"), "{words}");
        assert!(words.contains("comes back in 23 h"), "{words}");
        assert_eq!(steps(&closing, 3_600).name(), "none");
        assert_eq!(steps(&closing, 86_400).name(), "take");
        let given_back = Pool { open_lanes: 0, free: 1_500_000, reserved: 0, ..closing };
        assert_eq!(steps(&given_back, 3_600).name(), "take");
        assert_eq!(steps(&drawn, 31 * 86_400).name(), "take", "its time is over");
    }

    #[test]
    fn the_command_is_one_that_a_shell_takes_whatever_is_typed() {
        let told = |about| command(about, "https://host", 7, 500);
        let rest = "--key fund.key --node https://host --pool 7 --amount 500";
        assert_eq!(told(" "), format!("starling fund VIDEO {rest}"));
        assert_eq!(told("https://v/a?b&c"), format!("starling fund 'https://v/a?b&c' {rest}"));
        assert_eq!(told("it's; rm"), format!("starling fund 'it'\\''s; rm' {rest}"));
    }
}
