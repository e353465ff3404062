//! Records, receipts and headers on disk: what the engine's store only knows the hashes of.
//!
//! One transaction of the database per final block, flushed before the engine is told that the
//! block is done. After a crash the engine may be some blocks behind: what those blocks changed is
//! kept, so that they give the same when they are run again. What of the past is kept: `history`.

mod history;
mod successions;

#[cfg(test)]
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use commonware_cryptography::sha256::Digest;
use ledger::{AccountId, Changes, Key, Receipt, Store, TransactionId};
use minicbor::bytes::ByteVec;
use redb::{
    Database, ReadOnlyTable, ReadTransaction, ReadableDatabase as _, ReadableTable as _,
    TableDefinition, WriteTransaction,
};

/// Final blocks whose changes are kept: more than the engine can be behind
/// ([`crate::engine::PENDING_ACKS_MAX`]).
pub(crate) const CHANGES_KEPT: u64 = 64;
/// What the file holds; another number is another program's.
const FORMAT: u64 = 1;

const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
const RECEIPTS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("receipts");
/// Account ‖ height ‖ index of a transaction whose events name it, to the transaction.
const EVENTS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("events");
/// Names of a block's transactions, 32 bytes each: what goes with it.
const LISTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("lists");
const HEADERS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("headers");
const CHANGES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("changes");
/// Proof of who took over, by epoch.
const SUCCESSIONS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("successions");
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// Why the records can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// The database can't be read or written.
    #[error("the ledger's records: {0}")]
    Database(Box<redb::Error>),
    /// The file is of another program or version.
    #[error("the ledger's records are of another format than {FORMAT}")]
    Format,
    /// The engine made a block final that was not executed here.
    #[error("block {0} is final and was not executed")]
    NotExecuted(u64),
    /// The file is of another ledger.
    #[error("the ledger's records are of another ledger")]
    OtherChain,
}

impl<E: Into<redb::Error>> From<E> for RecordsError {
    fn from(error: E) -> Self {
        Self::Database(Box::new(error.into()))
    }
}

/// A final block: its height and name.
pub(crate) type Last = (u64, Digest);

/// A final block with what it did.
pub(crate) struct Final<'a> {
    pub(crate) height: u64,
    pub(crate) digest: Digest,
    pub(crate) header: &'a [u8],
    pub(crate) changes: &'a Changes,
    pub(crate) receipts: &'a [Receipt],
}

/// The database.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    database: Arc<Database>,
    /// The newest records, once somebody has read them: between two blocks all read the same.
    newest: Arc<Mutex<Option<Arc<Snapshot>>>>,
}

impl Records {
    /// The last final block's height in a file that is there already.
    pub(crate) fn height_in(path: &Path) -> Result<u64, RecordsError> {
        Ok(Self::over(Database::open(path)?).last()?.0)
    }

    /// Opens the file; a new one begins with these records, which are those of block 0.
    pub(crate) fn open(path: &Path, genesis: &Final<'_>) -> Result<Self, RecordsError> {
        Self::of(Database::create(path)?, genesis)
    }

    /// The same of a database wherever it is kept.
    pub(crate) fn of(database: Database, genesis: &Final<'_>) -> Result<Self, RecordsError> {
        let records = Self::over(database);
        let write = records.database.begin_write()?;
        let known = {
            let mut meta = write.open_table(META)?;
            let known = meta.get("format")?.map(|value| value.value().to_vec());
            let chain = meta.get("genesis")?.map(|value| value.value().to_vec());
            match &known {
                Some(format) if *format != FORMAT.to_be_bytes() => {
                    return Err(RecordsError::Format);
                }
                Some(_) if chain.as_deref() != Some(genesis.digest.as_ref()) => {
                    return Err(RecordsError::OtherChain);
                }
                Some(_) => true,
                None => {
                    meta.insert("format", FORMAT.to_be_bytes().as_slice())?;
                    meta.insert("genesis", genesis.digest.as_ref())?;
                    false
                }
            }
        };
        write.open_table(RECEIPTS)?;
        write.open_table(EVENTS)?;
        write.open_table(CHANGES)?;
        write.open_table(SUCCESSIONS)?;
        if !known {
            put(&write, genesis)?;
        }
        history::list(&write)?;
        write.commit()?;
        Ok(records)
    }

