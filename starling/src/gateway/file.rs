//! Blocks, files and folders as themselves.

use std::io;
use std::ops::Range;

use ::content::{
    Block, Cid, Node,
    read::{FileReader, FolderReader},
};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;

use super::refusal::Refusal;
use super::request::Asked;
use super::source::{AHEAD, Source};
use super::{Way, listing, media_type, range, respond};
use crate::serve::http::none_match;

const INDEX: &str = "index.html";
/// What a listing looks like may change: the specification's week.
const LISTING_CACHING: &str = "public, max-age=604800, stale-while-revalidate=2678400";
/// Version of the listing's page, for its entity tag.
const LISTING: u32 = 1;

/// Answers with one block as it is.
pub(super) fn block(asked: &Asked, way: &Way, head: bool) -> Result<Response, Refusal> {
    let (cid, bytes) = (way.end.cid(), way.end.bytes());
    let etag = format!("\"{cid}.raw\"");
    let mut headers = respond::headers(asked, way, &etag, respond::FOREVER);
    let kind = HeaderValue::from_static("application/vnd.ipld.raw");
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let name = asked.filename.clone().unwrap_or_else(|| format!("{cid}.bin"));
    respond::disposition(&mut headers, "attachment", &name);
    if none_match(&asked.headers, &etag) {
        return Ok(respond::not_modified(headers));
    }
    let size_bytes = length(bytes.len());
    match range::asked(&asked.headers, &etag, size_bytes)? {
        None => Ok(respond::whole(StatusCode::OK, headers, bytes.to_vec(), head)),
        Some(range) => {
            headers.insert(header::CONTENT_RANGE, content_range(&range, size_bytes));
            let part = part(bytes, &range).to_vec();
            Ok(respond::whole(StatusCode::PARTIAL_CONTENT, headers, part, head))
        }
    }
}

/// Answers with a file, or with what shows a folder.
pub(super) async fn answer(
    source: Source,
    asked: &Asked,
    way: Way,
    permit: OwnedSemaphorePermit,
    head: bool,
) -> Result<Response, Refusal> {
    match way.node()? {
        Node::Folder(_) | Node::Shard(_) if !asked.as_folder => Ok(redirect(asked)),
        Node::Folder(_) | Node::Shard(_) => folder(source, asked, way, permit, head).await,
        _ if asked.as_folder => {
            Err(Refusal::new(StatusCode::NOT_FOUND, "expected a folder, found something else"))
        }
        Node::File { size_bytes, .. } => {
            let name = asked.filename.clone().or_else(|| asked.names.last().cloned());
            file(source, asked, &way, name, size_bytes, permit, head).await
        }
        Node::Symlink(target) => {
            let mut headers =
                respond::headers(asked, &way, &format!("\"{}\"", way.end.cid()), respond::FOREVER);
            let kind = HeaderValue::from_static("inode/symlink");
            headers.insert(header::CONTENT_TYPE, kind);
            Ok(respond::whole(StatusCode::OK, headers, target.into_bytes(), head))
        }
    }
}

/// To the folder's own address: links in it are relative to that.
fn redirect(asked: &Asked) -> Response {
    let query = asked.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    let mut headers = HeaderMap::new();
    respond::secure(&mut headers);
    if let Ok(location) = HeaderValue::from_str(&format!("{}/{query}", asked.path)) {
        headers.insert(header::LOCATION, location);
    }
    (StatusCode::MOVED_PERMANENTLY, headers).into_response()
}

async fn folder(
    mut source: Source,
    asked: &Asked,
    way: Way,
    permit: OwnedSemaphorePermit,
    head: bool,
) -> Result<Response, Refusal> {
    let root = way.end.cid();
    let mut reader = FolderReader::new(root);
    while reader.links().len() <= listing::ENTRIES_MAX {
        let Some(block) = source.next(&reader.wanted(AHEAD)).await? else { break };
        reader.put(&block.into_opened()).map_err(|error| Refusal::unreadable(&error))?;
    }
    // A large folder may have it where the listing stopped: it is looked up by its name.
    match source.follow(root, std::iter::once(INDEX)).await {
        Ok(index) => {
            if let Node::File { size_bytes, .. } = index.node()? {
                let name = Some(INDEX.to_owned());
                return file(source, asked, &index, name, size_bytes, permit, head).await;
            }
        }
        Err(refusal) if refusal.is_absence() => {}
        Err(refusal) => return Err(refusal),
    }
    let etag = format!("\"DirIndex-{LISTING}_CID-{root}\"");
    let mut headers = respond::headers(asked, &way, &etag, LISTING_CACHING);
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    if none_match(&asked.headers, &etag) {
        return Ok(respond::not_modified(headers));
    }
    let page =
        listing::page(&asked.path, asked.names.is_empty(), reader.links(), !reader.is_done());
    Ok(respond::whole(StatusCode::OK, headers, page.into_bytes(), head))
}

