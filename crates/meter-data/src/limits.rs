//! Bounds of what is read from one file.

/// Largest file, in bytes: a day of telegrams, one a second, or ten years of XML in quarters of an hour.
pub const FILE_BYTES_MAX: usize = 128 << 20;
/// Longest line, in bytes: a day of five minutes in NEM12 needs 4 KiB.
pub const LINE_BYTES_MAX: usize = 64 << 10;
/// Most lines.
pub const LINES_MAX: usize = 8 << 20;
/// Most intervals of one file, over all channels: nine years of five minutes.
pub const INTERVALS_MAX: usize = 1 << 20;
/// Most meters of one file.
pub const METERS_MAX: usize = 64;
/// Most channels of one meter, and most columns of energy of a table.
pub const CHANNELS_MAX: usize = 32;
/// Longest name of a meter or channel, in characters; what is longer is cut.
pub const NAME_CHARS_MAX: usize = 64;
/// Most fields of one line; of a table's header those after it are not looked at.
pub const FIELDS_MAX: usize = 512;
/// Most energy of one interval, in Wh: a thousand homes at full load for a day.
pub const INTERVAL_WH_MAX: u64 = 1_000_000_000;
/// Longest interval, in seconds: a leap year.
pub const INTERVAL_S_MAX: i64 = 366 * 86_400;
/// Earliest moment, in seconds since 1970: the year 1990.
pub const TIME_S_MIN: i64 = 631_152_000;
/// Latest moment, in seconds since 1970: the year 2100.
pub const TIME_S_MAX: i64 = 4_102_444_800;
/// Most findings of one kind that a report lists; it counts the others.
pub const LISTED_MAX: usize = 100;
/// Longest interval that slots are cut from, in seconds. What was used in a day says nothing about its
/// quarters.
pub const CUT_S_MAX: u32 = 3600;
/// Most lines of a CSV file before its header.
pub const PREAMBLE_LINES_MAX: usize = 40;
/// Largest telegram, in bytes.
pub const TELEGRAM_BYTES_MAX: usize = 8 << 10;
/// Most entries of a Green Button feed that can be referred to.
pub const ENTRIES_MAX: usize = 4096;
/// Deepest nesting of XML elements.
pub const XML_DEPTH_MAX: usize = 32;
/// Most attributes of one XML element.
pub const ATTRIBUTES_MAX: usize = 32;
/// Longest text of one XML element that is read, in bytes.
pub const XML_TEXT_BYTES_MAX: usize = 512;
