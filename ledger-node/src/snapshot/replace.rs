//! What a validator's folder has to begin with, and a ledger there that is given up for a snapshot.
//!
//! A ledger that ends before the blocks that others keep can't go on. It is moved aside with the votes that it
//! remembers, so what begins in its place remembers none: it listens before it votes (`memory.rs`), and never
//! counts as fresh. The ledger that is there is touched only when the one of the snapshot is whole, beside it;
//! what is interrupted while they change places is done to its end at the next start.

use std::fs::File;
use std::io::{self, BufReader, Write as _};
use std::path::{Path, PathBuf};

use ledger::ChainId;

use super::restore::{ENGINE, Folder, RECORDS, Reader, Restored, Seat, on_thread};
use super::{KEEP_BLOCKS_MIN, SnapshotError};
use crate::config::Config;
use crate::network::FRESH;
use crate::records::Records;

/// Where a snapshot is restored while there is a ledger in its place.
const BESIDE: &str = "restored";
/// Is in a folder while the two change places, and says what the names of the old one end with.
const REPLACING: &str = "replace.unfinished";
/// Most ledgers of one height that are kept aside.
const ASIDE_MAX: u32 = 64;

/// What a validator's folder has of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// Nothing.
    Empty,
    /// Part of a snapshot: restoring it was interrupted.
    Unfinished,
    /// A ledger up to a block.
    Kept {
        /// The block.
        height: u64,
    },
}

/// What a validator has to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// What its folder has.
    pub disk: Disk,
    /// Which ledger it takes part in.
    pub chain: ChainId,
    /// Whether its key never voted, wherever.
    pub fresh: bool,
    /// Whether nothing is final without it.
    pub alone: bool,
}

/// What a validator has to begin with, which must not run.
///
/// # Errors
/// In order: what was interrupted in the folder, network and secrets, the records.
pub fn found(config: &Config) -> Result<Found, SnapshotError> {
    finish(&config.data)?;
    // Where restoring beside a ledger was interrupted.
    clear(&config.data.join(BESIDE))?;
    let Seat { members, fresh, alone } = Seat::of(config)?;
    let folder = Folder::of(&config.data);
    let disk = if folder.unfinished.exists() {
        Disk::Unfinished
    } else if folder.records.exists() {
        Disk::Kept { height: Records::height_in(&folder.records)? }
    } else if folder.engine.exists() {
        Disk::Kept { height: 0 }
    } else {
        Disk::Empty
    };
    Ok(Found { disk, chain: members.genesis.chain(), fresh, alone })
}

/// Checks a snapshot and begins with it in place of a ledger that ends with block `kept`, which is moved aside;
/// where its engine is then. The validator must not run. It takes as much disk again.
///
/// Whoever took part in making the snapshot's block had the blocks before it, but for the last few. So one that is as
/// many behind as a validator keeps at least took no part, and those who did remember their votes: however many do
/// this at once, the others go on.
///
/// # Errors
/// In order: network and secrets, the snapshot, the disk. The ledger is then where it was, or, where the disk failed
/// last of all, is moved aside at the next start.
pub fn restore_late(
    config: &Config,
    file: &Path,
    kept: u64,
) -> Result<(Restored, PathBuf), SnapshotError> {
    finish(&config.data)?;
    let Seat { members, alone, .. } = Seat::of(config)?;
    if alone {
        return Err(SnapshotError::RollBack);
    }
    let reader: Reader = Box::new(BufReader::new(File::open(file)?));
    let beside = config.data.join(BESIDE);
    clear(&beside)?;
    std::fs::create_dir(&beside)?;
    let made = on_thread(&Folder::of(&beside), reader, &members, false);
    let made = made.and_then(|made| match made.height >= kept.saturating_add(KEEP_BLOCKS_MIN) {
        true => Ok(made),
        false => Err(SnapshotError::Near { height: made.height, kept }),
    });
    match made {
        Ok(made) => Ok((made, replace(&config.data, kept)?)),
        Err(error) => {
            clear(&beside)?;
            Err(error)
        }
    }
}

