//! Pages that come when somebody opens them.
//!
//! A person who came to watch does not download what shares files, holds money or looks after a host.
//! The functions below the line are split points: what only they reach is a wasm file of its own
//! (`xtask/src/web/split.rs`), fetched at their first call.
//!
//! | part | pages |
//! |---|---|
//! | `files` | Share, Get, Library, and the shares that were open at the last visit |
//! | `money` | Wallet, Ledger, and what a fund pays for a video |
//! | `lend` | Lend, Liquidations: the ledger's markets, with the code that tries what an action would do |
//! | `energy` | Energy, Community: neighbours' slots, with the code that settles them and reads meter files |
//! | `identity` | Identity |
//! | `credentials` | Credentials, Present, Issue, Verify, Shared with |
//! | `host` | Host |
//! | `settings` | Network, Settings: who is connected, and what this browser allows |

use core::{future::Future, pin::Pin, time::Duration};

use gloo_timers::future::sleep;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use peer_wasm::Peer;
use peer_wasm::files::Remembered;

use crate::browser;
use crate::components::earned::EarnedHere;
use crate::paying;
use crate::routes::energy::{CommunityPage, EnergyPage};
use crate::routes::get::Get;
use crate::routes::host::Host;
use crate::routes::identity::{
    CredentialsPage, IdentityPage, IssuePage, PresentPage, SharedPage, VerifyPage,
};
use crate::routes::ledger::LedgerPage;
use crate::routes::lend::{LendPage, LiquidationsPage};
use crate::routes::library::Library;
use crate::routes::network::Network;
use crate::routes::settings::SettingsPage;
use crate::routes::share::Share;
use crate::routes::wallet::WalletPage;
use crate::sharing::Sharing;

/// A page of which only the name is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// Files to share.
    Share,
    /// Files somebody shared.
    Get,
    /// Files that are here.
    Library,
    /// Money.
    Wallet,
    /// Blocks.
    Ledger,
    /// Markets.
    Lend,
    /// Who may be liquidated there.
    Liquidations,
    /// A household among neighbours.
    Energy,
    /// Running a community.
    Community,
    /// Keys.
    Identity,
    /// What others say about me.
    Credentials,
    /// Showing part of it.
    Present,
    /// Saying something about others.
    Issue,
    /// Checking what others show.
    Verify,
    /// Who may see what of mine.
    Shared,
    /// The servers.
    Host,
    /// Who is connected, and how.
    Network,
    /// What a person may choose.
    Settings,
}

/// Waits before a part that did not arrive is asked for again.
const AGAIN: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(1)];

/// Makes the page, or a part of it.
pub(crate) type Draw = fn() -> AnyView;

#[derive(Debug, Clone, Copy)]
enum Stage {
    Coming,
    Here(Draw),
    Missing,
}

/// Asks again for a part that did not arrive: a network that changes ends all that is under way, and
/// the next try succeeds.
pub(crate) async fn patiently<T>(
    load: impl AsyncFn() -> Result<T, SplitLoaderError>,
) -> Result<T, SplitLoaderError> {
    for wait in AGAIN {
        match load().await {
            Err(_) => sleep(wait).await,
            loaded => return loaded,
        }
    }
    load().await
}

impl Page {
    async fn load(self) -> Result<Draw, SplitLoaderError> {
        match self {
            Self::Share | Self::Get | Self::Library => files(self).await,
            Self::Wallet | Self::Ledger => money(self).await,
            Self::Lend | Self::Liquidations => lend(self).await,
            Self::Energy | Self::Community => energy(self).await,
            Self::Identity => identity().await,
            Self::Credentials | Self::Present | Self::Issue | Self::Verify | Self::Shared => {
                credentials(self).await
            }
            Self::Host => host().await,
            Self::Network | Self::Settings => settings(self).await,
        }
    }
}

/// A page, as soon as it is here.
#[component]
pub(crate) fn Later(
    /// Which.
    page: Page,
) -> impl IntoView {
    let stage = RwSignal::new(Stage::Coming);
    let load = move || {
        stage.set(Stage::Coming);
        spawn_local(async move {
            let loaded = patiently(|| page.load()).await;
            let now = loaded.map_or(Stage::Missing, Stage::Here);
            // Nobody waits any more where the person left the page meanwhile.
            stage.try_set(now);
        });
    };
    load();
    move || match stage.get() {
        Stage::Here(draw) => draw(),
        Stage::Coming => view! { <p class="coming" role="status">"Loading"</p> }.into_any(),
        Stage::Missing => {
            browser::set_title("Not loaded");
            view! {
                <section class="lost">
                    <h1>"This page did not load"</h1>
                    <p>"The network failed, or the site was updated since this tab was opened."</p>
                    <div class="actions">
                        <button class="button button--strong" type="button" on:click=move |_| load()>
                            "Try again"
                        </button>
                        <button class="button" type="button" on:click=move |_| browser::reload()>
                            "Load the site anew"
                        </button>
                    </div>
                </section>
            }
                .into_any()
        }
    }
}

