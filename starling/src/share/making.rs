//! From files on disk to a share: read once, sealed, hashed. Its leaves stay in the files and are made again
//! when somebody asks for them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use ::content::{
    Block, Candidate, Cid, Profile,
    share::{PasswordCost, PasswordLock, Secret, ShareKey, ShareLink},
};
use peer_native::{
    Blocks, PeerError,
    make::{Leaf, Maker, remake},
};
use primitives::{Seed, sha256};

use super::ShareError;
use crate::content::{ContentError, Found, Kind, Progress, Walked, io_at, walk};

/// Bytes read of a file at a time: four blocks.
const READ_BYTES: usize = 4 << 20;

/// What the person chose.
#[derive(Debug, Clone, Default)]
pub struct MakeOptions {
    /// A password that the link needs besides.
    pub password: Option<String>,
    /// When the share ends, in seconds since 1970.
    pub ends_at_s: Option<u64>,
}

/// What was made.
#[derive(Debug)]
pub struct Made {
    /// The link, to be put after the address of a page.
    pub link: ShareLink,
    /// What opens it.
    pub key: ShareKey,
    /// What it is called.
    pub name: String,
    /// Files in it.
    pub files: u64,
    /// Bytes of all files.
    pub content_bytes: u64,
    /// Symlinks, which are left out.
    pub left_out: Vec<String>,
    /// Its blocks.
    pub sources: Sources,
}

/// Files that a share is made of, and its other blocks. As large as a line for each block of the share.
#[derive(Debug)]
pub struct Sources {
    key: ShareKey,
    run: [u8; 16],
    files: Vec<PathBuf>,
    /// Where in which file each leaf is.
    leaves: BTreeMap<Cid, (usize, Leaf)>,
    /// Link nodes, folders and the manifest.
    nodes: BTreeMap<Cid, Vec<u8>>,
    /// A file changed or went away; it was told.
    lost: AtomicBool,
}

/// Makes a share of a file or folder. Waits for the disk.
///
/// # Errors
/// Something can't be read or shared under its name.
pub fn make(
    path: &Path,
    options: &MakeOptions,
    progress: Progress<'_>,
) -> Result<Made, ShareError> {
    let seed = entropy()?;
    let key = ShareKey::new(*seed.derive("share key").as_bytes());
    let mut run = [0; 16];
    run.copy_from_slice(&seed.derive("share run").as_bytes()[..16]);
    let secret = secret(&key, &seed, options)?;
    let (files, left_out, total_bytes) = files_of(path)?;
    let name = name_of(path)?;
    let mut making = Making {
        maker: Maker::new(&name, key.clone(), run, Profile::default())?,
        sources: Sources {
            key: key.clone(),
            run,
            files: Vec::new(),
            leaves: BTreeMap::new(),
            nodes: BTreeMap::new(),
            lost: AtomicBool::new(false),
        },
        done_bytes: 0,
        total_bytes,
        progress,
    };
    for (path, name) in files {
        making.file(path, &name)?;
    }
    let share = making.seal(options.ends_at_s)?;
    let Making { sources, done_bytes, .. } = making;
    let mut link = ShareLink::new(share, secret);
    link.expires_at_s = options.ends_at_s;
    let files = u64::try_from(sources.files.len()).unwrap_or(u64::MAX);
    Ok(Made { link, key, name, files, content_bytes: done_bytes, left_out, sources })
}

fn secret(key: &ShareKey, seed: &Seed, options: &MakeOptions) -> Result<Secret, ShareError> {
    let Some(password) = &options.password else { return Ok(Secret::Key(key.clone())) };
    let mut salt = [0; 16];
    salt.copy_from_slice(&seed.derive("password salt").as_bytes()[..16]);
    let lock = PasswordLock::new(key, password, salt, PasswordCost::default())?;
    Ok(Secret::Password(lock))
}

/// What a file or folder is called.
fn name_of(path: &Path) -> Result<String, ShareError> {
    let none = || ShareError::NoName(path.to_owned());
    // `.` has a name too.
    let whole = path.canonicalize().map_err(io_at(path))?;
    let name = whole.file_name().ok_or_else(none)?;
    let name = name.to_str().ok_or_else(|| ContentError::NotUtf8 { path: whole.clone() })?;
    Ok(name.to_owned())
}

type Files = (Vec<(PathBuf, String)>, Vec<String>, u64);

/// Files to be shared and their paths in the share, symlinks that are not, and bytes of all.
fn files_of(path: &Path) -> Result<Files, ShareError> {
    let top = fs::metadata(path).map_err(io_at(path))?;
    if top.is_file() {
        return Ok((vec![(path.to_owned(), name_of(path)?)], Vec::new(), top.len()));
    }
    if !top.is_dir() {
        return Err(ContentError::Special { path: path.to_owned() }.into());
    }
    let Walked { mut found, content_bytes } = walk(path)?;
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let (mut files, mut left_out) = (Vec::new(), Vec::new());
    for Found { path, name, kind } in found {
        match kind {
            Kind::File => files.push((path, name)),
            Kind::Symlink => left_out.push(name),
            // A folder is in the paths of what is in it; an empty one is not shared.
            Kind::Folder => {}
        }
    }
    Ok((files, left_out, content_bytes))
}

