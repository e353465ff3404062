//! Which communities there are, and what the one that is looked at is like.

use leptos::prelude::*;
use leptos_router::components::A;
use wallet::energy::{self, Community, LISTED_MAX};

use crate::components::copy::CopyText;
use crate::components::fact::fact;
use crate::format::counted;

use super::desk::Desk;
use super::seen::SeenBadge;
use super::words::{mode, named, price};

/// The list, and the community that is looked at.
#[component]
pub(super) fn Communities() -> impl IntoView {
    let desk = Desk::get();
    let listing = Memo::new(move |_| energy::listing(&desk.book.read()));
    let words = move || match listing.get() {
        None => Some((
            "Asking which communities there are",
            "The ledger counts them, and the count is proved here first.",
        )),
        Some(listing) if listing.count == 0 => {
            let more = if desk.path == "/energy" {
                "Anybody may open one, on the page Community."
            } else {
                "Anybody may open one: yours would be the first."
            };
            Some(("No community was opened yet", more))
        }
        Some(_) => None,
    };
    let more = move || {
        let count = listing.get().map_or(0, |listing| listing.count);
        (count > LISTED_MAX).then(|| {
            format!(
                "The newest {LISTED_MAX} of {count}. Any other opens by its number in the address."
            )
        })
    };
    let other = if desk.path == "/energy" {
        ("/community", "Run a community")
    } else {
        ("/energy", "My energy")
    };
    view! {
        <section class="card" aria-labelledby="communities-title" id="communities">
            <div class="card-head">
                <h2 id="communities-title">"Communities"</h2>
                <A href=other.0 attr:class="button button--quiet">
                    {other.1}
                </A>
            </div>
            <div class="empty" role="status" hidden=move || words().is_none()>
                <p class="empty-title">{move || words().map(|(title, _)| title)}</p>
                <p class="quiet">{move || words().map(|(_, more)| more)}</p>
            </div>
            <ul class="choices">
                {move || {
                    let all = listing.get().map(|listing| listing.communities).unwrap_or_default();
                    all.into_iter().map(|id| view! { <Choice id /> }).collect_view()
                }}
            </ul>
            <p class="quiet" hidden=move || more().is_none()>
                {more}
            </p>
            {move || desk.street.get().map(|community| view! { <Chosen community /> })}
        </section>
    }
}

#[component]
fn Choice(id: u32) -> impl IntoView {
    let desk = Desk::get();
    let here = move || (desk.chosen.get() == Some(id)).then_some("true");
    view! {
        <li>
            <a href=format!("{}?community={id}", desk.path) class="button" aria-current=here>
                {format!("Community {id}")}
            </a>
        </li>
    }
}

#[component]
fn Chosen(community: Community) -> impl IntoView {
    let Community { rules, asset, members, meters, next, .. } = community.clone();
    let tariff = rules.tariff;
    let desk = Desk::get();
    let seen = Signal::derive(move || desk.community.read().as_ref().map(|one| one.seen));
    let people = format!(
        "{}, {}",
        counted(members.into(), "member", "members"),
        counted(meters.into(), "meter", "meters")
    );
    let next = next.map(|(from, rules)| {
        format!(
            "From {}: {}; grid {}, feed-in {}, fee between neighbours {}.",
            super::clock::moment(energy::starts_ms(from)),
            mode(rules.mode),
            price(rules.tariff.retail, &asset),
            price(rules.tariff.feed_in, &asset),
            price(rules.tariff.grid_fee, &asset)
        )
    });
    view! {
        <div class="community-facts">
            <div class="card-head">
                <p>
                    <strong>{format!("Community {}", community.id)}</strong>
                    " "
                    <span class="quiet">{mode(rules.mode)}</span>
                </p>
                <SeenBadge seen />
            </div>
            <dl class="facts-row">
                {fact("From the grid", price(tariff.retail, &asset), String::new())}
                {fact("To the grid", price(tariff.feed_in, &asset), String::new())}
                {fact("Between neighbours", price(tariff.grid_fee, &asset), "fee for the way, on top".to_owned())}
                {fact("Who", people, format!("{} slots for readings", community.window_slots))}
            </dl>
            {(community.pace > 1)
                .then(|| {
                    let pace = community.pace;
                    view! { <p class="quiet num">{format!("To try things out: its clock runs {pace} times as fast.")}</p> }
                })}
            {next.map(|next| view! { <p class="quiet num">{next}</p> })}
            {community.me.is_none().then(|| view! { <Join community=community.clone() /> })}
            {community
                .me
                .map(|me| {
                    let all = me.free + me.held;
                    view! {
                        <p class="quiet num" id="membership">
                            {format!("You are a member, with {} here.", named(all, &asset))}
                        </p>
                    }
                })}
        </div>
    }
}

/// How one joins: the operator takes in.
#[component]
fn Join(community: Community) -> impl IntoView {
    let desk = Desk::get();
    let account = Memo::new(move |_| desk.ledger.view.read().account.clone());
    let id = community.id;
    let link = move || {
        let origin = crate::browser::origin();
        format!("{origin}/community?community={id}&admit={}", account.get())
    };
    view! {
        <div class="empty" id="join">
            <p class="empty-title">"You are not a member"</p>
            <p class="quiet">
                "The operator takes you in. Send them this link: it names your account and nothing else. You need no meter for it: one can come later, and until then you can look."
            </p>
            <CopyText text=Signal::derive(link) label="the link for the operator" />
        </div>
    }
}
