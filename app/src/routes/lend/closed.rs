//! The switch for alerts while the page is closed.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::browser;

use super::desk::Desk;
use super::push::{self, Wish, Wrong};

/// Where it is kept that the person wants them.
const WANTED: &str = "starling-lend-push";
/// Most markets that a server watches for one browser: `docs/spec/push.md`.
const MARKETS_MAX: usize = 8;

/// What the switch knows.
#[derive(Debug, Clone, Copy)]
struct Switch {
    /// What this server's subscriptions are made with; none: it offers none, or was not asked yet.
    key: RwSignal<Option<String>>,
    /// What the person wants.
    wanted: RwSignal<bool>,
    /// How it is.
    on: RwSignal<bool>,
    busy: RwSignal<bool>,
    wrong: RwSignal<Option<Wrong>>,
    /// What the server is to be told next.
    next: StoredValue<Option<Wish>>,
}

impl Switch {
    fn new(on: RwSignal<bool>) -> Self {
        let wanted = browser::kept(WANTED).as_deref() == Some("on");
        Self {
            key: RwSignal::new(None),
            wanted: RwSignal::new(wanted),
            on,
            busy: RwSignal::new(false),
            wrong: RwSignal::new(None),
            next: StoredValue::new(None),
        }
    }

    /// Asks what the server offers.
    async fn begin(self) {
        if !push::can() {
            return;
        }
        let (key, on) = (push::offered().await, push::is_on().await);
        let is_missed = key.is_none() && self.wanted.try_get_untracked() == Some(true);
        // Nobody waits any more where the person left the page meanwhile.
        self.on.try_set(on);
        self.wrong.try_set(is_missed.then_some(Wrong::NotOffered));
        self.key.try_set(key);
    }

    /// The person pressed it.
    async fn turn(self, wanted: bool) {
        // As pressed, until it is known better.
        self.on.try_set(wanted);
        self.wrong.try_set(None);
        if wanted && !browser::ask_to_notify().await {
            self.fail(Wrong::Blocked);
            return;
        }
        browser::keep(WANTED, if wanted { "on" } else { "off" });
        // What is to be done to have it follows from this.
        self.wanted.try_set(wanted);
        if wanted {
            return;
        }
        self.busy.try_set(true);
        if let Err(wrong) = push::turn_off().await {
            self.wrong.try_set(Some(wrong));
            self.on.try_set(true);
        }
        self.busy.try_set(false);
    }

    /// It stays off.
    fn fail(self, wrong: Wrong) {
        browser::keep(WANTED, "off");
        self.wanted.try_set(false);
        self.on.try_set(false);
        self.wrong.try_set(Some(wrong));
    }

    /// Tells the server what to watch, one wish after the other, the newest last.
    async fn follow(self, key: String) {
        if self.busy.try_get_untracked() != Some(false) {
            return;
        }
        self.busy.try_set(true);
        while let Some(wish) = self.next.try_update_value(Option::take).flatten() {
            let told = push::turn_on(&key, &wish).await;
            let is_on = told.is_ok() || push::is_on().await;
            match told.err() {
                // What was on before goes on, with what the server knew.
                wrong if is_on => {
                    self.on.try_set(true);
                    self.wrong.try_set(wrong);
                }
                Some(wrong) => {
                    self.fail(wrong);
                    break;
                }
                None => {}
            }
        }
        self.busy.try_set(false);
    }
}

/// Whether the server tells this browser, while the page is closed, what this page warns of.
#[component]
pub(super) fn Closed(
    /// Hundredths of health.
    limit: RwSignal<u64>,
    /// Where something is owed.
    #[prop(into)]
    owing: Signal<Vec<u32>>,
    /// Whether it does, once that is known.
    on: RwSignal<bool>,
) -> impl IntoView {
    let ledger = Desk::get().ledger;
    let switch = Switch::new(on);
    spawn_local(switch.begin());
    let wish = Memo::new(move |_| {
        let account = ledger.view.read().account.clone();
        let mut markets = owing.read().iter().copied().take(MARKETS_MAX).collect::<Vec<_>>();
        // Which one is looked at is no news for the server.
        markets.sort_unstable();
        Wish { account, limit: limit.get(), markets }
    });
    Effect::new(move |_| {
        let (Some(key), wish) = (switch.key.get(), wish.get()) else { return };
        if switch.wanted.get() && !wish.account.is_empty() && !wish.markets.is_empty() {
            switch.next.set_value(Some(wish));
            spawn_local(switch.follow(key));
        }
    });
    let change = move |event| spawn_local(switch.turn(event_target_checked(&event)));
    view! {
        <label class="check" hidden=move || switch.key.read().is_none()>
            <input
                type="checkbox"
                id="health-push"
                aria-describedby="health-push-help"
                disabled=switch.busy
                prop:checked=switch.on
                on:change=change
            />
            "Also when this page is closed"
        </label>
        <span class="quiet" id="health-push-help" hidden=move || !switch.on.get()>
            "This server tells your browser through its maker\u{2019}s push service. What it says is checked when you open the page."
        </span>
        <span class="quiet quiet--warn" id="health-push-wrong" role="status">
            {move || switch.wrong.get().map(|wrong| wrong.words())}
        </span>
    }
}
