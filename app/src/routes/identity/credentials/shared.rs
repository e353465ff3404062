//! Who may see what of mine, for what and until when, who opened it; and what others granted me.
//!
//! The worker that holds the keys makes and opens grants (`identity::credentials`); the files go between browsers as
//! ever. This page takes keys of shares out of the library to the worker, and an opened one to the Get page.

mod give;
mod given;
mod taken;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::later;
use crate::session::Session;
use crate::sharing::Sharing;

use give::GiveGrant;
use given::GivenGrants;
use taken::TakeGrant;

/// The page.
#[component]
pub(super) fn Shared() -> impl IntoView {
    let shelf = Shelf::provide();
    shelf.follow();
    view! {
        <TakeGrant />
        <GiveGrant />
        <GivenGrants />
    }
}

/// A share that was made here, sealed, and whose link holds its key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Own {
    cid: String,
    name: String,
    /// From its `#`.
    link: String,
    /// Whether it is shared now.
    active: bool,
}

/// The shares of this browser, as far as they can be granted.
#[derive(Debug, Clone, Copy)]
struct Shelf {
    sharing: Sharing,
    own: RwSignal<Vec<Own>>,
    /// They were looked for.
    is_read: RwSignal<bool>,
}

impl Shelf {
    fn provide() -> Self {
        let sharing = Session::get().sharing;
        let shelf = Self { sharing, own: RwSignal::new(Vec::new()), is_read: RwSignal::new(false) };
        provide_context(shelf);
        shelf
    }

    fn get() -> Self {
        expect_context()
    }

    /// Reads them, and again when the library changes.
    fn follow(self) {
        self.sharing.want();
        Effect::new(move |_| {
            self.sharing.changed.track();
            if !self.sharing.ready.get() {
                return;
            }
            spawn_local(async move {
                let Ok(reading) = later::held(self.sharing).await else { return };
                let own: Vec<Own> = reading
                    .await
                    .into_iter()
                    .filter(|one| one.made && one.link.contains("?k="))
                    .map(|one| Own {
                        cid: one.cid,
                        name: one.name,
                        link: one.link,
                        active: one.active,
                    })
                    .collect();
                // The person may have left the page.
                if self.own.try_with_untracked(|before| *before != own) == Some(true) {
                    self.own.set(own);
                }
                self.is_read.try_set(true);
            });
        });
    }

    /// Stops a share here; `then` is told whether it is stopped.
    fn halt(self, cid: String, then: impl FnOnce(bool) + 'static) {
        spawn_local(async move {
            let is_stopped = match later::halt(self.sharing, cid).await {
                Ok(stopping) => stopping.await,
                Err(_) => false,
            };
            if self.is_read.try_get_untracked().is_some() {
                then(is_stopped);
            }
        });
    }
}

/// What a share is called.
fn called(name: &str, cid: &str) -> String {
    if name.is_empty() { cid.to_owned() } else { name.to_owned() }
}
