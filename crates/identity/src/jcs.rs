//! One text for one JSON value (RFC 8785), for what is hashed and signed.
//!
//! Numbers are whole and of at most 2^53 - 1: fractions have forms of their own in every language, and nothing that
//! is signed here needs one.

use serde_json::{Map, Value};

/// The largest number that every reader of JSON reads as it is.
const SAFE_MAX: u64 = (1 << 53) - 1;

/// The text; none: there is another number in it.
pub(crate) fn canonical(value: &Value) -> Option<String> {
    let mut text = String::new();
    write(value, &mut text)?;
    Some(text)
}

/// The same of an object.
pub(crate) fn canonical_object(members: &Map<String, Value>) -> Option<String> {
    let mut text = String::new();
    write_object(members, &mut text)?;
    Some(text)
}

fn write(value: &Value, text: &mut String) -> Option<()> {
    match value {
        Value::Number(number) => {
            let is_safe = number.as_i64().is_some_and(|number| number.unsigned_abs() <= SAFE_MAX);
            if !is_safe {
                return None;
            }
            text.push_str(&number.to_string());
        }
        // Texts are escaped as the RFC says: the short forms, `\u00xx` for other control characters, nothing else.
        Value::Null | Value::Bool(_) | Value::String(_) => text.push_str(&value.to_string()),
        Value::Array(elements) => {
            text.push('[');
            for (at, element) in elements.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write(element, text)?;
            }
            text.push(']');
        }
        Value::Object(members) => write_object(members, text)?,
    }
    Some(())
}

fn write_object(members: &Map<String, Value>, text: &mut String) -> Option<()> {
    let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
    // By units of UTF-16, which is another order than that of bytes.
    sorted.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    text.push('{');
    for (at, (name, value)) in sorted.into_iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        write(&Value::from(name.as_str()), text)?;
        text.push(':');
        write(value, text)?;
    }
    text.push('}');
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 8785, 3.2.3: names are sorted by units of UTF-16.
    #[test]
    fn names_are_in_the_order_of_the_rfc() {
        let value = json!({
            "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control",
            "\u{f6}": "Latin Small Letter O With Diaeresis",
        });
        let text = canonical(&value).unwrap();
        let names = ["\\r", "1", "\u{80}", "\u{f6}", "\u{20ac}", "\u{1f600}", "\u{fb33}"];
        let places: Vec<usize> =
            names.iter().map(|name| text.find(&format!("\"{name}\":")).unwrap()).collect();
        assert!(places.is_sorted(), "{text}");
    }

    /// RFC 8785, 3.2.2.2.
    #[test]
    fn texts_are_escaped_as_the_rfc_says() {
        let text = json!("\u{20ac}$\u{f}\nA'B\"\\\\\"/");
        assert_eq!(canonical(&text).unwrap(), "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"");
    }

    #[test]
    fn numbers_that_are_read_in_two_ways_are_refused() {
        assert_eq!(canonical(&json!([-3, 0, SAFE_MAX])).unwrap(), "[-3,0,9007199254740991]");
        for value in [json!(0.5), json!(1.0), json!(SAFE_MAX + 1), json!(u64::MAX), json!(-0.0)] {
            assert_eq!(canonical(&json!([value])), None);
        }
    }
}
