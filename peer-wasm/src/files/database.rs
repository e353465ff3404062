//! Blocks and what is known of shares, in IndexedDB.
//!
//! | object store | key | value |
//! |---|---|---|
//! | `blocks` | `[share, cid]` | the block's bytes |
//! | `sizes` | `[share, cid]` | how many: so that held and used are read without reading bytes |
//! | `shares` | `share` | a [`Record`] |
//!
//! A share is named by its manifest's CID; sealed blocks belong to one share, so a share goes with all
//! its blocks. What is written together is there or is not: a crash in the middle loses whole
//! transactions, and none that was acknowledged.

use files::content::Cid;
use indexed_db_futures::{
    Build as _, KeyRange, OpenDbResult,
    database::{Database, VersionChangeEvent},
    error::{Error, OpenDbError},
    prelude::QuerySource as _,
    transaction::{Transaction, TransactionMode},
};
use js_sys::{Array, ArrayBuffer, Uint8Array};
use wasm_bindgen::JsValue;

use super::record::Record;
use crate::{
    buffers::{free, taken},
    js_error::BrowserError,
    number,
};

const NAME: &str = "starling-files";
/// Raised when the shape of the stores changes.
const VERSION: u8 = 1;
const BLOCKS: &str = "blocks";
const SIZES: &str = "sizes";
const SHARES: &str = "shares";

/// The open database of this origin, shared with the origin's other tabs.
#[derive(Debug)]
pub(super) struct BlockDatabase(Database);

/// Blocks and bytes of one share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Used {
    pub(super) blocks: u32,
    pub(super) bytes: u64,
}

impl BlockDatabase {
    /// Opens it, making the stores on the first visit.
    pub(super) async fn open() -> Result<Self, BrowserError> {
        let opening = Database::open(NAME).with_version(VERSION).with_on_upgrade_needed(
            |_: VersionChangeEvent, database: Database| {
                for store in [BLOCKS, SIZES, SHARES] {
                    database.create_object_store(store).build()?;
                }
                Ok(())
            },
        );
        let opened: OpenDbResult<Database> = opening.await;
        opened.map(Self).map_err(|error| match error {
            OpenDbError::Base(error) => refused("IDBFactory.open", error),
            _ => BrowserError::missing("IDBFactory.open"),
        })
    }

    /// Writes blocks of any shares, all or nothing.
    pub(super) async fn write(&self, blocks: &[(Cid, Cid, Vec<u8>)]) -> Result<(), BrowserError> {
        let writing = async {
            let transaction = self.begin(&[BLOCKS, SIZES])?;
            {
                let store = transaction.object_store(BLOCKS)?;
                let sizes = transaction.object_store(SIZES)?;
                for (share, cid, bytes) in blocks {
                    let key = || Array::of2(&text(share), &text(cid));
                    let buffer: ArrayBuffer = Uint8Array::from(&bytes[..]).buffer();
                    store.put(buffer.clone()).with_key(key()).without_key_type().build()?;
                    // The browser has its copy.
                    free(&buffer);
                    let size = number::float(number::count(bytes.len()));
                    sizes.put(size).with_key(key()).without_key_type().build()?;
                }
            }
            transaction.commit().await
        };
        writing.await.map_err(|error| refused("IDBObjectStore.put", error))
    }

    /// The bytes of one block, if it is there.
    pub(super) async fn read(
        &self,
        share: &Cid,
        cid: &Cid,
    ) -> Result<Option<Vec<u8>>, BrowserError> {
        let reading = async {
            let transaction = self.0.transaction(BLOCKS).build()?;
            let store = transaction.object_store(BLOCKS)?;
            let key = Array::of2(&text(share), &text(cid));
            let found: Option<ArrayBuffer> = store.get::<_, Array, _>(key).await?;
            Ok(found.map(|buffer| taken(&buffer)))
        };
        reading.await.map_err(|error| refused("IDBObjectStore.get", error))
    }

