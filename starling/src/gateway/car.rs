//! Blocks as a CAR, made while it is sent.

use std::collections::{BTreeSet, VecDeque};
use std::io;

use ::content::{
    Block, Cid, Node, car,
    limits::WALK_BLOCKS_MAX,
    read::{FileReader, FolderReader, ReadError, WalkReader},
};
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use primitives::sha256;
use tokio::sync::OwnedSemaphorePermit;

use super::range::EntityBytes;
use super::refusal::Refusal;
use super::request::Asked;
use super::source::{AHEAD, Source};
use super::{Way, respond};

/// What is sent: every block once, parents first, children in their order.
pub(super) const MEDIA_TYPE: &str = "application/vnd.ipld.car; version=1; order=dfs; dups=n";

/// Which blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Car {
    pub(super) scope: Scope,
    pub(super) bytes: Option<EntityBytes>,
}

/// How far below the end of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// The block alone.
    Block,
    /// A whole file, or a folder without what is in it.
    Entity,
    /// All of it.
    All,
}

/// What is below the end of the path, block by block.
#[derive(Debug)]
enum Walk {
    One(Option<Cid>),
    File(FileReader),
    Folder(FolderReader),
    All(WalkReader),
}

impl Walk {
    fn new(asked: &Car, end: &Way) -> Result<Self, Refusal> {
        let cid = end.end.cid();
        Ok(match (asked.scope, end.node()) {
            (Scope::Block, _) => Self::One(Some(cid)),
            (Scope::All, Ok(_)) => Self::All(WalkReader::new(cid)),
            (Scope::Entity, Ok(Node::File { size_bytes, .. })) => {
                let range = asked.bytes.map_or(0..size_bytes, |bytes| bytes.of(size_bytes));
                Self::File(FileReader::range(cid, range, u64::MAX))
            }
            (Scope::Entity, Ok(Node::Folder(_) | Node::Shard(_))) => {
                Self::Folder(FolderReader::new(cid))
            }
            (Scope::Entity, Ok(Node::Symlink(_))) => Self::One(Some(cid)),
            (_, Err(refusal)) => return Err(refusal),
        })
    }

    /// What is read next, in order; empty at the end.
    fn wanted(&self) -> Vec<Cid> {
        match self {
            Self::One(cid) => cid.iter().copied().collect(),
            Self::File(reader) => reader.wanted(AHEAD),
            Self::Folder(reader) => reader.wanted(AHEAD),
            Self::All(reader) => reader.wanted(AHEAD),
        }
    }

    fn put(&mut self, block: Block) -> Result<(), ReadError> {
        let opened = block.into_opened();
        match self {
            Self::One(cid) => *cid = None,
            Self::File(reader) => {
                reader.put(&opened)?;
                // Only which blocks they come from matters here.
                while reader.next_part().is_some() {}
            }
            Self::Folder(reader) => reader.put(&opened)?,
            Self::All(reader) => reader.put(&opened)?,
        }
        Ok(())
    }
}

/// A CAR under way.
struct Sending {
    source: Source,
    header: Option<Vec<u8>>,
    above: VecDeque<Block>,
    walk: Walk,
    sent: BTreeSet<Cid>,
    _permit: OwnedSemaphorePermit,
}

impl Sending {
    /// The next bytes; none at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, io::Error> {
        if let Some(header) = self.header.take() {
            return Ok(Some(header.into()));
        }
        if let Some(block) = self.above.pop_front() {
            return Ok(Some(self.frame(&block)));
        }
        loop {
            // An error cuts the connection: what came can be checked, and what did not is not there.
            let next = self.source.next(&self.walk.wanted()).await.map_err(io::Error::other)?;
            let Some(block) = next else { return Ok(None) };
            let new = !self.sent.contains(&block.cid());
            let frame = if new { Some(self.frame(&block)) } else { None };
            self.walk.put(block).map_err(io::Error::other)?;
            if self.sent.len() > WALK_BLOCKS_MAX {
                return Err(io::Error::other(ReadError::TooManyBlocks));
            }
            if frame.is_some() {
                return Ok(frame);
            }
        }
    }

    fn frame(&mut self, block: &Block) -> Bytes {
        self.sent.insert(block.cid());
        let mut frame = car::frame_head(block);
        frame.extend_from_slice(block.bytes());
        frame.into()
    }
}

/// Answers with a CAR.
pub(super) fn answer(
    source: Source,
    asked: &Asked,
    car: &Car,
    way: Way,
    permit: OwnedSemaphorePermit,
    head: bool,
) -> Result<Response, Refusal> {
    let walk = Walk::new(car, &way)?;
    // One graph and one question have one CAR, unless a block is lost on the way: hence weak.
    let question = sha256(format!("{} {car:?}", asked.path).as_bytes()).to_string();
    let etag = format!("W/\"{}.car.{}\"", asked.root, &question[..12]);
    let mut headers = respond::headers(asked, &way, &etag, respond::FOREVER);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("none"));
    let name = asked.filename.clone().unwrap_or_else(|| format!("{}.car", way.end.cid()));
    respond::disposition(&mut headers, "attachment", &name);
    if crate::serve::http::none_match(&asked.headers, etag.trim_start_matches("W/")) {
        return Ok(respond::not_modified(headers));
    }
    if head {
        return Ok((StatusCode::OK, headers).into_response());
    }
    let sending = Sending {
        source,
        header: Some(car::header(&[way.end.cid()])),
        above: way.above.into(),
        walk,
        sent: BTreeSet::new(),
        _permit: permit,
    };
    let stream = stream::try_unfold(sending, |mut sending| async move {
        Ok::<_, io::Error>(sending.next().await?.map(|bytes| (bytes, sending)))
    });
    Ok((StatusCode::OK, headers, Body::from_stream(stream)).into_response())
}
