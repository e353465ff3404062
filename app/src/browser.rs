//! What the pages ask of the browser: address, local storage, clipboard, sharing, connection kind.

use js_sys::Reflect;
use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Takes away the static screen of `index.html`, once the app stands.
pub(crate) fn remove_boot_screen() {
    if let Some(boot) = document().get_element_by_id("boot") {
        boot.remove();
    }
}

/// Scheme, host and port of this page.
pub(crate) fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// The address of a script that keeps its name, of this page's own version where that is said: so a page that
/// stays on this device (`static/kept.js`) gets no other one's.
pub(crate) fn of_this_version(path: &str) -> String {
    let meta = document().query_selector("meta[name=starling-version]").ok().flatten();
    match meta.and_then(|meta| meta.get_attribute("content")) {
        Some(version) => format!("{path}?v={version}"),
        None => path.to_owned(),
    }
}

/// The signaling server of this page's host.
pub(crate) fn signal_url() -> String {
    let origin = origin();
    let host = origin.split_once("://").map_or(origin.as_str(), |(_, host)| host);
    let scheme = if origin.starts_with("https:") { "wss" } else { "ws" };
    format!("{scheme}://{host}/signal")
}

/// What a person pasted, as the absolute address of a playlist. A link to one of our watch pages
/// stands for the playlist it carries. `None`: not a web address.
pub(crate) fn playlist_url(pasted: &str) -> Option<String> {
    let url = pasted_url(pasted)?;
    if url.pathname() == "/watch"
        && let Some(carried) = url.search_params().get("src")
    {
        let carried = web_sys::Url::new_with_base(&carried, &url.origin()).ok()?;
        return matches!(carried.protocol().as_str(), "http:" | "https:").then(|| carried.href());
    }
    Some(url.href())
}

/// The fund that a link to one of our watch pages names.
pub(crate) fn fund_of(pasted: &str) -> Option<String> {
    let url = pasted_url(pasted).filter(|url| url.pathname() == "/watch")?;
    url.search_params().get("fund").and_then(|fund| web_address(&fund))
}

/// A whole address of the web, as browsers write it; `None`: it is none.
pub(crate) fn web_address(text: &str) -> Option<String> {
    let url = web_sys::Url::new(text.trim()).ok()?;
    matches!(url.protocol().as_str(), "http:" | "https:").then(|| url.href())
}

/// The host and port in an address; the address itself, where it is none.
pub(crate) fn host_of(address: &str) -> String {
    web_sys::Url::new(address).map_or_else(|_| address.to_owned(), |url| url.host())
}

fn pasted_url(pasted: &str) -> Option<web_sys::Url> {
    let pasted = pasted.trim();
    if pasted.is_empty() {
        return None;
    }
    let guessed = if pasted.contains("://") || pasted.starts_with('/') {
        pasted.to_owned()
    } else {
        format!("https://{pasted}")
    };
    let url = web_sys::Url::new_with_base(&guessed, &origin()).ok()?;
    matches!(url.protocol().as_str(), "http:" | "https:").then_some(url)
}

/// A field of this page's query.
pub(crate) fn query(name: &str) -> Option<String> {
    let search = window().location().search().ok()?;
    web_sys::UrlSearchParams::new_with_str(&search).ok()?.get(name)
}

/// The address of this page with what somebody put into its fragment (`#name=value`), which is taken out of the
/// address and of the history. None: nothing was put there, or it is a share's link, which stays.
pub(crate) fn take_fragment() -> Option<String> {
    let location = window().location();
    let link = location.href().ok()?;
    let (bare, fragment) = link.split_once('#')?;
    if !fragment.contains('=') || fragment.starts_with("/get/") {
        return None;
    }
    let history = window().history().ok()?;
    let state = history.state().unwrap_or(JsValue::NULL);
    history.replace_state_with_url(&state, "", Some(bare)).ok()?;
    Some(link)
}

