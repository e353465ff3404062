//! A disk for records that may lose at a crash what was not flushed.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use primitives::Rng;
use redb::{Database, StorageBackend};

/// Most bytes of the database that are kept twice.
const CACHE_BYTES: usize = 1 << 20;

/// The disk of one validator, through all its crashes.
#[derive(Debug, Default)]
pub(super) struct Disk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    /// What who reads gets.
    now: Vec<u8>,
    /// What is there after any crash.
    flushed: Vec<u8>,
    /// What was done since the last flush, in order.
    pending: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Length(usize),
    Write(usize, Vec<u8>),
}

impl Change {
    fn apply(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(length, 0),
            Self::Write(offset, data) => {
                let end = offset + data.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[offset..end].copy_from_slice(&data);
            }
        }
    }
}

impl Platter {
    fn flush(&mut self) {
        for change in self.pending.drain(..) {
            change.apply(&mut self.flushed);
        }
    }
}

impl Disk {
    /// The database on it.
    pub(super) fn open(&self) -> Database {
        let backend = Backend(self.0.clone());
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        builder.create_with_backend(backend).unwrap()
    }

    /// Whoever used it until now writes into the void. Of what was not flushed, any part is kept.
    pub(super) fn crash(&mut self, rng: &mut Rng) {
        let mut old = lock(&self.0);
        old.pending.retain(|_| rng.bool());
        old.flush();
        let (now, flushed) = (old.flushed.clone(), std::mem::take(&mut old.flushed));
        drop(old);
        self.0 = Arc::new(Mutex::new(Platter { now, flushed, pending: Vec::new() }));
    }
}

fn lock(platter: &Mutex<Platter>) -> MutexGuard<'_, Platter> {
    platter.lock().unwrap_or_else(PoisonError::into_inner)
}

fn number(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

#[derive(Debug)]
struct Backend(Arc<Mutex<Platter>>);

impl StorageBackend for Backend {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(u64::try_from(lock(&self.0).now.len()).unwrap())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let (platter, offset) = (lock(&self.0), number(offset));
        let found = platter.now.get(offset..offset + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.change(Change::Length(number(len)), Change::Length(number(len)));
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        lock(&self.0).flush();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let write = || Change::Write(number(offset), data.to_vec());
        self.change(write(), write());
        Ok(())
    }
}

impl Backend {
    fn change(&self, now: Change, later: Change) {
        let mut platter = lock(&self.0);
        now.apply(&mut platter.now);
        platter.pending.push(later);
    }
}

#[test]
fn what_was_flushed_is_there_after_a_crash_and_the_rest_need_not_be() {
    let mut disk = Disk::default();
    let first = Backend(disk.0.clone());
    first.set_len(4).unwrap();
    first.write(0, &[1, 2]).unwrap();
    first.sync_data().unwrap();
    let mut lost = 0;
    let mut rng = primitives::Seed::from_number(1).rng();
    for _ in 0..32 {
        let backend = Backend(disk.0.clone());
        backend.write(2, &[3, 4]).unwrap();
        disk.crash(&mut rng);
        backend.write(0, &[9, 9, 9, 9]).unwrap();
        let mut read = [0; 4];
        Backend(disk.0.clone()).read(0, &mut read).unwrap();
        assert_eq!(read[..2], [1, 2]);
        lost += usize::from(read[2..] == [0, 0]);
        Backend(disk.0.clone()).write(2, &[0, 0]).unwrap();
        lock(&disk.0).flush();
    }
    assert!((1..32).contains(&lost), "{lost}");
}
