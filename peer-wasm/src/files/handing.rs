//! A file on its way to the browser's downloads through the service worker.
//!
//! A hidden frame asks for an address of ours; the worker answers it as a download and asks this page for
//! the next bytes when the browser has taken those before. So nothing waits anywhere but one piece, and
//! who cancels the download, or pauses it, stops the reading. While it goes on the worker hears from this
//! page every [`TICK_MS`], or browsers would end it.

use core::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Function, Promise};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{HtmlIFrameElement, MessageChannel, MessageEvent, ServiceWorker};

use super::{
    FilesError,
    saving::Stop,
    worker::{Desk, FOLDER, Question, call_after, object, sleep, token},
};
use crate::{js_error::BrowserError, number};

/// Milliseconds between two signs of life to the worker. Firefox ends one that hears nothing for 30 s.
const TICK_MS: i32 = 5_000;
/// How often this page wakes, mostly by ticks, before a browser that asks for nothing is given up.
const WAKES_MAX: u32 = 3;
/// Milliseconds for what is in the browser's pipes when it has asked for all.
const LINGER_MS: i32 = 60_000;

/// What a download is called.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// As the person sees it.
    pub(super) name: String,
    /// Bytes, about: which way it goes.
    pub(super) about_bytes: u64,
    /// Bytes, where that is known beforehand.
    pub(super) size_bytes: Option<u64>,
}

/// A download that the worker feeds from here.
#[derive(Debug)]
pub(super) struct Handing {
    token: String,
    head: Head,
    worker: ServiceWorker,
    frame: HtmlIFrameElement,
    state: Cell<State>,
    /// Bytes given so far.
    at: Cell<u64>,
    /// At most one waits.
    asked: RefCell<Option<Question>>,
    wake: RefCell<Option<Function>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The browser has not asked yet.
    Waiting,
    /// It takes the bytes.
    Going,
    /// The person cancelled it, here or there.
    Cancelled,
    /// The browser ended the worker in the middle.
    Lost,
    /// It has all.
    Done,
}

impl Handing {
    /// Starts a download.
    pub(super) async fn open(desk: &Rc<Desk>, head: Head) -> Result<Rc<Self>, FilesError> {
        let worker = desk.worker().await?;
        let token = token()?;
        let handing = Rc::new(Self {
            frame: frame(&[FOLDER, &token, ".save"].concat())?,
            token: token.clone(),
            head,
            worker,
            state: Cell::new(State::Waiting),
            at: Cell::new(0),
            asked: RefCell::default(),
            wake: RefCell::default(),
        });
        if !desk.add_download(token, &handing) {
            return Err(FilesError::NoSaving);
        }
        show(&handing.frame)?;
        Self::keep_alive(&handing);
        for _ in 0..WAKES_MAX {
            if handing.state.get() != State::Waiting {
                return Ok(handing);
            }
            handing.woken().await;
        }
        handing.cancel();
        Err(FilesError::NoSaving)
    }

    /// A question of the worker's.
    pub(super) fn take(&self, question: Question) {
        let state = self.state.get();
        match question.from {
            Some(_) if state == State::Going => {
                if let Some(older) = self.asked.replace(Some(question)) {
                    older.reply(None);
                }
            }
            None if state == State::Waiting => {
                self.state.set(State::Going);
                let size = self.head.size_bytes.map(number::float);
                let size = size.map_or(JsValue::NULL, JsValue::from_f64);
                let name = JsValue::from_str(&self.head.name);
                question.reply(Some(&object(&[("name", &name), ("size", &size)])));
            }
            // It had been told the size, and asks for the end all the same.
            Some(from) if state == State::Done && from == self.at.get() => question.give(&[]),
            // A second request for the same, or one that comes too late.
            _ => question.reply(None),
        }
        self.wake();
    }

    /// Gives the next bytes when the browser wants them. `goes_on` is asked now and then: false cancels.
    pub(super) async fn write(&self, bytes: &[u8], goes_on: &dyn Fn() -> bool) -> Result<(), Stop> {
        // An empty piece would be the end: the block of an empty file has no bytes.
        if bytes.is_empty() {
            return Ok(());
        }
        loop {
            if !goes_on() {
                return Err(Stop::Cancelled);
            }
            if let Some(question) = self.question()? {
                self.at.set(self.at.get() + number::count(bytes.len()));
                question.give(bytes);
                return Ok(());
            }
            self.woken().await;
        }
    }