/// The restored ledger in place of the one that ends with block `kept`; where its engine is then.
fn replace(data: &Path, kept: u64) -> Result<PathBuf, SnapshotError> {
    let first = format!("old-{kept}");
    let later = (2..=ASIDE_MAX).map(|number| format!("old-{kept}-{number}"));
    let is_free = |end: &String| !aside(data, end).iter().any(|path| path.exists());
    let end = std::iter::once(first.clone()).chain(later).find(is_free);
    let end = end.ok_or_else(|| SnapshotError::Used(data.join(format!("{ENGINE}.{first}"))))?;
    // The votes go, so the key is not fresh, whatever the file says. Before all else, and on the disk.
    remove(&data.join(FRESH))?;
    sync(data)?;
    let mut marker = File::create(data.join(REPLACING))?;
    marker.write_all(format!("{end}\n").as_bytes())?;
    marker.sync_all()?;
    sync(data)?;
    finish(data)?;
    let [engine, _] = aside(data, &end);
    Ok(engine)
}

/// Where a ledger that is given up lies: its engine and its records.
fn aside(data: &Path, end: &str) -> [PathBuf; 2] {
    [data.join(format!("{ENGINE}.{end}")), data.join(format!("records.{end}.redb"))]
}

/// Does to its end what was interrupted while a restored ledger took the place of another.
pub(crate) fn finish(data: &Path) -> io::Result<()> {
    let marker = data.join(REPLACING);
    let text = match std::fs::read_to_string(&marker) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let beside = data.join(BESIDE);
    // None: it was written in part only, and nothing was moved yet.
    if let Some(end) = text.strip_suffix('\n').filter(|end| is_end(end)) {
        for (name, old) in [ENGINE, RECORDS].into_iter().zip(aside(data, end)) {
            let (here, new) = (data.join(name), beside.join(name));
            // What is new comes only once what was there is aside.
            if new.exists() && here.exists() && !old.exists() {
                std::fs::rename(&here, &old)?;
            }
            if new.exists() {
                std::fs::rename(&new, &here)?;
            }
        }
        sync(data)?;
    }
    std::fs::remove_file(&marker)?;
    clear(&beside)
}

