//! Alerts while the page is closed: this browser's subscription at its push service, and at the server of this page.
//!
//! What the server is asked and answers: `docs/spec/push.md`. What shows the message: `static/alerts/worker.js`.

use js_sys::{Array, Function, JSON, Object, Promise, Reflect};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    PushManager, PushSubscription, PushSubscriptionOptionsInit, RequestInit, Response,
    ServiceWorkerContainer, ServiceWorkerRegistration, ServiceWorkerState,
};

use crate::browser;

/// The worker that shows what comes. Its scope is the folder it is in.
const WORKER: &str = "/alerts/worker.js";
const SCOPE: &str = "/alerts/";
const KEY: &str = "/push/key";
const SUBSCRIPTIONS: &str = "/push/subscriptions";
/// How long the server may take: it waits for the push service, 10 s at most.
const ANSWER_WITHIN_MS: u32 = 15_000;
/// Looks at whether the worker runs, and the milliseconds between two.
const WORKER_LOOKS: (u32, i32) = (100, 50);

/// What the server is to watch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Wish {
    /// Hexadecimal.
    pub(super) account: String,
    /// Hundredths of health.
    pub(super) limit: u64,
    pub(super) markets: Vec<u32>,
}

/// Why it is not as the person wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The person, or the browser for them, forbade it.
    Blocked,
    /// This browser runs no worker here: a private window, or no secure address.
    NoWorker,
    /// The browser can't reach its push service, or has none.
    NoService,
    /// The server offers it no more.
    NotOffered,
    /// The server does not answer.
    NoServer,
    /// It refused, with this code.
    Refused(String),
}

impl Wrong {
    /// What a person can do about it.
    pub(super) fn words(&self) -> String {
        let words = match self {
            Self::Blocked => {
                "This browser does not let the page notify you: allow it in the site\u{2019}s settings."
            }
            Self::NoWorker => {
                "This browser runs nothing for closed pages here: a private window, or an address without https."
            }
            Self::NoService => {
                "This browser does not reach its push service. Try again with another connection, or look whether its settings switch push off."
            }
            Self::NotOffered => {
                "This server tells nobody any more: you are warned while this page is open."
            }
            Self::NoServer => "The server did not answer. Try again.",
            Self::Refused(code) => return refused(code),
        };
        words.to_owned()
    }
}

/// Words for a code of the server.
fn refused(code: &str) -> String {
    let words = match code {
        "service-unreachable" | "busy" => {
            "The server does not reach this browser\u{2019}s push service. Try again later."
        }
        "service-refused" | "gone" | "keys" => {
            "This browser\u{2019}s push service did not take the server\u{2019}s first message. Try again."
        }
        "address" => "The server does not send to this browser\u{2019}s push service.",
        "browser-full" => "This browser is told about too many accounts already.",
        "network-full" => {
            "Too many browsers of your network are told already. Turn it off in another, or turn it on with another connection."
        }
        "full" => "The server tells as many people as it can.",
        "place" => "Too many requests from your network. Try again in an hour.",
        "off" => return Wrong::NotOffered.words(),
        other => return format!("The server refused: {other}."),
    };
    words.to_owned()
}

/// Whether this browser can be told while the page is closed.
pub(super) fn can() -> bool {
    let has = |of: &JsValue, name: &str| Reflect::has(of, &name.into()).unwrap_or(false);
    container().is_some() && has(&window(), "PushManager") && browser::may_notify().is_some()
}

/// What a browser subscribes with here; none: this server tells nobody, or does not answer.
pub(super) async fn offered() -> Option<String> {
    let (status, said) = ask(KEY, &RequestInit::new()).await?;
    (status == 200).then(|| text(&said, "key")).flatten()
}

/// Whether this browser is subscribed.
pub(super) async fn is_on() -> bool {
    subscribed().await.is_some()
}

/// Subscribes at the push service and at the server; again changes nothing but what is watched.
pub(super) async fn turn_on(key: &str, wish: &Wish) -> Result<(), Wrong> {
    let before = subscribed().await.is_some();
    let subscription = subscribe(key).await?;
    let told = tell("POST", body(&subscription, Some(wish))).await;
    if told.is_err() && !before {
        // The server does not know it: nobody would use it.
        forget(&subscription).await;
    }
    told
}

/// Forgets the subscription at both ends, the browser first. When that has forgotten it, nothing comes any more,
/// whatever the server says, and whether this page stays to tell it or not: it hears so from the push service.
pub(super) async fn turn_off() -> Result<(), Wrong> {
    let Some(subscription) = subscribed().await else { return Ok(()) };
    // While the browser still knows the keys.
    let request = body(&subscription, None);
    let is_forgotten = forget(&subscription).await;
    let told = tell("DELETE", request).await;
    if is_forgotten { Ok(()) } else { told.and(Err(Wrong::NoService)) }
}

/// Absent in private windows of some browsers, and outside of secure contexts.
fn container() -> Option<ServiceWorkerContainer> {
    Reflect::get(&window().navigator(), &"serviceWorker".into()).ok()?.dyn_into().ok()
}

/// This browser's subscription, if it has one.
async fn subscribed() -> Option<PushSubscription> {
    let found =
        JsFuture::from(container()?.get_registration_with_document_url(SCOPE)).await.ok()?;
    let registration: ServiceWorkerRegistration = found.dyn_into().ok()?;
    let manager = registration.push_manager().ok()?;
    JsFuture::from(manager.get_subscription().ok()?).await.ok()?.dyn_into().ok()
}

