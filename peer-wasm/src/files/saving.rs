//! From blocks to a file of the person's: in order, a block at a time, each awaited before the next is read,
//! to wherever this browser can write without holding the whole.
//!
//! | | where | how |
//! |---|---|---|
//! | 1 | a file the person picks (File System Access) | written as it is read |
//! | 2 | up to [`OWN_BYTES_MAX`]: a file of this origin (OPFS), then a download of it | the browser copies it |
//! | 3 | a download that the service worker feeds (`handing`) | as the browser takes it |
//! | 4 | any size: as 2 | twice on the disk |
//! | 5 | up to [`MEMORY_BYTES_MAX`]: a `Blob`, then a download | the browser may hold it in memory |
//!
//! Why in this order: `docs/adr/0049-saving-streams.md`.

use std::rc::Rc;

use files::content::{
    car,
    read::{FileReader, WalkReader},
    share::ShareEntry,
};
use js_sys::{Array, AsyncIterator, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, File, FileSystemDirectoryHandle, FileSystemFileHandle,
    FileSystemGetDirectoryOptions, FileSystemGetFileOptions, FileSystemWritableFileStream,
    HtmlAnchorElement,
};

use super::{
    FilesError,
    handing::{Handing, Head},
    running::Running,
    worker::{self, Desk},
};
use crate::{clock::wall_ms, js_error::BrowserError, number};

/// Folder in this origin's own files for what is being saved.
const FOLDER: &str = "saving";
/// Largest file that is written into this origin first although a download could be fed: so small a copy is
/// made at once, and then neither the page nor its worker has to stay.
const OWN_BYTES_MAX: u64 = 64 << 20;
/// How long such a copy stays, in milliseconds: no browser tells when it has read it.
const OWN_KEPT_MS: f64 = 3_600_000.0;
/// Most of them looked at before a further one is made.
const OWN_LOOKED_MAX: usize = 256;
/// Largest file that is held in memory where the browser has nothing else.
const MEMORY_BYTES_MAX: u64 = 32 << 20;

/// Where a file went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// Into the file the person picked.
    Picked,
    /// Handed to the browser as a download.
    Downloaded,
    /// The person picked nothing, or cancelled it.
    Cancelled,
}

/// Why bytes stop on their way.
#[derive(Debug)]
pub(super) enum Stop {
    /// The person cancelled it.
    Cancelled,
    /// Something did not work.
    Failed(FilesError),
}

impl From<FilesError> for Stop {
    fn from(error: FilesError) -> Self {
        Self::Failed(error)
    }
}

impl From<BrowserError> for Stop {
    fn from(error: BrowserError) -> Self {
        Self::Failed(error.into())
    }
}

/// Where bytes go.
enum Target {
    Picked(Writer),
    Own(Writer, FileSystemFileHandle),
    Handed(Rc<Handing>),
    Memory(Vec<Blob>),
}

/// A file that is written, with the one buffer that all writes go through.
struct Writer {
    stream: FileSystemWritableFileStream,
    buffer: Uint8Array,
}

impl Writer {
    async fn open(handle: &FileSystemFileHandle) -> Result<Self, FilesError> {
        const API: &str = "FileSystemFileHandle.createWritable";
        if !Reflect::get(handle, &"createWritable".into()).is_ok_and(|found| found.is_function()) {
            return Err(BrowserError::missing(API).into());
        }
        let stream = settled(API, handle.create_writable()).await?.unchecked_into();
        Ok(Self { stream, buffer: Uint8Array::new_with_length(0) })
    }

