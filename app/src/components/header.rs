//! Where one is and where one can go: across the top on wide screens, within thumb's reach on phones.

use leptos::prelude::*;
use leptos_router::components::A;
use leptos_router::hooks::use_location;

use crate::browser;
use crate::components::icon::{Glyph, Icon};
use crate::components::logo::Logo;
use crate::session::Session;

/// The top bar.
#[component]
pub(crate) fn Header() -> impl IntoView {
    view! {
        <header class="header">
            <A href="/" attr:class="brand" attr:aria-label="Starling, home">
                <Logo />
                <span>"Starling"</span>
            </A>
            <nav class="header-nav" aria-label="Main">
                <Links icons=false />
            </nav>
            <ThemeToggle />
            <A
                href="/settings"
                attr:class="button button--icon header-settings"
                attr:aria-label="Settings"
            >
                <Icon glyph=Glyph::Settings />
            </A>
        </header>
    }
}

/// The bar at the bottom of phones: five places, as many as thumbs hit and words fit. Home and the
/// settings are in the top bar there.
#[component]
pub(crate) fn TabBar() -> impl IntoView {
    view! {
        <nav class="tab-bar" aria-label="Main">
            <Links icons=true />
        </nav>
    }
}

#[component]
fn Links(icons: bool) -> impl IntoView {
    let session = Session::get();
    let watch = move || session.watch_path();
    // Identity, Ledger, Lend and Energy are below the wallet: they are reached from there, and have no place of their own here.
    let path = use_location().pathname;
    let in_wallet = move || match path.read().as_str() {
        "/wallet" => Some("page"),
        "/identity" | "/ledger" | "/lend" | "/liquidations" | "/energy" | "/community" => {
            Some("true")
        }
        below if below.starts_with("/identity/") => Some("true"),
        _ => None,
    };
    let icon = move |glyph| icons.then(|| view! { <Icon glyph /> });
    view! {
        <A href=watch>{icon(Glyph::Play)} <span>"Watch"</span></A>
        <A href="/share">{icon(Glyph::Share)} <span>"Share"</span></A>
        <A href="/library">{icon(Glyph::Library)} <span>"Library"</span></A>
        <A href="/network">{icon(Glyph::Network)} <span>"Network"</span></A>
        <a href="/wallet" aria-current=in_wallet>
            {icon(Glyph::Wallet)} <span>"Wallet"</span>
        </a>
        {(!icons)
            .then(|| {
                view! {
                    <A href="/settings">
                        <span>"Settings"</span>
                    </A>
                }
            })}
    }
}

/// The watch page of a playlist, and of the fund that pays its viewers.
pub(crate) fn watch_path(source: Option<&str>, fund: Option<&str>) -> String {
    let Some(source) = source else { return "/watch".to_owned() };
    let path = format!("/watch?src={}", browser::encoded(source));
    match fund {
        Some(fund) => format!("{path}&fund={}", browser::encoded(fund)),
        None => path,
    }
}

#[component]
fn ThemeToggle() -> impl IntoView {
    let session = Session::get();
    let dark = move || browser::is_dark(session.settings.read().theme.as_text());
    view! {
        <button
            class="button button--icon"
            type="button"
            aria-label=move || if dark() { "Use light colours" } else { "Use dark colours" }
            on:click=move |_| session.toggle_theme(dark())
        >
            <Icon glyph=Glyph::Theme />
        </button>
    }
}
