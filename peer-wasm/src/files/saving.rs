//! From blocks to a file of the person's: in order, a few blocks at a time, to wherever this browser
//! can write without holding the whole.
//!
//! | | where | how |
//! |---|---|---|
//! | 1 | a file the person picks (File System Access) | written as it is read |
//! | 2 | a file of this origin (OPFS), then a download of it | the browser copies it |
//! | 3 | a `Blob`, then a download | the browser may hold it in memory |

use files::content::{
    car,
    read::{FileReader, WalkReader},
    share::ShareEntry,
};
use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, FileSystemDirectoryHandle, FileSystemFileHandle,
    FileSystemGetDirectoryOptions, FileSystemGetFileOptions, FileSystemWritableFileStream,
    HtmlAnchorElement,
};

use super::{FilesError, running::Running};
use crate::{js_error::BrowserError, number};

/// Folder in this origin's own files for what is being saved.
const FOLDER: &str = "saving";

/// Where a file went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// Into the file the person picked.
    Picked,
    /// Handed to the browser as a download.
    Downloaded,
    /// The person picked nothing.
    Cancelled,
}

/// Where bytes go.
pub(super) enum Target {
    Picked(FileSystemWritableFileStream),
    Own(FileSystemWritableFileStream, FileSystemFileHandle),
    Memory(Vec<Blob>),
}

impl Target {
    /// A place for a file of this name; `None`: the person picked none.
    pub(super) async fn open(name: &str) -> Result<Option<Self>, FilesError> {
        if let Some(picker) = picker("showSaveFilePicker") {
            let options = Object::new();
            // Setting a fresh property on a fresh object cannot fail.
            let _ = Reflect::set(&options, &"suggestedName".into(), &name.into());
            return match call(&picker, &options).await {
                Ok(handle) => Ok(Some(Self::Picked(writable(&handle.unchecked_into()).await?))),
                Err(thrown) if is_abort(&thrown) => Ok(None),
                // Not allowed here (a frame, no gesture): the other ways work.
                Err(_) => Self::own(name).await.map(Some),
            };
        }
        Self::own(name).await.map(Some)
    }

    async fn own(name: &str) -> Result<Self, FilesError> {
        match own_file(name).await {
            Ok((stream, handle)) => Ok(Self::Own(stream, handle)),
            Err(_) => Ok(Self::Memory(Vec::new())),
        }
    }

    /// A file in a folder the person picked.
    async fn within(folder: &FileSystemDirectoryHandle, path: &str) -> Result<Self, FilesError> {
        const API: &str = "FileSystemDirectoryHandle";
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut at = folder.clone();
        for step in above.split('/').filter(|step| !step.is_empty()) {
            let options = FileSystemGetDirectoryOptions::new();
            options.set_create(true);
            at = settled(API, at.get_directory_handle_with_options(step, &options))
                .await?
                .unchecked_into();
        }
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let handle: FileSystemFileHandle =
            settled(API, at.get_file_handle_with_options(name, &options)).await?.unchecked_into();
        Ok(Self::Picked(writable(&handle).await?))
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), FilesError> {
        match self {
            Self::Picked(stream) | Self::Own(stream, _) => {
                let api = "FileSystemWritableFileStream.write";
                // A copy: the browser may read it after our memory has moved.
                let writing = stream
                    .write_with_buffer_source(&Uint8Array::from(bytes))
                    .map_err(|thrown| BrowserError::thrown(api, &thrown))?;
                settled(api, writing).await.map(drop)
            }
            Self::Memory(parts) => {
                let copy = Array::of1(&Uint8Array::from(bytes));
                let part = Blob::new_with_u8_array_sequence(&copy);
                parts.push(part.map_err(|thrown| BrowserError::thrown("Blob", &thrown))?);
                Ok(())
            }
        }
    }

    async fn close(self, name: &str, media_type: &str) -> Result<Saved, FilesError> {
        let api = "FileSystemWritableFileStream.close";
        match self {
            Self::Picked(stream) => {
                settled(api, stream.close()).await?;
                Ok(Saved::Picked)
            }
            Self::Own(stream, handle) => {
                settled(api, stream.close()).await?;
                let file = settled("FileSystemFileHandle.getFile", handle.get_file()).await?;
                download(&file.unchecked_into(), name)?;
                Ok(Saved::Downloaded)
            }
            Self::Memory(parts) => {
                download(&joined(parts, media_type)?, name)?;
                Ok(Saved::Downloaded)
            }
        }
    }

    /// Leaves nothing half written.
    async fn abort(self) {
        if let Self::Picked(stream) | Self::Own(stream, _) = self {
            drop(JsFuture::from(stream.abort()).await);
        }
    }
}

impl Running {
    /// Saves one file.
    pub(super) async fn save(
        &self,
        entry: u32,
        progress: &dyn Fn(u64, u64),
    ) -> Result<Saved, FilesError> {
        let entry = self.entry(entry)?;
        let name = entry.path.rsplit('/').next().unwrap_or(&entry.path).to_owned();
        let Some(target) = Target::open(&name).await? else { return Ok(Saved::Cancelled) };
        self.fill(&entry, target, &name, &|done| progress(done, entry.size_bytes)).await
    }

