//! Shares of files in the browser.
//!
//! The core (`files::Share`) decides; here is what it asks for: blocks in IndexedDB ([`Files::space`]),
//! digests by WebCrypto, files read by slices and written where the browser can without holding them
//! whole. [`Files`] is what pages use.
//!
//! | module | |
//! |---|---|
//! | `making` | files of the page to a share |
//! | `running` | one open share |
//! | `shelf`, `database`, `record` | what is kept, and room for it |
//! | `saving` | blocks to a file of the person's |
//! | `handing` | the same by a download that the service worker feeds |
//! | `preview` | blocks to the screen, while they come |
//! | `worker` | what the service worker asks for |
//! | `car` | a CAR to a share |
//! | `gateway` | blocks over HTTP, where no peer has them |
//! | `single` | one block, of which nothing is kept |
//! | `counting` | whoever counts money beside a share |
//! | `beside` | whoever speaks with neighbours of the ledger |
//! | `error` | what did not work |
//! | `hash` | SHA-256 |

mod beside;
mod car;
mod counting;
mod database;
mod error;
mod gateway;
mod handing;
mod hash;
mod making;
mod preview;
mod record;
mod running;
mod saving;
mod shelf;
mod single;
#[cfg(test)]
mod tests;
mod worker;

use core::cell::{Cell, RefCell};
use std::{collections::BTreeMap, rc::Rc};

use files::{
    Division, Input, Sends,
    content::{
        Cid,
        share::{LinkError, Secret, ShareLink},
    },
    view::{EntryView, ShareView},
};
use gloo_timers::callback::Interval;
use peer::view::RoomView;
use wasm_bindgen_futures::spawn_local;

pub use counting::{Name, Teller, Told};
pub use error::FilesError;
pub use files::view;
pub use gateway::Gateway;
pub use making::{COPY_BYTES_MAX, Item, MakeOptions};
pub use preview::{PICTURE_BYTES_MAX, Picture, Playing, TEXT_BYTES_MAX, Text};
pub use saving::Saved;
pub use shelf::Space;

use crate::{clock::wall_ms, number, pump::Driver};
use beside::Beside;
use counting::Tellers;
use record::{Chosen, Record};
use running::{Around, Running, Sources};
use shelf::Shelf;
use worker::Desk;

/// How often it is looked what each share may send, in milliseconds.
const DIVIDE_MS: u32 = 1_000;
/// Most shares open at a time.
pub const SHARES_MAX: usize = 16;

/// All shares of this page. A cheap handle.
#[derive(Debug, Clone)]
pub struct Files(Rc<Shared>);

#[derive(Debug)]
struct Shared {
    driver: Rc<Driver>,
    shelf: Rc<Shelf>,
    open: RefCell<BTreeMap<Cid, Rc<Running>>>,
    gateway: RefCell<Option<Gateway>>,
    /// What all shares together may send.
    upload_bytes_per_s: Cell<Option<u64>>,
    division: RefCell<Division>,
    /// Shares that were sending when that was last told.
    sending: Cell<u64>,
    /// Divides once more, from when there was something to divide.
    divides: RefCell<Option<Interval>>,
    desk: Rc<Desk>,
    tellers: RefCell<Tellers>,
    beside: Rc<Beside>,
}

/// A share, as pages show it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShareStatus {
    /// What is in it, and how far it is.
    pub share: ShareView,
    /// Its swarm and connections.
    pub room: RoomView,
    /// A file that it was made of changed or went away.
    pub source_lost: bool,
    /// It is read from files of this page: it goes on only while the page is open.
    pub from_files: bool,
    /// What neighbours want for their bytes: frames, as they sent them.
    pub terms: Vec<Vec<u8>>,
}