struct Making<'f> {
    maker: Maker,
    sources: Sources,
    done_bytes: u64,
    total_bytes: u64,
    progress: Progress<'f>,
}

impl Making<'_> {
    fn file(&mut self, path: PathBuf, name: &str) -> Result<(), ShareError> {
        let media_type = mime_guess::from_path(&path).first_raw();
        self.maker.begin(name, media_type)?;
        let mut file = File::open(&path).map_err(io_at(&path))?;
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let count = match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(io_at(&path)(error).into()),
            };
            let mut rest = &buffer[..count];
            while !rest.is_empty() {
                rest = &rest[self.maker.push(rest)..];
                self.drain();
            }
            self.done_bytes = self.done_bytes.saturating_add(count.try_into().unwrap_or(u64::MAX));
            (self.progress)(self.done_bytes, self.total_bytes.max(self.done_bytes));
        }
        self.maker.end_file();
        self.drain();
        self.sources.files.push(path);
        Ok(())
    }

    fn seal(&mut self, ends_at_s: Option<u64>) -> Result<Cid, ShareError> {
        self.maker.seal(ends_at_s)?;
        self.drain();
        match (self.maker.cid(), self.maker.failed()) {
            (Some(cid), _) => Ok(cid),
            (None, Some(error)) => Err(error.clone().into()),
            (None, None) => Err(peer_native::make::MakeError::Folders.into()),
        }
    }

    /// Hashes and names what can be made now.
    fn drain(&mut self) {
        let file = self.sources.files.len();
        while let Some(made) = self.maker.next_block() {
            let digest = sha256(&made.draft.bytes);
            match self.maker.named(digest) {
                Some((block, Some(leaf))) => {
                    self.sources.leaves.insert(block.cid(), (file, leaf));
                }
                Some((block, None)) => {
                    self.sources.nodes.insert(block.cid(), block.into_bytes());
                }
                None => return,
            }
        }
    }
}

impl Blocks for Sources {
    fn has(&self, cid: &Cid) -> bool {
        self.nodes.contains_key(cid) || self.leaves.contains_key(cid)
    }

    fn read(&self, cid: &Cid) -> Option<Block> {
        if let Some(bytes) = self.nodes.get(cid) {
            return Candidate { cid: *cid, bytes: bytes.clone() }.verify().ok();
        }
        let (number, leaf) = self.leaves.get(cid)?;
        let path = self.files.get(*number)?;
        let made = read(path, *leaf).ok().and_then(|bytes| {
            let bytes = remake(Some(&self.key), self.run, *leaf, bytes).bytes;
            // Other bytes under the same run go nowhere.
            Candidate { cid: *cid, bytes }.verify().ok()
        });
        if made.is_none() && !self.lost.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "{} changed or went away since it was shared: what is left of it is not given. \
                 Share it again.",
                path.display()
            );
        }
        made
    }

    /// Everything is here: nothing is fetched.
    fn keep(&self, _: &[Block]) -> bool {
        false
    }
}

fn read(path: &Path, leaf: Leaf) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(leaf.offset))?;
    let mut bytes = vec![0; usize::try_from(leaf.length).unwrap_or(0)];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn entropy() -> Result<Seed, ShareError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(PeerError::Entropy)?;
    Ok(Seed::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_are_made_again_and_a_file_that_changed_gives_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.bin");
        fs::write(&path, vec![7; 3 << 20]).unwrap();
        fs::write(folder.path().join("note.txt"), b"hello").unwrap();
        let mut shown = 0;
        let made =
            make(folder.path(), &MakeOptions::default(), &mut |done, _| shown = done).unwrap();
        assert_eq!((made.files, made.content_bytes, shown), (2, (3 << 20) + 5, (3 << 20) + 5));
        let sources = made.sources;
        let leaves: Vec<Cid> = sources.leaves.keys().copied().collect();
        // Equal bytes are different blocks once sealed.
        assert_eq!(leaves.len(), 4);
        assert!(leaves.iter().all(|cid| sources.has(cid) && sources.read(cid).is_some()));
        assert!(sources.read(&made.link.cid).is_some());
        fs::write(&path, vec![8; 3 << 20]).unwrap();
        let read = leaves.iter().filter(|cid| sources.read(cid).is_some());
        assert_eq!(read.count(), 1, "the note is as it was");
    }

    #[test]
    fn a_password_locks_the_key_and_not_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("note.txt");
        fs::write(&path, b"hello").unwrap();
        let options =
            MakeOptions { password: Some("correct horse".to_owned()), ends_at_s: Some(9) };
        let made = make(&path, &options, &mut |_, _| {}).unwrap();
        let link: ShareLink = made.link.to_string().parse().unwrap();
        assert_eq!((made.name.as_str(), link.expires_at_s), ("note.txt", Some(9)));
        assert!(matches!(super::super::key_of(&link, None), Err(ShareError::PasswordNeeded)));
        assert!(super::super::key_of(&link, Some("other")).is_err());
        let key = super::super::key_of(&link, Some("correct horse")).unwrap();
        assert_eq!(key.as_bytes(), made.key.as_bytes());
    }
}
