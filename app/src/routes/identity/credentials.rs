//! What others say about me, shown part by part; what I say about others; checking both; and whom I let see what.
//!
//! The worker that holds the keys does all of it (`identity::credentials`); the ledger proves names and lists
//! ([`book`]); these pages show it and carry texts between people.

mod backup;
mod book;
mod fact;
mod fields;
mod hand_on;
mod hold;
mod issue;
mod issued;
mod kinds;
mod lists;
mod own_list;
mod present;
mod shared;
mod verify;

use identity::session::Stage as Session;
use leptos::prelude::*;
use leptos_router::components::A;

use crate::browser;
use crate::components::heading::Heading;
use crate::components::icon::{Glyph, Icon};
use crate::keys::Stage;

use super::NotOpen;
use super::desk::{Desk, Said};
use super::unlock::Unlock;

use backup::Backup;
use book::{Book, Outside};
use hold::{Hold, Receive};
use issue::Issue;
use issued::Issued;
use present::Present;
use shared::Shared;
use verify::Verify;

/// What I hold.
#[component]
pub(crate) fn CredentialsPage() -> impl IntoView {
    view! {
        <Frame title="Credentials" about="What others say about you. It lies here, sealed, and is shown part by part.">
            <Receive />
            <Hold />
        </Frame>
    }
}

/// Showing part of it.
#[component]
pub(crate) fn PresentPage() -> impl IntoView {
    view! {
        <Frame title="Present" about="Somebody asks for a proof. You see who, why and what, and nothing leaves before you say so.">
            <Present />
        </Frame>
    }
}

/// Saying something about others.
#[component]
pub(crate) fn IssuePage() -> impl IntoView {
    view! {
        <Frame title="Issue" about="Say something about somebody, signed. They keep it and show of it what they like.">
            <Issue />
            <Issued />
            <Backup />
        </Frame>
    }
}

/// Checking what others show.
#[component]
pub(crate) fn VerifyPage() -> impl IntoView {
    view! {
        <Frame title="Verify" about="Ask for a proof and check the answer here. The issuer is not asked, and learns nothing, unless you agree.">
            <Verify />
        </Frame>
    }
}

/// Who may see what of mine, and who did.
#[component]
pub(crate) fn SharedPage() -> impl IntoView {
    view! {
        <Frame title="Shared with" about="Who may see which of your files, what for and until when; and what others gave to you.">
            <Shared />
        </Frame>
    }
}

/// The ways between these pages.
const WAYS: [(&str, &str); 6] = [
    ("/identity", "Identity"),
    ("/identity/credentials", "Credentials"),
    ("/identity/present", "Present"),
    ("/identity/issue", "Issue"),
    ("/identity/verify", "Verify"),
    ("/identity/shared", "Shared with"),
];

/// A page: its heading, the ways to the others, and what it holds once the identity is open.
#[component]
fn Frame(
    /// What it is called.
    title: &'static str,
    /// What it is, in a line.
    about: &'static str,
    /// What it holds.
    children: ChildrenFn,
) -> impl IntoView {
    browser::set_title(title);
    let desk = Desk::provide();
    Book::provide(desk);
    let keys = desk.keys;
    let is_at = move |stage| *keys.stage.read() == Stage::Open && keys.view.read().stage == stage;
    let children = StoredValue::new(children);
    view! {
        <div class="route">
            <Heading title about>
                <nav class="heading-ways" aria-label="Identity">
                    {WAYS
                        .into_iter()
                        .filter(|(_, name)| *name != title)
                        .map(|(href, name)| view! { <A href attr:class="button">{name}</A> })
                        .collect_view()}
                </nav>
            </Heading>
            <NotOpen keys />
            <Said place="lost" />
            <Outside />
            <Show when=move || is_at(Session::Empty) || is_at(Session::Draft)>
                <div class="empty" role="status">
                    <p class="empty-title">"First, an identity"</p>
                    <p class="quiet">"Its keys sign, and what you hold is sealed under them."</p>
                    <A href="/identity" attr:class="button button--strong">
                        <Icon glyph=Glyph::Key />
                        "Make one, or bring yours back"
                    </A>
                </div>
            </Show>
            <Show when=move || is_at(Session::Locked)>
                <Unlock />
            </Show>
            <Show when=move || is_at(Session::Open)>{children.with_value(|children| children())}</Show>
        </div>
    }
}
