//! From files of the page to a share: read by slices, sealed, hashed by the browser.

use files::{
    content::{
        Block, Cid, Profile,
        share::{PasswordCost, PasswordLock, Secret, ShareKey, ShareLink},
    },
    make::{MakeError, Maker},
};

use super::{
    FilesError, hash,
    record::{Chosen, Record},
    running::{Sources, read},
    shelf::Shelf,
};
use crate::{clock::wall_ms, entropy, number};

/// Bytes read of a file at a time: four blocks.
pub(super) const SLICE_BYTES: u64 = 4 << 20;
/// Up to this size a copy is kept, so that sharing goes on after a reload; larger files are read where
/// they are, and must be chosen again.
pub const COPY_BYTES_MAX: u64 = 256 << 20;

/// A file to be shared.
#[derive(Debug, Clone)]
pub struct Item {
    /// Names joined by slashes; a single file has its name.
    pub path: String,
    /// The file.
    pub file: web_sys::File,
}

/// What the person chose.
#[derive(Debug, Clone, Default)]
pub struct MakeOptions {
    /// A password that the link needs besides.
    pub password: Option<String>,
    /// When the share ends, in seconds since 1970.
    pub ends_at_s: Option<u64>,
    /// Not encrypted: a plain CID, which any IPFS tool can read. There is no password then.
    pub public: bool,
}

/// What was made.
pub(super) struct Made {
    pub(super) record: Record,
    pub(super) sources: Sources,
}

/// Bytes of these files.
pub(super) fn total(items: &[Item]) -> u64 {
    items.iter().map(|item| number::whole(item.file.size())).sum()
}

/// Makes a share anew.
pub(super) async fn make(
    shelf: &Shelf,
    items: &[Item],
    options: &MakeOptions,
    progress: &dyn Fn(u64, u64),
) -> Result<Made, FilesError> {
    let seed = entropy::seed().map_err(FilesError::Browser)?;
    let key = *seed.derive("share key").as_bytes();
    let mut run = [0; 16];
    run.copy_from_slice(&seed.derive("share run").as_bytes()[..16]);
    let secret = match &options.password {
        _ if options.public => Secret::Public,
        None => Secret::Key(ShareKey::new(key)),
        Some(password) => {
            let mut salt = [0; 16];
            salt.copy_from_slice(&seed.derive("password salt").as_bytes()[..16]);
            let cost = PasswordCost::default();
            let lock = PasswordLock::new(&ShareKey::new(key), password, salt, cost);
            Secret::Password(lock.map_err(FilesError::Password)?)
        }
    };
    let work = Work { items, key: (!options.public).then(|| ShareKey::new(key)), run };
    let (share, sources, nodes) = work.go(options.ends_at_s, progress).await?;
    let nodes: Vec<_> =
        nodes.into_iter().map(|block| (share, block.cid(), block.into_bytes())).collect();
    shelf.write(&nodes).await?;
    let mut link = ShareLink::new(share, secret);
    link.expires_at_s = options.ends_at_s;
    link.name = options.public.then(|| name_of(items));
    let record = Record {
        share,
        link: link.to_string(),
        key,
        name: name_of(items),
        size_bytes: total(items),
        made: true,
        active: true,
        pinned: true,
        used_ms: wall_ms(),
        run: Some(run),
        chosen: Chosen::Nothing,
    };
    shelf.put_record(&record).await?;
    Ok(Made { record, sources })
}

/// Makes the blocks of a share again from its files, chosen once more.
pub(super) async fn again(
    record: &Record,
    items: &[Item],
    progress: &dyn Fn(u64, u64),
) -> Result<Sources, FilesError> {
    let Some(run) = record.run else { return Err(FilesError::OtherFiles) };
    let link = record.parsed().ok_or(FilesError::OtherFiles)?;
    let key = (link.secret != Secret::Public).then(|| record.key());
    let work = Work { items, key, run };
    let ends_at_s = link.expires_at_s;
    let (share, sources, _) = work.go(ends_at_s, progress).await?;
    // Other bytes under the same run must go nowhere (`files::make::remake`).
    if share == record.share { Ok(sources) } else { Err(FilesError::OtherFiles) }
}

struct Work<'a> {
    items: &'a [Item],
    /// None: public.
    key: Option<ShareKey>,
    run: [u8; 16],
}

impl Work<'_> {
    /// The share's CID, where its leaves are, and its other blocks.
    async fn go(
        &self,
        ends_at_s: Option<u64>,
        progress: &dyn Fn(u64, u64),
    ) -> Result<(Cid, Sources, Vec<Block>), FilesError> {
        let name = name_of(self.items);
        let mut maker = match &self.key {
            Some(key) => Maker::new(&name, key.clone(), self.run, Profile::default())?,
            None => Maker::public(&name, Profile::default())?,
        };
        let mut sources = Sources { run: self.run, ..Sources::default() };
        let mut nodes: Vec<Block> = Vec::new();
        let (all, mut done) = (total(self.items), 0);
        for (number, item) in self.items.iter().enumerate() {
            maker.begin(&path_of(&name, item), Some(&item.file.type_()))?;
            let size = number::whole(item.file.size());
            let mut offset = 0;
            while offset < size {
                let length = SLICE_BYTES.min(size - offset);
                let bytes = read(&item.file, offset, length).await?;
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    rest = &rest[maker.push(rest)..];
                    drain(&mut maker, number, &mut sources, &mut nodes).await;
                }
                (offset, done) = (offset + length, done + length);
                progress(done, all);
            }
            maker.end_file();
            drain(&mut maker, number, &mut sources, &mut nodes).await;
            sources.files.push(item.file.clone());
        }
        maker.seal(ends_at_s)?;
        drain(&mut maker, usize::MAX, &mut sources, &mut nodes).await;
        match (maker.cid(), maker.failed()) {
            (Some(cid), _) => Ok((cid, sources, nodes)),
            (None, Some(error)) => Err(error.clone().into()),
            (None, None) => Err(MakeError::Folders.into()),
        }
    }
}

/// Hashes and names what can be made now.
async fn drain(maker: &mut Maker, file: usize, sources: &mut Sources, nodes: &mut Vec<Block>) {
    while let Some(made) = maker.next_block() {
        let digest = hash::digest(&made.draft.bytes).await;
        match maker.named(digest) {
            Some((block, Some(leaf))) => {
                sources.leaves.insert(block.cid(), (file, leaf));
            }
            Some((block, None)) => nodes.push(block),
            None => return,
        }
    }
}

/// What the share is called: the file, the folder, or how many files.
fn name_of(items: &[Item]) -> String {
    let top = |item: &Item| item.path.split('/').next().map(str::to_owned);
    match items {
        [one] if !one.path.contains('/') => one.path.clone(),
        [first, ..] if items.iter().all(|i| i.path.contains('/') && top(i) == top(first)) => {
            top(first).unwrap_or_default()
        }
        _ => format!("{} files", items.len()),
    }
}

/// The path in the share: without the folder that gives it its name.
fn path_of(name: &str, item: &Item) -> String {
    let inside = item.path.strip_prefix(name).and_then(|rest| rest.strip_prefix('/'));
    inside.unwrap_or(&item.path).to_owned()
}
