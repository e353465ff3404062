//! Slots by the clock on the person's wall.

use js_sys::Date;
use wallet::energy::{slot_at, starts_ms};
use wasm_bindgen::JsValue;

use crate::format::{float, whole};

/// Milliseconds of a day that has no change of the clocks.
const DAY_MS: u64 = 86_400_000;

fn local(ms: u64) -> Date {
    Date::new(&JsValue::from_f64(float(ms)))
}

/// The first slot of a day and the one after its last: 92 to 100 slots, as the clocks are changed.
pub(super) fn day_slots(now_ms: u64, days_ago: u64) -> (u64, u64) {
    let begins = |ms: u64| {
        let day = local(ms);
        day.set_hours(0);
        day.set_minutes(0);
        day.set_seconds(0);
        day.set_milliseconds(0);
        whole(day.get_time())
    };
    // Noon is on its day whatever the clocks do.
    let noon = begins(now_ms).saturating_add(DAY_MS / 2).saturating_sub(days_ago * DAY_MS);
    (slot_at(begins(noon)), slot_at(begins(noon + DAY_MS)))
}

/// `14:15`.
pub(super) fn time(ms: u64) -> String {
    let at = local(ms);
    format!("{:02}:{:02}", at.get_hours(), at.get_minutes())
}

/// `2026-06-21`.
pub(super) fn date(ms: u64) -> String {
    let at = local(ms);
    format!("{}-{:02}-{:02}", at.get_full_year(), at.get_month() + 1, at.get_date())
}

/// `2026-06-21 14:15`.
pub(super) fn moment(ms: u64) -> String {
    format!("{} {}", date(ms), time(ms))
}

/// `14:15 to 14:30`.
pub(super) fn slot(slot: u64) -> String {
    format!("{} to {}", time(starts_ms(slot)), time(starts_ms(slot + 1)))
}

/// The zone of this browser's clock, by its name; empty where it has none.
pub(super) fn zone() -> String {
    let options = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
    let found = js_sys::Reflect::get(&options.resolved_options(), &"timeZone".into());
    found.ok().and_then(|zone| zone.as_string()).unwrap_or_default()
}