/// A moment on the clock on the person's wall: `2026-06-21 14:15`.
pub(crate) fn moment(seconds: u64) -> String {
    let at = js_sys::Date::new(&JsValue::from_f64(crate::format::float(seconds * 1000)));
    format!(
        "{}-{:02}-{:02} {:02}:{:02}",
        at.get_full_year(),
        at.get_month() + 1,
        at.get_date(),
        at.get_hours(),
        at.get_minutes()
    )
}

/// The time of day, in milliseconds since 1970-01-01 UTC.
pub(crate) fn now_ms() -> u64 {
    crate::format::whole(js_sys::Date::now())
}

/// `text` as it stands in a query.
pub(crate) fn encoded(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

/// The text that stands encoded in a query; `None`: it is no such text.
pub(crate) fn decoded(text: &str) -> Option<String> {
    js_sys::decode_uri_component(text).ok()?.as_string()
}

/// What is kept under `key`.
pub(crate) fn kept(key: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(key).ok()?
}

/// Keeps `text` under `key`; silently not, where the browser forbids it.
pub(crate) fn keep(key: &str, text: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        // A full or forbidden storage only means that the choice is forgotten with the page.
        drop(storage.set_item(key, text));
    }
}

/// Loads the site anew.
pub(crate) fn reload() {
    // A browser that refuses leaves the page as it is, with its button.
    drop(window().location().reload());
}

/// Sets an attribute of the root element.
pub(crate) fn set_root_attribute(name: &str, value: &str) {
    if let Some(root) = document().document_element() {
        // Fails only for names that are no names; ours are literals.
        drop(root.set_attribute(name, value));
    }
}

/// Colours of the bar around the page, as `index.html` and `tokens.css` have them: dark or not.
const BAR_COLOURS: [(bool, &str); 2] = [(false, "#fafaf8"), (true, "#0d1012")];

/// Uses the colours of this name (`system`, `light`, `dark`): in the page and in the browser's bar around it.
pub(crate) fn use_theme(name: &str) {
    set_root_attribute("data-theme", name);
    let Ok(bars) = document().query_selector_all("meta[name=theme-color]") else { return };
    for bar in (0..bars.length()).filter_map(|at| bars.get(at)) {
        let Ok(bar) = bar.dyn_into::<web_sys::Element>() else { continue };
        let dark = match name {
            "dark" => true,
            "light" => false,
            _ => bar.get_attribute("media").is_some_and(|media| media.contains("dark")),
        };
        for (_, colour) in BAR_COLOURS.iter().filter(|(is_dark, _)| *is_dark == dark) {
            // Fails only for names that are no names.
            drop(bar.set_attribute("content", colour));
        }
    }
}

/// Names the page in the tab.
pub(crate) fn set_title(page: &str) {
    document().set_title(&format!("{page} · Starling"));
}

/// Whether dark colours are on screen now, `chosen` being the root's `data-theme`.
pub(crate) fn is_dark(chosen: &str) -> bool {
    match chosen {
        "dark" => true,
        "light" => false,
        _ => window()
            .match_media("(prefers-color-scheme: dark)")
            .ok()
            .flatten()
            .is_some_and(|query| query.matches()),
    }
}

/// Copies `text`; `false` where the browser has no clipboard for us (plain HTTP) or refuses.
pub(crate) async fn copy(text: &str) -> bool {
    let navigator = window().navigator();
    if !has(&navigator, "clipboard") {
        return false;
    }
    JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
}

/// Selects what stands in `element`, for the person to copy by hand.
pub(crate) fn select(element: &web_sys::Node) {
    if let Ok(Some(selection)) = window().get_selection() {
        // Refused only for nodes outside the page.
        drop(selection.select_all_children(element));
    }
}

/// Whether the system has a share sheet.
pub(crate) fn can_share() -> bool {
    has(&window().navigator(), "share")
}

