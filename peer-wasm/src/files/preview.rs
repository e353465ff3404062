//! A file on the screen before it is saved, and before it is whole.
//!
//! | what | how | in memory |
//! |---|---|---|
//! | text | its first bytes, as text and nothing else | [`TEXT_BYTES_MAX`] |
//! | picture | a `Blob` of a kind that runs nothing, known by its bytes | [`PICTURE_BYTES_MAX`] |
//! | video, audio | a frame of this origin, whose requests a service worker (`static/preview/worker.js`) hands to this page, a megabyte at a time | one answer a request |
//! | PDF | the same, in the browser's viewer | [`PAPER_BYTES_MAX`], the viewer's |
//!
//! Only checked blocks are shown. What is not here yet is asked for next (`Input::Look`), and waited for.
//! No type is given to the browser that it would run: neither HTML nor SVG.

use core::{
    cell::{Cell, RefCell},
    fmt,
    ops::Range,
};
use std::{
    collections::BTreeMap,
    rc::{Rc, Weak},
};

use data_encoding::HEXLOWER;
use files::{
    Input,
    content::{read::FileReader, share::ShareEntry},
};
use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    EventTarget, MessageEvent, MessagePort, ServiceWorkerContainer, ServiceWorkerRegistration,
    ServiceWorkerState, Url,
};

use super::{
    FilesError,
    running::Running,
    saving::{Target, joined},
};
use crate::{entropy, js_error::BrowserError, listener::Listener, number};

/// Text that is shown of a file: its beginning, in bytes.
pub const TEXT_BYTES_MAX: u64 = 256 << 10;
/// Largest picture that is shown, in bytes.
pub const PICTURE_BYTES_MAX: u64 = 64 << 20;
/// Largest PDF that is shown, in bytes: viewers hold all of it.
const PAPER_BYTES_MAX: u64 = 128 << 20;
/// Bytes of one answer to the service worker: a leaf of our profile.
const ANSWER_BYTES: u64 = 1 << 20;
/// Requests of one screen that are waited for; an older one ends without an answer.
const REQUESTS_MAX: u32 = 4;
/// Screens at a time; a further one takes the place of one of these.
const SCREENS_MAX: usize = 4;
/// Looks at whether the worker runs, and the milliseconds between two.
const WORKER_LOOKS: (u32, i32) = (100, 50);
/// Where the worker is: its scope is the folder it is in, so it hears of nothing else of this page.
const WORKER: &str = "/preview/worker.js";
const FOLDER: &str = "/preview/";

/// The beginning of a file as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// At most [`TEXT_BYTES_MAX`] of it; what is no text in it is replaced.
    pub text: String,
    /// That is all of it.
    pub whole: bool,
}

/// A picture in the browser's hands, until dropped.
#[derive(Debug)]
pub struct Picture(String);

impl Picture {
    /// Its address.
    pub fn url(&self) -> &str {
        &self.0
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        // Fails only for what is no address.
        drop(Url::revoke_object_url(&self.0));
    }
}

/// A file that plays while it comes, until dropped.
pub struct Playing {
    token: String,
    media_type: String,
    screens: Weak<Screens>,
}

impl Playing {
    /// The address for a frame: a player of its own for video and audio, the file itself otherwise.
    pub fn url(&self) -> String {
        let kind = self.media_type.split('/').next().unwrap_or_default();
        match kind {
            "video" | "audio" => [FOLDER, &self.token, ".frame?kind=", kind].concat(),
            _ => [FOLDER, &self.token, ".file"].concat(),
        }
    }
}

impl fmt::Debug for Playing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Playing").field("media_type", &self.media_type).finish_non_exhaustive()
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        if let Some(screens) = self.screens.upgrade() {
            screens.open.borrow_mut().remove(&self.token);
        }
    }
}

/// Every file that plays.
#[derive(Debug, Default)]
pub(super) struct Screens {
    /// At most [`SCREENS_MAX`], by their tokens.
    open: RefCell<BTreeMap<String, Rc<Screen>>>,
    listener: RefCell<Option<Listener>>,
}

/// One file that plays.
#[derive(Debug)]
struct Screen {
    running: Weak<Running>,
    number: u32,
    entry: ShareEntry,
    media_type: String,
    requests: Cell<u32>,
}

