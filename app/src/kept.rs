//! The page as it stays on this device (`static/kept.js`): whether it does, how large it is, and whether a person
//! wants it to.

use js_sys::{Array, Reflect};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CacheStorage, Event, Response, ServiceWorkerContainer, ServiceWorkerRegistration};

use crate::browser;
use crate::format;

/// Before the version, in the names of the worker's caches.
const CACHE: &str = "starling-page-";
/// What a version has that is whole.
const LIST: &str = "/kept.json";
/// Where it is kept that a person does not want it. `boot.js` reads it, too.
const CHOICE: &str = "starling.keep-page";
/// What `boot.js` hears.
const KEEP: &str = "starling-keep";

/// How the page stays here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// This browser keeps nothing for it.
    Never,
    /// A person did not want it.
    Forgotten,
    /// Not yet, or not whole.
    NotYet,
    /// All of it, in bytes.
    Whole(u64),
}

/// How it is now.
pub(crate) async fn look() -> Kept {
    let (Some(caches), Some(_)) = (caches(), workers()) else { return Kept::Never };
    if browser::kept(CHOICE).as_deref() == Some("no") {
        return Kept::Forgotten;
    }
    whole(&caches).await.map_or(Kept::NotYet, Kept::Whole)
}

/// Keeps it from now on.
pub(crate) fn want() {
    browser::keep(CHOICE, "yes");
    if let Ok(event) = Event::new(KEEP) {
        // Fails only for events that are under way already.
        drop(window().dispatch_event(&event));
    }
}

/// Takes it off this device, and keeps it no more.
pub(crate) async fn forget() {
    browser::keep(CHOICE, "no");
    if let Some(gone) = registration().await.and_then(|one| one.unregister().ok()) {
        drop(JsFuture::from(gone).await);
    }
    // Fails where a browser has no room to note it: what it holds is then shown by nobody.
    drop(clear().await);
}

async fn clear() -> Result<(), JsValue> {
    let Some(caches) = caches() else { return Ok(()) };
    let names: Array = JsFuture::from(caches.keys()).await?.dyn_into()?;
    for name in names.iter().filter_map(|name| name.as_string()) {
        if name.starts_with(CACHE) {
            JsFuture::from(caches.delete(&name)).await?;
        }
    }
    Ok(())
}

/// Size of what is whole, by its list.
async fn whole(caches: &CacheStorage) -> Option<u64> {
    let found = JsFuture::from(caches.match_with_str(LIST)).await.ok()?;
    let list: Response = found.dyn_into().ok()?;
    let list = JsFuture::from(list.json().ok()?).await.ok()?;
    let bytes = Reflect::get(&list, &"bytes".into()).ok()?.as_f64()?;
    Some(format::whole(bytes))
}

/// The worker's registration: that of the whole origin.
async fn registration() -> Option<ServiceWorkerRegistration> {
    let found = workers()?.get_registration_with_document_url("/");
    let found: ServiceWorkerRegistration = JsFuture::from(found).await.ok()?.dyn_into().ok()?;
    (found.scope() == format!("{}/", browser::origin())).then_some(found)
}

/// Absent outside of secure contexts, whatever the type says.
fn caches() -> Option<CacheStorage> {
    property(&window(), "caches")
}

/// Absent there, too, and in some private windows.
fn workers() -> Option<ServiceWorkerContainer> {
    property(&window().navigator(), "serviceWorker")
}

fn property<T: JsCast>(of: &JsValue, name: &str) -> Option<T> {
    Reflect::get(of, &name.into()).ok()?.dyn_into().ok()
}
