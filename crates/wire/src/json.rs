//! JSON as a tree, from which messages take their fields by name.
//!
//! One reader for all types: serde's own way makes one of each type, and of each enum with a tag two,
//! which was a tenth of what a visitor downloads (`docs/adr/0014-smaller-wasm.md`). A type that is read
//! this way says `#[serde(try_from = "Json")]` and stays `Deserialize` for everybody else; a peer reads by
//! [`Json::read`].
//!
//! As everywhere in our JSON: an object has each field it knows once, a field it does not know is
//! skipped, a number of ours is a whole one that is not negative.

use core::fmt;

use primitives::{Hash, PeerId, SwarmId};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

/// A JSON text. Not larger in memory than thirty-two times its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that is not negative.
    Whole(u64),
    /// Any other number: no field of ours is one.
    Number,
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object.
    Object(Fields),
}

/// The fields of an object, as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields(Vec<(String, Json)>);

/// A field that is missing, there twice, or of another type; with its name, where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatch(pub &'static str);

/// What a field may be.
pub trait Field: Sized {
    /// The value, if `json` is one.
    fn from_json(json: Json) -> Option<Self>;

    /// What stands for a field that is absent, if it may be.
    fn absent() -> Option<Self> {
        None
    }
}

impl Json {
    /// The tree of a text in UTF-8. The same trees come by `Deserialize`, for a tenth more of what a
    /// visitor downloads: `serde_json` reads every number to its last digit, and says what is wrong where.
    pub fn read(text: &[u8]) -> Option<Self> {
        reader::read(text)
    }
}

impl Fields {
    /// The fields of `json`, if it is an object.
    pub fn of(json: Json) -> Result<Self, Mismatch> {
        if let Json::Object(fields) = json { Ok(fields) } else { Err(Mismatch("object")) }
    }

    /// Takes out the field `name`.
    pub fn take<T: Field>(&mut self, name: &'static str) -> Result<T, Mismatch> {
        let value = match self.remove(name)? {
            Some(json) => T::from_json(json),
            None => T::absent(),
        };
        value.ok_or(Mismatch(name))
    }

    /// Takes out the field `name`; the default value where it is absent.
    pub fn take_or_default<T: Field + Default>(
        &mut self,
        name: &'static str,
    ) -> Result<T, Mismatch> {
        let Some(json) = self.remove(name)? else { return Ok(T::default()) };
        T::from_json(json).ok_or(Mismatch(name))
    }

    fn remove(&mut self, name: &'static str) -> Result<Option<Json>, Mismatch> {
        let Some(at) = self.0.iter().position(|(known, _)| known == name) else { return Ok(None) };
        let (_, json) = self.0.swap_remove(at);
        if self.0.iter().any(|(known, _)| known == name) {
            Err(Mismatch(name))
        } else {
            Ok(Some(json))
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected another value as ")?;
        f.write_str(self.0)
    }
}

impl core::error::Error for Mismatch {}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tree)
    }
}

struct Tree;

impl<'de> Visitor<'de> for Tree {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Whole(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(u64::try_from(value).map_or(Json::Number, Json::Whole))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            fields.push(entry);
        }
        Ok(Json::Object(Fields(fields)))
    }
}

impl Field for Json {
    fn from_json(json: Json) -> Option<Self> {
        Some(json)
    }
}

impl Field for bool {
    fn from_json(json: Json) -> Option<Self> {
        if let Json::Bool(value) = json { Some(value) } else { None }
    }
}

impl Field for u32 {
    fn from_json(json: Json) -> Option<Self> {
        if let Json::Whole(number) = json { number.try_into().ok() } else { None }
    }
}

impl Field for u16 {
    fn from_json(json: Json) -> Option<Self> {
        u32::from_json(json)?.try_into().ok()
    }
}

impl Field for String {
    fn from_json(json: Json) -> Option<Self> {
        if let Json::Text(text) = json { Some(text) } else { None }
    }
}

impl Field for PeerId {
    fn from_json(json: Json) -> Option<Self> {
        String::from_json(json)?.parse().ok()
    }
}

impl Field for SwarmId {
    fn from_json(json: Json) -> Option<Self> {
        String::from_json(json)?.parse().ok()
    }
}

impl Field for Hash {
    fn from_json(json: Json) -> Option<Self> {
        String::from_json(json)?.parse().ok()
    }
}

impl<T: Field> Field for Vec<T> {
    fn from_json(json: Json) -> Option<Self> {
        let Json::List(list) = json else { return None };
        list.into_iter().map(T::from_json).collect()
    }
}

impl<T: Field> Field for Option<T> {
    fn from_json(json: Json) -> Option<Self> {
        if json == Json::Null { Some(None) } else { T::from_json(json).map(Some) }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

mod reader;
#[cfg(test)]
mod tests;
