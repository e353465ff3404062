//! The dialog before something is signed: what it is, what comes of it, what it costs.

use leptos::prelude::*;
use wallet::energy::{self, Wish};

use crate::components::last_look::LastLook;
use crate::components::modal::modal;

use super::desk::{Desk, Doing};
use super::words::refusal;

/// The dialog; open while something is about to be signed.
#[component]
pub(super) fn Confirm() -> impl IntoView {
    modal(Desk::get().doing, "dialog dialog--small", "sure-title", |doing, close| {
        view! { <Sure doing close /> }
    })
}

#[component]
fn Sure(doing: Doing, close: Callback<()>) -> impl IntoView {
    let desk = Desk::get();
    let Doing { title, lines, warning, community, wishes } = doing;
    let wishes = StoredValue::new(wishes);
    let each = move |of: fn(&energy::Scene<'_>, u32, &Wish) -> Option<u128>| {
        desk.look(|scene| {
            wishes.with_value(|all| {
                all.iter().map(|wish| of(scene, community, wish)).sum::<Option<u128>>()
            })
        })
    };
    let fee = Memo::new(move |_| each(energy::fee));
    let refused = Memo::new(move |_| {
        desk.look(|scene| {
            wishes.with_value(|all| {
                all.iter().find_map(|wish| energy::refusal(scene, community, wish).err())
            })
        })
    });
    let ready = move || desk.fresh.get() && fee.read().is_some() && refused.read().is_none();
    let problem = move || match (desk.fresh.get(), refused.get()) {
        (false, _) => "Nothing is sent while the newest block is not known.".to_owned(),
        (true, Some(number)) => format!("{} (refusal {number})", refusal(number)),
        (true, None) if fee.read().is_none() => "What it costs is not proved yet.".to_owned(),
        (true, None) => String::new(),
    };
    let row = |(name, value): (&'static str, String)| {
        view! {
            <div>
                <dt>{name}</dt>
                <dd>{value}</dd>
            </div>
        }
    };
    let lines = lines.into_iter().map(|line| row(line).into_any()).collect::<Vec<_>>();
    let sign = Callback::new(move |()| sign(desk, community, &wishes.get_value()));
    let (problem, ready) = (Signal::derive(problem), Signal::derive(ready));
    view! { <LastLook place="sure" title lines fee warning problem ready sign close /> }
}

fn sign(desk: Desk, community: u32, wishes: &[Wish]) {
    desk.signed.set(true);
    for wish in wishes {
        let command = untrack(|| desk.look(|scene| energy::ask(scene, community, wish)));
        if let Some(command) = command {
            desk.ledger.command(&command);
        }
    }
}