    /// Adds the next final block, flushed when this returns. One that is there already is left.
    pub(crate) fn commit(&self, block: &Final<'_>) -> Result<(), RecordsError> {
        let write = self.database.begin_write()?;
        let last = { last(&write.open_table(META)?)? };
        if last.0 >= block.height {
            return Ok(());
        }
        put(&write, block)?;
        self.end(write)
    }

    /// Everything as of now, or as it was while something is written. All that is asked of a block is read from one:
    /// who finds its receipt finds what it changed, too.
    pub(crate) fn snapshot(&self) -> Result<Arc<Snapshot>, RecordsError> {
        let mut newest = self.newest();
        if let Some(known) = &*newest {
            return Ok(Arc::clone(known));
        }
        let read = self.database.begin_read()?;
        let last = last(&read.open_table(META)?)?;
        let records = read.open_table(RECORDS)?;
        Ok(Arc::clone(newest.insert(Arc::new(Snapshot { last, records, read }))))
    }

    /// Flushes what was written: whoever asks from now on reads anew.
    fn end(&self, write: WriteTransaction) -> Result<(), RecordsError> {
        write.commit()?;
        *self.newest() = None;
        Ok(())
    }

    fn newest(&self) -> MutexGuard<'_, Option<Arc<Snapshot>>> {
        // Nothing panics while it is held.
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn over(database: Database) -> Self {
        Self { database: Arc::new(database), newest: Arc::default() }
    }

    /// Every record, in order of keys.
    #[cfg(test)]
    pub(crate) fn all(&self) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, RecordsError> {
        let table = self.snapshot()?.read.open_table(RECORDS)?;
        let mut all = BTreeMap::new();
        for entry in table.iter()? {
            let (key, record) = entry?;
            all.insert(key.value().to_vec(), record.value().to_vec());
        }
        Ok(all)
    }

    /// The last final block.
    pub(crate) fn last(&self) -> Result<Last, RecordsError> {
        Ok(self.snapshot()?.last)
    }

    /// What a recent final block was called and changed.
    pub(crate) fn changes(&self, height: u64) -> Result<Option<(Digest, Changes)>, RecordsError> {
        let table = self.snapshot()?.read.open_table(CHANGES)?;
        Ok(table.get(height)?.map(|value| read_changes(value.value())))
    }

    /// The header of a final block.
    pub(crate) fn header(&self, height: u64) -> Result<Option<Vec<u8>>, RecordsError> {
        let table = self.snapshot()?.read.open_table(HEADERS)?;
        Ok(table.get(height)?.map(|value| value.value().to_vec()))
    }

    /// What happened to an account, newest first: receipts of transactions whose events name it, before
    /// the transaction of this height and index.
    pub(crate) fn events(
        &self,
        account: &AccountId,
        (height, index): (u64, u32),
        count: usize,
    ) -> Result<Vec<Receipt>, RecordsError> {
        let newest = self.snapshot()?;
        let (events, receipts) =
            (newest.read.open_table(EVENTS)?, newest.read.open_table(RECEIPTS)?);
        let first = event_key(account, 0, 0);
        let end = event_key(account, height, index);
        let mut found = Vec::new();
        for entry in events.range(first.as_slice()..end.as_slice())?.rev().take(count) {
            let (_, id) = entry?;
            if let Some(value) = receipts.get(id.value())? {
                found.push(minicbor::decode(value.value()).expect("written by this program"));
            }
        }
        Ok(found)
    }

    /// What became of a transaction.
    pub(crate) fn receipt(&self, id: &TransactionId) -> Result<Option<Receipt>, RecordsError> {
        let table = self.snapshot()?.read.open_table(RECEIPTS)?;
        let found = table.get(id.as_bytes().as_slice())?;
        Ok(found.map(|value| minicbor::decode(value.value()).expect("written by this program")))
    }
}

fn last(
    meta: &impl redb::ReadableTable<&'static str, &'static [u8]>,
) -> Result<Last, RecordsError> {
    let value = meta.get("last")?.ok_or(RecordsError::Format)?;
    let (height, digest) = value.value().split_first_chunk::<8>().ok_or(RecordsError::Format)?;
    let digest: [u8; 32] = digest.try_into().map_err(|_| RecordsError::Format)?;
    Ok((u64::from_be_bytes(*height), Digest::from(digest)))
}