/// A share that is remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct Remembered {
    /// Names it.
    pub cid: String,
    /// The link as it is handed on, from its `#`.
    pub link: String,
    /// What the sender calls it; empty while that is not known.
    pub name: String,
    /// Bytes of all files.
    pub size_bytes: u64,
    /// Bytes of blocks held here.
    pub held_bytes: u64,
    /// Made here.
    pub made: bool,
    /// Not encrypted.
    pub public: bool,
    /// Being shared and fetched.
    pub active: bool,
    /// Never thrown out to make room.
    pub pinned: bool,
    /// Its bytes are in files that must be chosen again.
    pub needs_files: bool,
    /// When it was last used, in milliseconds since 1970.
    pub used_ms: f64,
    /// When it ends, in seconds since 1970.
    pub ends_at_s: Option<u64>,
}

impl Files {
    pub(crate) fn new(driver: &Rc<Driver>) -> Self {
        let (driver, shelf) = (Rc::clone(driver), Rc::default());
        Self(Rc::new(Shared {
            driver,
            shelf,
            open: RefCell::default(),
            gateway: RefCell::default(),
            upload_bytes_per_s: Cell::default(),
            division: RefCell::default(),
            sending: Cell::default(),
            divides: RefCell::default(),
            desk: Rc::default(),
            tellers: RefCell::default(),
            beside: Rc::default(),
        }))
    }

    /// This page is of the site that serves `/preview/worker.js`: files are played and saved through it.
    pub fn use_worker(&self) {
        self.0.desk.set_ours();
    }

    /// Opens again what was open at the last visit.
    pub async fn restore(&self) {
        for record in self.0.shelf.records().await {
            if record.active && !has_ended(&record) {
                // One that does not open is shown as it is in the library.
                drop(self.open_record(&record, Sources::default()).await);
            }
        }
    }

    /// Makes a share of these files and opens it; the link from its `#`, and its name.
    ///
    /// # Errors
    /// Names that can't be, files that can't be read, no storage.
    pub async fn make(
        &self,
        items: &[Item],
        options: &MakeOptions,
        progress: &dyn Fn(u64, u64),
    ) -> Result<String, FilesError> {
        self.check_room()?;
        let made = making::make(&self.0.shelf, items, options, progress).await?;
        let running = self.open_record(&made.record, made.sources).await?;
        self.keep_copy(made.record.clone(), running);
        Ok(made.record.link)
    }

    /// Goes on with a share whose files were chosen again.
    ///
    /// # Errors
    /// They are other files, or can't be read.
    pub async fn make_again(
        &self,
        cid: &str,
        items: &[Item],
        progress: &dyn Fn(u64, u64),
    ) -> Result<(), FilesError> {
        let record = self.record(cid).await?;
        let sources = making::again(&record, items, progress).await?;
        let running = match self.running(cid) {
            Some(running) => running,
            None => self.open_record(&record, Sources::default()).await?,
        };
        running.set_sources(sources);
        Ok(())
    }

    /// Small shares outlive the page: a copy is kept, in the background.
    fn keep_copy(&self, mut record: Record, running: Rc<Running>) {
        if record.size_bytes > COPY_BYTES_MAX {
            return;
        }
        let shelf = Rc::clone(&self.0.shelf);
        spawn_local(async move {
            if shelf.room_for(record.size_bytes).await.is_ok() && running.copy().await {
                record.run = None;
                // Then it asks for the files at the next visit.
                drop(shelf.put_record(&record).await);
            }
        });
    }

    /// Opens a link, with its password if it needs one. Opening what is open is no error. The CID that
    /// names it from then on.
    ///
    /// # Errors
    /// The link is none, has ended, or needs its password.
    pub async fn open(&self, link: &str, password: Option<&str>) -> Result<String, FilesError> {
        let parsed: ShareLink = link.parse().map_err(FilesError::Link)?;
        let cid = parsed.cid.to_string();
        if self.running(&cid).is_some() {
            return Ok(cid);
        }
        if parsed.is_expired(now_s()) {
            return Err(FilesError::Ended);
        }
        let known = self.0.shelf.record(&parsed.cid).await;
        let key = match (&parsed.secret, known.as_ref(), password) {
            (Secret::Public, ..) => [0; 32],
            (_, Some(record), _) => *record.key().as_bytes(),
            (Secret::Key(key), ..) => *key.as_bytes(),
            (Secret::Password(lock), _, Some(password)) => {
                *lock.open(password).map_err(FilesError::Password)?.as_bytes()
            }
            (Secret::Password(_), _, None) => return Err(FilesError::PasswordNeeded),
        };
        self.check_room()?;
        let record = known.unwrap_or_else(|| Record {
            share: parsed.cid,
            link: parsed.to_string(),
            key,
            name: String::new(),
            size_bytes: 0,
            made: false,
            active: true,
            pinned: false,
            used_ms: wall_ms(),
            run: None,
            chosen: Chosen::Nothing,
        });
        let record = Record { active: true, used_ms: wall_ms(), ..record };
        self.0.shelf.put_record(&record).await?;
        self.open_record(&record, Sources::default()).await?;
        Ok(cid)
    }

