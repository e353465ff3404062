//! Text to tree (RFC 8259), by the rules of `serde_json`: an escaped half of a surrogate pair is no
//! text, 128 levels are too many. Only here a number that fits no `f64` is a number all the same.

use super::{Fields, Json};

/// One more level than may be nested.
const LEVELS: u32 = 128;

/// What is left of a text.
struct Reader<'a>(&'a [u8]);

/// The tree of a whole text.
pub(super) fn read(text: &[u8]) -> Option<Json> {
    let mut reader = Reader(text);
    let json = reader.value(LEVELS)?;
    reader.skip_space();
    reader.0.is_empty().then_some(json)
}

impl<'a> Reader<'a> {
    fn value(&mut self, levels: u32) -> Option<Json> {
        self.skip_space();
        match self.0.first()? {
            b'n' => self.expect(b"null").map(|()| Json::Null),
            b't' => self.expect(b"true").map(|()| Json::Bool(true)),
            b'f' => self.expect(b"false").map(|()| Json::Bool(false)),
            b'"' => self.text().map(Json::Text),
            b'[' => self.list(levels - 1).map(Json::List),
            b'{' => self.object(levels - 1).map(Json::Object),
            _ => self.number(),
        }
    }

    fn list(&mut self, levels: u32) -> Option<Vec<Json>> {
        let mut list = Vec::new();
        let mut more = self.begin(b"[", b"]", levels)?;
        while more {
            list.push(self.value(levels)?);
            more = self.goes_on(b"]")?;
        }
        Some(list)
    }

    fn object(&mut self, levels: u32) -> Option<Fields> {
        let mut fields = Vec::new();
        let mut more = self.begin(b"{", b"}", levels)?;
        while more {
            self.skip_space();
            let name = self.text()?;
            self.skip_space();
            self.expect(b":")?;
            fields.push((name, self.value(levels)?));
            more = self.goes_on(b"}")?;
        }
        Some(Fields(fields))
    }

    /// Whether anything comes between `open` and `close`.
    fn begin(&mut self, open: &[u8], close: &[u8], levels: u32) -> Option<bool> {
        self.expect(open).filter(|()| levels > 0)?;
        self.skip_space();
        Some(self.expect(close).is_none())
    }

    /// Whether another item comes, or `close`.
    fn goes_on(&mut self, close: &[u8]) -> Option<bool> {
        self.skip_space();
        match self.expect(b",") {
            Some(()) => Some(true),
            None => self.expect(close).map(|()| false),
        }
    }

    fn text(&mut self) -> Option<String> {
        self.expect(b"\"")?;
        let mut bytes = Vec::new();
        loop {
            let plain = self.0.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
            bytes.extend_from_slice(self.take(plain)?);
            match self.take(1)? {
                b"\"" => return String::from_utf8(bytes).ok(),
                b"\\" => {
                    let escaped = self.escaped()?;
                    bytes.extend_from_slice(escaped.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => return None,
            }
        }
    }

    /// What stands behind a backslash.
    fn escaped(&mut self) -> Option<char> {
        Some(match self.take(1)?.first()? {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit()?;
                // The first half of a pair; a second half by itself is no character.
                if unit & 0xfc00 == 0xd800 {
                    self.expect(b"\\u")?;
                    let low = self.unit().filter(|low| low & 0xfc00 == 0xdc00)?;
                    return char::from_u32(0x1_0000 + ((unit & 0x3ff) << 10) + (low & 0x3ff));
                }
                return char::from_u32(unit);
            }
            byte @ (b'"' | b'\\' | b'/') => char::from(*byte),
            _ => return None,
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Option<u32> {
        let mut digits = self.take(4)?.iter();
        digits.try_fold(0, |unit, byte| Some(unit << 4 | char::from(*byte).to_digit(16)?))
    }

    fn number(&mut self) -> Option<Json> {
        let mut is_whole = self.expect(b"-").is_none();
        let digits = self.digits()?;
        if digits.len() > 1 && digits.starts_with(b"0") {
            return None;
        }
        if self.expect(b".").is_some() {
            is_whole = false;
            self.digits()?;
        }
        if self.expect(b"e").or_else(|| self.expect(b"E")).is_some() {
            is_whole = false;
            let _sign = self.expect(b"+").or_else(|| self.expect(b"-"));
            self.digits()?;
        }
        let whole = digits.iter().try_fold(0_u64, |sum, digit| {
            sum.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        });
        Some(whole.filter(|_| is_whole).map_or(Json::Number, Json::Whole))
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|byte| !byte.is_ascii_digit());
        self.take(end.unwrap_or(self.0.len())).filter(|digits| !digits.is_empty())
    }

    fn skip_space(&mut self) {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.0 {
            self.0 = rest;
        }
    }

    fn expect(&mut self, token: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(token)?;
        Some(())
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }
}