    /// Writes, and comes back when the browser has it: then the buffer is free again.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), FilesError> {
        const API: &str = "FileSystemWritableFileStream.write";
        let length = u32::try_from(bytes.len()).map_err(|_| FilesError::Damaged)?;
        if self.buffer.length() < length {
            self.buffer = Uint8Array::new_with_length(length);
        }
        // A copy: the browser may read it after our memory has moved.
        let part = self.buffer.subarray(0, length);
        part.copy_from(bytes);
        let writing = self.stream.write_with_js_u8_array(&part);
        let writing = writing.map_err(|thrown| BrowserError::thrown(API, &thrown))?;
        settled(API, writing).await.map(drop)
    }

    async fn close(self) -> Result<(), FilesError> {
        settled("FileSystemWritableFileStream.close", self.stream.close()).await.map(drop)
    }
}

impl Target {
    /// A place for a file; `None`: the person picked none.
    async fn open(desk: &Rc<Desk>, head: &Head) -> Result<Option<Self>, FilesError> {
        if let Some(picker) = picker("showSaveFilePicker") {
            let options = Object::new();
            // Setting a fresh property on a fresh object cannot fail.
            let _ = Reflect::set(&options, &"suggestedName".into(), &head.name.as_str().into());
            match call(&picker, &options).await {
                Ok(handle) => {
                    let writer = Writer::open(&handle.unchecked_into()).await?;
                    return Ok(Some(Self::Picked(writer)));
                }
                Err(thrown) if is_abort(&thrown) => return Ok(None),
                // Not allowed here (a frame, no gesture): the other ways work.
                Err(_) => {}
            }
        }
        Self::download(desk, head).await.map(Some)
    }

    /// One of the browser's downloads.
    async fn download(desk: &Rc<Desk>, head: &Head) -> Result<Self, FilesError> {
        let is_small = head.about_bytes <= OWN_BYTES_MAX;
        if is_small && let Ok(own) = Self::own().await {
            return Ok(own);
        }
        // An answer without a single byte is a failed download to some browsers.
        if head.about_bytes > 0
            && let Ok(handing) = Handing::open(desk, head.clone()).await
        {
            return Ok(Self::Handed(handing));
        }
        if !is_small && let Ok(own) = Self::own().await {
            return Ok(own);
        }
        if head.about_bytes <= MEMORY_BYTES_MAX {
            return Ok(Self::Memory(Vec::new()));
        }
        Err(FilesError::NoSaving)
    }

    /// A file of this origin, empty, called as no other.
    async fn own() -> Result<Self, FilesError> {
        const API: &str = "StorageManager.getDirectory";
        let window = web_sys::window().ok_or(FilesError::NoStore)?;
        let storage = window.navigator().storage();
        if !Reflect::get(&storage, &"getDirectory".into()).is_ok_and(|found| found.is_function()) {
            return Err(BrowserError::missing(API).into());
        }
        let root: FileSystemDirectoryHandle =
            settled(API, storage.get_directory()).await?.unchecked_into();
        let folder = inner(&root, FOLDER).await?;
        sweep(&folder).await;
        let handle = file_of(&folder, &worker::token()?).await?;
        Ok(Self::Own(Writer::open(&handle).await?, handle))
    }

    /// A file in a folder the person picked.
    async fn within(folder: &FileSystemDirectoryHandle, path: &str) -> Result<Self, FilesError> {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut at = folder.clone();
        for step in above.split('/').filter(|step| !step.is_empty()) {
            at = inner(&at, step).await?;
        }
        Ok(Self::Picked(Writer::open(&file_of(&at, name).await?).await?))
    }

    /// Writes, and comes back when there is room for more. `goes_on` is told that it is this far; false
    /// cancels.
    async fn write(&mut self, bytes: &[u8], goes_on: &dyn Fn() -> bool) -> Result<(), Stop> {
        if !goes_on() {
            return Err(Stop::Cancelled);
        }
        match self {
            Self::Picked(writer) | Self::Own(writer, _) => Ok(writer.write(bytes).await?),
            Self::Handed(handing) => handing.write(bytes, goes_on).await,
            Self::Memory(parts) => {
                let copy = Array::of1(&Uint8Array::from(bytes));
                let part = Blob::new_with_u8_array_sequence(&copy);
                parts.push(part.map_err(|thrown| BrowserError::thrown("Blob", &thrown))?);
                Ok(())
            }
        }
    }

