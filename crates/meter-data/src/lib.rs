//! What real electricity meters say, in one form.
//!
//! Households get their readings as files: NEM12 in Australia, Green Button in North America, telegrams
//! of the customer port in the Netherlands and Belgium, CSV everywhere. [`read()`] makes of any of them
//! [`Meter`]s with [`Interval`]s of import and export in whole Wh, by UTC, and a [`Report`] of what was
//! understood and what was not. [`Meter::slots`] makes the [`Slot`]s that energy is traded in.
//!
//! Formats, units and limits: `docs/spec/meter-data.md`.
//!
//! Laws of this crate:
//! - reading is total: any bytes give a [`Reading`] or a [`ReadError`], within the bounds of [`limits`];
//! - what a file does not say is not made up: a gap is not zero, and a guess is a [`Warning`];
//! - cutting and merging intervals loses no Wh;
//! - an interval's Wh depend on it alone, so that two files with the same interval agree.
//!
//! Not here: files, serial ports, clocks, signatures, prices.

mod channel;
mod collect;
mod counter;
mod dsmr;
mod energy;
mod error;
mod espi;
pub mod limits;
mod meter;
mod nem12;
mod read;
mod report;
mod slot;
mod table;
mod text;
mod time;
mod zone;

pub use channel::{Direction, Quality};
pub use error::{ReadError, Reason};
pub use meter::{Interval, Meter};
pub use read::{Options, Reading, read};
pub use report::{
    ChangedDay, ChannelReport, Counters, Format, Gap, Problem, Report, Warned, Warning,
};
pub use slot::{SLOT_S, Slot, Slots};
pub use zone::Zone;
