//! What of the past is kept: everything, the last blocks only, or what came after a snapshot.
//!
//! Headers, receipts and events of a block go together. The state stays: it needs none of them.

use std::collections::BTreeMap;

use commonware_cryptography::sha256::Digest;
use ledger::Receipt;
use minicbor::bytes::ByteVec;
use redb::{Database, ReadableTable as _};

use super::{
    EVENTS, FORMAT, HEADERS, LISTS, META, RECEIPTS, RECORDS, Records, RecordsError, event_key, last,
};

/// Blocks that are forgotten in one transaction of the database.
const FORGOTTEN_AT_ONCE: u64 = 256;

impl Records {
    /// The first block whose header, receipts and events are all here.
    pub(crate) fn since(&self) -> Result<u64, RecordsError> {
        since(&self.snapshot()?.read.open_table(META)?)
    }

    /// Forgets headers, receipts and events of blocks below a height, the oldest first and some at a
    /// time. The last block's stay.
    pub(crate) fn forget_below(&self, height: u64) -> Result<(), RecordsError> {
        let write = self.database.begin_write()?;
        let (from, to) = {
            let meta = write.open_table(META)?;
            let (last, from) = (last(&meta)?.0, since(&meta)?);
            (from, height.min(last).min(from.saturating_add(FORGOTTEN_AT_ONCE)))
        };
        if to <= from {
            return Ok(());
        }
        // Of a snapshot's block there is a header, and nothing else.
        for at in from.saturating_sub(1)..to {
            forget(&write, at)?;
        }
        write.open_table(META)?.insert("since", to.to_be_bytes().as_slice())?;
        self.end(write)
    }

    /// A new file for records as they are after some block: they follow by [`Self::add`], and
    /// [`Self::begin_after`] ends it.
    pub(crate) fn empty(database: Database) -> Self {
        Self::over(database)
    }

    /// Adds records to a new file.
    pub(crate) fn add(&self, records: &[(ByteVec, ByteVec)]) -> Result<(), RecordsError> {
        let write = self.database.begin_write()?;
        {
            let mut table = write.open_table(RECORDS)?;
            for (key, record) in records {
                table.insert(key.as_slice(), record.as_slice())?;
            }
        }
        self.end(write)
    }

    /// Says what ledger a new file is of, and after which block its records are.
    pub(crate) fn begin_after(
        &self,
        genesis: &Digest,
        (height, digest): (u64, &Digest),
        header: &[u8],
    ) -> Result<(), RecordsError> {
        let write = self.database.begin_write()?;
        write.open_table(HEADERS)?.insert(height, header)?;
        {
            let mut meta = write.open_table(META)?;
            let last = [height.to_be_bytes().as_slice(), digest.as_ref()].concat();
            meta.insert("last", last.as_slice())?;
            meta.insert("since", height.saturating_add(1).to_be_bytes().as_slice())?;
            meta.insert("genesis", genesis.as_ref())?;
            meta.insert("format", FORMAT.to_be_bytes().as_slice())?;
        }
        self.end(write)
    }
}

fn since(
    meta: &impl redb::ReadableTable<&'static str, &'static [u8]>,
) -> Result<u64, RecordsError> {
    let Some(value) = meta.get("since")? else { return Ok(0) };
    let bytes: [u8; 8] = value.value().try_into().map_err(|_| RecordsError::Format)?;
    Ok(u64::from_be_bytes(bytes))
}

fn forget(write: &redb::WriteTransaction, height: u64) -> Result<(), RecordsError> {
    write.open_table(HEADERS)?.remove(height)?;
    let names = {
        let mut lists = write.open_table(LISTS)?;
        let names = lists.remove(height)?.map(|names| names.value().to_vec());
        names.unwrap_or_default()
    };
    let mut receipts = write.open_table(RECEIPTS)?;
    let mut events = write.open_table(EVENTS)?;
    for name in names.chunks(32) {
        let found = receipts.remove(name)?.map(|receipt| receipt.value().to_vec());
        let Some(bytes) = found else { continue };
        let receipt: Receipt = minicbor::decode(&bytes).expect("written by this program");
        for account in receipt.events.iter().flat_map(|event| &event.accounts) {
            events.remove(event_key(account, receipt.height, receipt.index).as_slice())?;
        }
    }
    Ok(())
}

