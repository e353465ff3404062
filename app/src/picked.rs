//! Files a person dropped, pasted or picked, with their paths.

use js_sys::{Array, Function, Promise, Reflect};
use leptos::prelude::{document, window};
use peer_wasm::files::Item;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, Cache, CacheStorage, DataTransfer, File, FileList, FilePropertyBag,
    FileSystemDirectoryEntry, FileSystemEntry, FileSystemFileEntry, HtmlInputElement, Request,
    Response,
};

/// Most files taken at once: what a share holds.
const FILES_MAX: usize = 65_536;

/// Where `static/share-target/worker.js` puts what another app of this device shared with this page.
const FROM_DEVICE: &str = "starling-shared";

/// What an input of type `file` has; of a folder, with the paths in it.
pub(crate) fn from_input(input: &HtmlInputElement) -> Vec<Item> {
    let items = input.files().map(from_list).unwrap_or_default();
    // So that the same file can be picked again.
    input.set_value("");
    items
}

fn from_list(list: FileList) -> Vec<Item> {
    (0..list.length()).filter_map(|at| list.get(at)).map(item).collect()
}

fn item(file: File) -> Item {
    let inside = Reflect::get(&file, &"webkitRelativePath".into()).ok();
    let inside = inside.and_then(|path| path.as_string()).filter(|path| !path.is_empty());
    Item { path: inside.unwrap_or_else(|| file.name()), file }
}

/// What was dropped or pasted. Entries are taken at once, for the browser forgets them when the event
/// is over; folders are read after.
pub(crate) fn from_transfer(transfer: &DataTransfer) -> impl Future<Output = Vec<Item>> + use<> {
    let list = transfer.items();
    let mut entries = Vec::new();
    for at in 0..list.length() {
        let entry = list.get(at).and_then(|item| item.webkit_get_as_entry().ok().flatten());
        entries.extend(entry);
    }
    let plain = transfer.files().map(from_list).unwrap_or_default();
    async move {
        if entries.is_empty() {
            return plain;
        }
        read_entries(entries).await
    }
}

/// All files below these entries, folders one after another.
async fn read_entries(entries: Vec<FileSystemEntry>) -> Vec<Item> {
    let mut todo = entries;
    todo.reverse();
    let mut items = Vec::new();
    while let Some(entry) = todo.pop() {
        if items.len() >= FILES_MAX {
            break;
        }
        if entry.is_directory() {
            let folder: FileSystemDirectoryEntry = entry.unchecked_into();
            todo.extend(read_folder(&folder).await);
        } else {
            let entry: FileSystemFileEntry = entry.unchecked_into();
            let path = entry.full_path().trim_start_matches('/').to_owned();
            let file = called(|good, bad| {
                entry.file_with_callback_and_callback(good, bad);
            });
            if let Ok(file) = JsFuture::from(file).await {
                items.push(Item { path, file: file.unchecked_into() });
            }
        }
    }
    items
}

/// What is in one folder; the browser tells it a hundred at a time.
async fn read_folder(folder: &FileSystemDirectoryEntry) -> Vec<FileSystemEntry> {
    let reader = folder.create_reader();
    let mut all = Vec::new();
    loop {
        let batch = called(|good, bad| {
            // Refused only as an error to the callback.
            drop(reader.read_entries_with_callback_and_callback(good, bad));
        });
        let Ok(batch) = JsFuture::from(batch).await else { return all };
        let batch: Array = batch.unchecked_into();
        if batch.length() == 0 || all.len() >= FILES_MAX {
            return all;
        }
        all.extend(batch.iter().map(JsCast::unchecked_into));
    }
}

/// What another app of this device shared with this page; it is taken out, and so given once.
pub(crate) async fn from_device() -> Vec<Item> {
    // A cache that can't be read holds nothing for anybody.
    read_cache().await.unwrap_or_default()
}

async fn read_cache() -> Result<Vec<Item>, JsValue> {
    // Absent outside of secure contexts, whatever the type says.
    let Ok(caches) = Reflect::get(&window(), &"caches".into())?.dyn_into::<CacheStorage>() else {
        return Ok(Vec::new());
    };
    if !JsFuture::from(caches.has(FROM_DEVICE)).await?.is_truthy() {
        return Ok(Vec::new());
    }
    let cache: Cache = JsFuture::from(caches.open(FROM_DEVICE)).await?.unchecked_into();
    let requests: Array = JsFuture::from(cache.keys()).await?.unchecked_into();
    let mut items = Vec::new();
    for request in requests.iter().take(FILES_MAX) {
        let request: Request = request.unchecked_into();
        let found: Response =
            JsFuture::from(cache.match_with_request(&request)).await?.dyn_into()?;
        let blob: Blob = JsFuture::from(found.blob()?).await?.dyn_into()?;
        let address = request.url();
        let name = address.rsplit('/').next().unwrap_or_default();
        let name = String::from(js_sys::decode_uri_component(name)?);
        let options = FilePropertyBag::new();
        options.set_type(&blob.type_());
        let parts = Array::of1(&blob);
        let file = File::new_with_blob_sequence_and_options(&parts, &name, &options)?;
        items.push(Item { path: name, file });
    }
    JsFuture::from(caches.delete(FROM_DEVICE)).await?;
    Ok(items)
}

/// An old call with two callbacks as a promise.
fn called(call: impl FnOnce(&Function, &Function)) -> Promise {
    let mut call = Some(call);
    Promise::new(&mut |good: Function, bad: Function| {
        if let Some(call) = call.take() {
            call(&good, &bad);
        }
    })
}

/// Opens the browser's picker of an input that is not shown.
pub(crate) fn pick(id: &str) {
    let input = document().get_element_by_id(id);
    if let Some(input) = input.and_then(|input| input.dyn_into::<HtmlInputElement>().ok()) {
        input.click();
    }
}

/// Whether an event carries files.
pub(crate) fn carries_files(transfer: &DataTransfer) -> bool {
    transfer.types().iter().any(|kind| kind == JsValue::from_str("Files"))
}