    /// What is shown of an open share.
    pub fn status(&self, cid: &str) -> Option<ShareStatus> {
        let running = self.running(cid)?;
        let share = running.share.borrow().view(running.now());
        let source_lost = running.source_lost.get();
        let from_files = running.has_sources();
        let (room, terms) = (running.room(), running.counter.terms());
        Some(ShareStatus { share, room, source_lost, from_files, terms })
    }

    /// The files of an open share.
    pub fn entries(&self, cid: &str) -> Vec<EntryView> {
        let running = self.running(cid);
        running.map(|running| running.share.borrow().entries()).unwrap_or_default()
    }

    /// Chooses what to fetch, the most wanted first; `in_order` to look at it while it comes. Asks the
    /// browser to keep this origin's data.
    pub fn choose(&self, cid: &str, entries: Vec<u32>, in_order: bool) {
        let Some(running) = self.running(cid) else { return };
        let all = running.share.borrow().entries().len() == entries.len();
        let chosen = if all { Chosen::All } else { Chosen::Some(entries.clone()) };
        running.take(Input::Choose { entries, in_order });
        let shelf = Rc::clone(&self.0.shelf);
        spawn_local(async move {
            if let Some(record) = shelf.record(&running.cid).await {
                // One that can't be written down is chosen anew after a reload.
                drop(shelf.put_record(&Record { chosen, ..record }).await);
            }
            // A browser that won't keep it is no reason not to fetch.
            let _ = shelf.persist().await;
        });
    }

    /// Fetches nothing for now, or goes on.
    pub fn pause(&self, cid: &str, on: bool) {
        if let Some(running) = self.running(cid) {
            running.take(Input::Pause(on));
        }
    }

    /// Bytes a second that all shares together may send; `None`: as much as the line takes.
    pub fn set_upload_limit(&self, bytes_per_s: Option<u64>) {
        self.0.upload_bytes_per_s.set(bytes_per_s);
        self.divide_upload();
    }

    /// Gives each open share its part of what may be sent: the limit holds for all together and open
    /// streams, also for one that was opened after it was set.
    fn divide_upload(&self) {
        let limit = self.0.upload_bytes_per_s.get();
        let open: Vec<Rc<Running>> = self.0.open.borrow().values().cloned().collect();
        let all: Vec<Sends> = open.iter().map(|running| running.share.borrow().sends()).collect();
        let driver = &self.0.driver;
        let (now, streams) = (driver.now(), driver.streams());
        let parts = self.0.division.borrow_mut().divide(now, limit, streams, &all);
        let sending = number::count(all.iter().filter(|share| share.wants_more).count());
        if self.0.sending.replace(sending) != sending {
            driver.push(peer::Input::Shares(sending));
        }
        if open.len() > 1 || limit.is_some() {
            self.divide_again();
        }
        for (running, part) in open.iter().zip(parts) {
            running.take(Input::Limit(part));
        }
    }

    fn divide_again(&self) {
        let shared = Rc::downgrade(&self.0);
        self.0.divides.borrow_mut().get_or_insert_with(|| {
            Interval::new(DIVIDE_MS, move || {
                if let Some(shared) = shared.upgrade() {
                    Self(shared).divide_upload();
                }
            })
        });
    }

