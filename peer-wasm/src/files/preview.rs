//! A file on the screen before it is saved, and before it is whole.
//!
//! | what | how | in memory |
//! |---|---|---|
//! | text | its first bytes, as text and nothing else | [`TEXT_BYTES_MAX`] |
//! | picture | a `Blob` of a kind that runs nothing, known by its bytes | [`PICTURE_BYTES_MAX`] |
//! | video, audio | a frame of this origin, whose requests a service worker (`static/preview/worker.js`) hands to this page, a megabyte at a time | one answer a request |
//! | PDF | the same, in the browser's viewer | [`PAPER_BYTES_MAX`], the viewer's |
//!
//! Only checked blocks are shown. What is not here yet is asked for next (`Input::Look`), and waited for;
//! what follows is due at the pace of such a file ([`pace`]).
//! No type is given to the browser that it would run: neither HTML nor SVG.

use core::{cell::Cell, fmt, ops::Range};
use std::rc::{Rc, Weak};

use files::{
    Input,
    content::{read::FileReader, share::ShareEntry},
};
use js_sys::{Object, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::Url;

use super::{
    FilesError,
    running::Running,
    worker::{Desk, FOLDER, Question, object, token},
};
use crate::{js_error::BrowserError, number};

/// Text that is shown of a file: its beginning, in bytes.
pub const TEXT_BYTES_MAX: u64 = 256 << 10;
/// Largest picture that is shown, in bytes.
pub const PICTURE_BYTES_MAX: u64 = 64 << 20;
/// Largest PDF that is shown, in bytes: viewers hold all of it.
const PAPER_BYTES_MAX: u64 = 128 << 20;
/// Bytes of one answer to the service worker: a leaf of our profile.
const ANSWER_BYTES: u64 = 1 << 20;
/// Requests of one screen that are waited for; an older one ends without an answer.
const REQUESTS_MAX: u32 = 4;

/// The beginning of a file as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// At most [`TEXT_BYTES_MAX`] of it; what is no text in it is replaced.
    pub text: String,
    /// That is all of it.
    pub whole: bool,
}

/// A picture in the browser's hands, until dropped.
#[derive(Debug)]
pub struct Picture(String);

impl Picture {
    /// Its address.
    pub fn url(&self) -> &str {
        &self.0
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        // Fails only for what is no address.
        drop(Url::revoke_object_url(&self.0));
    }
}

/// A file that plays while it comes, until dropped.
pub struct Playing {
    token: String,
    media_type: String,
    desk: Weak<Desk>,
}

impl Playing {
    /// The address for a frame: a player of its own for video and audio, the file itself otherwise.
    pub fn url(&self) -> String {
        let kind = self.media_type.split('/').next().unwrap_or_default();
        match kind {
            "video" | "audio" => [FOLDER, &self.token, ".frame?kind=", kind].concat(),
            _ => [FOLDER, &self.token, ".file"].concat(),
        }
    }
}

impl fmt::Debug for Playing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Playing").field("media_type", &self.media_type).finish_non_exhaustive()
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        if let Some(desk) = self.desk.upgrade() {
            desk.remove_screen(&self.token);
        }
    }
}

/// One file that plays.
#[derive(Debug)]
pub(super) struct Screen {
    running: Weak<Running>,
    number: u32,
    entry: ShareEntry,
    media_type: String,
    requests: Cell<u32>,
}

/// Plays a file.
pub(super) async fn play(
    desk: &Rc<Desk>,
    running: &Rc<Running>,
    number: u32,
    media_type: &str,
) -> Result<Playing, FilesError> {
    let entry = running.entry(number)?;
    if media_type == "application/pdf" && entry.size_bytes > PAPER_BYTES_MAX {
        return Err(FilesError::TooLargeToShow);
    }
    desk.worker().await?;
    let token = token()?;
    let screen = Screen {
        running: Rc::downgrade(running),
        number,
        entry,
        media_type: media_type.to_owned(),
        requests: Cell::new(0),
    };
    desk.add_screen(token.clone(), Rc::new(screen));
    Ok(Playing { token, media_type: media_type.to_owned(), desk: Rc::downgrade(desk) })
}

impl Screen {
    /// A question of the worker's.
    pub(super) fn take(screen: Rc<Self>, question: Question) {
        spawn_local(async move {
            let answer = match question.from {
                Some(from) => screen.answer(from).await,
                None => None,
            };
            question.reply(answer.as_ref());
        });
    }

