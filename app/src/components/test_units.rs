//! Units of a test asset for nothing, where the network is a demo and its faucet issues the asset.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wallet::lending::Asset;
use wallet::view::Faucet;

use crate::browser;
use crate::ledger::Ledger;
use crate::money::symbol;

/// What came of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Nobody asked yet.
    Not,
    /// It is on its way to the server.
    Asking,
    /// A block will hold it.
    Given,
    /// It gives none of this asset.
    NotIssued,
    /// The account has as much already.
    Enough,
    /// It gave nothing.
    Failed,
}

impl Asked {
    fn of(status: Option<u16>) -> Self {
        match status {
            Some(200..=299) => Self::Given,
            Some(404) => Self::NotIssued,
            Some(409) => Self::Enough,
            _ => Self::Failed,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Not => "A demo network: its units are worth nothing.",
            Self::Asking => "Asking.",
            Self::Given => "Asked. It comes with the next block.",
            Self::NotIssued => "The faucet of this network does not issue it: ask its issuer.",
            Self::Enough => "The faucet gives to accounts that hold less.",
            Self::Failed => "The faucet gave nothing. Try again in a minute.",
        }
    }
}

/// The button; hidden where there is no faucet.
#[component]
pub(crate) fn TestUnits(
    /// Of which asset; none: that is not proved yet.
    asset: Signal<Option<Asset>>,
) -> impl IntoView {
    let ledger = Ledger::get();
    let asked = RwSignal::new(Asked::Not);
    let demo = Memo::new(move |_| ledger.view.read().faucet != Faucet::None);
    let press = move |_| {
        let Some(Asset { id, .. }) = asset.get_untracked() else { return };
        let account = ledger.view.read_untracked().account.clone();
        asked.set(Asked::Asking);
        spawn_local(async move {
            let path = format!("/ledger/faucet/{account}?asset={id}");
            let answer = browser::ask(&path, "POST").await;
            // Nobody waits any more where the person left the page meanwhile.
            asked.try_set(Asked::of(answer.map(|(status, _)| status)));
        });
    };
    let words = move || {
        let name = asset.get().map(|asset| symbol(&asset)).unwrap_or_default();
        format!("Get test {name}")
    };
    view! {
        <div class="send-foot" hidden=move || !demo.get()>
            <button
                class="button"
                type="button"
                data-faucet=""
                disabled=move || matches!(asked.get(), Asked::Asking | Asked::NotIssued)
                on:click=press
            >
                {words}
            </button>
            <p class="quiet" aria-live="polite">
                {move || asked.get().words()}
            </p>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_faucet_says_is_told_apart() {
        let of = |status| Asked::of(Some(status));
        assert_eq!((of(202), of(404), of(409)), (Asked::Given, Asked::NotIssued, Asked::Enough));
        assert_eq!((of(503), Asked::of(None)), (Asked::Failed, Asked::Failed));
    }
}