    /// That was all.
    pub(super) async fn close(self: Rc<Self>) -> Result<(), Stop> {
        let mut wakes = 0;
        // One who was told the size may never ask for the end.
        while self.head.size_bytes.is_none() || wakes < WAKES_MAX {
            if let Some(question) = self.question()? {
                question.give(&[]);
                break;
            }
            self.woken().await;
            wakes += 1;
        }
        self.state.set(State::Done);
        spawn_local(async move {
            sleep(LINGER_MS).await;
            drop(self);
        });
        Ok(())
    }

    /// Gives nothing more.
    pub(super) fn cancel(&self) {
        if self.state.get() != State::Done {
            self.state.set(State::Cancelled);
        }
        if let Some(question) = self.asked.take() {
            question.reply(None);
        }
        self.wake();
    }

    /// What is asked now; an error when it is over.
    fn question(&self) -> Result<Option<Question>, Stop> {
        match self.state.get() {
            State::Cancelled => return Err(Stop::Cancelled),
            State::Lost => return Err(Stop::Failed(FilesError::CutShort)),
            State::Waiting | State::Going | State::Done => {}
        }
        let question = self.asked.take();
        if let Some(other) = question.as_ref().filter(|asked| asked.from != Some(self.at.get())) {
            other.reply(None);
            return Ok(None);
        }
        Ok(question)
    }

    /// Settles when there is something new, and at every tick.
    async fn woken(&self) {
        let woken = Promise::new(&mut |resolve: Function, _: Function| {
            self.wake.replace(Some(resolve));
        });
        // Nothing rejects it.
        drop(JsFuture::from(woken).await);
    }

    fn wake(&self) {
        if let Some(resolve) = self.wake.take() {
            // A promise that is settled already is none the worse.
            drop(resolve.call0(&JsValue::UNDEFINED));
        }
    }

    /// Lets the worker hear from us, and sees whether it is still the one that has our download.
    fn keep_alive(handing: &Rc<Self>) {
        let me = Rc::downgrade(handing);
        spawn_local(async move {
            loop {
                sleep(TICK_MS).await;
                let Some(handing) = me.upgrade() else { return };
                let known = handing.ping().await;
                if !known && handing.state.get() == State::Going {
                    handing.state.set(State::Lost);
                }
                handing.wake();
            }
        });
    }

    /// Whether the worker knows the download; a worker that does not answer may.
    async fn ping(&self) -> bool {
        let Ok(channel) = MessageChannel::new() else { return true };
        let port = channel.port1();
        let answered = Promise::new(&mut |resolve: Function, _: Function| {
            port.set_onmessage(Some(&resolve));
            call_after(&resolve, TICK_MS);
        });
        let message = object(&[("token", &JsValue::from_str(&self.token))]);
        let moved = Array::of1(&channel.port2());
        // One that can't be sent is answered by the timer.
        drop(self.worker.post_message_with_transferable(&message, &moved));
        let answer = JsFuture::from(answered).await.ok();
        port.close();
        let event = answer.and_then(|answer| answer.dyn_into::<MessageEvent>().ok());
        event.is_none_or(|event| event.data().as_bool() != Some(false))
    }
}

impl Drop for Handing {
    fn drop(&mut self) {
        self.frame.remove();
    }
}

/// A frame for this address, not shown yet.
fn frame(url: &str) -> Result<HtmlIFrameElement, FilesError> {
    let document = web_sys::window().and_then(|window| window.document());
    let document = document.ok_or_else(|| BrowserError::missing("Document"))?;
    let frame: HtmlIFrameElement = document
        .create_element("iframe")
        .map_err(|thrown| BrowserError::thrown("Document.createElement", &thrown))?
        .unchecked_into();
    frame.set_hidden(true);
    frame.set_src(url);
    Ok(frame)
}

/// In the page it asks for its address. It stays for as long as the download lasts: browsers tie the two
/// together.
fn show(frame: &HtmlIFrameElement) -> Result<(), FilesError> {
    let document = web_sys::window().and_then(|window| window.document());
    let body = document.and_then(|document| document.body());
    let body = body.ok_or_else(|| BrowserError::missing("Document.body"))?;
    let added = body.append_child(frame);
    added.map_err(|thrown| BrowserError::thrown("Node.appendChild", &thrown))?;
    Ok(())
}