    /// Names of the blocks of a share that are there.
    pub(super) async fn held(&self, share: &Cid) -> Result<Vec<Cid>, BrowserError> {
        let reading = async {
            let transaction = self.0.transaction(SIZES).build()?;
            let store = transaction.object_store(SIZES)?;
            let keys = store.get_all_keys::<Array>().with_query::<Array, _>(all_of(share)).await?;
            let mut held = Vec::new();
            for key in keys {
                held.extend(key?.get(1).as_string().and_then(|text| text.parse::<Cid>().ok()));
            }
            Ok(held)
        };
        reading.await.map_err(|error| refused("IDBObjectStore.getAllKeys", error))
    }

    /// What a share takes.
    pub(super) async fn used(&self, share: &Cid) -> Result<Used, BrowserError> {
        let reading = async {
            let transaction = self.0.transaction(SIZES).build()?;
            let store = transaction.object_store(SIZES)?;
            let sizes = store.get_all::<f64>().with_query::<Array, _>(all_of(share)).await?;
            let mut used = Used::default();
            for size in sizes {
                used.blocks += 1;
                used.bytes += number::whole(size?);
            }
            Ok(used)
        };
        reading.await.map_err(|error| refused("IDBObjectStore.getAll", error))
    }

    /// Everything known of shares.
    pub(super) async fn records(&self) -> Result<Vec<Record>, BrowserError> {
        let reading = async {
            let transaction = self.0.transaction(SHARES).build()?;
            let store = transaction.object_store(SHARES)?;
            let mut records = Vec::new();
            for value in store.get_all::<Array>().await? {
                records.extend(Record::from_array(&value?));
            }
            Ok(records)
        };
        reading.await.map_err(|error| refused("IDBObjectStore.getAll", error))
    }

    /// Writes what is known of a share.
    pub(super) async fn put_record(&self, record: &Record) -> Result<(), BrowserError> {
        let writing = async {
            let transaction = self.begin(&[SHARES])?;
            {
                let store = transaction.object_store(SHARES)?;
                let key = text(&record.share);
                store.put(record.to_array()).with_key(key).without_key_type().build()?;
            }
            transaction.commit().await
        };
        writing.await.map_err(|error| refused("IDBObjectStore.put", error))
    }

    /// Removes a share with all its blocks, all or nothing.
    pub(super) async fn remove(&self, share: &Cid) -> Result<(), BrowserError> {
        let removing = async {
            let transaction = self.begin(&[BLOCKS, SIZES, SHARES])?;
            {
                transaction.object_store(BLOCKS)?.delete::<Array, _>(all_of(share)).build()?;
                transaction.object_store(SIZES)?.delete::<Array, _>(all_of(share)).build()?;
                transaction.object_store(SHARES)?.delete::<JsValue, _>(text(share)).build()?;
            }
            transaction.commit().await
        };
        removing.await.map_err(|error| refused("IDBObjectStore.delete", error))
    }

    fn begin(&self, stores: &[&str]) -> Result<Transaction<'_>, Error> {
        let stores: Vec<String> = stores.iter().map(|name| (*name).to_owned()).collect();
        self.0.transaction(stores).with_mode(TransactionMode::Readwrite).build()
    }
}

fn text(cid: &Cid) -> JsValue {
    JsValue::from_str(&cid.to_string())
}

/// Every key `[share, …]`: a list sorts after every text.
fn all_of(share: &Cid) -> KeyRange<Array> {
    let (least, most) = (Array::of1(&text(share)), Array::of2(&text(share), &Array::new()));
    KeyRange::Bound(least, false, most, false)
}

fn refused(api: &'static str, error: Error) -> BrowserError {
    match error {
        Error::DomException(exception) => {
            let exception: &indexed_db_futures::error::DomException = &exception;
            let thrown: &JsValue = exception.as_ref();
            BrowserError::thrown(api, thrown)
        }
        Error::Unknown(thrown) => BrowserError::thrown(api, &thrown.into()),
        // A transaction that the browser aborted on its own: the disk, in practice.
        Error::MissingData(_) => {
            BrowserError { api, name: "AbortError".to_owned(), message: String::new() }
        }
        Error::Serialisation(_) => BrowserError::missing(api),
    }
}
