//! A file, looked at before it is saved: pictures and text when they are whole, video and audio while they
//! come, PDFs in the browser's own viewer.
//!
//! Text is text, whatever it says: HTML and SVG are shown as they are written. Types are chosen here by the
//! name, never taken from the sender, and none of them is run by a browser.

use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use peer_wasm::Listener;
use peer_wasm::files::view::EntryView;
use peer_wasm::files::{Files, FilesError, Picture, Playing, TEXT_BYTES_MAX, Text};
use wasm_bindgen::JsCast;
use web_sys::HtmlIFrameElement;

use crate::browser;
use crate::format::{bytes, trimmed};
use crate::session::Session;
use crate::share_words;

/// How a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A picture.
    Picture,
    /// Text.
    Text,
    /// Something that plays, of this media type.
    Plays(&'static str),
    /// A PDF.
    Pdf,
}

/// Extensions, and how such files are looked at.
const KINDS: [(Kind, &[&str]); 14] = [
    (Kind::Picture, &["png", "jpg", "jpeg", "gif", "webp", "avif", "bmp"]),
    (Kind::Plays("video/mp4"), &["mp4", "m4v"]),
    (Kind::Plays("video/webm"), &["webm"]),
    (Kind::Plays("video/quicktime"), &["mov"]),
    (Kind::Plays("video/x-matroska"), &["mkv"]),
    (Kind::Plays("video/ogg"), &["ogv"]),
    (Kind::Plays("audio/mpeg"), &["mp3"]),
    (Kind::Plays("audio/mp4"), &["m4a"]),
    (Kind::Plays("audio/aac"), &["aac"]),
    (Kind::Plays("audio/ogg"), &["ogg", "oga", "opus"]),
    (Kind::Plays("audio/flac"), &["flac"]),
    (Kind::Plays("audio/wav"), &["wav"]),
    (Kind::Pdf, &["pdf"]),
    (
        Kind::Text,
        &[
            "txt", "md", "csv", "tsv", "log", "json", "xml", "yaml", "yml", "toml", "ini", "html",
            "htm", "svg", "css", "js", "mjs", "ts", "rs", "py", "c", "h", "cpp", "java", "go",
            "sh", "sql", "tex", "srt", "vtt", "diff", "patch",
        ],
    ),
];

impl Kind {
    /// How a file of this name is looked at, if at all.
    pub(crate) fn of(entry: &EntryView) -> Option<Self> {
        let name = entry.path.rsplit('/').next().unwrap_or_default();
        let (_, extension) = name.rsplit_once('.')?;
        let extension = extension.to_ascii_lowercase();
        let known = KINDS.iter().find(|(_, all)| all.contains(&&*extension));
        known.map(|(kind, _)| *kind).filter(|_| !entry.symlink)
    }

    /// It is shown while it comes.
    pub(crate) const fn comes(self) -> bool {
        matches!(self, Self::Plays(_))
    }

    /// It is shown by itself, when there is nothing else.
    pub(crate) const fn opens(self) -> bool {
        matches!(self, Self::Picture | Self::Text)
    }

    /// What the button says.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Picture | Self::Text | Self::Pdf => "Look at it",
            Self::Plays(_) => "Play it",
        }
    }

    async fn look(self, files: &Files, cid: &str, number: u32) -> Result<Shown, FilesError> {
        match self {
            Self::Picture => {
                files.picture(cid, number).await.map(|picture| Shown::Picture(Rc::new(picture)))
            }
            Self::Text => files.text(cid, number).await.map(Shown::Text),
            Self::Plays(media_type) => files
                .play(cid, number, media_type)
                .await
                .map(|playing| Shown::Frame(Rc::new(playing))),
            Self::Pdf if !browser::shows_pdf() => Err(FilesError::NoPreview),
            Self::Pdf => files
                .play(cid, number, "application/pdf")
                .await
                .map(|playing| Shown::Frame(Rc::new(playing))),
        }
    }
}

/// What is on the screen.
#[derive(Debug, Clone)]
enum Shown {
    Coming,
    Picture(Rc<Picture>),
    Text(Text),
    Frame(Rc<Playing>),
    Wrong(FilesError),
}