    /// Saves one file where the person wants it. `progress(done, all)` is called for each block; where it
    /// gives false, the person cancelled it.
    ///
    /// # Errors
    /// It is not whole, or can't be written.
    pub async fn save(
        &self,
        cid: &str,
        entry: u32,
        progress: &dyn Fn(u64, u64) -> bool,
    ) -> Result<Saved, FilesError> {
        let running = self.running(cid).ok_or(FilesError::Missing)?;
        running.save(&self.0.desk, entry, progress).await
    }

    /// Saves a public share as a CAR, which IPFS tools read. `progress` as of [`Files::save`].
    ///
    /// # Errors
    /// The share is not public or not whole, or the file can't be written.
    pub async fn save_car(
        &self,
        cid: &str,
        progress: &dyn Fn(u64, u64) -> bool,
    ) -> Result<Saved, FilesError> {
        let running = self.running(cid).ok_or(FilesError::Missing)?;
        running.save_car(&self.0.desk, progress).await
    }

    /// Shares what is in a CAR, publicly; the link from its `#`.
    ///
    /// # Errors
    /// It is not a CAR of one whole content, or there is no room.
    pub async fn import_car(
        &self,
        file: &web_sys::File,
        progress: &dyn Fn(u64, u64),
    ) -> Result<String, FilesError> {
        self.check_room()?;
        let record = car::import(&self.0.shelf, file, progress).await?;
        self.open_record(&record, Sources::default()).await?;
        Ok(record.link)
    }

    /// Asks this gateway for what no peer has, in all shares; `None`: none.
    pub fn set_gateway(&self, gateway: Option<Gateway>) {
        self.0.gateway.replace(gateway.clone());
        let open: Vec<Rc<Running>> = self.0.open.borrow().values().cloned().collect();
        for running in open {
            running.set_gateway(gateway.clone());
        }
    }

    /// The first bytes of a file as text, to be shown as such.
    ///
    /// # Errors
    /// They are not here yet, or are no text.
    pub async fn text(&self, cid: &str, entry: u32) -> Result<Text, FilesError> {
        let running = self.running(cid).ok_or(FilesError::Missing)?;
        running.text(entry).await
    }

    /// A picture, to be shown. Of its bytes, not its name, is seen which kind it is.
    ///
    /// # Errors
    /// It is not here yet, too large, or no picture.
    pub async fn picture(&self, cid: &str, entry: u32) -> Result<Picture, FilesError> {
        let running = self.running(cid).ok_or(FilesError::Missing)?;
        running.picture(entry).await
    }

    /// Plays a file while it comes, as this media type: video, audio, or PDF once it is whole.
    ///
    /// # Errors
    /// The browser can't: it has no service workers here.
    pub async fn play(
        &self,
        cid: &str,
        entry: u32,
        media_type: &str,
    ) -> Result<Playing, FilesError> {
        let running = self.running(cid).ok_or(FilesError::Missing)?;
        preview::play(&self.0.desk, &running, entry, media_type).await
    }

    /// Saves files into a folder the person picks. `progress` as of [`Files::save`].
    ///
    /// # Errors
    /// The browser has no such thing; or as of [`Files::save`].
    pub async fn save_all(
        &self,
        cid: &str,
        entries: &[u32],
        progress: &dyn Fn(u64, u64) -> bool,
    ) -> Result<Saved, FilesError> {
        let running = self.running(cid).ok_or(FilesError::Missing)?;
        running.save_all(entries, progress).await
    }

    /// Everything that is remembered, last used first.
    pub async fn library(&self) -> Vec<Remembered> {
        let mut all = Vec::new();
        for record in self.0.shelf.records().await {
            let used = self.0.shelf.used_by(&record.share).await;
            let running = self.running(&record.share.to_string());
            let needs_files = record.run.is_some()
                && !running.as_ref().is_some_and(|running| running.has_sources());
            let link = record.parsed();
            let ends_at_s = link.as_ref().and_then(|link| link.expires_at_s);
            let public = link.is_some_and(|link| link.secret == Secret::Public);
            all.push(Remembered {
                cid: record.share.to_string(),
                active: running.is_some(),
                held_bytes: used.bytes,
                link: record.link,
                name: record.name,
                size_bytes: record.size_bytes,
                made: record.made,
                public,
                pinned: record.pinned,
                needs_files,
                used_ms: record.used_ms,
                ends_at_s,
            });
        }
        all
    }

