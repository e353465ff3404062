//! Constants of the schedule, with their reasons.

/// Most segments of one track: a day of 4 s segments is 21,600.
pub const TRACK_SEGMENTS_MAX: usize = 65_536;
