//! The figures, once they are there.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::browser;
use crate::components::copy::CopyText;
use crate::components::fact::fact;
use crate::format::{bytes, counted, duration, short_key, uptime};
use crate::host::{Node, Status, Swarm, Tracker};

/// All of them.
#[component]
pub(super) fn Figures(status: Memo<Status>) -> impl IntoView {
    view! {
        <Totals status />
        <Nodes status />
        <div class="pair">
            <Swarms status />
            <Refusals status />
        </div>
        <Served />
    }
}

/// What the page is called that this host serves.
#[component]
fn Served() -> impl IntoView {
    let cid = RwSignal::new(String::new());
    spawn_local(async move {
        let answer = browser::ask("/v1/page", "GET").await;
        let named = answer.and_then(|(_, bytes)| browser::json_text(&bytes, "cid"));
        // Nobody waits any more where the person left the page meanwhile.
        cid.try_set(named.unwrap_or_default());
    });
    view! {
        <section class="card" aria-labelledby="served-title" hidden=move || cid.read().is_empty()>
            <h2 id="served-title">"The page served here"</h2>
            <CopyText label="the page\u{2019}s CID" text=cid />
            <p class="quiet">
                "Hosts that show the same CID serve the same page, to the byte. Any host can serve this one by its CID."
            </p>
        </section>
    }
}

/// The four numbers one looks for first: of all nodes, but for the relay.
#[component]
fn Totals(status: Memo<Status>) -> impl IntoView {
    let sum = move |of: fn(&Node) -> u64| {
        let status = status.read();
        status.nodes.iter().map(of).sum::<u64>() + of(&status.node)
    };
    let sockets = Signal::derive(move || sum(|node| node.sockets).to_string());
    let sessions =
        Signal::derive(move || counted(status.read().sessions, "session here", "sessions here"));
    let members = Signal::derive(move || sum(|node| node.members).to_string());
    let swarms =
        Signal::derive(move || counted(status.read().node.swarms, "swarm here", "swarms here"));
    let relayed = Signal::derive(move || {
        status.read().relay.map_or_else(|| "–".to_owned(), |relay| bytes(relay.relayed_bytes))
    });
    let allocations = Signal::derive(move || match status.read().relay {
        Some(relay) => format!(
            "{}, {}",
            counted(relay.allocations, "allocation now", "allocations now"),
            counted(relay.refused, "request refused", "requests refused")
        ),
        None => "no relay here".to_owned(),
    });
    let refused = Signal::derive(move || {
        status.read().refused.iter().map(|(_, count)| count).sum::<u64>().to_string()
    });
    let bans = Signal::derive(move || counted(status.read().bans, "ban in force", "bans in force"));
    view! {
        <dl class="card facts-row">
            {fact("Viewers connected", sockets, sessions)}
            {fact("Memberships in swarms", members, swarms)}
            {fact("Relayed since the start", relayed, allocations)}
            {fact("Sockets refused here", refused, bans)}
        </dl>
    }
}

#[component]
fn Nodes(status: Memo<Status>) -> impl IntoView {
    let rows = move || {
        let status = status.read();
        std::iter::once(node_row(&status.node, true))
            .chain(status.nodes.iter().map(|node| node_row(node, false)))
            .collect_view()
    };
    let words = move || {
        let status = status.read();
        match (status.is_heard, status.nodes.len()) {
            (false, 0) => "This node is alone: no bus is set, or it is away.".to_owned(),
            (false, _) => "The bus is away: this node serves its own viewers alone.".to_owned(),
            (true, 0) => "The bus is there, and no other node has spoken.".to_owned(),
            (true, _) => format!(
                "{} between nodes since the start, {} lost.",
                counted(status.told, "message", "messages"),
                status.lost
            ),
        }
    };
    view! {
        <section class="card" aria-labelledby="nodes-title">
            <h2 id="nodes-title">"Nodes"</h2>
            <table class="peers">
                <caption class="visually-hidden">"Nodes of this host"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Node"</th>
                        <th scope="col">"Version"</th>
                        <th scope="col" class="right">"Runs for"</th>
                        <th scope="col" class="right">"Viewers"</th>
                        <th scope="col" class="right">"Swarms"</th>
                        <th scope="col" class="right">"Memberships"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
            <p class="quiet num">{words}</p>
        </section>
    }
}