async fn subscribe(key: &str) -> Result<PushSubscription, Wrong> {
    let manager = worker().await.ok_or(Wrong::NoWorker)?.push_manager();
    let manager = manager.map_err(|_| Wrong::NoService)?;
    match subscribe_with(&manager, key).await {
        // Subscribed with the key of before the server lost its own.
        Err(error) if named(&error, "InvalidStateError") => {
            if let Some(old) = subscribed().await {
                forget(&old).await;
            }
            subscribe_with(&manager, key).await.map_err(|error| wrong(&error))
        }
        answer => answer.map_err(|error| wrong(&error)),
    }
}

async fn subscribe_with(manager: &PushManager, key: &str) -> Result<PushSubscription, JsValue> {
    let options = PushSubscriptionOptionsInit::new();
    options.set_user_visible_only(true);
    options.set_application_server_key_opt_str(Some(key));
    JsFuture::from(manager.subscribe_with_options(&options)?).await?.dyn_into()
}

fn named(error: &JsValue, name: &str) -> bool {
    text(error, "name").as_deref() == Some(name)
}

fn wrong(error: &JsValue) -> Wrong {
    if named(error, "NotAllowedError") { Wrong::Blocked } else { Wrong::NoService }
}

/// The worker's registration, as soon as it runs.
async fn worker() -> Option<ServiceWorkerRegistration> {
    let registered = JsFuture::from(container()?.register(WORKER)).await.ok()?;
    let registration: ServiceWorkerRegistration = registered.dyn_into().ok()?;
    let (looks, wait_ms) = WORKER_LOOKS;
    for _ in 0..looks {
        let active = registration.active();
        if active.is_some_and(|worker| worker.state() == ServiceWorkerState::Activated) {
            return Some(registration);
        }
        sleep(wait_ms).await;
    }
    None
}

/// Lets this much time pass.
async fn sleep(ms: i32) {
    let waiting = Promise::new(&mut |resolve: Function, _: Function| {
        // A browser that sets no timer leaves it as it is: waiting.
        drop(window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms));
    });
    // A timer rejects nothing.
    drop(JsFuture::from(waiting).await);
}

/// Whether the browser has forgotten it.
async fn forget(subscription: &PushSubscription) -> bool {
    let Ok(forgetting) = subscription.unsubscribe() else { return false };
    JsFuture::from(forgetting).await.is_ok()
}

/// Tells the server; none: the browser gave no keys to tell it.
async fn tell(method: &str, request: Option<JsValue>) -> Result<(), Wrong> {
    let request = request.ok_or(Wrong::NoService)?;
    let options = RequestInit::new();
    options.set_method(method);
    options.set_body(&request);
    let headers = object(&[("content-type", &"application/json".into())]);
    options.set_headers(&headers);
    let (status, said) = ask(SUBSCRIPTIONS, &options).await.ok_or(Wrong::NoServer)?;
    if (200..300).contains(&status) {
        return Ok(());
    }
    let error = Reflect::get(&said, &"error".into()).unwrap_or_default();
    Err(text(&error, "code").map_or(Wrong::NoServer, Wrong::Refused))
}

/// A request as JSON.
fn body(subscription: &PushSubscription, wish: Option<&Wish>) -> Option<JsValue> {
    // As the standard writes it: keys are in base64url.
    let written = JSON::stringify(subscription).ok()?.as_string()?;
    let of_browser = JSON::parse(&written).ok()?;
    let keys = Reflect::get(&of_browser, &"keys".into()).ok()?;
    let request = object(&[
        ("endpoint", &text(&of_browser, "endpoint")?.into()),
        ("auth", &text(&keys, "auth")?.into()),
    ]);
    if let Some(wish) = wish {
        let markets: Array = wish.markets.iter().copied().map(JsValue::from).collect();
        let limit = u32::try_from(wish.limit).unwrap_or(u32::MAX);
        let more: [(&str, JsValue); 4] = [
            ("p256dh", text(&keys, "p256dh")?.into()),
            ("account", wish.account.as_str().into()),
            ("limit", limit.into()),
            ("markets", markets.into()),
        ];
        for (name, value) in &more {
            Reflect::set(&request, &(*name).into(), value).ok()?;
        }
    }
    JSON::stringify(&request).ok().map(Into::into)
}

/// Status and JSON of an answer of this page's server. `None`: it did not answer in time.
async fn ask(path: &str, options: &RequestInit) -> Option<(u16, JsValue)> {
    options.set_signal(browser::time_limit(ANSWER_WITHIN_MS).as_ref());
    let url = format!("{}{path}", browser::origin());
    let answer = JsFuture::from(window().fetch_with_str_and_init(&url, options)).await.ok()?;
    let answer: Response = answer.dyn_into().ok()?;
    let said = JsFuture::from(answer.json().ok()?).await.unwrap_or_default();
    Some((answer.status(), said))
}

fn object(fields: &[(&str, &JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        // Setting a fresh property on a fresh object cannot fail.
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object
}

fn text(of: &JsValue, name: &str) -> Option<String> {
    Reflect::get(of, &name.into()).ok()?.as_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes of `docs/spec/push.md`.
    #[test]
    fn every_refusal_of_the_server_has_words() {
        for code in [
            "address",
            "keys",
            "browser-full",
            "network-full",
            "full",
            "place",
            "busy",
            "gone",
            "service-refused",
            "service-unreachable",
            "off",
        ] {
            let words = Wrong::Refused(code.to_owned()).words();
            assert!(!words.contains(code), "{code}: {words}");
        }
        assert_eq!(Wrong::Refused("new".to_owned()).words(), "The server refused: new.");
    }
}
