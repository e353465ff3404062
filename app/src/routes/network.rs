//! Who I am connected to and how, and what I allow.

use leptos::prelude::*;
use peer_wasm::view::SignalingState;

use crate::browser;
use crate::components::avatar::Avatar;
use crate::components::cache::CachePanel;
use crate::components::copy::CopyText;
use crate::components::fact::fact;
use crate::components::heading::Heading;
use crate::components::peer_table::PeerTable;
use crate::components::problems::Problems;
use crate::components::upload::UploadLimit;
use crate::format::{bytes, duration};
use crate::session::Session;
use crate::story::signaling_words;

/// The network page.
#[component]
pub(crate) fn Network() -> impl IntoView {
    browser::set_title("Network");
    view! {
        <div class="route">
            <Heading
                title="Network"
                about="The viewers this page exchanges video with, and what it allows."
            />
            <Problems />
            <Facts />
            <section class="card" aria-labelledby="peers-title">
                <h2 id="peers-title">"Connected viewers"</h2>
                <PeerTable />
            </section>
            <div class="pair">
                <section class="card" aria-labelledby="limits-title">
                    <h2 id="limits-title">"Limits"</h2>
                    <UploadLimit />
                    <CachePanel />
                </section>
                <Me />
            </div>
        </div>
    }
}

/// The four numbers one looks for first.
#[component]
fn Facts() -> impl IntoView {
    let session = Session::get();
    let stream = session.stream;
    let signaling = move || signaling_words(session.signaling());
    let retry = move || {
        session
            .view
            .read()
            .signaling
            .retry_in_ms
            .map(|ms| format!("next try in {}", duration(u64::from(ms))))
    };
    let size = Signal::derive(move || stream.read().swarm_size.to_string());
    let connected =
        Signal::derive(move || format!("{} connected to you", stream.read().peers.len()));
    let totals = move || stream.read().totals;
    view! {
        <dl class="card facts-row">
            {fact("Watching this video", size, connected)}
            {fact(
                "Received from viewers",
                Signal::derive(move || bytes(totals().peer_bytes)),
                Signal::derive(move || format!("{} from the site", bytes(totals().origin_bytes))),
            )}
            {fact(
                "Passed on",
                Signal::derive(move || bytes(totals().upload_bytes)),
                Signal::derive(move || {
                    let control = totals().control_in_bytes + totals().control_out_bytes;
                    format!("{} spent on arranging it", bytes(control))
                }),
            )}
            <div class="fact" data-signaling=move || signaling_state(session.signaling())>
                <dt>"Signaling server"</dt>
                <dd>
                    <span class="fact-value">
                        <span class="lamp" aria-hidden="true"></span>
                        {signaling}
                    </span>
                    <span class="quiet num">{move || retry().unwrap_or_else(|| "introduces viewers to each other".to_owned())}</span>
                </dd>
            </div>
        </dl>
    }
}

const fn signaling_state(state: SignalingState) -> &'static str {
    match state {
        SignalingState::Off => "off",
        SignalingState::Connecting => "connecting",
        SignalingState::Connected => "connected",
        SignalingState::Reconnecting => "reconnecting",
    }
}

#[component]
fn Me() -> impl IntoView {
    let session = Session::get();
    let key = Signal::derive(move || session.view.read().peer.clone());
    let swarm = Signal::derive(move || session.stream.read().swarm.clone());
    view! {
        <section class="card me" aria-labelledby="me-title">
            <h2 id="me-title">
                <Avatar key />
                "You"
            </h2>
            <p class="quiet">
                "Others see you by this key. It was made for this visit and says nothing about who you are."
            </p>
            <CopyText label="your key" text=key />
            <div hidden=move || swarm.read().is_empty()>
                <h3>"This video's swarm"</h3>
                <CopyText label="the swarm's id" text=swarm />
            </div>
        </section>
    }
}
