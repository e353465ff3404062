//! Which bytes of an HTTP answer are the ones that were asked for (RFC 9110, 14 and 15.3.7).

/// First byte of the file and one past the last, or to the end; `None`: the whole file.
pub(crate) type FileRange = Option<(u64, Option<u64>)>;

/// What an answer says of its bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Coming {
    pub(super) status: u16,
    pub(super) content_range: Option<String>,
    pub(super) content_length: Option<String>,
}

/// The answer holds nothing that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unusable;

/// Lets through what was asked for, as the bytes of the answer go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    skip: u64,
    left: Option<u64>,
    /// Bytes of the whole answer still to come, by its own word.
    coming_bytes: Option<u64>,
    segment_bytes: Option<u32>,
}

/// The `Range` header of a request, if it needs one.
pub(super) fn range_header(range: FileRange) -> Option<String> {
    let (from, to) = range?;
    let mut value = ["bytes=", &from.to_string(), "-"].concat();
    if let Some(to) = to {
        value.push_str(&to.saturating_sub(1).to_string());
    }
    Some(value)
}

impl Window {
    /// The window of an answer to a request for `range`. An origin that ignores `Range` answers 200
    /// with the whole file, of which the asked part is cut out.
    pub(super) fn new(
        range: FileRange,
        segment_at: u64,
        coming: &Coming,
    ) -> Result<Self, Unusable> {
        let (from, to) = range.unwrap_or((0, None));
        let content = coming.content_range.as_deref().and_then(parse_content_range);
        let length: Option<u64> =
            coming.content_length.as_deref().and_then(|text| text.trim().parse().ok());
        let (starts_at, file_bytes) = match coming.status {
            200 => (0, length),
            // `Content-Range` is hidden from pages of other origins unless exposed; without it the
            // answer is taken to be what was asked for, and the hashes will tell.
            206 => content.map_or((from, None), |content| (content.from, content.file_bytes)),
            _ => return Err(Unusable),
        };
        let skip = from.checked_sub(starts_at).ok_or(Unusable)?;
        let segment_bytes = file_bytes
            .and_then(|total: u64| total.checked_sub(segment_at))
            .and_then(|bytes| u32::try_from(bytes).ok());
        let left = to.map(|to| to.saturating_sub(from));
        Ok(Self { skip, left, coming_bytes: length, segment_bytes })
    }

    /// Size from the segment's start to the end of the file, if the origin tells.
    pub(super) const fn segment_bytes(&self) -> Option<u32> {
        self.segment_bytes
    }

    /// Everything that was asked for has gone by.
    pub(super) const fn is_done(&self) -> bool {
        matches!(self.left, Some(0))
    }

    /// The answer has no more bytes: only its end is still to be read.
    pub(super) const fn is_drained(&self) -> bool {
        matches!(self.coming_bytes, Some(0))
    }

    /// Which part of the next `length` bytes was asked for: first, and one past the last.
    pub(super) fn take(&mut self, length: u32) -> (u32, u32) {
        self.coming_bytes =
            self.coming_bytes.map(|coming| coming.saturating_sub(u64::from(length)));
        let skipped = u32::try_from(self.skip).unwrap_or(u32::MAX).min(length);
        self.skip -= u64::from(skipped);
        let wanted = self.left.map_or(length - skipped, |left| {
            u32::try_from(left).unwrap_or(u32::MAX).min(length - skipped)
        });
        self.left = self.left.map(|left| left - u64::from(wanted));
        (skipped, skipped + wanted)
    }
}

struct ContentRange {
    from: u64,
    file_bytes: Option<u64>,
}

/// `bytes 100-199/1000`, or `*` for a size not known.
fn parse_content_range(text: &str) -> Option<ContentRange> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (from, _) = range.split_once('-')?;
    Some(ContentRange { from: from.trim().parse().ok()?, file_bytes: total.trim().parse().ok() })
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn coming(status: u16, range: Option<&str>, length: Option<&str>) -> Coming {
        Coming {
            status,
            content_range: range.map(str::to_owned),
            content_length: length.map(str::to_owned),
        }
    }

    #[test]
    fn a_range_header_names_the_last_byte_not_one_past_it() {
        assert_eq!(range_header(None), None);
        assert_eq!(range_header(Some((0, Some(100)))).as_deref(), Some("bytes=0-99"));
        assert_eq!(range_header(Some((7, None))).as_deref(), Some("bytes=7-"));
    }

    #[test]
    fn a_whole_file_goes_through_as_it_is() {
        let answer = coming(200, None, Some("1000"));
        let mut window = Window::new(None, 0, &answer).unwrap();
        assert_eq!(window.segment_bytes(), Some(1000));
        assert_eq!(window.take(600), (0, 600));
        assert_eq!(window.take(400), (0, 400));
        assert!(!window.is_done());
        assert!(window.is_drained());
    }

    #[test]
    fn an_origin_that_ignores_the_range_is_cut_to_it() {
        let answer = coming(200, None, Some("1000"));
        let mut window = Window::new(Some((150, Some(350))), 100, &answer).unwrap();
        assert_eq!(window.segment_bytes(), Some(900));
        assert_eq!(window.take(100), (100, 100));
        assert_eq!(window.take(100), (50, 100));
        assert_eq!(window.take(300), (0, 150));
        assert!(window.is_done());
        assert!(!window.is_drained(), "the rest of the file is still coming");
    }

    #[test]
    fn a_partial_answer_starts_where_it_says() {
        let asked = Some((150, None));
        let answer = coming(206, Some("bytes 150-999/1000"), Some("850"));
        let mut window = Window::new(asked, 0, &answer).unwrap();
        assert_eq!(window.segment_bytes(), Some(1000));
        assert_eq!(window.take(850), (0, 850));
        let early = coming(206, Some("bytes 100-999/1000"), None);
        assert_eq!(Window::new(asked, 0, &early).unwrap().take(60), (50, 60));
        let late = coming(206, Some("bytes 200-999/*"), None);
        assert_eq!(Window::new(asked, 0, &late), Err(Unusable));
    }

    #[test]
    fn a_hidden_content_range_is_taken_on_trust_and_no_size_is_known() {
        let mut window =
            Window::new(Some((150, Some(250))), 100, &coming(206, None, Some("100"))).unwrap();
        assert_eq!(window.segment_bytes(), None);
        assert_eq!(window.take(100), (0, 100));
        assert!(window.is_done());
    }

    #[test]
    fn other_statuses_hold_nothing() {
        for status in [204, 304, 404, 416, 503] {
            assert_eq!(Window::new(None, 0, &coming(status, None, None)), Err(Unusable));
        }
    }
}
