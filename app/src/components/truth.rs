//! One line of truth, as it changes: where my video comes from, and who vouches for it.

use leptos::prelude::*;

use crate::components::integrity::IntegrityBadge;
use crate::format::counted;
use crate::session::Session;
use crate::story;

/// The sentence, the badge, and how many watch.
#[component]
pub(crate) fn Truth() -> impl IntoView {
    let session = Session::get();
    let without = move || session.problems.read().iter().any(|problem| problem.code == "no-peer");
    let sentence = Memo::new(move |_| match session.stream.read() {
        stream if session.player.read().failed && story::needed_bytes(&stream.totals) == 0 => {
            "Nothing is playing yet.".to_owned()
        }
        stream if without() && stream.totals.cache_bytes == 0 => {
            "All of your video comes from the site.".to_owned()
        }
        stream => story::sentence(&stream, session.signaling(), session.gives()),
    });
    let nothing = move || {
        session.player.read().failed && story::needed_bytes(&session.stream.read().totals) == 0
    };
    let watching = Memo::new(move |_| session.stream.read().swarm_size);
    view! {
        <div class="truth">
            <p class="truth-line num">{sentence}</p>
            <div class="truth-facts" hidden=nothing>
                <IntegrityBadge />
                <span class="watching num" hidden=move || watching.get() == 0>
                    <span class="pulse" aria-hidden="true"></span>
                    {move || format!("{} now", counted(u64::from(watching.get()), "viewer", "viewers"))}
                </span>
            </div>
        </div>
    }
}