    /// Stops sharing and fetching; what is held stays.
    ///
    /// # Errors
    /// The store can't be written.
    pub async fn stop(&self, cid: &str) -> Result<(), FilesError> {
        let running = self.record(cid).await?;
        self.0.open.borrow_mut().remove(&running.share);
        self.divide_upload();
        self.0.shelf.put_record(&Record { active: false, ..running }).await
    }

    /// Goes on with a share that was stopped.
    ///
    /// # Errors
    /// It has ended, or too many are open.
    pub async fn start(&self, cid: &str) -> Result<(), FilesError> {
        let record = self.record(cid).await?;
        if has_ended(&record) {
            return Err(FilesError::Ended);
        }
        self.check_room()?;
        let record = Record { active: true, used_ms: wall_ms(), ..record };
        self.0.shelf.put_record(&record).await?;
        self.open_record(&record, Sources::default()).await.map(drop)
    }

    /// Keeps it when room is made, or not.
    ///
    /// # Errors
    /// The store can't be written.
    pub async fn pin(&self, cid: &str, pinned: bool) -> Result<(), FilesError> {
        let record = self.record(cid).await?;
        if pinned {
            let _ = self.0.shelf.persist().await;
        }
        self.0.shelf.put_record(&Record { pinned, ..record }).await
    }

    /// Forgets a share and every block of it.
    ///
    /// # Errors
    /// The store can't be written.
    pub async fn remove(&self, cid: &str) -> Result<(), FilesError> {
        let record = self.record(cid).await?;
        self.0.open.borrow_mut().remove(&record.share);
        self.divide_upload();
        self.0.shelf.remove(&record.share).await
    }

    /// What files take of this device.
    pub async fn space(&self) -> Space {
        self.0.shelf.space().await
    }

    /// Sets what files may take; `None`: six tenths of what the browser grants.
    pub fn set_space(&self, limit_bytes: Option<u64>) {
        self.0.shelf.set_limit(limit_bytes);
    }

    fn running(&self, cid: &str) -> Option<Rc<Running>> {
        let cid: Cid = cid.parse().ok()?;
        self.0.open.borrow().get(&cid).cloned()
    }

    async fn record(&self, cid: &str) -> Result<Record, FilesError> {
        let cid: Cid = cid.parse().map_err(|_| FilesError::Missing)?;
        self.0.shelf.record(&cid).await.ok_or(FilesError::Missing)
    }

    fn check_room(&self) -> Result<(), FilesError> {
        if self.0.open.borrow().len() < SHARES_MAX { Ok(()) } else { Err(FilesError::TooMany) }
    }

    async fn open_record(
        &self,
        record: &Record,
        sources: Sources,
    ) -> Result<Rc<Running>, FilesError> {
        let link = record.parsed().ok_or(FilesError::Link(LinkError::NotALink))?;
        let known = self.0.open.borrow().get(&record.share).cloned();
        if let Some(running) = known {
            return Ok(running);
        }
        let around = Around {
            driver: Rc::clone(&self.0.driver),
            shelf: Rc::clone(&self.0.shelf),
            beside: Rc::clone(&self.0.beside),
        };
        let resumes = record.chosen.clone();
        let running = Running::open(around, link, record.key(), sources, resumes).await?;
        self.0.open.borrow_mut().insert(record.share, Rc::clone(&running));
        self.divide_upload();
        let gateway = self.0.gateway.borrow().clone();
        if gateway.is_some() {
            running.set_gateway(gateway);
        }
        if let Some(tell) = self.teller(&record.share.to_string()) {
            running.count(tell);
        }
        Ok(running)
    }
}

fn has_ended(record: &Record) -> bool {
    record.parsed().is_some_and(|link| link.is_expired(now_s()))
}

fn now_s() -> u64 {
    number::whole(wall_ms()) / 1000
}
