//! The shell: header, the player's stage, and the page below or beside it.
//!
//! The player stands outside the routes, so that it plays on while a person looks at another page;
//! there it shrinks into a corner. Each page lays the stage and its own parts out with CSS grid areas.

use leptos::prelude::*;
use leptos_router::components::{A, Route, Router, Routes};
use leptos_router::hooks::{use_location, use_query_map};
use leptos_router::path;

use crate::browser;
use crate::components::header::{Header, TabBar};
use crate::components::player::{Place, Player};
use crate::keys::Keys;
use crate::later::{Later, Page};
use crate::ledger::Ledger;
use crate::routes::home::Home;
use crate::routes::watch::Watch;
use crate::session::Session;

/// The whole app.
#[component]
pub(crate) fn App() -> impl IntoView {
    view! {
        <Router>
            <Shell />
        </Router>
    }
}

#[component]
fn Shell() -> impl IntoView {
    let location = use_location();
    let (path, hash) = (location.pathname, location.hash);
    // A share's link stands in the fragment of any page of ours.
    let got = Memo::new(move |_| hash.read().trim_start_matches('#').starts_with("/get/"));
    let query = use_query_map();
    let source = Memo::new(move |before: Option<&Option<String>>| {
        let before = before.cloned().flatten();
        match path.read().as_str() {
            _ if got.get() => before,
            "/" => Some(Session::demo_url()),
            "/watch" => {
                query.read().get("src").and_then(|src| browser::playlist_url(&src)).or(before)
            }
            _ => before,
        }
    });
    let fund = Memo::new(move |before: Option<&Option<String>>| {
        let before = before.cloned().flatten();
        match path.read().as_str() {
            _ if got.get() => before,
            "/" => None,
            "/watch" if query.read().get("src").is_some() => {
                query.read().get("fund").and_then(|fund| browser::web_address(&fund))
            }
            _ => before,
        }
    });
    Ledger::provide();
    Keys::provide();
    Session::provide(source, fund);
    let page = Memo::new(move |_| match path.read().as_str() {
        _ if got.get() => "get",
        "/share" => "share",
        "/library" => "library",
        "/" => "home",
        "/watch" => "watch",
        "/network" => "network",
        "/wallet" => "wallet",
        "/identity"
        | "/identity/credentials"
        | "/identity/present"
        | "/identity/issue"
        | "/identity/verify"
        | "/identity/shared" => "identity",
        "/ledger" => "ledger",
        "/lend" | "/liquidations" => "lend",
        "/energy" => "energy",
        "/community" => "community",
        "/settings" => "settings",
        "/host" => "host",
        _ => "lost",
    });
    let place = Signal::derive(move || match page.get() {
        "home" | "watch" => Place::Stage,
        _ => Place::Corner,
    });
    view! {
        <a class="skip" href="#content">
            "Skip to content"
        </a>
        <Header />
        <main id="content" class="page" data-page=page tabindex="-1">
            <Player place />
            <Show when=move || got.get()>
                <Later page=Page::Get />
            </Show>
            <Show when=move || !got.get()>
            <Routes fallback=Lost>
                <Route path=path!("/") view=Home />
                <Route path=path!("/watch") view=Watch />
                <Route path=path!("/share") view=|| view! { <Later page=Page::Share /> } />
                <Route path=path!("/library") view=|| view! { <Later page=Page::Library /> } />
                <Route path=path!("/network") view=|| view! { <Later page=Page::Network /> } />
                <Route path=path!("/wallet") view=|| view! { <Later page=Page::Wallet /> } />
                <Route path=path!("/identity") view=|| view! { <Later page=Page::Identity /> } />
                <Route path=path!("/identity/credentials") view=|| view! { <Later page=Page::Credentials /> } />
                <Route path=path!("/identity/present") view=|| view! { <Later page=Page::Present /> } />
                <Route path=path!("/identity/issue") view=|| view! { <Later page=Page::Issue /> } />
                <Route path=path!("/identity/verify") view=|| view! { <Later page=Page::Verify /> } />
                <Route path=path!("/identity/shared") view=|| view! { <Later page=Page::Shared /> } />
                <Route path=path!("/ledger") view=|| view! { <Later page=Page::Ledger /> } />
                <Route path=path!("/lend") view=|| view! { <Later page=Page::Lend /> } />
                <Route path=path!("/liquidations") view=|| view! { <Later page=Page::Liquidations /> } />
                <Route path=path!("/energy") view=|| view! { <Later page=Page::Energy /> } />
                <Route path=path!("/community") view=|| view! { <Later page=Page::Community /> } />
                <Route path=path!("/settings") view=|| view! { <Later page=Page::Settings /> } />
                <Route path=path!("/host") view=|| view! { <Later page=Page::Host /> } />
            </Routes>
            </Show>
        </main>
        <TabBar />
    }
}

#[component]
fn Lost() -> impl IntoView {
    browser::set_title("Not found");
    view! {
        <section class="lost">
            <h1>"This page flew away"</h1>
            <p>"There is nothing at this address."</p>
            <A href="/" attr:class="button button--strong">
                "Back to the start"
            </A>
        </section>
    }
}
