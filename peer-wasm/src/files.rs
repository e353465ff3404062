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
//! | `hash` | SHA-256 |

mod database;
mod hash;
mod making;
mod record;
mod running;
mod saving;
mod shelf;
#[cfg(test)]
mod tests;

use core::{cell::RefCell, fmt};
use std::{collections::BTreeMap, rc::Rc};

use files::{
    Input,
    content::{
        Cid,
        share::{LinkError, PasswordError, Secret, ShareKey, ShareLink},
    },
    make::MakeError,
    view::{EntryView, ShareView},
};
use peer::view::RoomView;
use wasm_bindgen_futures::spawn_local;

pub use files::view;
pub use making::{COPY_BYTES_MAX, Item, MakeOptions};
pub use saving::Saved;
pub use shelf::Space;

use crate::{clock::wall_ms, js_error::BrowserError, pump::Driver};
use record::{Chosen, Record};
use running::{Running, Sources};
use shelf::Shelf;

/// Most shares open at a time.
pub const SHARES_MAX: usize = 16;

/// Why something with files did not work; by what a person can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesError {
    /// The link is none, or was cut off.
    Link(LinkError),
    /// The link is of a public share: its content is fetched by IPFS tools.
    Public,
    /// The link needs a password.
    PasswordNeeded,
    /// The password is wrong, or none.
    Password(PasswordError),
    /// The share's time is over.
    Ended,
    /// These files can't be shared together.
    Make(MakeError),
    /// A file could not be read: it changed, or went away.
    Unreadable,
    /// The files are not those that were shared.
    OtherFiles,
    /// The browser gives this page no storage.
    NoStore,
    /// The disk, or this site's share of it, is full.
    Full,
    /// More than [`SHARES_MAX`] shares are open.
    TooMany,
    /// Part of the file is not here.
    Missing,
    /// The blocks are not what the manifest says.
    Damaged,
    /// This browser can't write folders.
    NoFolders,
    /// The browser refused.
    Browser(BrowserError),
}

impl From<BrowserError> for FilesError {
    fn from(error: BrowserError) -> Self {
        Self::Browser(error)
    }
}

impl From<MakeError> for FilesError {
    fn from(error: MakeError) -> Self {
        Self::Make(error)
    }
}

impl fmt::Display for FilesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(error) => write!(f, "{error}"),
            Self::Public => f.write_str("this is a public link, which the page can't fetch yet"),
            Self::PasswordNeeded => f.write_str("this link needs its password"),
            Self::Password(error) => write!(f, "{error}"),
            Self::Ended => f.write_str("this share has ended"),
            Self::Make(error) => write!(f, "{error}"),
            Self::Unreadable => f.write_str("a file could not be read: it changed, or went away"),
            Self::OtherFiles => f.write_str("these are not the files that were shared"),
            Self::NoStore => f.write_str("this browser gives the page no storage"),
            Self::Full => f.write_str("the disk, or this site's share of it, is full"),
            Self::TooMany => write!(f, "{SHARES_MAX} shares are open"),
            Self::Missing => f.write_str("part of this file is not here yet"),
            Self::Damaged => f.write_str("the blocks are not what the sender said"),
            Self::NoFolders => f.write_str("this browser can't save folders"),
            Self::Browser(error) => write!(f, "{error}"),
        }
    }
}

impl core::error::Error for FilesError {}

/// All shares of this page. A cheap handle.
#[derive(Debug, Clone)]
pub struct Files(Rc<Shared>);

#[derive(Debug)]
struct Shared {
    driver: Rc<Driver>,
    shelf: Rc<Shelf>,
    open: RefCell<BTreeMap<Cid, Rc<Running>>>,
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
        Self(Rc::new(Shared { driver, shelf, open: RefCell::default() }))
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
            (Secret::Public, ..) => return Err(FilesError::Public),
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
        Some(ShareStatus { share, room: running.room(), source_lost, from_files })
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
        let open: Vec<Rc<Running>> = self.0.open.borrow().values().cloned().collect();
        let count = u64::try_from(open.len()).unwrap_or(u64::MAX).max(1);
        for running in open {
            running.take(Input::Limit(bytes_per_s.map(|limit| limit / count)));
        }
    }

    /// Saves one file where the person wants it.
    ///
    /// # Errors
    /// It is not whole, or can't be written.
    pub async fn save(
        &self,
        cid: &str,
        entry: u32,
        progress: &dyn Fn(u64, u64),
    ) -> Result<Saved, FilesError> {
        let running = self.running(cid).ok_or(FilesError::Missing)?;
        running.save(entry, progress).await
    }

    /// Saves files into a folder the person picks.
    ///
    /// # Errors
    /// The browser has no such thing; or as of [`Files::save`].
    pub async fn save_all(
        &self,
        cid: &str,
        entries: &[u32],
        progress: &dyn Fn(u64, u64),
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
            let ends_at_s = record.parsed().and_then(|link| link.expires_at_s);
            all.push(Remembered {
                cid: record.share.to_string(),
                active: running.is_some(),
                held_bytes: used.bytes,
                link: record.link,
                name: record.name,
                size_bytes: record.size_bytes,
                made: record.made,
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
        let key: ShareKey = record.key();
        let running =
            Running::open(&self.0.driver, &self.0.shelf, link, key, sources, record.chosen.clone())
                .await?;
        self.0.open.borrow_mut().insert(record.share, Rc::clone(&running));
        Ok(running)
    }
}

fn has_ended(record: &Record) -> bool {
    record.parsed().is_some_and(|link| link.is_expired(now_s()))
}

fn now_s() -> u64 {
    crate::number::whole(wall_ms()) / 1000
}
