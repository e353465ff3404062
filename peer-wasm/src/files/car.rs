//! A CAR to a public share: every block is hashed, and all that its root needs must be in it.

use files::content::{Block, Cid, car::CarReader, check_name, read::WalkReader, share::ShareLink};

use super::{
    FilesError, hash,
    making::SLICE_BYTES,
    record::{Chosen, Record},
    running::read,
    shelf::Shelf,
};
use crate::{clock::wall_ms, number};

/// Reads a CAR into the store. What was kept of one that turns out bad is removed.
pub(super) async fn import(
    shelf: &Shelf,
    file: &web_sys::File,
    progress: &dyn Fn(u64, u64),
) -> Result<Record, FilesError> {
    let mut reader = CarReader::new();
    let size = number::whole(file.size());
    let (mut offset, mut opened) = (0, None);
    let imported = async {
        while offset < size {
            let length = SLICE_BYTES.min(size - offset);
            reader.push(&read(file, offset, length).await?);
            if opened.is_none()
                && let Some(roots) = reader.roots()?
            {
                let [root] = roots else { return Err(FilesError::CarRoots(roots.len())) };
                opened = Some(begin(shelf, *root, file).await?);
            }
            if let Some((record, _)) = &opened {
                shelf.write(&blocks(&mut reader, record.share).await?).await?;
            }
            offset += length;
            progress(offset, size);
        }
        reader.finish()?;
        match &opened {
            Some((record, _)) => check(shelf, record.share).await,
            None => Err(FilesError::CarRoots(0)),
        }
    };
    let imported = imported.await;
    match (imported, opened) {
        (Ok(()), Some((record, _))) => {
            let record = Record { active: true, used_ms: wall_ms(), ..record };
            shelf.put_record(&record).await?;
            Ok(record)
        }
        (Ok(()), None) => Err(FilesError::CarRoots(0)),
        (Err(error), opened) => {
            if let Some((record, true)) = opened {
                // One that can't be removed makes room when room is needed.
                drop(shelf.remove(&record.share).await);
            }
            Err(error)
        }
    }
}

/// Remembers what is coming, so that it makes no room for itself; whether it is new.
async fn begin(
    shelf: &Shelf,
    root: Cid,
    file: &web_sys::File,
) -> Result<(Record, bool), FilesError> {
    if let Some(known) = shelf.record(&root).await {
        return Ok((known, false));
    }
    let name = file.name();
    let stem = name.strip_suffix(".car").unwrap_or(&name);
    let name = if check_name(stem).is_ok() { stem.to_owned() } else { root.to_string() };
    let mut link = ShareLink::public(root);
    link.name = Some(name.clone());
    let record = Record {
        share: root,
        link: link.to_string(),
        key: [0; 32],
        name,
        size_bytes: number::whole(file.size()),
        made: true,
        active: false,
        pinned: true,
        used_ms: wall_ms(),
        run: None,
        chosen: Chosen::All,
    };
    shelf.put_record(&record).await?;
    Ok((record, true))
}

/// The blocks that are here, each checked.
async fn blocks(
    reader: &mut CarReader,
    share: Cid,
) -> Result<Vec<(Cid, Cid, Vec<u8>)>, FilesError> {
    let mut blocks = Vec::new();
    while let Some(candidate) = reader.next_candidate()? {
        let cid = candidate.cid;
        let block = hash::block(cid, candidate.bytes).await.ok_or(FilesError::CarBlock(cid))?;
        blocks.push((share, cid, block.into_bytes()));
    }
    Ok(blocks)
}

/// Whether everything below the root is in the store.
async fn check(shelf: &Shelf, root: Cid) -> Result<(), FilesError> {
    let mut walk = WalkReader::new(root);
    while let Some(cid) = walk.wanted(1).first().copied() {
        let bytes = shelf.read(&root, &cid).await.ok_or(FilesError::CarLacks(cid))?;
        let block: Block = hash::block(cid, bytes).await.ok_or(FilesError::CarLacks(cid))?;
        walk.put(&block.into_opened()).map_err(|_| FilesError::Damaged)?;
    }
    Ok(())
}