/// Plays a file.
pub(super) async fn play(
    screens: &Rc<Screens>,
    running: &Rc<Running>,
    number: u32,
    media_type: &str,
) -> Result<Playing, FilesError> {
    let entry = running.entry(number)?;
    if media_type == "application/pdf" && entry.size_bytes > PAPER_BYTES_MAX {
        return Err(FilesError::TooLargeToShow);
    }
    let container = container().ok_or(FilesError::NoPreview)?;
    start_worker(&container).await?;
    listen(screens, &container);
    let seed = entropy::seed().map_err(FilesError::Browser)?;
    let token = HEXLOWER.encode(&seed.derive("preview").as_bytes()[..16]);
    let screen = Screen {
        running: Rc::downgrade(running),
        number,
        entry,
        media_type: media_type.to_owned(),
        requests: Cell::new(0),
    };
    let mut open = screens.open.borrow_mut();
    if open.len() >= SCREENS_MAX {
        open.pop_first();
    }
    open.insert(token.clone(), Rc::new(screen));
    let media_type = media_type.to_owned();
    Ok(Playing { token, media_type, screens: Rc::downgrade(screens) })
}

/// Where service workers are registered; absent in private windows and outside of secure contexts.
fn container() -> Option<ServiceWorkerContainer> {
    let navigator = web_sys::window()?.navigator();
    Reflect::get(&navigator, &"serviceWorker".into()).ok()?.dyn_into().ok()
}

/// Makes sure that the worker runs.
async fn start_worker(container: &ServiceWorkerContainer) -> Result<(), FilesError> {
    let registered = JsFuture::from(container.register(WORKER)).await;
    let registered = registered.map_err(|_| FilesError::NoPreview)?;
    let registration: ServiceWorkerRegistration = registered.unchecked_into();
    let (looks, wait_ms) = WORKER_LOOKS;
    for _ in 0..looks {
        let active = registration.active();
        if active.is_some_and(|worker| worker.state() == ServiceWorkerState::Activated) {
            return Ok(());
        }
        sleep(wait_ms).await;
    }
    Err(FilesError::NoPreview)
}

async fn sleep(ms: i32) {
    let waiting = Promise::new(&mut |resolve: Function, _: Function| {
        if let Some(window) = web_sys::window() {
            // A browser that sets no timer leaves the preview as it is: loading.
            drop(window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms));
        }
    });
    // A timer rejects nothing.
    drop(JsFuture::from(waiting).await);
}

/// Hears the worker's questions, from the first file that plays on.
fn listen(screens: &Rc<Screens>, container: &ServiceWorkerContainer) {
    let mut listener = screens.listener.borrow_mut();
    if listener.is_some() {
        return;
    }
    let target: &EventTarget = container;
    let screens = Rc::downgrade(screens);
    *listener = Some(Listener::new(target, "message", move |event: MessageEvent| {
        let Some(question) = Question::read(&event) else { return };
        let found = screens
            .upgrade()
            .and_then(|screens| screens.open.borrow().get(&question.token).cloned());
        match found {
            Some(screen) => spawn_local(async move {
                let answer = screen.answer(question.from).await;
                question.reply(answer.as_ref());
            }),
            None => question.reply(None),
        }
    }));
}

/// What the worker asks: `{token, from}`, with a port for the answer.
struct Question {
    token: String,
    from: u64,
    port: MessagePort,
}

impl Question {
    fn read(event: &MessageEvent) -> Option<Self> {
        let field = |name: &str| Reflect::get(&event.data(), &name.into()).ok();
        let port = event.ports().get(0).dyn_into().ok()?;
        let from = number::whole(field("from")?.as_f64()?);
        Some(Self { token: field("token")?.as_string()?, from, port })
    }

    /// `{type, size, bytes}`, or null.
    fn reply(&self, answer: Option<&Object>) {
        let answer = answer.cloned().map_or(JsValue::NULL, JsValue::from);
        // Without an answer the frame's request ends when the frame does.
        drop(self.port.post_message(&answer));
    }
}

