//! The dialog that hands a stream on: a link, a code to point a phone at, and the tag for a page.

use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::task::spawn_local;
use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write;

use crate::browser;
use crate::components::copy::CopyText;
use crate::components::icon::{Glyph, Icon};
use crate::components::link_card::LinkCard;
use crate::session::Session;

/// The button and its dialog.
#[component]
pub(crate) fn ShareButton() -> impl IntoView {
    let session = Session::get();
    let dialog = NodeRef::<Dialog>::new();
    let link = Signal::derive(move || match session.source.get() {
        Some(_) => format!("{}{}", browser::origin(), session.watch_path()),
        None => browser::origin(),
    });
    let tag = Signal::derive(move || {
        let (source, fund) = (session.source.get().unwrap_or_default(), session.fund.get());
        embed_tag(&browser::origin(), &source, fund.as_deref())
    });
    let open = move |_| {
        if let Some(dialog) = dialog.get() {
            // Refused only if it is open already.
            drop(dialog.show_modal());
        }
    };
    let close = move |_| {
        if let Some(dialog) = dialog.get() {
            dialog.close();
        }
    };
    view! {
        <button
            class="button"
            type="button"
            aria-haspopup="dialog"
            disabled=move || session.source.read().is_none()
            on:click=open
        >
            <Icon glyph=Glyph::Share />
            "Share"
        </button>
        <dialog class="dialog" node_ref=dialog aria-labelledby="share-title">
            <div class="dialog-head">
                <h2 id="share-title">"Watch this together"</h2>
                <button class="button button--icon" type="button" aria-label="Close" on:click=close>
                    <Icon glyph=Glyph::Close />
                </button>
            </div>
            <p class="quiet">"Whoever opens the link joins you, and you carry the video for each other."</p>
            <LinkCard link title="Watch with me" />
            <h3>"On your own site"</h3>
            <p class="quiet">"One script and one tag. It plays as plain HLS wherever sharing cannot work."</p>
            <CopyText label="the tag" text=tag />
        </dialog>
    }
}

#[component]
pub(crate) fn SystemShare(link: Signal<String>, title: &'static str) -> impl IntoView {
    let share = move |_| {
        spawn_local(async move {
            browser::share(title, &link.get_untracked()).await;
        });
    };
    view! {
        <button class="button" type="button" on:click=share>
            <Icon glyph=Glyph::Share />
            "Send with another app"
        </button>
    }
}

/// The link as a QR code; nothing where it is too long for one.
#[component]
pub(crate) fn Code(text: Signal<String>) -> impl IntoView {
    let drawn = Memo::new(move |_| qr(&text.read()));
    move || {
        drawn.get().map(|(size, path)| {
            view! {
                <svg
                    class="qr"
                    viewBox=format!("-3 -3 {0} {0}", size + 6)
                    role="img"
                    aria-label="The link as a QR code"
                    shape-rendering="crispEdges"
                >
                    <path d=path />
                </svg>
            }
        })
    }
}

/// Modules a side, and the outline of the dark ones.
fn qr(text: &str) -> Option<(i32, String)> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in 0..code.size() {
            if code.get_module(x, y) {
                write!(path, "M{x} {y}h1v1h-1z").expect("a String takes any text");
            }
        }
    }
    Some((code.size(), path))
}

/// What a site owner pastes.
fn embed_tag(origin: &str, source: &str, fund: Option<&str>) -> String {
    let quoted = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;");
    let source = quoted(source);
    let fund = fund.map(|fund| format!(" fund=\"{}\"", quoted(fund))).unwrap_or_default();
    format!(
        "<script type=\"module\" src=\"{origin}/embed.js\"></script>\n\
         <starling-player src=\"{source}\"{fund} controls></starling-player>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_cannot_break_out_of_the_tag() {
        let tag = embed_tag("https://h", "https://v/\"><script>&", Some("https://f/\"&"));
        assert!(tag.contains("src=\"https://v/&quot;><script>&amp;\""));
        assert!(tag.contains(" fund=\"https://f/&quot;&amp;\" controls>"));
        assert!(!embed_tag("https://h", "https://v", None).contains("fund"));
    }

    #[test]
    fn a_link_becomes_a_code_and_a_novel_does_not() {
        let (size, path) = qr("https://example.org/watch?src=x").unwrap();
        assert!(size >= 21 && path.starts_with("M0 0"));
        assert!(qr(&"x".repeat(4_000)).is_none());
    }
}
