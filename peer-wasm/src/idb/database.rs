//! The database itself: what is in it, read and written in whole transactions.
//!
//! Two object stores under the same key `[swarm, track, index]`: `segments` holds the bytes,
//! `uses` holds `[size in bytes, last use in milliseconds since 1970]`, so that sizes and ages are
//! read without reading the bytes.

use indexed_db_futures::{
    Build as _, OpenDbResult,
    database::{Database, VersionChangeEvent},
    error::{DomException, Error, OpenDbError},
    prelude::QuerySource as _,
    transaction::{Transaction, TransactionMode},
};
use js_sys::{Array, ArrayBuffer, Uint8Array};
use primitives::{SegmentId, SwarmId};
use wasm_bindgen::JsValue;

use crate::{
    buffers::{free, taken},
    js_error::BrowserError,
    number,
};

const NAME: &str = "starling";
/// Raised when the shape of the stores changes.
const VERSION: u8 = 1;
const SEGMENTS: &str = "segments";
const USES: &str = "uses";

/// Names one stored segment.
pub(super) type StoreKey = (SwarmId, SegmentId);

/// What is known of a stored segment without reading it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Entry {
    pub(super) key: StoreKey,
    pub(super) size_bytes: u64,
    pub(super) used_ms: f64,
}

/// The open database of this origin, shared with the origin's other tabs.
#[derive(Debug)]
pub(super) struct SegmentDatabase(Database);

impl SegmentDatabase {
    /// Opens it, making the stores on the first visit.
    pub(super) async fn open() -> Result<Self, BrowserError> {
        let opening = Database::open(NAME).with_version(VERSION).with_on_upgrade_needed(
            |_: VersionChangeEvent, database: Database| {
                database.create_object_store(SEGMENTS).build()?;
                database.create_object_store(USES).build()?;
                Ok(())
            },
        );
        let opened: OpenDbResult<Database> = opening.await;
        opened.map(Self).map_err(|error| match error {
            OpenDbError::Base(error) => refused("IDBFactory.open", error),
            _ => BrowserError::missing("IDBFactory.open"),
        })
    }

    /// Everything that is stored, by key.
    pub(super) async fn entries(&self) -> Result<Vec<Entry>, BrowserError> {
        self.read_entries().await.map_err(|error| refused("IDBObjectStore.getAll", error))
    }

    async fn read_entries(&self) -> Result<Vec<Entry>, Error> {
        let transaction = self.0.transaction(USES).build()?;
        let store = transaction.object_store(USES)?;
        let keys = store.get_all_keys::<Array>().await?;
        let uses = store.get_all::<Array>().await?;
        let mut entries = Vec::new();
        for (key, value) in keys.zip(uses) {
            let (key, value) = (key?, value?);
            if let (Some(key), Some(size), Some(used_ms)) =
                (parse_key(&key), value.get(0).as_f64(), value.get(1).as_f64())
            {
                entries.push(Entry { key, size_bytes: number::whole(size), used_ms });
            }
        }
        Ok(entries)
    }

    /// Writes segments and marks uses, all or nothing.
    pub(super) async fn write(
        &self,
        segments: &[(StoreKey, &[u8])],
        used: &[(StoreKey, u64)],
        now_ms: f64,
    ) -> Result<(), BrowserError> {
        let writing = self.write_all(segments, used, now_ms);
        writing.await.map_err(|error| refused("IDBObjectStore.put", error))
    }

    async fn write_all(
        &self,
        segments: &[(StoreKey, &[u8])],
        used: &[(StoreKey, u64)],
        now_ms: f64,
    ) -> Result<(), Error> {
        let transaction = self.begin()?;
        {
            let store = transaction.object_store(SEGMENTS)?;
            let uses = transaction.object_store(USES)?;
            for (key, bytes) in segments {
                let buffer: ArrayBuffer = Uint8Array::from(*bytes).buffer();
                store.put(buffer.clone()).with_key(key_of(key)).without_key_type().build()?;
                // The browser has its copy.
                free(&buffer);
            }
            let written = segments.iter().map(|(key, bytes)| (key, number::count(bytes.len())));
            for (key, size) in written.chain(used.iter().map(|(key, size)| (key, *size))) {
                let value = Array::of2(&number::float(size).into(), &now_ms.into());
                uses.put(value).with_key(key_of(key)).without_key_type().build()?;
            }
        }
        transaction.commit().await
    }

    /// The bytes of one segment, if it is there.
    pub(super) async fn read(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, BrowserError> {
        let reading = async {
            let transaction = self.0.transaction(SEGMENTS).build()?;
            let store = transaction.object_store(SEGMENTS)?;
            let found: Option<ArrayBuffer> = store.get::<_, Array, _>(key_of(key)).await?;
            Ok(found.map(|buffer| taken(&buffer)))
        };
        reading.await.map_err(|error| refused("IDBObjectStore.get", error))
    }

    /// Removes segments, all or nothing.
    pub(super) async fn remove(&self, keys: &[StoreKey]) -> Result<(), BrowserError> {
        let removing = async {
            let transaction = self.begin()?;
            for name in [SEGMENTS, USES] {
                let store = transaction.object_store(name)?;
                for key in keys {
                    store.delete::<Array, _>(key_of(key)).build()?;
                }
            }
            transaction.commit().await
        };
        removing.await.map_err(|error| refused("IDBObjectStore.delete", error))
    }

    fn begin(&self) -> Result<Transaction<'_>, Error> {
        self.0.transaction([SEGMENTS, USES]).with_mode(TransactionMode::Readwrite).build()
    }
}

fn key_of((swarm, segment): &StoreKey) -> Array {
    Array::of3(&JsValue::from_str(&swarm.to_string()), &segment.track.into(), &segment.index.into())
}

fn parse_key(key: &Array) -> Option<StoreKey> {
    let swarm = key.get(0).as_string()?.parse().ok()?;
    let track = u16::try_from(number::whole(key.get(1).as_f64()?)).ok()?;
    let index = u32::try_from(number::whole(key.get(2).as_f64()?)).ok()?;
    Some((swarm, SegmentId::new(track, index)))
}

fn refused(api: &'static str, error: Error) -> BrowserError {
    match error {
        Error::DomException(exception) => {
            let exception: &DomException = &exception;
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