/// Whether a name of a ledger that is given up may end so.
fn is_end(end: &str) -> bool {
    let numbers = end.strip_prefix("old-").unwrap_or_default();
    !numbers.is_empty() && numbers.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// Removes a folder that was made here, if it is there.
fn clear(folder: &Path) -> io::Result<()> {
    match folder.exists() {
        true => std::fs::remove_dir_all(folder),
        false => Ok(()),
    }
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Names in a folder are on the disk, where a folder is a file that can be opened.
fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::{Node, NodeError};

    /// What is in a file of a ledger; none: it is not there.
    fn says(path: &Path) -> Option<String> {
        std::fs::read_to_string(path).ok()
    }

    /// A ledger that says what it is, in place or beside it.
    fn ledger(folder: &Path, says: &str) {
        std::fs::create_dir_all(folder.join(ENGINE)).unwrap();
        std::fs::write(folder.join(ENGINE).join("file"), says).unwrap();
        std::fs::write(folder.join(RECORDS), says).unwrap();
    }

    fn both() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_owned();
        ledger(&data, "before");
        ledger(&data.join(BESIDE), "new");
        std::fs::write(data.join("validator.key"), "key").unwrap();
        std::fs::write(data.join(FRESH), "fresh").unwrap();
        (folder, data)
    }

    fn is_replaced(data: &Path, end: &str) {
        let [engine, records] = aside(data, end);
        for (path, expected) in [
            (engine.join("file"), "before"),
            (records, "before"),
            (data.join(ENGINE).join("file"), "new"),
            (data.join(RECORDS), "new"),
            (data.join("validator.key"), "key"),
        ] {
            assert_eq!(says(&path).as_deref(), Some(expected), "{}", path.display());
        }
        assert!(!data.join(REPLACING).exists() && !data.join(BESIDE).exists());
    }

    #[test]
    fn what_is_given_up_is_kept_aside_and_the_key_is_not_fresh() {
        let (_folder, data) = both();
        assert_eq!(replace(&data, 7).unwrap(), data.join("engine.old-7"));
        is_replaced(&data, "old-7");
        assert!(!data.join(FRESH).exists(), "its votes are gone");
        // Another one of that height takes nobody's place.
        std::fs::remove_dir_all(data.join(ENGINE)).unwrap();
        ledger(&data, "second");
        ledger(&data.join(BESIDE), "third");
        assert_eq!(replace(&data, 7).unwrap(), data.join("engine.old-7-2"));
        assert_eq!(says(&data.join("records.old-7.redb")).as_deref(), Some("before"));
        assert_eq!(says(&data.join("records.old-7-2.redb")).as_deref(), Some("second"));
        assert_eq!(says(&data.join(RECORDS)).as_deref(), Some("third"));
    }

    #[test]
    fn what_was_interrupted_is_done_to_its_end_from_wherever_it_was() {
        let steps: [(&str, &str); 4] = [
            (ENGINE, "engine.old-7"),
            ("restored/engine", ENGINE),
            (RECORDS, "records.old-7.redb"),
            ("restored/records.redb", RECORDS),
        ];
        for done in 0..=steps.len() {
            let (_folder, data) = both();
            std::fs::write(data.join(REPLACING), "old-7\n").unwrap();
            for (from, to) in &steps[..done] {
                std::fs::rename(data.join(from), data.join(to)).unwrap();
            }
            finish(&data).unwrap();
            is_replaced(&data, "old-7");
            finish(&data).unwrap();
            is_replaced(&data, "old-7");
        }
    }

    #[test]
    fn a_mark_that_was_cut_off_moves_nothing() {
        for text in ["", "old-7", "old-", "old-7\n\n", "../../old-7\n"] {
            let (_folder, data) = both();
            std::fs::write(data.join(REPLACING), text).unwrap();
            finish(&data).unwrap();
            assert_eq!(says(&data.join(RECORDS)).as_deref(), Some("before"), "{text:?}");
            assert_eq!(says(&data.join(ENGINE).join("file")).as_deref(), Some("before"));
            assert!(!data.join(REPLACING).exists());
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_a_folder_has_is_found_and_who_is_alone_gives_nothing_up() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_owned();
        let config = Config { data: data.clone(), heartbeat_ms: 50, ..Config::default() };
        assert!(found(&config).is_err(), "no network's file");
        crate::node::solo(&config).unwrap();
        let empty = found(&config).unwrap();
        assert_eq!((empty.disk, empty.fresh, empty.alone), (Disk::Empty, true, true));
        std::fs::write(Folder::of(&data).unfinished, "").unwrap();
        assert_eq!(found(&config).unwrap().disk, Disk::Unfinished);
        assert!(matches!(Node::start(&config), Err(NodeError::Unfinished(_))));
        std::fs::remove_file(Folder::of(&data).unfinished).unwrap();

        let node = Node::start(&config).unwrap();
        let handle = node.handle();
        handle.height().wait_for(|height| *height > 1).await.unwrap();
        let chain = handle.chain();
        drop(handle);
        node.stop().await;
        let kept = found(&config).unwrap();
        assert!(matches!(kept.disk, Disk::Kept { height } if height > 1), "{kept:?}");
        assert_eq!((kept.chain, kept.fresh, kept.alone), (chain, false, true));
        let file = data.join("file");
        std::fs::write(&file, "no snapshot").unwrap();
        let refused = restore_late(&config, &file, 1);
        assert!(matches!(refused, Err(SnapshotError::RollBack)));
        assert!(data.join(ENGINE).exists() && data.join(RECORDS).exists());
    }
}
