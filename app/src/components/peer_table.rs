//! My neighbours, one row each; on phones each row becomes a card.

use leptos::prelude::*;
use peer_wasm::view::{LinkState, PeerView};

use crate::components::avatar::Avatar;
use crate::format::{bytes, duration, rate, short_key};
use crate::session::Session;

/// The neighbours of the stream on screen.
#[component]
pub(crate) fn PeerTable() -> impl IntoView {
    let session = Session::get();
    let peers = Memo::new(move |_| {
        let mut peers = session.stream.read().peers.clone();
        peers.sort_by(|one, other| one.peer.cmp(&other.peer));
        peers
    });
    let none = move || peers.read().is_empty();
    view! {
        <table class="peers" hidden=none>
            <caption class="visually-hidden">"Viewers connected to this page"</caption>
            <thead>
                <tr>
                    <th scope="col">"Viewer"</th>
                    <th scope="col">"Path"</th>
                    <th scope="col" class="right">"Round trip"</th>
                    <th scope="col" class="right">"Sends you"</th>
                    <th scope="col" class="right">"Gets from you"</th>
                    <th scope="col" class="right">"Has"</th>
                </tr>
            </thead>
            <tbody>{move || peers.get().iter().map(row).collect_view()}</tbody>
        </table>
        <div class="empty" hidden=move || !none()>
            <p class="empty-title">"No other viewers connected"</p>
            <p class="quiet">
                {move || {
                    if session.stream.read().playlist_url.is_empty() {
                        "Start a video, and whoever watches it too shows up here."
                    } else {
                        "Open this page in another browser, or send someone the link: they show up here."
                    }
                }}
            </p>
        </div>
    }
}

fn row(peer: &PeerView) -> impl IntoView + use<> {
    let key = peer.peer.clone();
    view! {
        <tr class:peer--connecting=peer.state == LinkState::Connecting>
            <th scope="row" title=peer.peer.clone()>
                <span class="who">
                    <Avatar key=key.clone() />
                    <span class="num">{short_key(&key)}</span>
                </span>
            </th>
            <td data-label="Path">{path(peer)}</td>
            <td data-label="Round trip" class="right num">
                {peer.rtt_ms.map_or_else(|| "–".to_owned(), |ms| duration(u64::from(ms)))}
            </td>
            <td data-label="Sends you" class="right num">
                {rate(peer.receive_bytes_per_s)} <span class="sub">{bytes(peer.received_bytes)}</span>
            </td>
            <td data-label="Gets from you" class="right num">
                {rate(peer.send_bytes_per_s)} <span class="sub">{bytes(peer.sent_bytes)}</span>
            </td>
            <td data-label="Has" class="right num">{format!("{}\u{a0}%", peer.has_percent)}</td>
        </tr>
    }
}

/// How the bytes travel, in a word.
fn path(peer: &PeerView) -> &'static str {
    match (peer.state, peer.relayed) {
        (LinkState::Connecting, _) => "Connecting",
        (LinkState::Open, Some(true)) => "Relayed",
        (LinkState::Open, Some(false)) => "Direct",
        (LinkState::Open, None) => "Open",
    }
}
