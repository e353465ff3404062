//! What is said of a share: the truth, in words.

use peer_wasm::files::{
    FilesError, ShareStatus,
    view::{Failure, GatewayState, ShareView, Stage},
};

use crate::format::{bytes, counted, percent, rate, share};

/// No-break space.
const NBSP: char = '\u{a0}';

/// A headline and what stands below it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Said {
    /// One line.
    pub(crate) headline: String,
    /// What it means or what to do; may be empty.
    pub(crate) detail: String,
}

fn said(headline: impl Into<String>, detail: impl Into<String>) -> Said {
    Said { headline: headline.into(), detail: detail.into() }
}

/// How a share is at the receiver.
pub(crate) fn receiving(status: &ShareStatus) -> Said {
    let share = &status.share;
    match share.stage {
        Stage::Finding if status.room.peers.is_empty() => {
            let detail = match share.gateway {
                GatewayState::Off | GatewayState::Waiting | GatewayState::Gives => {
                    "Nobody who has this is online right now. Keep this page open: it begins by itself."
                }
                GatewayState::Lacks => {
                    "Nobody who has this is online right now, and the gateway does not have it. Keep this page open: it begins by itself."
                }
                GatewayState::Unreachable => {
                    "Nobody who has this is online right now, and the gateway does not answer. Keep this page open: it begins by itself."
                }
                GatewayState::Lied => {
                    "Nobody who has this is online right now, and the gateway sent something else: it is not asked any more."
                }
            };
            said("Looking for the sender", detail)
        }
        Stage::Finding => said("Connecting", "Somebody who has this is there."),
        Stage::Offered => said(share.name.clone(), contents(share)),
        Stage::Fetching => fetching(share),
        Stage::Done if share.send_bytes_per_s > 0 => {
            said("All here", format!("Passing it on at {}.", rate(share.send_bytes_per_s)))
        }
        Stage::Done => said(
            "All here",
            "Every block was checked. While this page is open, you pass it on to others.",
        ),
        Stage::Failed(failure) => failed(failure),
    }
}

fn fetching(view: &ShareView) -> Said {
    let here = percent(share(view.chosen_held_bytes, view.chosen_bytes));
    if view.full {
        return said(
            format!("The disk is full at {here}"),
            "Free some space, or remove something from the library, then go on.",
        );
    }
    if view.paused {
        return said(format!("Paused at {here}"), "What is here stays, also after a reload.");
    }
    let others = view.peers.len();
    if others == 0 && view.gateway == GatewayState::Gives {
        let rest = view.chosen_bytes.saturating_sub(view.chosen_held_bytes);
        let pace = pace(rest, view.receive_bytes_per_s);
        return said(here, format!("{pace}. Nobody is online, it comes from the gateway."));
    }
    if others == 0 {
        return said(
            format!("The sender is offline, {here} here"),
            "It goes on by itself as soon as anybody who has the rest is online.",
        );
    }
    if view.peers.iter().any(|peer| peer.has_percent == 100) || view.receive_bytes_per_s > 0 {
        let rest = view.chosen_bytes.saturating_sub(view.chosen_held_bytes);
        return said(here, pace(rest, view.receive_bytes_per_s));
    }
    let have = |what: &str| {
        let who = if others == 1 {
            "one other has".to_owned()
        } else {
            format!("{others}{NBSP}others have")
        };
        format!("{who} {what}")
    };
    let rest =
        if view.available_bytes == view.chosen_bytes { "the rest" } else { "some of the rest" };
    said(format!("The sender is offline, {here} here"), format!("But {}.", have(rest)))
}

/// Speed and time left.
fn pace(rest_bytes: u64, bytes_per_s: u64) -> String {
    if bytes_per_s == 0 {
        return format!("{} to go", bytes(rest_bytes));
    }
    let speed = format!("{}/s", bytes(bytes_per_s));
    format!("{} to go, {speed}, {}", bytes(rest_bytes), time_left(rest_bytes / bytes_per_s))
}