    async fn close(self, name: &str, media_type: &str) -> Result<Saved, Stop> {
        match self {
            Self::Picked(writer) => {
                writer.close().await?;
                return Ok(Saved::Picked);
            }
            Self::Own(writer, handle) => {
                writer.close().await?;
                let file = settled("FileSystemFileHandle.getFile", handle.get_file()).await?;
                download(&file.unchecked_into(), name)?;
            }
            Self::Handed(handing) => handing.close().await?,
            Self::Memory(parts) => download(&joined(parts, media_type)?, name)?,
        }
        Ok(Saved::Downloaded)
    }

    /// Leaves nothing half written.
    async fn abort(self) {
        match self {
            Self::Picked(writer) | Self::Own(writer, _) => {
                drop(JsFuture::from(writer.stream.abort()).await);
            }
            Self::Handed(handing) => handing.cancel(),
            Self::Memory(_) => {}
        }
    }

    /// Closes what was written whole, aborts what was not.
    async fn end(
        self,
        poured: Result<(), Stop>,
        name: &str,
        media_type: &str,
    ) -> Result<Saved, FilesError> {
        let ended = match poured {
            Ok(()) => self.close(name, media_type).await,
            Err(stop) => {
                self.abort().await;
                Err(stop)
            }
        };
        match ended {
            Ok(saved) => Ok(saved),
            Err(Stop::Cancelled) => Ok(Saved::Cancelled),
            Err(Stop::Failed(error)) => Err(error),
        }
    }
}

impl Running {
    /// Saves one file.
    pub(super) async fn save(
        &self,
        desk: &Rc<Desk>,
        entry: u32,
        progress: &dyn Fn(u64, u64) -> bool,
    ) -> Result<Saved, FilesError> {
        let entry = self.entry(entry)?;
        let name = entry.path.rsplit('/').next().unwrap_or(&entry.path).to_owned();
        let (about_bytes, size_bytes) = (entry.size_bytes, Some(entry.size_bytes));
        let head = Head { name, about_bytes, size_bytes };
        let Some(target) = Target::open(desk, &head).await? else { return Ok(Saved::Cancelled) };
        self.fill(&entry, target, &head.name, &|done| progress(done, entry.size_bytes)).await
    }

    /// Saves all these into a folder that the person picks, where the browser has such a thing.
    pub(super) async fn save_all(
        &self,
        entries: &[u32],
        progress: &dyn Fn(u64, u64) -> bool,
    ) -> Result<Saved, FilesError> {
        let picker = picker("showDirectoryPicker").ok_or(FilesError::NoFolders)?;
        let options = Object::new();
        // Setting a fresh property on a fresh object cannot fail.
        let _ = Reflect::set(&options, &"mode".into(), &"readwrite".into());
        let folder: FileSystemDirectoryHandle = match call(&picker, &options).await {
            Ok(handle) => handle.unchecked_into(),
            Err(thrown) if is_abort(&thrown) => return Ok(Saved::Cancelled),
            Err(thrown) => return Err(BrowserError::thrown("showDirectoryPicker", &thrown).into()),
        };
        let entries: Vec<ShareEntry> =
            entries.iter().map(|number| self.entry(*number)).collect::<Result<_, _>>()?;
        let all = entries.iter().map(|entry| entry.size_bytes).sum();
        let mut before = 0_u64;
        for entry in &entries {
            let target = Target::within(&folder, &entry.path).await?;
            let told = |done: u64| progress(before + done, all);
            if self.fill(entry, target, &entry.path, &told).await? == Saved::Cancelled {
                return Ok(Saved::Cancelled);
            }
            before += entry.size_bytes;
        }
        Ok(Saved::Picked)
    }

