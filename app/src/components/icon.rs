//! Line icons, drawn on a grid of 24.

use leptos::prelude::*;

/// Which icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Glyph {
    /// A play triangle.
    Play,
    /// Three joined dots.
    Network,
    /// Two sliders.
    Settings,
    /// A wallet.
    Wallet,
    /// A key.
    Key,
    /// A chain of blocks.
    Blocks,
    /// A sun.
    Sun,
    /// A balance with two scales.
    Lend,
    /// An arrow into a tray.
    Receive,
    /// Half a disc.
    Theme,
    /// An arrow out of a tray.
    Share,
    /// Two sheets.
    Copy,
    /// A tick.
    Check,
    /// A shield with a tick.
    Shield,
    /// A shield with a bar.
    ShieldOff,
    /// A loudspeaker, crossed out.
    Muted,
    /// A circled i.
    Note,
    /// A cross.
    Close,
    /// An arrow to the right.
    Arrow,
    /// Books on a shelf.
    Library,
    /// A sheet with a folded corner.
    File,
    /// A folder.
    Folder,
    /// An arrow into a tray.
    Save,
    /// Two bars.
    Pause,
    /// A pin.
    Pin,
    /// A bin.
    Bin,
    /// An eye.
    Eye,
}

impl Glyph {
    const fn path(self) -> &'static str {
        match self {
            Self::Play => {
                "M7 5.2v13.6a.6.6 0 0 0 .9.5l11-6.8a.6.6 0 0 0 0-1L7.9 4.7a.6.6 0 0 0-.9.5Z"
            }
            Self::Sun => {
                "M12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600l1.400 1.400M17 17l1.400 1.400M5.600 18.400 7 17M17 7l1.400-1.400\
                 M15.500 12a3.500 3.500 0 1 1-7 0 3.500 3.500 0 0 1 7 0Z"
            }
            Self::Key => {
                "M14.6 9.4a4.1 4.1 0 1 1-8.2 0 4.1 4.1 0 0 1 8.2 0ZM13.4 12.4l5.8 5.8M16.4 15.4l2-2\
                 M10.5 9.4v0"
            }
            Self::Network => {
                "M12 5.5v0M5 18v0M19 18v0M12 8.2 6.6 15.8M12 8.2l5.4 7.6M7.8 18h8.4\
                 M14.2 5.5a2.2 2.2 0 1 1-4.4 0 2.2 2.2 0 0 1 4.4 0ZM7.2 18a2.2 2.2 0 1 1-4.4 0 2.2 2.2 \
                 0 0 1 4.4 0ZM21.2 18a2.2 2.2 0 1 1-4.4 0 2.2 2.2 0 0 1 4.4 0Z"
            }
            Self::Settings => {
                "M4 8h8M18 8h2M4 16h2M12 16h8M17.5 8a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0ZM11.5 16a2.5 \
                 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Z"
            }
            Self::Wallet => {
                "M4 7.5A1.5 1.5 0 0 1 5.500 6H17v3M4 7.500V18a1.500 1.500 0 0 0 1.500 1.500H20V9H5.500A1.500 \
                 1.500 0 0 1 4 7.500ZM16.200 14.200v.1"
            }
            Self::Blocks => "M4 4h6v6H4ZM14 14h6v6h-6ZM10 7h4.500a2.500 2.500 0 0 1 2.500 2.500V14",
            Self::Lend => {
                "M12 4v16M8 20h8M5 7h14M5 7l-2.500 6.500a2.700 2.700 0 0 0 5 0ZM19 7l-2.500 6.500a2.700 2.700 0 0 0 5 0Z"
            }
            Self::Receive => "M12 3.500V15M8 11.500 12 15.500l4-4M5 17.500V20h14v-2.500",
            Self::Theme => {
                "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM12 3.5v17M12 8h7.5M12 12h8.5M12 16h7.5"
            }
            Self::Share => "M12 15V4M8 7.5 12 3.5l4 4M6 11.5H5v8.5h14v-8.5h-1",
            Self::Copy => "M9 9h10.5v11.5H9ZM15 9V4.5H4.5V15H9",
            Self::Check => "m5 12.8 4.6 4.4L19 7.5",
            Self::Shield => {
                "M12 3.2 5 6v5.4c0 4.4 2.9 7.7 7 9.4 4.1-1.7 7-5 7-9.4V6ZM8.8 12l2.3 2.2 4.2-4.4"
            }
            Self::ShieldOff => {
                "M12 3.2 5 6v5.4c0 4.4 2.9 7.7 7 9.4 4.1-1.7 7-5 7-9.4V6ZM12 8.5v4M12 15.6v.1"
            }
            Self::Muted => "M4 9.5v5h3.2L12 18.5v-13L7.2 9.5ZM16 9.8l4.4 4.4M20.4 9.8 16 14.2",
            Self::Note => "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM12 11v5M12 8v.1",
            Self::Close => "m6 6 12 12M18 6 6 18",
            Self::Arrow => "M4.5 12h14M13 6.5l5.5 5.5-5.5 5.5",
            Self::Library => "M5 4.5v15M9.5 4.5v15M14 5.2l4.6 14M5 19.5h4.5M5 4.5h4.5",
            Self::File => "M6 3.5h7.5l4.5 4.5v12.5H6ZM13.5 3.5V8H18",
            Self::Folder => "M3.5 18.5v-12h6l2 2.5h9v9.5Z",
            Self::Save => "M12 4v11M8 11.5l4 4 4-4M5 16v4h14v-4",
            Self::Pause => "M9 6v12M15 6v12",
            Self::Pin => "M9 4h6l-.8 6 3.3 3.5h-11L9.8 10ZM12 13.5V20",
            Self::Bin => "M5 7h14M9.5 7V4.5h5V7M6.5 7l1 13h9l1-13",
            Self::Eye => {
                "M2.8 12S6.3 5.8 12 5.8 21.2 12 21.2 12 17.7 18.2 12 18.2 2.8 12 2.8 12ZM14.6 12a2.6 2.6 0 1 1-5.2 0 \
                 2.6 2.6 0 0 1 5.2 0Z"
            }
        }
    }
}

/// One icon. Always beside words or inside a named control, so hidden from screen readers.
#[component]
pub(crate) fn Icon(
    /// Which one.
    glyph: Glyph,
) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d=glyph.path() />
        </svg>
    }
}