    /// `{type, size, bytes}`: the bytes from here on, as soon as they are here; none: not any more, or never.
    async fn answer(&self, from: u64) -> Option<Object> {
        let mine = self.requests.get().wrapping_add(1);
        self.requests.set(mine);
        let size = self.entry.size_bytes;
        let end = (from / ANSWER_BYTES).saturating_add(1).saturating_mul(ANSWER_BYTES);
        let bytes = loop {
            let running = self.running.upgrade()?;
            let (entry, bytes_per_s) = (self.number, pace(&self.media_type));
            running.take(Input::Look { entry, from: from.min(size), bytes_per_s });
            // Before the store is read, so that no block comes in between.
            let kept = running.next_kept();
            match running.bytes(&self.entry, from.min(size)..end.min(size)).await {
                Ok(bytes) => break bytes,
                Err(FilesError::Missing) => {}
                Err(_) => return None,
            }
            drop(running);
            // Settles when the share is closed as well: then there is nothing to upgrade.
            JsFuture::from(kept).await.ok()?;
            if self.requests.get().wrapping_sub(mine) >= REQUESTS_MAX {
                return None;
            }
        };
        let media_type = JsValue::from_str(&self.media_type);
        let size = JsValue::from_f64(number::float(size));
        let bytes = Uint8Array::from(&bytes[..]);
        let value: &JsValue = &bytes;
        Some(object(&[("type", &media_type), ("size", &size), ("bytes", value)]))
    }
}

/// Bytes a second at which a file of this type is read: what most take at most, 8 Mbit/s of film and
/// uncompressed sound. How long a film plays is not in its length, and players do not tell.
fn pace(media_type: &str) -> u64 {
    if media_type.starts_with("audio/") { 200_000 } else { 1_000_000 }
}

impl Running {
    /// Checked bytes of a file; `Missing` while they are not here.
    async fn bytes(&self, entry: &ShareEntry, range: Range<u64>) -> Result<Vec<u8>, FilesError> {
        let mut bytes = Vec::new();
        if range.is_empty() {
            return Ok(bytes);
        }
        let mut reader = FileReader::range(entry.cid, range, entry.size_bytes);
        while !reader.is_done() {
            for cid in reader.wanted(2) {
                reader.put(&self.opened(cid).await?).map_err(|_| FilesError::Damaged)?;
            }
            while let Some(part) = reader.next_part() {
                bytes.extend_from_slice(&part.bytes);
            }
        }
        Ok(bytes)
    }

    /// The beginning of a file as text.
    pub(super) async fn text(&self, number: u32) -> Result<Text, FilesError> {
        let entry = self.entry(number)?;
        let bytes = self.bytes(&entry, 0..TEXT_BYTES_MAX.min(entry.size_bytes)).await?;
        if bytes.contains(&0) {
            return Err(FilesError::OtherKind);
        }
        let whole = number::count(bytes.len()) == entry.size_bytes;
        Ok(Text { text: String::from_utf8_lossy(&bytes).into_owned(), whole })
    }

    /// A picture.
    pub(super) async fn picture(&self, number: u32) -> Result<Picture, FilesError> {
        let entry = self.entry(number)?;
        if entry.size_bytes > PICTURE_BYTES_MAX {
            return Err(FilesError::TooLargeToShow);
        }
        let head = self.bytes(&entry, 0..entry.size_bytes.min(16)).await?;
        let media_type = picture_type(&head).ok_or(FilesError::OtherKind)?;
        let blob = self.blob(&entry, media_type).await?;
        let url = Url::create_object_url_with_blob(&blob)
            .map_err(|thrown| BrowserError::thrown("URL.createObjectURL", &thrown))?;
        Ok(Picture(url))
    }
}

/// Kinds of pictures that run nothing, by their first bytes.
fn picture_type(head: &[u8]) -> Option<&'static str> {
    let boxed = |brand: &[u8]| head.get(4..8) == Some(b"ftyp") && head.get(8..12) == Some(brand);
    match head {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'B', b'M', ..] => Some("image/bmp"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ if boxed(b"avif") || boxed(b"avis") => Some("image/avif"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{pace, picture_type};

    #[test]
    fn a_film_is_read_faster_than_a_song() {
        assert!(pace("video/mp4") > pace("audio/flac"));
    }

    #[test]
    fn only_pictures_that_run_nothing_are_pictures() {
        assert_eq!(picture_type(b"\x89PNG\r\n\x1a\n"), Some("image/png"));
        assert_eq!(picture_type(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(picture_type(b"\0\0\0\x20ftypavif"), Some("image/avif"));
        for other in [&b"<svg xmlns="[..], b"<html>", b"%PDF-1.7", b"RIFF\0\0\0\0WAVE", b"", b"B"] {
            assert_eq!(picture_type(other), None);
        }
    }
}