/// Time left in words that do not jump about.
pub(crate) fn time_left(seconds: u64) -> String {
    match seconds {
        0..=4 => "a few seconds".to_owned(),
        5..=59 => format!("{}{NBSP}s left", seconds.div_ceil(5) * 5),
        60..=3_599 => format!("{}{NBSP}min left", seconds.div_ceil(60)),
        _ => format!("{}{NBSP}h {}{NBSP}min left", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// Files and bytes of a share.
pub(crate) fn contents(view: &ShareView) -> String {
    match view.files {
        // Not known yet.
        0 => String::new(),
        1 => bytes(view.total_bytes),
        // A share of several files without a name is called by their number.
        files if view.name == format!("{files} files") => bytes(view.total_bytes),
        files => {
            format!("{}, {}", counted(u64::from(files), "file", "files"), bytes(view.total_bytes))
        }
    }
}

fn failed(failure: Failure) -> Said {
    match failure {
        Failure::Key => said(
            "The link does not open this",
            "Part of the link may have been cut off. Ask for it again.",
        ),
        Failure::Damaged => said(
            "This share is damaged",
            "What the sender made can't be read. Ask them to share it again.",
        ),
        Failure::TooLarge => said("This share is too large", "A page can take up to 1 TB at once."),
        Failure::Ended => said("This share has ended", "Ask the sender for a new link."),
        Failure::Layout => said(
            "This page can't fetch this",
            "Its blocks are cut, or its files called, in a way that is not known here. Open it with an IPFS tool.",
        ),
    }
}

/// What a share made here is doing.
pub(crate) fn sending(status: &ShareStatus) -> Said {
    if status.source_lost {
        return said(
            "A file changed after it was shared",
            "Its old version can't be sent any more. Share it again for a new link.",
        );
    }
    let view = &status.share;
    if let Stage::Failed(failure) = view.stage {
        return failed(failure);
    }
    let whole = view.peers.iter().filter(|peer| peer.has_percent == 100).count();
    let here = view.peers.len();
    let detail = match (here, whole) {
        (0, _) if view.sent_bytes > 0 => format!("{} sent so far", bytes(view.sent_bytes)),
        (0, _) => "Send the link. Keep this page open while others receive.".to_owned(),
        _ => format!("{} sent, {} now", bytes(view.sent_bytes), rate(view.send_bytes_per_s)),
    };
    let headline = match (here, whole) {
        (0, _) => "Nobody is connected".to_owned(),
        (_, 0) => format!("{} receiving", counted(size(here), "person", "people")),
        (here, whole) if here == whole => {
            counted(size(here), "person has all of it", "people have all of it")
        }
        _ => {
            let have = if whole == 1 { "has" } else { "have" };
            format!(
                "{} connected, {whole} {have} all of it",
                counted(size(here), "person", "people")
            )
        }
    };
    said(headline, detail)
}

fn size(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// What went wrong, and what to do.
pub(crate) fn error(error: &FilesError) -> Said {
    let remedy = match error {
        FilesError::Link(_) => "Check that the whole link was copied.",
        FilesError::PasswordNeeded | FilesError::Password(_) => "Ask whoever sent you the link.",
        FilesError::Ended => "Ask the sender for a new link.",
        FilesError::Make(_) => "Rename it, or leave it out.",
        FilesError::Unreadable => "Choose it again.",
        FilesError::OtherFiles => "Choose the same files, or share these anew.",
        FilesError::NoStore => "Leave private browsing, or allow this site to store data.",
        FilesError::Full => "Free some space, or remove something from the library.",
        FilesError::TooMany => "Stop one of them in the library.",
        FilesError::Missing => "It comes as soon as somebody who has it is online.",
        FilesError::Damaged => "Ask the sender to share it again.",
        FilesError::NoFolders => "Save the files one by one.",
        FilesError::NoSaving => "Leave private browsing, or open the link in another browser.",
        FilesError::CutShort => "Save it again, and keep this page open until it is there.",
        FilesError::Car(_) | FilesError::CarBlock(_) | FilesError::CarLacks(_) => {
            "Make the CAR again, or get it from somewhere else."
        }
        FilesError::CarRoots(_) => "Make a CAR of one file or folder.",
        FilesError::Gateway => "It looks like https://gateway.example.",
        FilesError::GatewaySilent => {
            "Check the address, and that the gateway lets other sites read."
        }
        FilesError::OtherKind => "Save it, and open it with a program that knows it.",
        FilesError::TooLargeToShow | FilesError::NoPreview => "Save it to open it.",
        FilesError::Browser(_) => "Try again, or use another browser.",
    };
    said(crate::format::sentence(&error.to_string()), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(change: impl FnOnce(&mut ShareView)) -> ShareStatus {
        let mut share = ShareView {
            stage: Stage::Fetching,
            chosen_bytes: 100,
            chosen_held_bytes: 63,
            ..ShareView::default()
        };
        change(&mut share);
        ShareStatus { share, ..ShareStatus::default() }
    }

    fn others(share: &mut ShareView, count: usize, has_percent: u8) {
        let peer = peer_wasm::files::view::PeerView {
            peer: "00".repeat(32).parse().expect("a key"),
            has_percent,
            uploads: true,
            received_bytes: 0,
            sent_bytes: 0,
        };
        share.peers = vec![peer; count];
    }

    #[test]
    fn it_says_who_has_the_rest() {
        let alone = receiving(&status(|_| {}));
        assert_eq!(alone.headline, "The sender is offline, 63\u{a0}% here");
        let rest = receiving(&status(|share| {
            others(share, 2, 70);
            share.available_bytes = 100;
        }));
        assert_eq!(rest.detail, "But 2\u{a0}others have the rest.");
        let some = receiving(&status(|share| {
            others(share, 1, 70);
            share.available_bytes = 80;
        }));
        assert_eq!(some.detail, "But one other has some of the rest.");
    }

    #[test]
    fn it_says_how_long() {
        let going = receiving(&status(|share| {
            others(share, 1, 100);
            (share.chosen_bytes, share.chosen_held_bytes) = (100_000_000, 40_000_000);
            share.receive_bytes_per_s = 1_000_000;
        }));
        assert_eq!(going.headline, "40\u{a0}%");
        assert_eq!(going.detail, "60.0\u{a0}MB to go, 1.0\u{a0}MB/s, 1\u{a0}min left");
        assert_eq!(time_left(7), "10\u{a0}s left");
        assert_eq!(time_left(3_700), "1\u{a0}h 1\u{a0}min left");
    }

    #[test]
    fn files_are_counted_once() {
        let view = |name: &str| ShareView {
            name: name.to_owned(),
            files: 3,
            total_bytes: 2_000_000,
            ..ShareView::default()
        };
        assert_eq!(contents(&view("3 files")), "2.0\u{a0}MB");
        assert_eq!(contents(&view("holiday")), "3\u{a0}files, 2.0\u{a0}MB");
    }

    #[test]
    fn it_says_what_the_gateway_does() {
        let gives = receiving(&status(|share| share.gateway = GatewayState::Gives));
        assert_eq!(gives.headline, "63\u{a0}%");
        assert!(gives.detail.ends_with("it comes from the gateway."), "{}", gives.detail);
        let lacks = receiving(&status(|share| {
            (share.stage, share.gateway) = (Stage::Finding, GatewayState::Lacks);
        }));
        assert!(lacks.detail.contains("the gateway does not have it"));
    }
}
