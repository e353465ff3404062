//! Assets in words: what is done with them, and why the ledger refuses.

use wallet::assets::Wish;

use crate::assets::Assets;
use crate::format::short_key;

/// Why the ledger refuses, by the refusal's number (`docs/spec/ledger.md`, "Receipts").
pub(crate) const fn refusal(number: u16) -> &'static str {
    match number {
        0x0102 => "That is this account itself.",
        0x0104 => "The issuer froze what this account or the other one holds: nothing moves.",
        0x0105 => "The account holds less than that, or not enough for the fee.",
        0x0106 => "That many units do not fit.",
        0x0201 => "A symbol is 1 to 12 upper-case letters and digits.",
        0x0202 => "An asset has at most 24 decimals.",
        0x0101 | 0x0203 => "Nothing is not an amount.",
        0x0204 => "There is no such asset.",
        0x0205 => "Somebody else is its issuer.",
        0x0206 => "It was not declared at its creation that its issuer may freeze it.",
        0x0207 => "Its issuer gave up issuing it.",
        0x0208 => "That is more than the cap that was declared at its creation.",
        _ => "The ledger would refuse it.",
    }
}

/// What a wish is called before it is signed.
pub(super) const fn question(wish: &Wish) -> &'static str {
    match wish {
        Wish::Send { .. } => "Sign and send?",
        Wish::Create { .. } => "Create this asset?",
        Wish::Issue { .. } => "Issue these units?",
        Wish::Burn { .. } => "Burn these units?",
        Wish::Freeze { frozen: true, .. } => "Freeze what this account holds?",
        Wish::Freeze { frozen: false, .. } => "Let this account have its units again?",
        Wish::Renounce { .. } => "Give up issuing for good?",
    }
}

/// What follows of it that is not in its numbers.
pub(super) const fn warning(wish: &Wish) -> &'static str {
    match wish {
        Wish::Send { .. } => "It can\u{2019}t be taken back.",
        Wish::Create { .. } => {
            "What is said here holds for good. Everybody who holds it holds your promise, and can see that it is yours."
        }
        Wish::Issue { .. } => "Each unit is one more that you owe.",
        Wish::Burn { .. } => "They are gone for everybody.",
        Wish::Freeze { frozen: true, .. } => {
            "They can neither send nor receive it until you allow that again, and everybody can see it."
        }
        Wish::Freeze { frozen: false, .. } => "They can send and receive it again.",
        Wish::Renounce { .. } => {
            "Nobody makes any more of it, ever. What is there stays. It can\u{2019}t be taken back."
        }
    }
}

/// A line of a history: what was done where it is no transfer, the amount, and whether that left the account;
/// without an amount it is the fee that did.
pub(crate) struct Told {
    /// None: a transfer, told by whom it went to.
    pub(crate) what: Option<String>,
    /// None: the fee.
    pub(crate) amount: Option<String>,
    /// Whether it left the account.
    pub(crate) left: bool,
}

/// What was done, for a history.
pub(crate) fn told(desk: Assets, wish: &Wish) -> Told {
    let symbol = |number: u32| match desk.asset(number) {
        Some(asset) => crate::money::symbol(&asset),
        None => format!("asset {number}"),
    };
    let done = |what: String| Told { what: Some(what), amount: None, left: true };
    match wish {
        Wish::Send { asset, amount, .. } => {
            Told { what: None, amount: Some(desk.units(*amount, *asset)), left: true }
        }
        Wish::Create { symbol, .. } => done(format!("Created {symbol}, the fee")),
        Wish::Issue { asset, to, amount } => Told {
            what: Some(format!("Issued to {}", short_key(to))),
            amount: Some(desk.units(*amount, *asset)),
            left: false,
        },
        Wish::Burn { asset, amount } => Told {
            what: Some("Burned".to_owned()),
            amount: Some(desk.units(*amount, *asset)),
            left: true,
        },
        Wish::Freeze { asset, account, frozen } => {
            let verb = if *frozen { "Froze" } else { "Thawed" };
            done(format!("{verb} {} of {}, the fee", symbol(*asset), short_key(account)))
        }
        Wish::Renounce { asset } => done(format!("Gave up issuing {}, the fee", symbol(*asset))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wish_asks_and_warns_and_each_refusal_has_words() {
        let account = String::new();
        let freeze = |frozen| Wish::Freeze { asset: 1, account: account.clone(), frozen };
        assert_ne!(question(&freeze(true)), question(&freeze(false)));
        assert_ne!(warning(&freeze(true)), warning(&freeze(false)));
        let other = refusal(0xffff);
        for number in [0x0104, 0x0105, 0x0205, 0x0206, 0x0207, 0x0208] {
            assert_ne!(refusal(number), other, "{number}");
        }
    }
}