/// One file, shown.
#[component]
pub(crate) fn Preview(
    /// The share.
    cid: Signal<Option<String>>,
    /// The file's number.
    number: u32,
    /// What it is called.
    name: String,
    /// How it is looked at.
    kind: Kind,
) -> impl IntoView {
    let sharing = Session::get().sharing;
    let shown = RwSignal::new_local(Shown::Coming);
    spawn_local(async move {
        let Some((files, cid)) = sharing.files().zip(cid.get_untracked()) else { return };
        let now = kind.look(&files, &cid, number).await.unwrap_or_else(Shown::Wrong);
        // What nobody looks at any more is dropped, and with it what it holds.
        drop(shown.try_set(now));
    });
    let name = StoredValue::new(name);
    let drawn = move || draw(shown.get(), name.get_value(), kind);
    view! { <div class="preview" data-preview=kind_word(kind)>{drawn}</div> }
}

fn draw(shown: Shown, name: String, kind: Kind) -> AnyView {
    match shown {
        Shown::Coming => view! { <Note words="Opening" /> }.into_any(),
        Shown::Text(text) => view! { <Written text /> }.into_any(),
        Shown::Frame(playing) => view! { <Framed url=playing.url() name kind /> }.into_any(),
        Shown::Picture(picture) => {
            let url = picture.url().to_owned();
            view! { <img class="preview-picture" src=url alt=name /> }.into_any()
        }
        Shown::Wrong(error) => {
            let said = share_words::error(&error);
            let words = format!("{} {}", said.headline, said.detail);
            view! { <Note words /> }.into_any()
        }
    }
}

/// One line in the place of a file.
#[component]
fn Note(#[prop(into)] words: String) -> impl IntoView {
    view! {
        <p class="quiet preview-note" role="status">
            {words}
        </p>
    }
}

/// Text, as text.
#[component]
fn Written(text: Text) -> impl IntoView {
    let cut = (!text.whole).then(|| {
        let most = trimmed(&bytes(TEXT_BYTES_MAX));
        view! { <Note words=format!("The first {most}. Save it to read the rest.") /> }
    });
    view! {
        <pre class="preview-text" tabindex="0">{text.text}</pre>
        {cut}
    }
}

/// A frame of this origin that a service worker fills.
#[component]
fn Framed(url: String, name: String, kind: Kind) -> impl IntoView {
    let failed = RwSignal::new(false);
    let ear = StoredValue::new_local(None::<Listener>);
    let loaded = move |event: leptos::ev::Event| {
        let frame = event.target().and_then(|target| target.dyn_into::<HtmlIFrameElement>().ok());
        let inside = frame.and_then(|frame| frame.content_document());
        let player = inside.and_then(|page| page.query_selector("video, audio").ok().flatten());
        if let Some(player) = player {
            let listener = Listener::new(&player, "error", move |_: web_sys::Event| {
                failed.try_set(true);
            });
            ear.set_value(Some(listener));
        }
    };
    view! {
        <iframe
            class="preview-frame"
            class:preview-frame--sound={matches!(kind, Kind::Plays(kind) if kind.starts_with("audio/"))}
            class:preview-frame--paper={kind == Kind::Pdf}
            src=url
            title=name
            allow="fullscreen"
            on:load=loaded
        ></iframe>
        <p class="quiet preview-note" role="status" hidden=move || !failed.get()>
            "This browser can't play it. Save it, and open it with another player."
        </p>
    }
}

const fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Picture => "picture",
        Kind::Text => "text",
        Kind::Plays(_) => "plays",
        Kind::Pdf => "pdf",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(path: &str) -> Option<Kind> {
        let entry = EntryView {
            number: 0,
            path: path.to_owned(),
            size_bytes: 1,
            held_bytes: 0,
            whole: false,
            // The sender's word counts for nothing.
            media_type: Some("text/html".to_owned()),
            symlink: false,
        };
        Kind::of(&entry)
    }

    #[test]
    fn what_a_browser_would_run_is_text() {
        for path in ["a.html", "a.svg", "folder.png/page.HTM", "a.js", "a.xml"] {
            assert_eq!(kind(path), Some(Kind::Text), "{path}");
        }
    }

    #[test]
    fn names_say_how_a_file_is_looked_at() {
        assert_eq!(kind("holiday/Beach.JPG"), Some(Kind::Picture));
        assert_eq!(kind("film.mp4"), Some(Kind::Plays("video/mp4")));
        assert_eq!(kind("song.flac"), Some(Kind::Plays("audio/flac")));
        assert_eq!(kind("paper.pdf"), Some(Kind::Pdf));
        for path in ["a.exe", "a", "png", "a.zip", ""] {
            assert_eq!(kind(path), None, "{path}");
        }
    }
}