fn event_key(account: &AccountId, height: u64, index: u32) -> Vec<u8> {
    [account.as_bytes().as_slice(), &height.to_be_bytes(), &index.to_be_bytes()].concat()
}

fn put(write: &WriteTransaction, block: &Final<'_>) -> Result<(), RecordsError> {
    let mut records = write.open_table(RECORDS)?;
    for (key, record) in block.changes {
        match record {
            Some(record) => records.insert(key.as_bytes(), record.as_slice())?,
            None => records.remove(key.as_bytes())?,
        };
    }
    let mut receipts = write.open_table(RECEIPTS)?;
    let mut events = write.open_table(EVENTS)?;
    let names: Vec<&[u8]> =
        block.receipts.iter().map(|one| one.transaction.as_bytes().as_slice()).collect();
    if !names.is_empty() {
        write.open_table(LISTS)?.insert(block.height, names.concat().as_slice())?;
    }
    for receipt in block.receipts {
        for account in receipt.events.iter().flat_map(|event| &event.accounts) {
            let key = event_key(account, receipt.height, receipt.index);
            events.insert(key.as_slice(), receipt.transaction.as_bytes().as_slice())?;
        }
        let bytes = minicbor::to_vec(receipt).expect("encoding into memory does not fail");
        receipts.insert(receipt.transaction.as_bytes().as_slice(), bytes.as_slice())?;
    }
    write.open_table(HEADERS)?.insert(block.height, block.header)?;
    let mut changes = write.open_table(CHANGES)?;
    changes.insert(block.height, write_changes(&block.digest, block.changes).as_slice())?;
    if let Some(old) = block.height.checked_sub(CHANGES_KEPT) {
        changes.remove(old)?;
    }
    let last = [block.height.to_be_bytes().as_slice(), block.digest.as_ref()].concat();
    write.open_table(META)?.insert("last", last.as_slice())?;
    Ok(())
}

type Listed = ([u8; 32], Vec<(ByteVec, Option<ByteVec>)>);

fn write_changes(digest: &Digest, changes: &Changes) -> Vec<u8> {
    let list = changes.iter().map(|(key, record)| {
        (ByteVec::from(key.as_bytes().to_vec()), record.clone().map(ByteVec::from))
    });
    let listed: Listed = (digest.0, list.collect());
    minicbor::to_vec(listed).expect("encoding into memory does not fail")
}

fn read_changes(bytes: &[u8]) -> (Digest, Changes) {
    let (digest, list): Listed = minicbor::decode(bytes).expect("written by this program");
    let list = list.into_iter();
    let changes =
        list.map(|(key, record)| (Key::from_bytes(key.into()), record.map(Vec::<u8>::from)));
    (Digest::from(digest), changes.collect())
}

/// The records as they were when it was taken, whatever is written since.
pub(crate) struct Snapshot {
    pub(crate) last: Last,
    records: ReadOnlyTable<&'static [u8], &'static [u8]>,
    read: ReadTransaction,
}

/// Where a page of a listing ends, in bytes of keys and records: it and one record more are less than an
/// answer may be long.
const PAGE_BYTES: usize = wire::limits::LEDGER_ANSWER_BYTES_MAX / 4;

/// Keys with their records, and whether there are more behind them.
pub(crate) type Page = (Vec<(Vec<u8>, Vec<u8>)>, bool);

impl Snapshot {
    /// Records whose keys begin with `prefix` and come behind `after`, in order of keys.
    pub(crate) fn list(&self, prefix: &[u8], after: Option<&[u8]>) -> Result<Page, RecordsError> {
        // No key lies between one and the same with a zero byte behind it.
        let from = after.map_or_else(|| prefix.to_vec(), |after| [after, &[0]].concat());
        let (mut found, mut bytes) = (Vec::new(), 0);
        for entry in self.records.range(from.as_slice()..)? {
            let (key, record) = entry?;
            let (key, record) = (key.value(), record.value());
            if !key.starts_with(prefix) {
                break;
            }
            if found.len() >= wire::limits::LEDGER_RECORDS_MAX || bytes >= PAGE_BYTES {
                return Ok((found, true));
            }
            bytes += key.len() + record.len();
            found.push((key.to_vec(), record.to_vec()));
        }
        Ok((found, false))
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("last", &self.last).finish_non_exhaustive()
    }
}

