//! What the person chose, and how it is kept between visits.
//!
//! Each choice is one line of text under its own key in the browser's local storage; a text that
//! cannot be read is the default.

use crate::format;

/// Everything that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Most that is passed on to other viewers.
    pub(crate) upload: Upload,
    /// Pass on also over metered and mobile connections.
    pub(crate) upload_metered: bool,
    /// Room for segments kept between visits; 0 keeps none.
    pub(crate) cache_bytes: u64,
    /// Speak to other viewers only through a relay.
    pub(crate) relay_only: bool,
    /// Most that is paid in an hour, for all shares together, in units of the ledger's own asset; 0 pays nobody.
    pub(crate) pay_hour_units: u128,
    /// Keep earnings that neighbours leave here, and hand them in for those who don't come back.
    pub(crate) hand_in: bool,
    /// Tell the fund that a video names who sent what, and be paid for what is passed on.
    pub(crate) earn: bool,
    /// Colours.
    pub(crate) theme: Theme,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            upload: Upload::Unlimited,
            upload_metered: false,
            cache_bytes: 512_000_000,
            relay_only: false,
            pay_hour_units: wallet::view::HOUR_CAP,
            hand_in: true,
            earn: false,
            theme: Theme::System,
        }
    }
}

impl Settings {
    /// Reads all choices; `read` gives the text kept under a key.
    pub(crate) fn load(read: impl Fn(&str) -> Option<String>) -> Self {
        let default = Self::default();
        let flag = |key: &str, otherwise| match read(key).as_deref() {
            Some("yes") => true,
            Some("no") => false,
            _ => otherwise,
        };
        Self {
            upload: read(UPLOAD).and_then(|text| Upload::parse(&text)).unwrap_or(default.upload),
            upload_metered: flag(UPLOAD_METERED, default.upload_metered),
            cache_bytes: read(CACHE)
                .and_then(|text| text.parse().ok())
                .unwrap_or(default.cache_bytes),
            relay_only: flag(RELAY_ONLY, default.relay_only),
            pay_hour_units: read(PAY_HOUR)
                .and_then(|text| text.parse().ok())
                .unwrap_or(default.pay_hour_units),
            hand_in: flag(HAND_IN, default.hand_in),
            earn: flag(EARN, default.earn),
            theme: read(THEME).and_then(|text| Theme::parse(&text)).unwrap_or(default.theme),
        }
    }

    /// Keeps what is other than `before`; `write` takes key and text. What another tab chose meanwhile stays.
    pub(crate) fn save(&self, before: &Self, write: impl Fn(&str, &str)) {
        for ((key, text), (_, was)) in self.lines().into_iter().zip(before.lines()) {
            if text != was {
                write(key, &text);
            }
        }
    }

    /// Keys and texts.
    fn lines(&self) -> [(&'static str, String); 8] {
        let flag = |value| String::from(if value { "yes" } else { "no" });
        [
            (UPLOAD, self.upload.to_text()),
            (UPLOAD_METERED, flag(self.upload_metered)),
            (CACHE, self.cache_bytes.to_string()),
            (RELAY_ONLY, flag(self.relay_only)),
            (PAY_HOUR, self.pay_hour_units.to_string()),
            (HAND_IN, flag(self.hand_in)),
            (EARN, flag(self.earn)),
            (THEME, self.theme.as_text().to_owned()),
        ]
    }

    /// The upload limit in bytes per second on a connection of this kind; `None`: no limit.
    pub(crate) const fn upload_limit(&self, metered: bool) -> Option<u64> {
        match self.upload {
            _ if metered && !self.upload_metered => Some(0),
            Upload::Off => Some(0),
            Upload::MbitPerS(mbit) => Some(mbit * 125_000),
            Upload::Unlimited => None,
        }
    }
}

const UPLOAD: &str = "starling.upload";
const UPLOAD_METERED: &str = "starling.upload-metered";
const CACHE: &str = "starling.cache-bytes";
const RELAY_ONLY: &str = "starling.relay-only";
const PAY_HOUR: &str = "starling.pay-hour";
const HAND_IN: &str = "starling.hand-in";
const EARN: &str = "starling.earn";
/// Also read by `theme.js`, before the first paint.
const THEME: &str = "starling.theme";

/// Most that is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upload {
    /// Nothing.
    Off,
    /// This many megabits per second.
    MbitPerS(u64),
    /// What the connection bears.
    Unlimited,
}

