//! Refusals in words: what is wrong, and what to do.

use identity::session::Refusal;

/// The worker or the ledger's proof is missing.
pub(super) const GONE: &str =
    "That can\u{2019}t be done right now. Wait for a proved block, or load the page anew.";
/// Something was asked of the ledger before, and is not there yet.
pub(super) const ON_ITS_WAY: &str =
    "What you asked for before is on its way to the ledger. Try again when it is there.";
/// The worker kept nothing, or is gone.
pub(super) const LOST: &str = "This device did not keep it: nothing was changed, and your identity is as it was before. Make room on this device and try again, or load the page anew.";

/// Why a call was refused.
pub(super) fn refusal(why: Refusal, at: u8) -> String {
    if why == Refusal::Word {
        return format!(
            "Word {at} is not in the list. Look at your paper again: is it spelled so?"
        );
    }
    fixed(why).to_owned()
}

const fn fixed(why: Refusal) -> &'static str {
    match why {
        Refusal::Form | Refusal::Word => {
            "This page and its worker do not understand each other. Load the page anew."
        }
        Refusal::Empty => "There is no identity on this device.",
        Refusal::Exists => "There is an identity on this device already. Sign it out first.",
        Refusal::Locked => "Your identity locked itself. Unlock it and try again.",
        Refusal::WordCount => "That is not 24 words. Enter all of them, with a space between.",
        Refusal::WordsChecked => {
            "A word is wrong, or two are swapped. Compare with your paper, word by word."
        }
        Refusal::WordsOther => "These words are of another identity.",
        Refusal::PasswordLength => {
            "Use at least 8 characters. Four words that do not belong together are good."
        }
        Refusal::Wrong => {
            "That does not open it: a wrong password, or another passkey. Try again, or use your 24 words."
        }
        Refusal::Memory => {
            "There is not enough memory to check the password. Close other tabs and try again."
        }
        Refusal::Share => "One of these is no share. Paste each whole, one below the other.",
        Refusal::Shares => {
            "That is not enough shares of one set. Ask another guardian, and leave older ones out."
        }
        Refusal::TooFewWays => {
            "Without it, one loss would be the end: two ways must stay, one of them not on this device. Add another one first."
        }
        Refusal::Full => "There are as many ways as there may be. Remove one first.",
        Refusal::NoWay => "There is no such way in any more. Load the page anew.",
        Refusal::NotYours => "No key of this identity may change that DID now.",
        Refusal::Guardians => {
            "Those guardians can\u{2019}t be: 1 to 9 different ones, and a number of them that is not larger."
        }
        Refusal::NotAsked => {
            "That is not a request for the DID as it stands now. Ask for a new one."
        }
        Refusal::NoGuardian => "This identity is no guardian of that DID.",
        Refusal::NotFresh => "Open it once more for that.",
        Refusal::NoShares => {
            "There are no new shares any more: they are gone when your identity locks. Make them anew."
        }
        Refusal::UsedUp => {
            "This name was changed as often as a name can be. It still signs, and can be stopped; its guardians can give it new keys."
        }
        Refusal::TextLength => "There is nothing to sign, or more than 16,384 bytes.",
    }
}
