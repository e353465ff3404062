//! Who is in a community, with a meter or without: a server lists them, each is proved, and the community's own
//! count says whether the list is whole.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wallet::energy::{self, Asset, Neighbour, Roll, Roster, Wish};

use crate::browser;
use crate::format::{counted, short_key};

use super::desk::Desk;
use super::seen::SeenBadge;
use super::words::named;

/// The card of members.
#[component]
pub(super) fn Members(is_operator: bool) -> impl IntoView {
    let desk = Desk::get();
    let failed = RwSignal::new(false);
    // Asked anew when there are more or fewer.
    let whose = Memo::new(move |_| {
        let street = desk.street.read();
        street.as_ref().map(|one| (one.id, one.members))
    });
    Effect::new(move |_| {
        if let Some((community, _)) = whose.get() {
            spawn_local(ask(desk, community, failed));
        }
    });
    let told = Memo::new(move |_| {
        let roll = desk.roll.read();
        let roll = roll.as_ref().filter(|roll| Some(roll.community()) == desk.chosen.get())?;
        desk.look(|scene| energy::roster(scene, roll))
    });
    let seen = Signal::derive(move || told.read().as_ref().and_then(|told| told.seen));
    let asset = Memo::new(move |_| desk.street.read().as_ref().map(|one| one.asset.clone()));
    let members = Memo::new(move |_| told.get().map(|told| told.members).unwrap_or_default());
    let rows = move || {
        let asset = asset.get()?;
        let row = |one: Neighbour| view! { <Row one asset=asset.clone() is_operator /> };
        Some(members.get().into_iter().map(row).collect_view())
    };
    let words = move || words(told.read().as_ref(), failed.get(), desk.is_short.get());
    let again = move |_| {
        if let Some((community, _)) = whose.get_untracked() {
            failed.set(false);
            spawn_local(ask(desk, community, failed));
        }
    };
    view! {
        <section class="card" aria-labelledby="members-title" id="members">
            <div class="card-head">
                <h2 id="members-title">"Members"</h2>
                <SeenBadge seen />
            </div>
            <p class="quiet num" id="members-told" role="status">
                {words}
            </p>
            <button class="button" type="button" data-do="members-again" hidden=move || !failed.get() on:click=again>
                "Try again"
            </button>
            <ul class="payments">{rows}</ul>
        </section>
    }
}

/// Asks for the list, part by part.
async fn ask(desk: Desk, community: u32, failed: RwSignal<bool>) {
    let mut roll = Roll::new(community);
    while let Some(path) = roll.next_path() {
        let answer = browser::ask(&format!("/ledger{path}"), "GET").await;
        let good = answer.is_some_and(|(status, bytes)| status == 200 && roll.take(&bytes));
        if !good {
            // Nobody waits any more where the person left the page meanwhile.
            failed.try_set(true);
            return;
        }
    }
    // Another community was chosen meanwhile.
    if desk.chosen.try_get_untracked().flatten() != Some(community) {
        return;
    }
    failed.try_set(false);
    desk.roll.try_set(Some(roll));
}

/// How many there are, and how many of them are known.
fn words(told: Option<&Roster>, failed: bool, is_short: bool) -> String {
    let Some(told) = told else {
        let words = if failed {
            "No server lists the members now."
        } else {
            "Asking a server who is a member; each is proved here."
        };
        return words.to_owned();
    };
    let all = counted(told.count.into(), "member", "members");
    let bare = told.members.iter().filter(|one| one.has.meters == 0).count();
    let bare = match bare {
        0 => String::new(),
        many => format!(", {many} without a meter"),
    };
    if told.members.len() == usize::from(told.count) {
        return format!("{all}{bare}: each of them is proved, and nobody is left out.");
    }
    let others = match (is_short, failed) {
        // The wallet was not asked for all of them.
        (true, _) => "The others are not: more is shown here than can be proved at a time.",
        (false, true) => "No server lists the others now.",
        (false, false) => "The others are being proved, or a server left them out.",
    };
    format!("{all}, of whom {} are proved{bare}. {others}", told.members.len())
}

/// Somebody, what they have, and what the operator may do.
#[component]
fn Row(one: Neighbour, asset: Asset, is_operator: bool) -> impl IntoView {
    let desk = Desk::get();
    let Neighbour { account, is_me, is_operator: operates, has } = one;
    let who = match (is_me, operates) {
        (true, _) => " (you)",
        (false, true) => " (operates it)",
        (false, false) => "",
    };
    let meters = match has.meters {
        0 => "no meter: trades nothing".to_owned(),
        count => counted(count.into(), "meter", "meters"),
    };
    let money = format!("{} free, {} set aside", named(has.free, &asset), named(has.held, &asset));
    // One's own membership ends on Energy.
    let can_end = is_operator && !is_me && has.meters == 0 && has.held == 0;
    let (name, free) = (account.clone(), named(has.free, &asset));
    let end = move |_| {
        let lines = vec![("Account", short_key(&name)), ("Paid out to them", free.clone())];
        let warning = "They get what is free. You can take them in again.";
        desk.begin("End a membership", lines, warning, Wish::Dismiss(name.clone()));
    };
    view! {
        <li class="payment" data-member=account.clone()>
            <div class="row-words">
                <strong class="mono">{format!("{}{who}", short_key(&account))}</strong>
                <span class="quiet num">{format!("{meters}; {money}")}</span>
            </div>
            {can_end
                .then(|| {
                    view! {
                        <button class="button button--quiet" type="button" data-do="dismiss" on:click=end>
                            "End"
                            <span class="visually-hidden">" the membership"</span>
                        </button>
                    }
                })}
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_short_of_somebody_is_not_called_whole() {
        let one = |meters| Neighbour {
            account: "ab".repeat(32),
            is_me: false,
            is_operator: false,
            has: wallet::energy::Member { meters, ..wallet::energy::Member::default() },
        };
        let told = |count| {
            let roster = Roster { members: vec![one(0), one(2)], count, seen: None };
            words(Some(&roster), false, false).replace('\u{a0}', " ")
        };
        assert_eq!(
            told(2),
            "2 members, 1 without a meter: each of them is proved, and nobody is left out."
        );
        assert!(told(3).starts_with("3 members, of whom 2 are proved, 1 without a meter."));
        assert!(words(None, true, false).contains("No server"));
        let roster = Roster { members: vec![one(0)], count: 2, seen: None };
        assert!(!words(Some(&roster), false, true).contains("server"), "none was asked for them");
    }
}