impl Upload {
    /// The stops of the slider, in order.
    pub(crate) const STOPS: [Self; 9] = [
        Self::Off,
        Self::MbitPerS(1),
        Self::MbitPerS(2),
        Self::MbitPerS(5),
        Self::MbitPerS(10),
        Self::MbitPerS(20),
        Self::MbitPerS(50),
        Self::MbitPerS(100),
        Self::Unlimited,
    ];

    /// Where on the slider this is: the last stop not above it.
    pub(crate) fn stop(self) -> usize {
        Self::STOPS.iter().rposition(|stop| stop.order() <= self.order()).unwrap_or_default()
    }

    /// In words.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Off => "Off".to_owned(),
            Self::MbitPerS(mbit) => format::trimmed(&format::rate(mbit * 125_000)),
            Self::Unlimited => "No limit".to_owned(),
        }
    }

    const fn order(self) -> u64 {
        match self {
            Self::Off => 0,
            Self::MbitPerS(mbit) => mbit,
            Self::Unlimited => u64::MAX,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "off" => Some(Self::Off),
            "unlimited" => Some(Self::Unlimited),
            mbit => {
                mbit.parse().ok().filter(|mbit| (1..=10_000).contains(mbit)).map(Self::MbitPerS)
            }
        }
    }

    fn to_text(self) -> String {
        match self {
            Self::Off => "off".to_owned(),
            Self::MbitPerS(mbit) => mbit.to_string(),
            Self::Unlimited => "unlimited".to_owned(),
        }
    }
}

/// The sizes offered for the cache, in bytes.
pub(crate) const CACHE_SIZES_BYTES: [u64; 6] =
    [0, 128_000_000, 256_000_000, 512_000_000, 1_000_000_000, 4_000_000_000];

/// Colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system says.
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// All, in the order offered.
    pub(crate) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The text kept, and the value of the root element's `data-theme`.
    pub(crate) const fn as_text(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// In words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_text() == text)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_was_saved_is_loaded() {
        let chosen = Settings {
            upload: Upload::MbitPerS(5),
            upload_metered: true,
            cache_bytes: 0,
            relay_only: true,
            pay_hour_units: 0,
            hand_in: false,
            earn: true,
            theme: Theme::Dark,
        };
        let store = RefCell::new(BTreeMap::new());
        let write = |key: &str, text: &str| {
            store.borrow_mut().insert(key.to_owned(), text.to_owned());
        };
        let load = || Settings::load(|key| store.borrow().get(key).cloned());
        chosen.save(&Settings::default(), write);
        assert_eq!(load(), chosen);

        // Another tab says no to what this one still shows.
        Settings { earn: false, ..chosen }.save(&chosen, write);
        Settings { theme: Theme::Light, ..chosen }.save(&chosen, write);
        assert_eq!(load(), Settings { earn: false, theme: Theme::Light, ..chosen });
    }

    #[test]
    fn unreadable_texts_are_the_default() {
        assert_eq!(Settings::load(|_| Some("-7 rubbish".to_owned())), Settings::default());
        assert_eq!(Settings::load(|_| None), Settings::default());
        assert!(!Settings::default().earn, "nobody is told anything before a person says so");
    }

    #[test]
    fn nothing_is_uploaded_on_a_metered_connection_unless_allowed() {
        let mut settings = Settings::default();
        assert_eq!(settings.upload_limit(false), None);
        assert_eq!(settings.upload_limit(true), Some(0));
        settings.upload_metered = true;
        settings.upload = Upload::MbitPerS(8);
        assert_eq!(settings.upload_limit(true), Some(1_000_000));
    }

    #[test]
    fn every_stop_is_its_own_place_on_the_slider() {
        for (place, stop) in Upload::STOPS.into_iter().enumerate() {
            assert_eq!(stop.stop(), place);
        }
        assert_eq!(Upload::MbitPerS(7).stop(), 3);
        assert_eq!(Upload::MbitPerS(5).words().replace('\u{a0}', " "), "5 Mbit/s");
    }
}
