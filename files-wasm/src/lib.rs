//! Files from peers as a module: what `<starling-file>` (`static/files/element.js`) needs of shares.
//!
//! A module of its own, so that pages which only play video load nothing of this. It carries values between
//! JavaScript and `peer_wasm::files`, and decides nothing. Errors are `Error`s whose text is for people.

use core::fmt;

use js_sys::{Error, Function, Object, Reflect};
use peer_wasm::{
    Peer, StartOptions,
    files::{
        Files, Gateway,
        view::{Failure, GatewayState, Stage},
    },
};
use wasm_bindgen::prelude::*;

/// Files of one page.
#[wasm_bindgen]
#[derive(Debug)]
pub struct StarlingFiles {
    files: Files,
    _peer: Peer,
}

#[wasm_bindgen]
impl StarlingFiles {
    /// Starts a peer of its own, which contacts nobody yet. `gateway`: asked for what no peer has.
    ///
    /// # Errors
    /// A browser without what every peer needs, or an address that is none.
    pub async fn start(signal_url: String, gateway: Option<String>) -> Result<Self, JsValue> {
        let gateway = gateway.map(|address| Gateway::parse(&address)).transpose().map_err(text)?;
        let options = StartOptions { signal_url, ..StartOptions::default() };
        let peer = Peer::start(options).await.map_err(text)?;
        let files = peer.files();
        files.set_gateway(gateway);
        Ok(Self { files, _peer: peer })
    }

    /// Opens a link (`#/get/<cid>…`) and gives what names it from then on.
    ///
    /// # Errors
    /// The link is none, has ended or needs a password; no storage.
    pub async fn open(&self, link: String) -> Result<String, JsValue> {
        self.files.open(&link, None).await.map_err(text)
    }

    /// Fetches everything of it.
    pub fn get(&self, cid: &str) {
        let all = self.files.entries(cid).iter().map(|entry| entry.number).collect();
        self.files.choose(cid, all, false);
    }

    /// How far it is: `{stage, failure, name, bytes, held, peers, gateway}`; nothing where it is not open.
    pub fn view(&self, cid: &str) -> JsValue {
        let Some(status) = self.files.status(cid) else { return JsValue::UNDEFINED };
        let share = status.share;
        let view = Object::new();
        let set = |name: &str, value: JsValue| {
            // Setting a fresh property on a fresh object cannot fail.
            let _ = Reflect::set(&view, &name.into(), &value);
        };
        let (stage, failure) = match share.stage {
            Stage::Finding => ("finding", String::new()),
            Stage::Offered => ("offered", String::new()),
            Stage::Fetching if share.full => ("failed", "the disk is full".to_owned()),
            Stage::Fetching => ("fetching", String::new()),
            Stage::Done => ("done", String::new()),
            Stage::Failed(failure) => ("failed", failure_text(failure)),
        };
        set("stage", stage.into());
        set("failure", failure.into());
        set("name", share.name.into());
        set("bytes", float(share.total_bytes).into());
        set("held", float(share.held_bytes).into());
        set("peers", float(share.peers.len().try_into().unwrap_or(u64::MAX)).into());
        set("gateway", (share.gateway == GatewayState::Gives).into());
        view.into()
    }

    /// Hands every file of it to the browser's downloads; `progress(done, all)` is called meanwhile.
    ///
    /// # Errors
    /// Something is not here, or can't be written.
    pub async fn save(&self, cid: String, progress: Function) -> Result<(), JsValue> {
        let tell = |done, all| {
            // What the page throws in there is the page's.
            drop(progress.call2(&JsValue::UNDEFINED, &float(done).into(), &float(all).into()));
            true
        };
        for entry in self.files.entries(&cid).iter().filter(|entry| !entry.symlink) {
            self.files.save(&cid, entry.number, &tell).await.map_err(text)?;
        }
        Ok(())
    }
}

fn failure_text(failure: Failure) -> String {
    match failure {
        Failure::Key => "the link does not open this",
        Failure::Damaged => "what the sender made can't be read",
        Failure::TooLarge => "it is too large for a page",
        Failure::Ended => "it has ended",
        Failure::Layout => "it is cut in a way that is not known here",
    }
    .to_owned()
}

/// A counter as a JavaScript number. Exact up to 2^53.
#[expect(
    clippy::as_conversions,
    reason = "there is no From<u64> for f64; counters stay below 2^53"
)]
const fn float(count: u64) -> f64 {
    count as f64
}

fn text(error: impl fmt::Display) -> JsValue {
    Error::new(&error.to_string()).into()
}