impl Store for Snapshot {
    fn get(&self, key: &Key) -> Option<Vec<u8>> {
        // A validator that can't read its state must stop: any answer would be a guess.
        let found = self.records.get(key.as_bytes()).expect("the ledger's records can be read");
        found.map(|value| value.value().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(value: Option<u8>) -> Changes {
        Changes::from([(Key::from_bytes(vec![1, 0, 9]), value.map(|byte| vec![byte; 3]))])
    }

    fn block(height: u64, changes: &Changes) -> Final<'_> {
        let digest = Digest::from([u8::try_from(height).unwrap(); 32]);
        Final { height, digest, header: b"header", changes, receipts: &[] }
    }

    #[test]
    fn what_was_committed_is_there_after_opening_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records");
        let (zero, one, two) = (changes(Some(0)), changes(Some(1)), changes(None));
        let key = Key::from_bytes(vec![1, 0, 9]);
        let records = Records::open(&path, &block(0, &zero)).unwrap();
        let before = records.snapshot().unwrap();
        records.commit(&block(1, &one)).unwrap();
        records.commit(&block(1, &two)).unwrap();
        assert_eq!(before.get(&key), Some(vec![0; 3]), "a snapshot stays as it was");
        assert_eq!(records.snapshot().unwrap().get(&key), Some(vec![1; 3]), "once only");
        drop((before, records));
        let records = Records::open(&path, &block(0, &zero)).unwrap();
        assert_eq!(records.last().unwrap(), (1, Digest::from([1; 32])));
        assert_eq!(records.changes(1).unwrap().unwrap(), (Digest::from([1; 32]), one));
        records.commit(&block(2, &two)).unwrap();
        assert_eq!(records.snapshot().unwrap().get(&key), None);
    }

    #[test]
    fn another_ledgers_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records");
        let zero = changes(None);
        drop(Records::open(&path, &block(0, &zero)).unwrap());
        let other = Final { digest: Digest::from([9; 32]), ..block(0, &zero) };
        assert!(matches!(Records::open(&path, &other), Err(RecordsError::OtherChain)));
    }

    #[test]
    fn records_are_listed_page_by_page_and_none_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let key = |table: u8, number: u16| [&[5, table][..], &number.to_be_bytes()].concat();
        let mut many = Changes::new();
        for (table, count) in [(1, 1), (2, 600), (3, 1)] {
            for number in 0..count {
                many.insert(Key::from_bytes(key(table, number)), Some(vec![table; 3]));
            }
        }
        let records = Records::open(&folder.path().join("records"), &block(0, &many)).unwrap();
        let (snapshot, mut listed, mut sizes) =
            (records.snapshot().unwrap(), Vec::<Vec<u8>>::new(), Vec::new());
        loop {
            let after = listed.last().map(Vec::as_slice);
            let (page, more) = snapshot.list(&[5, 2], after).unwrap();
            sizes.push(page.len());
            assert!(page.iter().all(|(_, record)| *record == [2; 3]));
            listed.extend(page.into_iter().map(|(key, _)| key));
            if !more {
                break;
            }
        }
        assert_eq!(sizes, [256, 256, 88]);
        assert_eq!(listed, (0..600).map(|number| key(2, number)).collect::<Vec<_>>());
        let large = Changes::from_iter(
            (0..9).map(|number| (Key::from_bytes(key(4, number)), Some(vec![4; 10_000]))),
        );
        records.commit(&block(1, &large)).unwrap();
        let (page, more) = records.snapshot().unwrap().list(&[5, 4], None).unwrap();
        assert_eq!((page.len(), more), (4, true), "a page has an end in bytes, too");
        assert_eq!(records.snapshot().unwrap().list(&[6, 0], None).unwrap(), (Vec::new(), false));
    }

    #[test]
    fn only_recent_changes_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let none = Changes::new();
        let records = Records::open(&folder.path().join("records"), &block(0, &none)).unwrap();
        for height in 1..=CHANGES_KEPT + 1 {
            records.commit(&block(height, &none)).unwrap();
        }
        assert!(records.changes(1).unwrap().is_none());
        assert!(records.changes(2).unwrap().is_some());
    }
}
