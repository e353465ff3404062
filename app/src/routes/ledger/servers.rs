//! Whom this tab asks, and what it blames them for.

use leptos::html::Input;
use leptos::prelude::*;
use wallet::view::{Command, Server};

use crate::components::icon::{Glyph, Icon};
use crate::format::short_key;
use crate::ledger::Ledger;

/// The servers, and the neighbours in their place.
#[component]
pub(super) fn Servers() -> impl IntoView {
    let ledger = Ledger::get();
    let servers = Memo::new(move |_| ledger.view.read().servers.clone());
    let neighbours = Memo::new(move |_| ledger.view.read().neighbours.clone());
    let none_is_named = move || !servers.read().iter().any(|one| one.is_named);
    let no_neighbour_is_asked = move || !neighbours.read().iter().any(|one| one.is_up);
    let field = NodeRef::<Input>::new();
    let refused = Memo::new(move |_| ledger.view.read().refused == "server");
    let add = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if let Some(field) = field.get() {
            ledger.command(&Command::AddServer(field.value()));
            field.set_value("");
        }
    };
    view! {
        <section class="card" aria-labelledby="servers-title">
            <h2 id="servers-title">"Servers asked"</h2>
            <ul class="servers" aria-live="polite">
                {move || servers.get().into_iter().enumerate().map(|(place, one)| server_row(ledger, place, one)).collect_view()}
                {move || neighbours.get().into_iter().map(neighbour_row).collect_view()}
            </ul>
            <p class="quiet" hidden=none_is_named>
                "This host names others, which are asked as well: so it is noticed if one stays behind or keeps answers back. They need not be trusted either; they see which account is asked about. One that you take off stays away."
            </p>
            <p class="quiet" role="status" hidden=no_neighbour_is_asked>
                "No server is of use now, so neighbours in your shares are asked, who ask theirs. They need not be trusted either; they see which account is asked about."
            </p>
            <form class="open-url" on:submit=add novalidate>
                <label for="add-server">"Ask one more"</label>
                <div class="field">
                    <input
                        id="add-server"
                        node_ref=field
                        type="url"
                        inputmode="url"
                        autocomplete="off"
                        autocapitalize="off"
                        spellcheck="false"
                        placeholder="https://…"
                        aria-describedby="add-server-help"
                    />
                    <button class="button button--strong" type="submit">
                        "Add"
                    </button>
                </div>
                <p id="add-server-help" class="quiet" class:quiet--warn=refused aria-live="polite">
                    {move || {
                        if refused.get() {
                            "That is no new server: expected the address of a host, with https if this page came by that, of eight at most."
                        } else {
                            "Any host of this ledger. It need not be trusted: what it says is checked too."
                        }
                    }}
                </p>
            </form>
        </section>
    }
}

/// How a server or neighbour is, as the lamp shows it.
fn lamp(one: &Server) -> &'static str {
    if one.lies {
        "lies"
    } else if !one.faults.is_empty() {
        "reconnecting"
    } else if one.is_up {
        "connected"
    } else {
        "off"
    }
}

/// The same in words, and whether they warn.
fn how(one: &Server) -> (String, bool) {
    let words = match one.faults.iter().map(|fault| blame(fault)).next() {
        Some(blame) => blame.to_owned(),
        None if one.height > 0 => format!("at block {}", one.height),
        None if one.is_up => "has shown no block yet".to_owned(),
        None => "not connected, tried again by itself".to_owned(),
    };
    (words, !one.faults.is_empty())
}

/// A neighbour, by its peer id.
fn neighbour_row(one: Server) -> impl IntoView {
    let (words, warn) = how(&one);
    view! {
        <li class="server" data-neighbour=one.url.clone() data-signaling=lamp(&one) data-lies=one.lies.to_string()>
            <span class="lamp" aria-hidden="true"></span>
            <div class="row-words">
                <span title=one.url.clone()>
                    "a neighbour, " <code class="mono">{short_key(&one.url)}</code>
                </span>
                <span class="quiet num" class:quiet--warn=warn>
                    {words}
                </span>
            </div>
        </li>
    }
}

/// How a server is, and who named it.
fn how_and_whose(server: &Server) -> (String, bool) {
    let (words, warn) = how(server);
    (if server.is_named { format!("named by this host, {words}") } else { words }, warn)
}

fn server_row(ledger: Ledger, place: usize, server: Server) -> impl IntoView {
    let (words, warn) = how_and_whose(&server);
    let url = server.url.clone();
    let remove = move |_| ledger.command(&Command::RemoveServer(url.clone()));
    view! {
        <li
            class="server"
            data-signaling=lamp(&server)
            data-lies=server.lies.to_string()
            data-named=server.is_named.to_string()
        >
            <span class="lamp" aria-hidden="true"></span>
            <div class="row-words">
                <span class="wrap">{server.url.clone()}</span>
                <span class="quiet num" class:quiet--warn=warn>
                    {words}
                </span>
            </div>
            // The page's own server is always asked.
            {(place > 0)
                .then(|| {
                    view! {
                        <button class="button button--icon" type="button" aria-label="Ask it no more" on:click=remove>
                            <Icon glyph=Glyph::Close />
                        </button>
                    }
                })}
        </li>
    }
}

/// What a server is blamed for, in words.
fn blame(code: &str) -> &'static str {
    match code {
        "malformed" => "lied: what it sent is no answer. Not asked any more",
        "forged" => {
            "lied: its certificate does not hold under the ledger\u{2019}s key. Not asked any more"
        }
        "replaced" => {
            "lied: it shows blocks of validators from whom others had taken over. Not asked any more"
        }
        "broken-chain" => "lied: its blocks do not follow from each other. Not asked any more",
        "false-proof" => "lied: its proof does not prove what it said. Not asked any more",
        "fork" => "shows a second history, signed by the same validators",
        "backwards" => "lied: it went back to an older block. Not asked any more",
        "future" => "lied: its block says it is from the future. Not asked any more",
        "withholds" => "keeps answers back",
        _ => "stays behind the others",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_named_a_server_is_said_beside_how_it_is() {
        let server = |is_named, height, faults: &[&str]| Server {
            url: "https://a.example".to_owned(),
            is_up: true,
            height,
            faults: faults.iter().map(|&fault| fault.to_owned()).collect(),
            lies: false,
            is_away: false,
            is_named,
        };
        assert_eq!(how_and_whose(&server(false, 7, &[])), ("at block 7".to_owned(), false));
        let named = "named by this host, at block 7".to_owned();
        assert_eq!(how_and_whose(&server(true, 7, &[])), (named, false));
        let late = "named by this host, keeps answers back".to_owned();
        assert_eq!(how_and_whose(&server(true, 7, &["withholds"])), (late, true));
    }
}
