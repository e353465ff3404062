//! What is remembered of a share between visits.

use data_encoding::HEXLOWER;
use files::content::{
    Cid,
    share::{ShareKey, ShareLink},
};
use js_sys::Array;
use wasm_bindgen::JsValue;

use crate::number;

/// One share. An array in the database: `[share, link, key, name, size, made, active,
/// pinned, used, run, chosen]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    /// The manifest.
    pub(crate) share: Cid,
    /// The link as it is handed on.
    pub(crate) link: String,
    /// What opens it, so that a password is asked for once.
    pub(crate) key: [u8; 32],
    /// What the sender calls it; empty while that is not known.
    pub(crate) name: String,
    /// Bytes of all files.
    pub(crate) size_bytes: u64,
    /// Made here.
    pub(crate) made: bool,
    /// Opened again at the next visit.
    pub(crate) active: bool,
    /// Never thrown out to make room.
    pub(crate) pinned: bool,
    /// When it was last used, in milliseconds since 1970.
    pub(crate) used_ms: f64,
    /// The run it was sealed with, if its bytes are not kept: to make them again from the files.
    pub(crate) run: Option<[u8; 16]>,
    /// What the person chose of it, to go on with after a reload.
    pub(crate) chosen: Chosen,
}

/// What is fetched of a share.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Chosen {
    /// Nothing yet.
    #[default]
    Nothing,
    /// All of it.
    All,
    /// Entries by number.
    Some(Vec<u32>),
}

impl Chosen {
    fn to_text(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::All => "*".to_owned(),
            Self::Some(entries) => {
                let texts: Vec<String> = entries.iter().map(u32::to_string).collect();
                texts.join(",")
            }
        }
    }

    fn from_text(text: &str) -> Self {
        match text {
            "" => Self::Nothing,
            "*" => Self::All,
            list => Self::Some(list.split(',').filter_map(|entry| entry.parse().ok()).collect()),
        }
    }
}

impl Record {
    pub(crate) fn key(&self) -> ShareKey {
        ShareKey::new(self.key)
    }

    /// The link, if it is one.
    pub(crate) fn parsed(&self) -> Option<ShareLink> {
        self.link.parse().ok()
    }

    pub(super) fn to_array(&self) -> Array {
        let run = self.run.map(|run| HEXLOWER.encode(&run)).unwrap_or_default();
        [
            JsValue::from_str(&self.share.to_string()),
            JsValue::from_str(&self.link),
            JsValue::from_str(&HEXLOWER.encode(&self.key)),
            JsValue::from_str(&self.name),
            number::float(self.size_bytes).into(),
            self.made.into(),
            self.active.into(),
            self.pinned.into(),
            self.used_ms.into(),
            JsValue::from_str(&run),
            JsValue::from_str(&self.chosen.to_text()),
        ]
        .iter()
        .collect()
    }

    pub(super) fn from_array(array: &Array) -> Option<Self> {
        let text = |at| array.get(at).as_string();
        let flag = |at| array.get(at).as_bool();
        let run = HEXLOWER.decode(text(9)?.as_bytes()).ok()?;
        Some(Self {
            share: text(0)?.parse().ok()?,
            link: text(1)?,
            key: HEXLOWER.decode(text(2)?.as_bytes()).ok()?.try_into().ok()?,
            name: text(3)?,
            size_bytes: number::whole(array.get(4).as_f64()?),
            made: flag(5)?,
            active: flag(6)?,
            pinned: flag(7)?,
            used_ms: array.get(8).as_f64()?,
            run: run.try_into().ok(),
            chosen: Chosen::from_text(&text(10)?),
        })
    }
}