/// Opens the system's share sheet. A person who closes it is not an error.
pub(crate) async fn share(title: &str, url: &str) {
    let what = web_sys::ShareData::new();
    what.set_title(title);
    what.set_url(url);
    drop(JsFuture::from(window().navigator().share_with_data(&what)).await);
}

/// The connection is metered, mobile, or the person asked to save data.
pub(crate) fn is_metered() -> bool {
    let Some(connection) = connection() else { return false };
    let field = |name: &str| Reflect::get(&connection, &name.into()).unwrap_or_default();
    field("saveData").is_truthy() || field("type").as_string().as_deref() == Some("cellular")
}

/// `navigator.connection`, where there is one.
pub(crate) fn connection() -> Option<web_sys::EventTarget> {
    let connection = Reflect::get(&window().navigator(), &"connection".into()).ok()?;
    connection.dyn_into().ok()
}

/// Whether the server has something at `url`; `None` where it does not answer.
pub(crate) async fn exists(url: &str) -> Option<bool> {
    let options = web_sys::RequestInit::new();
    options.set_method("HEAD");
    let answer = JsFuture::from(window().fetch_with_str_and_init(url, &options)).await.ok()?;
    answer.dyn_into::<web_sys::Response>().ok().map(|answer| answer.ok())
}

/// What this page's own server answers at `path`, and with which status; `None` where it does not.
pub(crate) async fn ask(path: &str, method: &str) -> Option<(u16, Vec<u8>)> {
    ask_at(&origin(), path, method).await
}

/// The same of any server.
pub(crate) async fn ask_at(server: &str, path: &str, method: &str) -> Option<(u16, Vec<u8>)> {
    let (options, headers) = (web_sys::RequestInit::new(), js_sys::Object::new());
    Reflect::set(&headers, &"accept".into(), &"application/cbor".into()).ok()?;
    options.set_method(method);
    options.set_headers(&headers);
    let url = format!("{server}{path}");
    let answer = JsFuture::from(window().fetch_with_str_and_init(&url, &options)).await.ok()?;
    let answer: web_sys::Response = answer.dyn_into().ok()?;
    let bytes = JsFuture::from(answer.array_buffer().ok()?).await.ok()?;
    Some((answer.status(), js_sys::Uint8Array::new(&bytes).to_vec()))
}

/// Ends a request that takes too long. `None` in older browsers, which have their own limit only.
pub(crate) fn time_limit(ms: u32) -> Option<web_sys::AbortSignal> {
    let kind = Reflect::get(&window(), &"AbortSignal".into()).ok()?;
    let can = Reflect::has(&kind, &"timeout".into()).ok()?;
    can.then(|| web_sys::AbortSignal::timeout_with_u32(ms))
}

/// What this page's own server has at `path`, if it says so in time and it is at most `bytes_max` long.
pub(crate) async fn fetched(path: &str, bytes_max: usize, ms_max: u32) -> Option<Vec<u8>> {
    let options = web_sys::RequestInit::new();
    options.set_signal(time_limit(ms_max).as_ref());
    let url = format!("{}{path}", origin());
    let answer = JsFuture::from(window().fetch_with_str_and_init(&url, &options)).await.ok()?;
    let answer: web_sys::Response = answer.dyn_into().ok()?;
    if !answer.ok() {
        return None;
    }
    let blob = JsFuture::from(answer.blob().ok()?).await.ok()?;
    read(&blob.dyn_into().ok()?, bytes_max).await
}

/// The bytes of a file or a blob of at most `bytes_max`; `None`: it is larger, or can't be read.
pub(crate) async fn read(blob: &web_sys::Blob, bytes_max: usize) -> Option<Vec<u8>> {
    if crate::format::whole(blob.size()) > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
        return None;
    }
    let buffer = JsFuture::from(blob.array_buffer()).await.ok()?;
    Some(js_sys::Uint8Array::new(&buffer).to_vec())
}