fn node_row(node: &Node, is_this: bool) -> impl IntoView + use<> {
    let name = match node.name.as_str() {
        // Alone, a node has neither name nor number.
        "" if is_this => "This node".to_owned(),
        "" => short_key(&node.id),
        name => name.to_owned(),
    };
    let sub = if is_this {
        "answers here".to_owned()
    } else {
        format!("heard {} ago", duration(node.heard_ms_ago))
    };
    view! {
        <tr>
            <th scope="row" title=node.id.clone()>
                {name} <span class="sub">{sub}</span>
            </th>
            <td data-label="Version">{node.version.clone()}</td>
            <td data-label="Runs for" class="right num">{uptime(node.uptime_s)}</td>
            <td data-label="Viewers" class="right num">{node.sockets}</td>
            <td data-label="Swarms" class="right num">{node.swarms}</td>
            <td data-label="Memberships" class="right num">{node.members}</td>
        </tr>
    }
}

#[component]
fn Swarms(status: Memo<Status>) -> impl IntoView {
    let none = move || status.read().swarms.is_empty();
    let tracker = move || {
        let Tracker { sockets, swarms, peers, remote_peers } = status.read().tracker;
        format!(
            "WebTorrent clients here: {}, {} in {}; {} on other nodes.",
            counted(sockets, "socket", "sockets"),
            counted(peers, "membership", "memberships"),
            counted(swarms, "swarm", "swarms"),
            remote_peers
        )
    };
    let row = |swarm: &Swarm| {
        view! {
            <div class="sum">
                <dt class="num" title=swarm.id.clone()>{short_key(&swarm.id)}</dt>
                <dd class="num">
                    {format!("{}, {} here", counted(swarm.peers, "viewer", "viewers"), swarm.here)}
                </dd>
            </div>
        }
    };
    view! {
        <section class="card" aria-labelledby="swarms-title">
            <h2 id="swarms-title">"Biggest swarms"</h2>
            <dl class="sums sums--list" hidden=none>
                {move || status.read().swarms.iter().map(row).collect_view()}
            </dl>
            <div class="empty" hidden=move || !none()>
                <p class="empty-title">"Nobody is watching"</p>
                <p class="quiet">"Whoever opens a video through this server shows up here."</p>
            </div>
            <p class="quiet num">{tracker}</p>
        </section>
    }
}

#[component]
fn Refusals(status: Memo<Status>) -> impl IntoView {
    let part = move |title, of: fn(&Status) -> &Vec<(String, u64)>| {
        let rows = move || {
            let status = status.read();
            of(&status)
                .iter()
                .map(|(name, count)| {
                    view! {
                        <div class="sum">
                            <dt>{name.clone()}</dt>
                            <dd class="num">{*count}</dd>
                        </div>
                    }
                })
                .collect_view()
        };
        view! {
            <div hidden=move || of(&status.read()).is_empty()>
                <h3>{title}</h3>
                <dl class="sums sums--list">{rows}</dl>
            </div>
        }
    };
    let none = move || {
        let status = status.read();
        status.refused.is_empty() && status.errors.is_empty() && status.closed.is_empty()
    };
    view! {
        <section class="card" aria-labelledby="refusals-title">
            <h2 id="refusals-title">"Refused and closed here"</h2>
            {part("Sockets not opened", |status| &status.refused)}
            {part("Refusals told to viewers", |status| &status.errors)}
            {part("Sockets closed", |status| &status.closed)}
            <p class="quiet" hidden=move || !none()>"Nothing yet."</p>
        </section>
    }
}
