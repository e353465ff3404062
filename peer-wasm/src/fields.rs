//! Fields of a plain object that a page hands over, taken by name.
//!
//! By hand: serde's readers, and its texts of what is wrong with what they read, are a twentieth of what
//! a visitor downloads.

use js_sys::{Number, Reflect};
use wasm_bindgen::JsValue;

use crate::number;

/// An object of the page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a>(&'a JsValue);

/// A field that is missing or of another type, by its name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mismatch(pub(crate) &'static str);

/// What a field may be.
pub(crate) trait Field: Sized {
    /// The value, if `value` is one.
    fn from_js(value: &JsValue) -> Option<Self>;
}

impl<'a> Fields<'a> {
    /// The fields of `value`, if it is an object.
    pub(crate) fn of(value: &'a JsValue) -> Result<Self, Mismatch> {
        if value.is_object() { Ok(Self(value)) } else { Err(Mismatch("object")) }
    }

    /// The field `name`, if it is there: one that is set to `undefined` is.
    pub(crate) fn get<T: Field>(self, name: &'static str) -> Result<Option<T>, Mismatch> {
        let key = JsValue::from_str(name);
        let value = Reflect::get(self.0, &key).unwrap_or_default();
        if value.is_undefined() && !Reflect::has(self.0, &key).unwrap_or_default() {
            return Ok(None);
        }
        T::from_js(&value).map(Some).ok_or(Mismatch(name))
    }

    /// The field `name`, or the default value where it is absent.
    pub(crate) fn get_or_default<T: Field + Default>(
        self,
        name: &'static str,
    ) -> Result<T, Mismatch> {
        Ok(self.get(name)?.unwrap_or_default())
    }
}

impl Field for bool {
    fn from_js(value: &JsValue) -> Option<Self> {
        value.as_bool()
    }
}

impl Field for f64 {
    fn from_js(value: &JsValue) -> Option<Self> {
        value.as_f64()
    }
}

/// Whole numbers that JavaScript tells apart from their neighbours.
impl Field for u64 {
    fn from_js(value: &JsValue) -> Option<Self> {
        let exact = Number::is_safe_integer(value);
        value.as_f64().filter(|value| exact && *value >= 0.0).map(number::whole)
    }
}

impl Field for u32 {
    fn from_js(value: &JsValue) -> Option<Self> {
        u64::from_js(value)?.try_into().ok()
    }
}

impl Field for String {
    fn from_js(value: &JsValue) -> Option<Self> {
        value.as_string()
    }
}

/// `null` and `undefined` are none.
impl<T: Field> Field for Option<T> {
    fn from_js(value: &JsValue) -> Option<Self> {
        if value.is_null() || value.is_undefined() {
            Some(None)
        } else {
            T::from_js(value).map(Some)
        }
    }
}
