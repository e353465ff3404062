//! How it is with the servers, as `/v1/status` tells whoever has the host's token.
//!
//! The token lives as long as the tab: in its session storage, and nowhere else.

use js_sys::{Array, Object, Reflect};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::format::whole;

const STATUS: &str = "/v1/status";
const TOKEN: &str = "starling.host-token";

/// What the server answers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// The figures.
    Status(Box<Status>),
    /// It is another token.
    WrongToken,
    /// The settings of this server have no token.
    Off,
    /// Too many tries from this address.
    TooMany,
    /// No answer, or one that is not understood.
    Nothing,
}

/// The figures.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Status {
    /// The node that answers.
    pub(crate) node: Node,
    /// The others.
    pub(crate) nodes: Vec<Node>,
    /// Whether the others would hear it.
    pub(crate) is_heard: bool,
    /// Messages between nodes: sent, and lost.
    pub(crate) told: u64,
    pub(crate) lost: u64,
    /// Sessions, with those that wait for their peer.
    pub(crate) sessions: u64,
    /// The biggest swarms.
    pub(crate) swarms: Vec<Swarm>,
    /// The relay of the node that answers.
    pub(crate) relay: Option<Relay>,
    /// Its tracker, for clients that are not ours.
    pub(crate) tracker: Tracker,
    /// Sockets not opened, by reason.
    pub(crate) refused: Vec<(String, u64)>,
    /// Sockets closed, by reason.
    pub(crate) closed: Vec<(String, u64)>,
    /// Refusals told to peers, by code.
    pub(crate) errors: Vec<(String, u64)>,
    /// How many bans there are.
    pub(crate) bans: u64,
}

/// How it is with a tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tracker {
    pub(crate) sockets: u64,
    pub(crate) swarms: u64,
    /// Memberships, and those of the other nodes' clients.
    pub(crate) peers: u64,
    pub(crate) remote_peers: u64,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) uptime_s: u64,
    pub(crate) sockets: u64,
    pub(crate) swarms: u64,
    pub(crate) members: u64,
    /// How long ago it told this.
    pub(crate) heard_ms_ago: u64,
}

/// One swarm.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Swarm {
    pub(crate) id: String,
    pub(crate) peers: u64,
    /// Of those, on the node that answers.
    pub(crate) here: u64,
}

/// A relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Relay {
    pub(crate) allocations: u64,
    pub(crate) credentials: u64,
    pub(crate) relayed_bytes: u64,
    pub(crate) refused: u64,
}

/// The token this tab was given.
pub(crate) fn token() -> Option<String> {
    window().session_storage().ok()??.get_item(TOKEN).ok()?
}

/// Keeps a token while the tab is open; silently not, where the browser forbids it.
pub(crate) fn keep_token(token: &str) {
    if let Ok(Some(storage)) = window().session_storage() {
        drop(storage.set_item(TOKEN, token));
    }
}

/// Forgets it.
pub(crate) fn forget_token() {
    if let Ok(Some(storage)) = window().session_storage() {
        drop(storage.remove_item(TOKEN));
    }
}

/// Asks the server.
pub(crate) async fn ask(token: &str) -> Answer {
    let Some(response) = fetch(token).await else { return Answer::Nothing };
    match response.status() {
        200 => {
            read(&response).await.map_or(Answer::Nothing, |status| Answer::Status(Box::new(status)))
        }
        401 => Answer::WrongToken,
        404 => Answer::Off,
        429 => Answer::TooMany,
        _ => Answer::Nothing,
    }
}

async fn fetch(token: &str) -> Option<web_sys::Response> {
    let headers = Object::new();
    Reflect::set(&headers, &"authorization".into(), &format!("Bearer {token}").into()).ok()?;
    let options = web_sys::RequestInit::new();
    options.set_headers(&headers);
    let answer = JsFuture::from(window().fetch_with_str_and_init(STATUS, &options)).await.ok()?;
    answer.dyn_into().ok()
}

async fn read(response: &web_sys::Response) -> Option<Status> {
    let json = JsFuture::from(response.json().ok()?).await.ok()?;
    let bus = field(&json, "bus");
    let relay = field(&json, "relay");
    let tracker = field(&json, "tracker");
    Some(Status {
        node: node(&field(&json, "node")),
        nodes: list(&json, "nodes", node),
        is_heard: field(&bus, "is_heard").is_truthy(),
        told: number(&bus, "told"),
        lost: number(&bus, "lost"),
        sessions: number(&json, "sessions"),
        swarms: list(&json, "swarms", swarm),
        relay: relay.is_object().then(|| Relay {
            allocations: number(&relay, "allocations"),
            credentials: number(&relay, "credentials"),
            relayed_bytes: number(&relay, "relayed_bytes"),
            refused: number(&relay, "refused"),
        }),
        tracker: Tracker {
            sockets: number(&tracker, "sockets"),
            swarms: number(&tracker, "swarms"),
            peers: number(&tracker, "peers"),
            remote_peers: number(&tracker, "remote_peers"),
        },
        refused: counts(&json, "refused"),
        closed: counts(&json, "closed"),
        errors: counts(&json, "errors"),
        bans: number(&json, "bans"),
    })
}

fn node(of: &JsValue) -> Node {
    Node {
        id: text(of, "id"),
        name: text(of, "name"),
        version: text(of, "version"),
        uptime_s: number(of, "uptime_s"),
        sockets: number(of, "sockets"),
        swarms: number(of, "swarms"),
        members: number(of, "members"),
        heard_ms_ago: number(of, "heard_ms_ago"),
    }
}

fn swarm(of: &JsValue) -> Swarm {
    Swarm { id: text(of, "swarm"), peers: number(of, "peers"), here: number(of, "here") }
}

fn field(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &name.into()).unwrap_or_default()
}

fn number(of: &JsValue, name: &str) -> u64 {
    whole(field(of, name).as_f64().unwrap_or_default())
}

fn text(of: &JsValue, name: &str) -> String {
    field(of, name).as_string().unwrap_or_default()
}

fn list<T>(of: &JsValue, name: &str, read: impl Fn(&JsValue) -> T) -> Vec<T> {
    let all = field(of, name);
    if Array::is_array(&all) {
        Array::from(&all).iter().map(|one| read(&one)).collect()
    } else {
        Vec::new()
    }
}

/// Counters above 0 with their names, the biggest first.
fn counts(of: &JsValue, name: &str) -> Vec<(String, u64)> {
    let Ok(all) = field(of, name).dyn_into::<Object>() else { return Vec::new() };
    let names = Object::keys(&all);
    let names = names.iter().filter_map(|name| name.as_string());
    let mut counts: Vec<_> = names.map(|name| (name.clone(), number(&all, &name))).collect();
    counts.retain(|(_, count)| *count > 0);
    counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    counts
}