    /// Saves all these into a folder that the person picks, where the browser has such a thing.
    pub(super) async fn save_all(
        &self,
        entries: &[u32],
        progress: &dyn Fn(u64, u64),
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
        let mut before = 0;
        for entry in &entries {
            let target = Target::within(&folder, &entry.path).await?;
            self.fill(entry, target, &entry.path, &|done| progress(before + done, all)).await?;
            before += entry.size_bytes;
        }
        Ok(Saved::Picked)
    }

    /// Saves all blocks of a public share as a CAR, parents first, each once.
    pub(super) async fn save_car(&self, progress: &dyn Fn(u64, u64)) -> Result<Saved, FilesError> {
        let (name, all) = {
            let share = self.share.borrow();
            let manifest = share.manifest().filter(|_| self.key.is_none());
            let manifest = manifest.ok_or(FilesError::Missing)?;
            (format!("{}.car", manifest.name), manifest.total_bytes())
        };
        let Some(mut target) = Target::open(&name).await? else { return Ok(Saved::Cancelled) };
        match self.pour_car(&mut target, &|done| progress(done.min(all), all)).await {
            Ok(()) => target.close(&name, "application/vnd.ipld.car").await,
            Err(error) => {
                target.abort().await;
                Err(error)
            }
        }
    }

    async fn pour_car(
        &self,
        target: &mut Target,
        progress: &dyn Fn(u64),
    ) -> Result<(), FilesError> {
        let mut walk = WalkReader::new(self.cid);
        target.write(&car::header(&[self.cid])).await?;
        let mut done = 0;
        while let Some(cid) = walk.wanted(1).first().copied() {
            let block = self.block(cid).await.ok_or(FilesError::Missing)?;
            target.write(&car::frame_head(&block)).await?;
            target.write(block.bytes()).await?;
            done += number::count(block.bytes().len());
            walk.put(&block.into_opened()).map_err(|_| FilesError::Damaged)?;
            progress(done);
        }
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
        progress: &dyn Fn(u64),
    ) -> Result<Saved, FilesError> {
        match self.pour(entry, &mut target, progress).await {
            Ok(()) => target.close(name, entry.media_type.as_deref().unwrap_or_default()).await,
            Err(error) => {
                target.abort().await;
                Err(error)
            }
        }
    }

    pub(super) async fn pour(
        &self,
        entry: &ShareEntry,
        target: &mut Target,
        progress: &dyn Fn(u64),
    ) -> Result<(), FilesError> {
        let mut reader = FileReader::new(entry.cid, entry.size_bytes);
        while !reader.is_done() {
            for cid in reader.wanted(2) {
                reader.put(&self.opened(cid).await?).map_err(|_| FilesError::Damaged)?;
            }
            while let Some(part) = reader.next_part() {
                target.write(&part.bytes).await?;
                progress(part.offset);
            }
        }
        progress(entry.size_bytes);
        Ok(())
    }
}

/// One `Blob` of many, which the browser may hold in memory.
pub(super) fn joined(parts: Vec<Blob>, media_type: &str) -> Result<Blob, FilesError> {
    let options = BlobPropertyBag::new();
    options.set_type(media_type);
    let parts: Array = parts.into_iter().collect();
    let blob = Blob::new_with_blob_sequence_and_options(&parts, &options);
    blob.map_err(|thrown| BrowserError::thrown("Blob", &thrown).into())
}

/// A file of this origin, empty; one that is left of an earlier saving is emptied.
async fn own_file(
    name: &str,
) -> Result<(FileSystemWritableFileStream, FileSystemFileHandle), FilesError> {
    const API: &str = "StorageManager.getDirectory";
    let window = web_sys::window().ok_or(FilesError::NoStore)?;
    let storage = window.navigator().storage();
    if !Reflect::get(&storage, &"getDirectory".into()).is_ok_and(|found| found.is_function()) {
        return Err(BrowserError::missing(API).into());
    }
    let root: FileSystemDirectoryHandle =
        settled(API, storage.get_directory()).await?.unchecked_into();
    let options = FileSystemGetDirectoryOptions::new();
    options.set_create(true);
    let folder: FileSystemDirectoryHandle =
        settled(API, root.get_directory_handle_with_options(FOLDER, &options))
            .await?
            .unchecked_into();
    let options = FileSystemGetFileOptions::new();
    options.set_create(true);
    let handle: FileSystemFileHandle =
        settled(API, folder.get_file_handle_with_options(name, &options)).await?.unchecked_into();
    Ok((writable(&handle).await?, handle))
}

async fn writable(
    handle: &FileSystemFileHandle,
) -> Result<FileSystemWritableFileStream, FilesError> {
    const API: &str = "FileSystemFileHandle.createWritable";
    if !Reflect::get(handle, &"createWritable".into()).is_ok_and(|found| found.is_function()) {
        return Err(BrowserError::missing(API).into());
    }
    Ok(settled(API, handle.create_writable()).await?.unchecked_into())
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