/// Hands bytes to the browser as a download of this name; whether it could be.
pub(crate) fn download(name: &str, bytes: &[u8]) -> bool {
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes));
    let Ok(blob) = web_sys::Blob::new_with_u8_array_sequence(&parts) else { return false };
    let Ok(url) = web_sys::Url::create_object_url_with_blob(&blob) else { return false };
    let click = || {
        let link = document().create_element("a").ok()?;
        link.set_attribute("href", &url).ok()?;
        link.set_attribute("download", name).ok()?;
        link.dyn_into::<web_sys::HtmlElement>().ok()?.click();
        Some(())
    };
    let is_done = click().is_some();
    // No browser tells when it has read it.
    let forget = move || drop(web_sys::Url::revoke_object_url(&url));
    leptos::prelude::set_timeout(forget, core::time::Duration::from_secs(60));
    is_done
}

/// Asks any server by `GET`, or tells it something by `POST`, as text: its status and answer, if it says so in time and
/// that is at most `bytes_max` long. Nothing of the person goes along, and no answer of before counts.
pub(crate) async fn told(
    url: &str,
    body: Option<&[u8]>,
    bytes_max: usize,
    ms_max: u32,
) -> Option<(u16, Vec<u8>)> {
    let options = web_sys::RequestInit::new();
    options.set_signal(time_limit(ms_max).as_ref());
    options.set_credentials(web_sys::RequestCredentials::Omit);
    options.set_cache(web_sys::RequestCache::NoStore);
    if let Some(body) = body {
        options.set_method("POST");
        options.set_body(&JsValue::from_str(core::str::from_utf8(body).ok()?));
    }
    let answer = JsFuture::from(window().fetch_with_str_and_init(url, &options)).await.ok()?;
    let answer: web_sys::Response = answer.dyn_into().ok()?;
    let blob = JsFuture::from(answer.blob().ok()?).await.ok()?;
    Some((answer.status(), read(&blob.dyn_into().ok()?, bytes_max).await?))
}

/// A text of an object of JSON; `None`: it is none, or has no such text.
pub(crate) fn json_text(bytes: &[u8], name: &str) -> Option<String> {
    let object = js_sys::JSON::parse(core::str::from_utf8(bytes).ok()?).ok()?;
    Reflect::get(&object, &name.into()).ok()?.as_string()
}

/// Whether pages may connect to each other here.
pub(crate) fn has_webrtc() -> bool {
    has(&window(), "RTCPeerConnection")
}

/// Whether a person can pick a folder to save into.
pub(crate) fn can_pick_folders() -> bool {
    has(&window(), "showDirectoryPicker")
}

/// Whether this browser shows PDFs by itself.
pub(crate) fn shows_pdf() -> bool {
    has(&window().navigator(), "pdfViewerEnabled")
}

/// Whether a person may be told something outside of the page; none: this browser has no way to.
pub(crate) fn may_notify() -> Option<bool> {
    let allowed =
        || web_sys::Notification::permission() == web_sys::NotificationPermission::Granted;
    has(&window(), "Notification").then(allowed)
}

/// Asks the person for that; what they said.
pub(crate) async fn ask_to_notify() -> bool {
    if let Ok(asked) = web_sys::Notification::request_permission() {
        // What was said is read below: a person who closes the question said nothing.
        drop(JsFuture::from(asked).await);
    }
    may_notify() == Some(true)
}

/// Tells a person something outside of the page; a later one of the same `tag` takes its place. Whether the
/// browser did: some phones let only installed pages do so.
pub(crate) fn notify(title: &str, body: &str, tag: &str) -> bool {
    let options = web_sys::NotificationOptions::new();
    options.set_body(body);
    options.set_tag(tag);
    web_sys::Notification::new_with_options(title, &options).is_ok()
}

/// Now, in seconds since 1970.
pub(crate) fn now_s() -> u64 {
    crate::format::whole(js_sys::Date::now() / 1000.0)
}

fn has(of: &JsValue, name: &str) -> bool {
    Reflect::get(of, &name.into()).is_ok_and(|value| value.is_truthy())
}