    /// Saves all blocks of a public share as a CAR, parents first, each once.
    pub(super) async fn save_car(
        &self,
        desk: &Rc<Desk>,
        progress: &dyn Fn(u64, u64) -> bool,
    ) -> Result<Saved, FilesError> {
        let head = {
            let share = self.share.borrow();
            let manifest = share.manifest().filter(|_| self.key.is_none());
            let manifest = manifest.ok_or(FilesError::Missing)?;
            let name = format!("{}.car", manifest.name);
            // Blocks of folders and the heads of frames come on top, and what is there twice comes once.
            Head { name, about_bytes: manifest.total_bytes(), size_bytes: None }
        };
        let all = head.about_bytes;
        let Some(mut target) = Target::open(desk, &head).await? else {
            return Ok(Saved::Cancelled);
        };
        let poured = self.pour_car(&mut target, &|done| progress(done.min(all), all)).await;
        target.end(poured, &head.name, "application/vnd.ipld.car").await
    }

    async fn pour_car(
        &self,
        target: &mut Target,
        progress: &dyn Fn(u64) -> bool,
    ) -> Result<(), Stop> {
        let mut walk = WalkReader::new(self.cid);
        let mut done = 0;
        target.write(&car::header(&[self.cid]), &|| progress(done)).await?;
        while let Some(cid) = walk.wanted(1).first().copied() {
            let block = self.block(cid).await.ok_or(FilesError::Missing)?;
            target.write(&car::frame_head(&block), &|| progress(done)).await?;
            target.write(block.bytes(), &|| progress(done)).await?;
            done += number::count(block.bytes().len());
            walk.put(&block.into_opened()).map_err(|_| FilesError::Damaged)?;
        }
        progress(done);
        Ok(())
    }

    pub(super) fn entry(&self, number: u32) -> Result<ShareEntry, FilesError> {
        let share = self.share.borrow();
        let entry = share
            .manifest()
            .and_then(|manifest| manifest.entries.get(usize::try_from(number).ok()?).cloned());
        entry.ok_or(FilesError::Missing)
    }

    async fn fill(
        &self,
        entry: &ShareEntry,
        mut target: Target,
        name: &str,
        progress: &dyn Fn(u64) -> bool,
    ) -> Result<Saved, FilesError> {
        let poured = self.pour(entry, &mut target, progress).await;
        target.end(poured, name, entry.media_type.as_deref().unwrap_or_default()).await
    }

    async fn pour(
        &self,
        entry: &ShareEntry,
        target: &mut Target,
        progress: &dyn Fn(u64) -> bool,
    ) -> Result<(), Stop> {
        let mut reader = FileReader::new(entry.cid, entry.size_bytes);
        while !reader.is_done() {
            // One at a time: what is read ahead would wait in memory.
            for cid in reader.wanted(1) {
                reader.put(&self.opened(cid).await?).map_err(|_| FilesError::Damaged)?;
            }
            while let Some(part) = reader.next_part() {
                target.write(&part.bytes, &|| progress(part.offset)).await?;
            }
        }
        progress(entry.size_bytes);
        Ok(())
    }

    /// A file as a `Blob`, for one that is small enough to be shown.
    pub(super) async fn blob(
        &self,
        entry: &ShareEntry,
        media_type: &str,
    ) -> Result<Blob, FilesError> {
        let mut target = Target::Memory(Vec::new());
        match self.pour(entry, &mut target, &|_| true).await {
            Err(Stop::Failed(error)) => return Err(error),
            // Nobody cancels it.
            Ok(()) | Err(Stop::Cancelled) => {}
        }
        let Target::Memory(parts) = target else { return Err(FilesError::Missing) };
        joined(parts, media_type)
    }
}

/// One `Blob` of many, which the browser may hold in memory.
fn joined(parts: Vec<Blob>, media_type: &str) -> Result<Blob, FilesError> {
    let options = BlobPropertyBag::new();
    options.set_type(media_type);
    let parts: Array = parts.into_iter().collect();
    let blob = Blob::new_with_blob_sequence_and_options(&parts, &options);
    blob.map_err(|thrown| BrowserError::thrown("Blob", &thrown).into())
}