// Split points. Names of the first argument are names of files.

#[wasm_split(files, fallible, wasm_split_path = ::leptos::wasm_split)]
fn files(page: Page) -> Result<Draw, SplitLoaderError> {
    Ok(match page {
        Page::Get => || Get().into_any(),
        Page::Library => || Library().into_any(),
        _ => || Share().into_any(),
    })
}

/// What shares of files do once there is a peer.
pub(crate) type Work = Pin<Box<dyn Future<Output = ()>>>;

/// Starts the shares of files.
#[wasm_split(files, fallible, wasm_split_path = ::leptos::wasm_split)]
pub(crate) fn shares(sharing: Sharing, peer: Peer) -> Result<Work, SplitLoaderError> {
    Ok(Box::pin(sharing.start(peer)))
}

/// Everything that is remembered of shares, as soon as it is read.
pub(crate) type Held = Pin<Box<dyn Future<Output = Vec<Remembered>>>>;

/// Reads it, for pages of other parts.
#[wasm_split(files, fallible, wasm_split_path = ::leptos::wasm_split)]
pub(crate) fn held(sharing: Sharing) -> Result<Held, SplitLoaderError> {
    Ok(Box::pin(async move {
        match sharing.files() {
            Some(files) => files.library().await,
            None => Vec::new(),
        }
    }))
}

/// Whether a share is stopped, as soon as it is.
pub(crate) type Halting = Pin<Box<dyn Future<Output = bool>>>;

/// Stops a share, for pages of other parts.
#[wasm_split(files, fallible, wasm_split_path = ::leptos::wasm_split)]
pub(crate) fn halt(sharing: Sharing, cid: String) -> Result<Halting, SplitLoaderError> {
    Ok(Box::pin(async move {
        let Some(files) = sharing.files() else { return false };
        paying::let_go(sharing.ledger, &cid, false);
        let is_stopped = files.stop(&cid).await.is_ok();
        sharing.touch();
        is_stopped
    }))
}

#[wasm_split(money, fallible, wasm_split_path = ::leptos::wasm_split)]
fn money(page: Page) -> Result<Draw, SplitLoaderError> {
    Ok(match page {
        Page::Ledger => || LedgerPage().into_any(),
        _ => || WalletPage().into_any(),
    })
}

/// What a fund pays for a video, for the page that plays it.
#[wasm_split(money, fallible, wasm_split_path = ::leptos::wasm_split)]
pub(crate) fn earned() -> Result<Draw, SplitLoaderError> {
    Ok(|| EarnedHere().into_any())
}

#[wasm_split(lend, fallible, wasm_split_path = ::leptos::wasm_split)]
fn lend(page: Page) -> Result<Draw, SplitLoaderError> {
    Ok(match page {
        Page::Liquidations => || LiquidationsPage().into_any(),
        _ => || LendPage().into_any(),
    })
}

#[wasm_split(energy, fallible, wasm_split_path = ::leptos::wasm_split)]
fn energy(page: Page) -> Result<Draw, SplitLoaderError> {
    Ok(match page {
        Page::Community => || CommunityPage().into_any(),
        _ => || EnergyPage().into_any(),
    })
}

#[wasm_split(identity, fallible, wasm_split_path = ::leptos::wasm_split)]
fn identity() -> Result<Draw, SplitLoaderError> {
    Ok(|| IdentityPage().into_any())
}

#[wasm_split(credentials, fallible, wasm_split_path = ::leptos::wasm_split)]
fn credentials(page: Page) -> Result<Draw, SplitLoaderError> {
    Ok(match page {
        Page::Present => || PresentPage().into_any(),
        Page::Issue => || IssuePage().into_any(),
        Page::Verify => || VerifyPage().into_any(),
        Page::Shared => || SharedPage().into_any(),
        _ => || CredentialsPage().into_any(),
    })
}

#[wasm_split(host, fallible, wasm_split_path = ::leptos::wasm_split)]
fn host() -> Result<Draw, SplitLoaderError> {
    Ok(|| Host().into_any())
}

#[wasm_split(settings, fallible, wasm_split_path = ::leptos::wasm_split)]
fn settings(page: Page) -> Result<Draw, SplitLoaderError> {
    Ok(match page {
        Page::Network => || Network().into_any(),
        _ => || SettingsPage().into_any(),
    })
}
