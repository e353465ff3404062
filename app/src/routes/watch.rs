//! The player with a live picture of the swarm beside it.

use leptos::prelude::*;
use leptos_router::components::A;

use crate::browser;
use crate::components::area_chart::AreaChart;
use crate::components::earning::Earning;
use crate::components::open_url::OpenUrl;
use crate::components::problems::Problems;
use crate::components::segment_strip::SegmentStrip;
use crate::components::share::ShareButton;
use crate::components::swarm_graph::SwarmGraph;
use crate::components::totals::TotalsCard;
use crate::components::truth::Truth;
use crate::format::{duration, stream_name, whole};
use crate::session::{PlayerReport, Session};

/// The watch page.
#[component]
pub(crate) fn Watch() -> impl IntoView {
    let session = Session::get();
    let playing = Memo::new(move |_| session.source.read().is_some());
    move || {
        if playing.get() {
            view! { <Playing /> }.into_any()
        } else {
            view! { <Nothing /> }.into_any()
        }
    }
}

#[component]
fn Playing() -> impl IntoView {
    let session = Session::get();
    let name = Memo::new(move |_| match session.source.get() {
        Some(source) if source == Session::demo_url() => ("Demo".to_owned(), String::new()),
        Some(source) => stream_name(&source),
        None => Default::default(),
    });
    Effect::new(move || browser::set_title(&name.read().0));
    let facts = move || facts(&session.player.read());
    let failed = Memo::new(move |_| session.player.read().failed);
    view! {
        <div class="route">
            <div class="below">
                <div class="heading">
                    <div>
                        <h1>{move || name.get().0}</h1>
                        <p class="quiet num">
                            {move || name.get().1}
                            <span class="facts">{facts}</span>
                        </p>
                    </div>
                    <ShareButton />
                </div>
                <Truth />
                <Problems />
                <Show when=move || failed.get()>
                    <OpenUrl />
                </Show>
                <AreaChart />
                <SegmentStrip />
            </div>
            <aside class="side" aria-label="The swarm">
                <TotalsCard />
                <SwarmGraph />
                <Earning />
            </aside>
        </div>
    }
}

#[component]
fn Nothing() -> impl IntoView {
    browser::set_title("Watch");
    view! {
        <div class="route">
            <div class="below below--alone">
                <h1>"What shall we watch?"</h1>
                <OpenUrl />
                <p>
                    <A href=crate::components::header::watch_path(
                        Some(&Session::demo_url()),
                        None,
                    )>"Or play the demo"</A>
                </p>
            </div>
        </div>
    }
}

/// How playback went so far, for those who care.
fn facts(player: &PlayerReport) -> String {
    let mut facts = Vec::new();
    if let Some(startup_ms) = player.startup_ms {
        facts.push(format!("started in {}", duration(startup_ms)));
    }
    if let Some(latency_s) = player.latency_s {
        facts.push(format!("{} behind live", duration(whole(latency_s * 1_000.0))));
    }
    if player.stalls > 0 {
        facts.push(crate::format::counted(player.stalls, "stall", "stalls"));
    }
    facts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_name_only_what_is_known() {
        assert_eq!(facts(&PlayerReport::default()), "");
        let player = PlayerReport { startup_ms: Some(640), stalls: 1, ..PlayerReport::default() };
        assert_eq!(facts(&player).replace('\u{a0}', " "), "started in 640 ms · 1 stall");
    }
}