/// Makes the lists of a file that is older than they are, once.
pub(super) fn list(write: &redb::WriteTransaction) -> Result<(), RecordsError> {
    if write.open_table(META)?.insert("listed", [].as_slice())?.is_some() {
        return Ok(());
    }
    let mut blocks: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for entry in write.open_table(RECEIPTS)?.iter()? {
        let (name, receipt) = entry?;
        let receipt: Receipt = minicbor::decode(receipt.value()).expect("written by this program");
        blocks.entry(receipt.height).or_default().extend(name.value());
    }
    let mut lists = write.open_table(LISTS)?;
    for (height, names) in blocks {
        lists.insert(height, names.as_slice())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ledger::{AccountId, Changes, Event, Key, Store as _, TransactionId};

    use super::super::Final;
    use super::*;

    fn receipt(height: u64, account: AccountId) -> Receipt {
        let number = u8::try_from(height).unwrap();
        Receipt {
            transaction: TransactionId::new([number; 32]),
            height,
            index: 0,
            code: 0,
            fee: 1,
            events: vec![Event { kind: 256, accounts: vec![account], numbers: vec![1] }],
        }
    }

    fn commit(records: &Records, height: u64, account: AccountId) {
        let digest = Digest::from([u8::try_from(height).unwrap(); 32]);
        let changes = Changes::from([(Key::from_bytes(vec![1, 0]), Some(vec![9]))]);
        let receipts = [receipt(height, account)];
        let receipts = receipts.as_slice();
        let block = Final { height, digest, header: b"header", changes: &changes, receipts };
        records.commit(&block).unwrap();
    }

    fn opened(folder: &std::path::Path) -> Records {
        let none = Changes::new();
        let digest = Digest::from([0; 32]);
        let zero = Final { height: 0, digest, header: b"header", changes: &none, receipts: &[] };
        Records::open(&folder.join("records"), &zero).unwrap()
    }

    #[test]
    fn what_is_forgotten_leaves_nothing_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (records, account) = (opened(folder.path()), AccountId::new([5; 32]));
        for height in 1..=9 {
            commit(&records, height, account);
        }
        assert_eq!(records.since().unwrap(), 0);
        records.forget_below(6).unwrap();
        records.forget_below(4).unwrap();
        assert_eq!(records.since().unwrap(), 6, "it does not fall");
        for height in 0..=9 {
            let here = height >= 6;
            assert_eq!(records.header(height).unwrap().is_some(), here, "{height}");
            let id = receipt(height, account).transaction;
            assert_eq!(records.receipt(&id).unwrap().is_some(), here, "{height}");
        }
        let events = records.events(&account, (u64::MAX, 0), 50).unwrap();
        assert_eq!(events.iter().map(|one| one.height).collect::<Vec<_>>(), [9, 8, 7, 6]);
        let write = records.database.begin_write().unwrap();
        assert_eq!(write.open_table(EVENTS).unwrap().iter().unwrap().count(), 4);
        assert_eq!(write.open_table(LISTS).unwrap().iter().unwrap().count(), 4);
        drop(write);
        // The state and the last block stay, whatever is asked for.
        records.forget_below(u64::MAX).unwrap();
        assert!(records.header(9).unwrap().is_some());
        assert_eq!(records.last().unwrap().0, 9);
        let key = Key::from_bytes(vec![1, 0]);
        assert_eq!(records.snapshot().unwrap().get(&key), Some(vec![9]));
    }

    #[test]
    fn events_of_a_full_block_are_listed_over_several_pages() {
        let folder = tempfile::tempdir().unwrap();
        let (records, account) = (opened(folder.path()), AccountId::new([5; 32]));
        commit(&records, 1, account);
        let of_block = |index: u8| {
            let transaction = TransactionId::new([100 + index; 32]);
            Receipt { transaction, index: index.into(), ..receipt(2, account) }
        };
        let receipts: Vec<Receipt> = (0..60).map(of_block).collect();
        let (digest, changes) = (Digest::from([2; 32]), Changes::new());
        let (header, receipts) = (b"header".as_slice(), receipts.as_slice());
        let block = Final { height: 2, digest, header, changes: &changes, receipts };
        records.commit(&block).unwrap();
        let (mut before, mut listed, mut sizes) = ((u64::MAX, 0), Vec::new(), Vec::new());
        loop {
            let page = records.events(&account, before, 25).unwrap();
            let Some(last) = page.last() else { break };
            before = (last.height, last.index);
            sizes.push(page.len());
            listed.extend(page.iter().map(|one| (one.height, one.index)));
        }
        let newest_first = (0..60).rev().map(|index| (2, index)).chain([(1, 0)]);
        assert_eq!((listed, sizes), (newest_first.collect(), vec![25, 25, 11]));
        // A height alone leaves its whole block out.
        assert_eq!(records.events(&account, (2, 0), 50).unwrap().len(), 1);
    }

    #[test]
    fn a_file_of_before_there_were_lists_is_listed_when_it_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let (records, account) = (opened(folder.path()), AccountId::new([5; 32]));
        commit(&records, 1, account);
        commit(&records, 2, account);
        let write = records.database.begin_write().unwrap();
        write.delete_table(LISTS).unwrap();
        write.open_table(META).unwrap().remove("listed").unwrap();
        write.commit().unwrap();
        drop(records);
        let records = opened(folder.path());
        records.forget_below(2).unwrap();
        assert_eq!(records.receipt(&receipt(1, account).transaction).unwrap(), None);
        assert!(records.receipt(&receipt(2, account).transaction).unwrap().is_some());
    }

    #[test]
    fn records_after_a_block_are_a_ledger_that_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::create(folder.path().join("records")).unwrap();
        let records = Records::empty(database);
        records.add(&[(vec![1, 0].into(), vec![7].into())]).unwrap();
        let (genesis, block) = (Digest::from([0; 32]), Digest::from([8; 32]));
        records.begin_after(&genesis, (8, &block), b"header").unwrap();
        drop(records);
        let records = opened(folder.path());
        assert_eq!(records.last().unwrap(), (8, block));
        assert_eq!(records.since().unwrap(), 9);
        assert_eq!(records.header(7).unwrap(), None);
        assert_eq!(records.changes(8).unwrap(), None);
        commit(&records, 9, AccountId::new([5; 32]));
        assert_eq!(records.last().unwrap().0, 9);
    }
}