/// A file, whole or a range of it.
async fn file(
    mut source: Source,
    asked: &Asked,
    way: &Way,
    name: Option<String>,
    size_bytes: u64,
    permit: OwnedSemaphorePermit,
    head: bool,
) -> Result<Response, Refusal> {
    let cid = way.end.cid();
    let etag = format!("\"{cid}\"");
    let mut headers = respond::headers(asked, way, &etag, respond::FOREVER);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if asked.download || asked.filename.is_some() {
        let kind = if asked.download { "attachment" } else { "inline" };
        let name = name.clone().unwrap_or_else(|| cid.to_string());
        respond::disposition(&mut headers, kind, &name);
    }
    if none_match(&asked.headers, &etag) {
        return Ok(respond::not_modified(headers));
    }
    let kind = match name.as_deref().and_then(media_type::by_name) {
        Some(kind) => kind,
        None => media_type::by_bytes(&first_bytes(&mut source, way.end.clone()).await?),
    };
    if let Ok(kind) = HeaderValue::from_str(&kind) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    let asked_range = range::asked(&asked.headers, &etag, size_bytes)?;
    let status = match &asked_range {
        Some(range) => {
            headers.insert(header::CONTENT_RANGE, content_range(range, size_bytes));
            StatusCode::PARTIAL_CONTENT
        }
        None => StatusCode::OK,
    };
    let range = asked_range.unwrap_or(0..size_bytes);
    headers.insert(header::CONTENT_LENGTH, (range.end - range.start).into());
    if head {
        return Ok((status, headers).into_response());
    }
    let body = stream_of(source, cid, range, permit);
    Ok((status, headers, Body::from_stream(body)).into_response())
}

/// What is needed to see what it is.
async fn first_bytes(source: &mut Source, root: Block) -> Result<Vec<u8>, Refusal> {
    let mut reader = FileReader::range(root.cid(), 0..media_type::HEAD_BYTES, u64::MAX);
    let unreadable = |error| Refusal::unreadable(&error);
    reader.put(&root.into_opened()).map_err(unreadable)?;
    let mut bytes = Vec::new();
    loop {
        while let Some(part) = reader.next_part() {
            bytes.extend(part.bytes);
        }
        let Some(block) = source.next(&reader.wanted(AHEAD)).await? else { return Ok(bytes) };
        reader.put(&block.into_opened()).map_err(unreadable)?;
    }
}

/// The bytes of a range, read as they are sent. An error cuts the connection.
fn stream_of(
    source: Source,
    root: Cid,
    range: Range<u64>,
    permit: OwnedSemaphorePermit,
) -> impl stream::Stream<Item = Result<Bytes, io::Error>> {
    let reader = FileReader::range(root, range, u64::MAX);
    stream::try_unfold((source, reader, permit), |(mut source, mut reader, permit)| async move {
        loop {
            if let Some(part) = reader.next_part() {
                return Ok(Some((Bytes::from(part.bytes), (source, reader, permit))));
            }
            let next = source.next(&reader.wanted(AHEAD)).await.map_err(io::Error::other)?;
            let Some(block) = next else { return Ok(None) };
            reader.put(&block.into_opened()).map_err(io::Error::other)?;
        }
    })
}

fn content_range(range: &Range<u64>, size_bytes: u64) -> HeaderValue {
    respond::value(&format!("bytes {}-{}/{size_bytes}", range.start, range.end - 1))
}

fn part<'a>(bytes: &'a [u8], range: &Range<u64>) -> &'a [u8] {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    &bytes[place(range.start)..place(range.end)]
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
