//! A file on its way to the person's disk, as its button shows it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use peer_wasm::files::{FilesError, Saved};

use crate::components::icon::Glyph;
use crate::format::{percent, share};
use crate::share_words;

/// One saving. Copied freely.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Saving {
    /// `idle`, `saving`, `saved`, `cancelled` or `failed`.
    pub(crate) state: RwSignal<&'static str>,
    /// How far it is, from 0 to 1.
    part: RwSignal<f64>,
    /// What went wrong, and what to do.
    wrong: RwSignal<Option<String>>,
    /// The person pressed the button once more.
    stop: RwSignal<bool>,
}

impl Saving {
    /// Nothing is being saved.
    pub(crate) fn new() -> Self {
        Self {
            state: RwSignal::new("idle"),
            part: RwSignal::new(0.0),
            wrong: RwSignal::new(None),
            stop: RwSignal::new(false),
        }
    }

    /// Saves, or cancels what is being saved. It goes on when the person leaves the page that shows it.
    pub(crate) fn press(
        self,
        work: impl AsyncFnOnce(&dyn Fn(u64, u64) -> bool) -> Result<Saved, FilesError> + 'static,
    ) {
        if self.state.get_untracked() == "saving" {
            self.stop.set(true);
            return;
        }
        self.state.set("saving");
        self.part.set(0.0);
        self.wrong.set(None);
        self.stop.set(false);
        let progress = move |done, all| {
            self.part.try_set(share(done, all));
            self.stop.try_get_untracked() != Some(true)
        };
        spawn_local(async move {
            let saved = work(&progress).await;
            self.state.try_set(match &saved {
                Ok(Saved::Cancelled) => "cancelled",
                Ok(Saved::Picked | Saved::Downloaded) => "saved",
                Err(_) => "failed",
            });
            let said = saved.err().map(|error| share_words::error(&error));
            self.wrong.try_set(said.map(|said| format!("{} {}", said.headline, said.detail)));
        });
    }

    /// Whether something is being saved.
    pub(crate) fn busy(self) -> bool {
        self.state.get() == "saving"
    }

    /// What the button does.
    pub(crate) fn words(self, idle: &str) -> String {
        if self.busy() { format!("Cancel, {}", percent(self.part.get())) } else { idle.to_owned() }
    }

    /// And what it shows.
    pub(crate) fn glyph(self, idle: Glyph) -> Glyph {
        if self.busy() { Glyph::Close } else { idle }
    }

    /// How far it is, beside a button without words; nothing while nothing is saved.
    pub(crate) fn part(self) -> Option<String> {
        self.busy().then(|| percent(self.part.get()))
    }

    /// What went wrong.
    pub(crate) fn wrong(self) -> Option<String> {
        self.wrong.get()
    }
}