impl Screen {
    /// The bytes from here on, as soon as they are here; none: not any more, or never.
    async fn answer(&self, from: u64) -> Option<Object> {
        let mine = self.requests.get().wrapping_add(1);
        self.requests.set(mine);
        let size = self.entry.size_bytes;
        let end = (from / ANSWER_BYTES).saturating_add(1).saturating_mul(ANSWER_BYTES);
        let bytes = loop {
            let running = self.running.upgrade()?;
            running.take(Input::Look { entry: self.number, from: from.min(size) });
            // Before the store is read, so that no block comes in between.
            let kept = running.next_kept();
            match running.bytes(&self.entry, from.min(size)..end.min(size)).await {
                Ok(bytes) => break bytes,
                Err(FilesError::Missing) => {}
                Err(_) => return None,
            }
            drop(running);
            // Settles when the share is closed as well: then there is nothing to upgrade.
            JsFuture::from(kept).await.ok()?;
            if self.requests.get().wrapping_sub(mine) >= REQUESTS_MAX {
                return None;
            }
        };
        let answer = Object::new();
        let set = |name: &str, value: &JsValue| {
            // Setting a fresh property on a fresh object cannot fail.
            let _ = Reflect::set(&answer, &name.into(), value);
        };
        set("type", &JsValue::from_str(&self.media_type));
        set("size", &number::float(size).into());
        set("bytes", &Uint8Array::from(&bytes[..]));
        Some(answer)
    }
}

impl Running {
    /// Checked bytes of a file; `Missing` while they are not here.
    async fn bytes(&self, entry: &ShareEntry, range: Range<u64>) -> Result<Vec<u8>, FilesError> {
        let mut bytes = Vec::new();
        if range.is_empty() {
            return Ok(bytes);
        }
        let mut reader = FileReader::range(entry.cid, range, entry.size_bytes);
        while !reader.is_done() {
            for cid in reader.wanted(2) {
                reader.put(&self.opened(cid).await?).map_err(|_| FilesError::Damaged)?;
            }
            while let Some(part) = reader.next_part() {
                bytes.extend_from_slice(&part.bytes);
            }
        }
        Ok(bytes)
    }

    /// The beginning of a file as text.
    pub(super) async fn text(&self, number: u32) -> Result<Text, FilesError> {
        let entry = self.entry(number)?;
        let bytes = self.bytes(&entry, 0..TEXT_BYTES_MAX.min(entry.size_bytes)).await?;
        if bytes.contains(&0) {
            return Err(FilesError::OtherKind);
        }
        let whole = number::count(bytes.len()) == entry.size_bytes;
        Ok(Text { text: String::from_utf8_lossy(&bytes).into_owned(), whole })
    }

    /// A picture.
    pub(super) async fn picture(&self, number: u32) -> Result<Picture, FilesError> {
        let entry = self.entry(number)?;
        if entry.size_bytes > PICTURE_BYTES_MAX {
            return Err(FilesError::TooLargeToShow);
        }
        let head = self.bytes(&entry, 0..entry.size_bytes.min(16)).await?;
        let media_type = picture_type(&head).ok_or(FilesError::OtherKind)?;
        let mut target = Target::Memory(Vec::new());
        self.pour(&entry, &mut target, &|_| {}).await?;
        let Target::Memory(parts) = target else { return Err(FilesError::OtherKind) };
        let blob = joined(parts, media_type)?;
        let url = Url::create_object_url_with_blob(&blob)
            .map_err(|thrown| BrowserError::thrown("URL.createObjectURL", &thrown))?;
        Ok(Picture(url))
    }
}

/// Kinds of pictures that run nothing, by their first bytes.
fn picture_type(head: &[u8]) -> Option<&'static str> {
    let boxed = |brand: &[u8]| head.get(4..8) == Some(b"ftyp") && head.get(8..12) == Some(brand);
    match head {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'B', b'M', ..] => Some("image/bmp"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ if boxed(b"avif") || boxed(b"avis") => Some("image/avif"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::picture_type;

    #[test]
    fn only_pictures_that_run_nothing_are_pictures() {
        assert_eq!(picture_type(b"\x89PNG\r\n\x1a\n"), Some("image/png"));
        assert_eq!(picture_type(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(picture_type(b"\0\0\0\x20ftypavif"), Some("image/avif"));
        for other in [&b"<svg xmlns="[..], b"<html>", b"%PDF-1.7", b"RIFF\0\0\0\0WAVE", b"", b"B"] {
            assert_eq!(picture_type(other), None);
        }
    }
}
