//! Why servers do not take something that was signed, and the way to give it up.

use leptos::prelude::*;
use wallet::view::{Command, Unwanted};

use crate::ledger::Ledger;

/// Below what is told of something that was sent; nothing unless servers refuse it.
#[component]
pub(crate) fn NotTaken(
    /// The transaction's name, hexadecimal.
    id: String,
) -> impl IntoView {
    let ledger = Ledger::get();
    let found =
        Memo::new(move |_| ledger.view.read().unwanted.iter().find(|one| one.id == id).cloned());
    move || {
        found.get().map(|one| {
            let words = words(&one);
            let give_up = move |_| ledger.command(&Command::GiveUp(one.id.clone()));
            view! {
                <span class="quiet quiet--warn">{words}</span>
                <div>
                    <button class="button" type="button" data-do="give-up" on:click=give_up>
                        "Give it up"
                    </button>
                </div>
            }
        })
    }
}

/// Why, and what can be done.
fn words(one: &Unwanted) -> String {
    let why = match (one.code.as_str(), one.number) {
        ("refused", 10) => "other keys speak for this account now",
        ("refused", 11) => "its number is used already, perhaps by another device",
        ("refused", 12) => "what a transaction costs went up since. Give it up and send it anew",
        ("refused", 13) => "the account does not hold the fee any more",
        ("refused", number) => return format!("No server takes it: refusal {number}."),
        ("underpriced", _) => {
            "another one with its number waits there, perhaps of another device. The next block decides"
        }
        ("nonce-gap", _) => "what was sent before it has to be in a block first",
        ("full", _) => "more waits there than there is room for, and pays more. It is tried again",
        ("replaced", _) => {
            "other validators took over from that server\u{2019}s. Ask another server"
        }
        _ => "that server can\u{2019}t take anything now. It is tried again",
    };
    format!("A server did not take it: {why}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_says_why() {
        let words = |code: &str, number| {
            words(&Unwanted { id: String::new(), code: code.to_owned(), number })
        };
        assert!(words("refused", 12).contains("send it anew"));
        assert!(words("refused", 3).contains("refusal 3"));
        let other = words("busy", 0);
        for code in ["underpriced", "nonce-gap", "full", "replaced"] {
            assert_ne!(words(code, 0), other, "{code}");
        }
    }
}
