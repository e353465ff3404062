//! What a fund says was earned here, and what of it is proved to be in the account.

use leptos::prelude::*;
use wallet::funds::{self, Paid};
use wallet::lending::watch;

use crate::ledger::{Ledger, Stage};
use crate::money;
use crate::session::{Earned, Session};

/// The figures.
#[component]
pub(crate) fn EarnedHere() -> impl IntoView {
    let session = Session::get();
    let ledger = session.sharing.ledger;
    let earned = Memo::new(move |_| session.player.read().earned.clone().unwrap_or_default());
    let account = Memo::new(move |_| ledger.account());
    let elsewhere = Memo::new(move |_| {
        let earned = earned.read();
        let root = ledger.view.read().root.clone();
        earned.pool.as_ref().is_some_and(|(chain, _)| !funds::is_of(&root, chain))
    });
    // Of which pool what account's lane is to be proved.
    let lane = Memo::new(move |_| {
        let (_, pool) = earned.read().pool.clone().filter(|_| !elsewhere.get())?;
        Some((pool, account.get()?))
    });
    // Whose account is to be paid, the wallet says.
    ledger.wake();
    let watcher = ledger.begin_watching();
    on_cleanup(move || ledger.end_watching(watcher));
    Effect::new(move |_| {
        let key = lane.get().and_then(|(pool, account)| funds::lane(pool, &account));
        if let Some(key) = key {
            ledger.command(&watch(vec![key]));
        }
    });
    let proved = Memo::new(move |_| {
        let (pool, account) = lane.get()?;
        funds::paid(&ledger.records.read(), pool, &account)
    });
    let state = move || state(session, ledger, &earned.read(), elsewhere.get());
    view! {
        <dl
            class="sums num"
            id="earned"
            data-units=move || earned.read().units.to_string()
            data-paid=move || earned.read().paid.to_string()
            data-proved=move || proved.get().map(|proved| proved.units.to_string())
        >
            <div class="sum">
                <dt>"Earned so far"</dt>
                <dd>{move || money::named(earned.read().units.into())}</dd>
            </div>
            <div class="sum">
                <dt>"Of it, paid"</dt>
                <dd>{move || money::named(earned.read().paid.into())}</dd>
            </div>
        </dl>
        <p class="quiet num" id="earned-proof">
            {move || proof(&earned.read(), proved.get())}
        </p>
        <p class="quiet" role="status">
            {state}
        </p>
    }
}

/// What vouches for what was paid.
fn proof(earned: &Earned, proved: Option<Paid>) -> String {
    match proved {
        Some(paid) if paid.units > 0 => {
            format!(
                "{} are in your account, proved at block {}",
                money::named(paid.units),
                paid.height
            )
        }
        _ if earned.paid > 0 => "That it was paid is not proved yet".to_owned(),
        _ => "By the word of who pays; what is small waits until it is worth its fee".to_owned(),
    }
}

/// Why nothing is earned now, or that it is.
fn state(session: Session, ledger: Ledger, earned: &Earned, elsewhere: bool) -> &'static str {
    let by_wallet = match &*ledger.stage.read() {
        Stage::Open => "",
        Stage::Starting => "Your wallet is starting. Until then what you pass on is a gift.",
        Stage::Elsewhere => {
            "Your wallet is open in another tab. What this tab passes on is a gift until that one is closed."
        }
        Stage::Failed(why) if why == "no-code" => {
            "Your wallet did not load. What you pass on is a gift until you load the page anew."
        }
        Stage::Failed(_) => "This host shows no ledger. What you pass on is a gift.",
    };
    if !by_wallet.is_empty() {
        return by_wallet;
    }
    match earned.state.as_str() {
        "off" => "They do not pay for this video. What you pass on is a gift.",
        "unreachable" => "They do not answer. They are asked again soon.",
        "on" if elsewhere => {
            "They pay on another ledger than the one of this page, which can\u{2019}t prove it."
        }
        "on" if !session.gives() => {
            "You pass nothing on now, so you earn nothing: Settings says how much it may be."
        }
        "on" => "You earn by what you pass on.",
        _ => "They are being asked.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_proved_is_called_proved() {
        let told = |paid| Earned { units: 9, paid, ..Earned::default() };
        let words = |earned, proved| proof(&earned, proved).replace('\u{a0}', " ");
        assert!(words(told(0), None).starts_with("By the word of who pays"));
        assert_eq!(words(told(5), None), "That it was paid is not proved yet");
        let proved = |units| Some(Paid { units, height: 12 });
        assert_eq!(words(told(5), proved(0)), "That it was paid is not proved yet");
        let shown = words(told(5), proved(2_000_000));
        assert_eq!(shown, "2.00 STAR are in your account, proved at block 12");
    }
}