/// A folder in a folder, made if it is not there.
async fn inner(
    folder: &FileSystemDirectoryHandle,
    name: &str,
) -> Result<FileSystemDirectoryHandle, FilesError> {
    let options = FileSystemGetDirectoryOptions::new();
    options.set_create(true);
    let made = folder.get_directory_handle_with_options(name, &options);
    let made = settled("FileSystemDirectoryHandle.getDirectoryHandle", made).await?;
    Ok(made.unchecked_into())
}

/// A file in a folder, made if it is not there.
async fn file_of(
    folder: &FileSystemDirectoryHandle,
    name: &str,
) -> Result<FileSystemFileHandle, FilesError> {
    let options = FileSystemGetFileOptions::new();
    options.set_create(true);
    let made = folder.get_file_handle_with_options(name, &options);
    let made = settled("FileSystemDirectoryHandle.getFileHandle", made).await?;
    Ok(made.unchecked_into())
}

/// Removes what earlier savings left, where the browser lets us.
async fn sweep(folder: &FileSystemDirectoryHandle) {
    let mut names = Vec::new();
    let keys = folder.keys();
    while let Some(name) = next_of(&keys).await {
        if names.len() < OWN_LOOKED_MAX {
            names.push(name);
        }
    }
    for name in names {
        if changed_ms(folder, &name).await.is_some_and(|at| at + OWN_KEPT_MS < wall_ms()) {
            // One that is still written, by another tab, stays.
            drop(JsFuture::from(folder.remove_entry(&name)).await);
        }
    }
}

async fn next_of(names: &AsyncIterator) -> Option<String> {
    let next = JsFuture::from(names.next().ok()?).await.ok()?;
    Reflect::get(&next, &"value".into()).ok()?.as_string()
}

async fn changed_ms(folder: &FileSystemDirectoryHandle, name: &str) -> Option<f64> {
    let handle = JsFuture::from(folder.get_file_handle(name)).await.ok()?;
    let handle: FileSystemFileHandle = handle.unchecked_into();
    let file: File = JsFuture::from(handle.get_file()).await.ok()?.unchecked_into();
    Some(file.last_modified())
}

/// Hands a file to the browser's downloads.
fn download(blob: &Blob, name: &str) -> Result<(), FilesError> {
    const API: &str = "URL.createObjectURL";
    let document = web_sys::window().and_then(|window| window.document());
    let document = document.ok_or_else(|| BrowserError::missing("Document"))?;
    let url = web_sys::Url::create_object_url_with_blob(blob)
        .map_err(|thrown| BrowserError::thrown(API, &thrown))?;
    let link: HtmlAnchorElement = document
        .create_element("a")
        .map_err(|thrown| BrowserError::thrown("Document.createElement", &thrown))?
        .unchecked_into();
    link.set_href(&url);
    link.set_download(name);
    link.click();
    // The URL stays until the page goes: when a browser has read it is told to nobody.
    Ok(())
}

/// A picker of File System Access, where the browser has it.
fn picker(name: &str) -> Option<Function> {
    let window = web_sys::window()?;
    Reflect::get(&window, &name.into()).ok()?.dyn_into().ok()
}

async fn call(picker: &Function, options: &Object) -> Result<JsValue, JsValue> {
    let window = web_sys::window().map_or(JsValue::UNDEFINED, JsValue::from);
    let promise: Promise = picker.call1(&window, options)?.unchecked_into();
    JsFuture::from(promise).await
}

fn is_abort(thrown: &JsValue) -> bool {
    BrowserError::thrown("", thrown).name == "AbortError"
}

async fn settled(api: &'static str, promise: Promise) -> Result<JsValue, FilesError> {
    let settled = JsFuture::from(promise).await;
    settled.map_err(|thrown| {
        let error = BrowserError::thrown(api, &thrown);
        if error.name == "QuotaExceededError" { FilesError::Full } else { error.into() }
    })
}
