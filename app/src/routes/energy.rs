//! Energy among neighbours: what my meters took and gave, what that cost, and what I can do; and, for
//! who runs a community, the page to run it with.
//!
//! As on Lend, everything is computed here, of records that the wallet proved, by the ledger's own code
//! (`wallet::energy`). Files of meters are read here (`meter-data`); the wallet's worker signs.

mod by_hand;
mod certificates;
mod chart;
mod clock;
mod community;
mod confirm;
mod correct;
mod day;
mod depth;
mod desk;
mod fields;
mod file;
mod friend;
mod group;
mod history;
mod limits;
mod list;
mod members;
mod meters;
mod open;
mod orders;
mod purse;
mod rules;
mod rules_form;
mod seen;
mod signing;
mod slot;
mod street;
mod words;

use leptos::prelude::*;

use crate::ledger::Ledger;
use crate::routes::wallet::BelowWallet;

use by_hand::ByHand;
use certificates::Certificates;
use community::Running;
use confirm::Confirm;
use day::Today;
use desk::Desk;
use file::Import;
use friend::FriendCard;
use group::GroupCard;
use history::Deeds;
use limits::LimitCards;
use list::Communities;
use meters::Meters;
use open::OpenForm;
use orders::OrdersCard;
use purse::Purses;
use slot::SlotCard;
use street::{StreetDay, watches};

/// The page of a household.
#[component]
pub(crate) fn EnergyPage() -> impl IntoView {
    Desk::provide(Ledger::get(), "/energy");
    view! {
        <BelowWallet
            title="Energy"
            about="Neighbours share their sun, and the ledger settles it. What is shown, this page has checked."
        >
            <Communities />
            <Household />
            <Deeds />
            <Confirm />
        </BelowWallet>
    }
}

/// What a household sees of the community that is looked at.
#[component]
fn Household() -> impl IntoView {
    let desk = Desk::get();
    let known =
        Memo::new(move |_| desk.community.read().as_ref().map(|one| (one.id, one.me.is_some())));
    let watches = watches(desk);
    move || {
        known.get().map(|(_, is_member)| {
            view! {
                // Who is no member, or has no meter, has no day there but looks at the street's.
                <StreetDay />
                {is_member
                    .then(|| {
                        view! {
                            <Show when=move || !watches.get()>
                                <Today />
                            </Show>
                        }
                    })}
                <SlotCard />
                {is_member.then(|| view! { <ByHand /> })}
                {is_member.then(|| view! { <Certificates /> })}
                <Purses />
                <Meters />
                <Import />
                {is_member.then(|| view! { <GroupCard /> })}
                {is_member.then(|| view! { <OrdersCard /> })}
                <LimitCards />
                {is_member.then(|| view! { <FriendCard /> })}
            }
        })
    }
}

/// The page of who runs a community.
#[component]
pub(crate) fn CommunityPage() -> impl IntoView {
    Desk::provide(Ledger::get(), "/community");
    view! {
        <BelowWallet
            title="Community"
            about="Tariffs, members, meters and settlement of a community that shares energy."
        >
            <Communities />
            <Running />
            <OpenForm />
            <Deeds />
            <Confirm />
        </BelowWallet>
    }
}
