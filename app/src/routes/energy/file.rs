//! A file of a meter: what was understood of it, what of that can be signed, and signing.

use leptos::prelude::*;
use leptos::task::spawn_local;
use meter_data::{ChannelReport, Direction, Options, ReadError, Reading, Zone, read};
use wallet::energy::{Meter, SLOT_S, Said};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlInputElement;

use crate::format::counted;
use crate::picked;

use super::clock;
use super::desk::Desk;
use super::signing::Signing;
use super::words::energy as wh;

/// Largest file that is read in a page, in bytes: years of quarters of an hour.
const FILE_BYTES_MAX: f64 = 32.0 * 1_048_576.0;
/// Most gaps and lines of one kind that are shown.
const SHOWN_MAX: usize = 5;

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Opened {
    name: String,
    read: Result<Reading, String>,
}

/// The card that takes files.
#[component]
pub(super) fn Import() -> impl IntoView {
    let desk = Desk::get();
    let opened = RwSignal::new(None::<Opened>);
    let over = RwSignal::new(false);
    let mine = Memo::new(move |_| {
        let signs = |meter: &Meter| meter.device.is_some() && !meter.health.is_cut;
        desk.mine().into_iter().filter(signs).collect::<Vec<_>>()
    });
    let take = move |file: web_sys::File| {
        spawn_local(async move {
            let name = file.name();
            let read = open(&file).await;
            opened.try_set(Some(Opened { name, read }));
        });
    };
    let dropped = move |event: leptos::ev::DragEvent| {
        event.prevent_default();
        over.set(false);
        let files = event.data_transfer().and_then(|transfer| transfer.files());
        if let Some(file) = files.and_then(|files| files.get(0)) {
            take(file);
        }
    };
    let dragged = move |event: leptos::ev::DragEvent| {
        if event.data_transfer().is_some_and(|transfer| picked::carries_files(&transfer)) {
            event.prevent_default();
            over.set(true);
        }
    };
    let chosen = move |event: leptos::ev::Event| {
        let input = event.target().and_then(|one| one.dyn_into::<HtmlInputElement>().ok());
        let Some(input) = input else { return };
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            take(file);
        }
        // So that the same file can be picked again.
        input.set_value("");
    };
    view! {
        <Show when=move || !mine.read().is_empty()>
            <section class="card" aria-labelledby="file-title" id="file">
                <h2 id="file-title">"Readings from a file"</h2>
                <div
                    class="drop drop--small"
                    class:drop--over=over
                    on:dragenter=dragged
                    on:dragover=dragged
                    on:dragleave=move |_| over.set(false)
                    on:drop=dropped
                >
                    <p class="drop-title drop-hint">"Drop a meter\u{2019}s file here"</p>
                    <p class="quiet">
                        "NEM12, Green Button XML, DSMR telegrams or CSV. It is read in this page and goes nowhere; nothing is signed before you have seen what was understood."
                    </p>
                    <input id="pick-meter-file" class="visually-hidden" type="file" tabindex="-1" aria-hidden="true" on:change=chosen />
                    <button class="button" type="button" on:click=move |_| picked::pick("pick-meter-file")>
                        "Choose a file"
                    </button>
                </div>
                <div aria-live="polite" id="understood">
                    {move || opened.get().map(|one| view! { <Understood one mine /> })}
                </div>
            </section>
        </Show>
    }
}

/// Reads a file; why not, in words.
async fn open(file: &web_sys::File) -> Result<Reading, String> {
    if file.size() > FILE_BYTES_MAX {
        return Err(
            "The file is larger than 32 MB. Choose a shorter time in your meter\u{2019}s portal."
                .to_owned(),
        );
    }
    let gone = |_: JsValue| "The browser could not read the file. Choose it again.".to_owned();
    let buffer = JsFuture::from(file.array_buffer()).await.map_err(gone)?;
    let bytes = js_sys::Uint8Array::new(&buffer).to_vec();
    // Times without an offset are of the person's own clock, and it is said.
    let options = Options { format: None, zone: Zone::named(&clock::zone()) };
    read(&bytes, &options).map_err(|error| unread(&error))
}

fn unread(error: &ReadError) -> String {
    let what = match error {
        ReadError::Empty => "There is nothing in it.",
        ReadError::NotText => "It is no text: unpack it first, or export CSV.",
        ReadError::UnknownFormat | ReadError::NoColumns => {
            "It is none of the formats known here. Export NEM12, Green Button XML or CSV with times and energies."
        }
        ReadError::ZoneNeeded { .. } => {
            "Its times have no zone, and this browser names none. Export it with UTC times."
        }
        ReadError::TooLarge { .. } | ReadError::TooMany { .. } => {
            "There is too much in it. Choose a shorter time."
        }
        ReadError::Xml { .. } => {
            "The XML is not well formed: it may have been cut. Export it again."
        }
    };
    format!("{what} ({})", error.code())
}

/// What was understood, and what of it can be signed.
#[component]
fn Understood(one: Opened, mine: Memo<Vec<Meter>>) -> impl IntoView {
    let Opened { name, read } = one;
    match read {
        Err(why) => view! {
            <p class="problem problem--warn" role="alert">
                {format!("{name}: {why}")}
            </p>
        }
        .into_any(),
        Ok(reading) => view! { <Report name reading mine /> }.into_any(),
    }
}

#[component]
fn Report(name: String, reading: Reading, mine: Memo<Vec<Meter>>) -> impl IntoView {
    let report = reading.report.clone();
    let mut notes: Vec<String> = Vec::new();
    for warned in &report.warnings {
        notes.push(format!("Line {}: {} ({} times)", warned.line, warned.warning, warned.count));
    }
    for day in &report.changed_days {
        let hours = day.length_s / 3_600;
        notes.push(format!("{} has {hours} hours: clocks were changed", day.date));
    }
    for problem in report.problems.iter().take(SHOWN_MAX) {
        notes.push(format!("Line {} was not read: {}", problem.line, problem.reason));
    }
    if report.problem_count > SHOWN_MAX {
        notes.push(format!("{} lines were not read in all", report.problem_count));
    }
    let version = report.version.map(|version| format!(" {version}")).unwrap_or_default();
    let format = format!("{}{version}, times of {}", report.format.code(), report.zone);
    let meters = StoredValue::new(reading.meters);
    let which = RwSignal::new(0_usize);
    let names = meters.with_value(|all| {
        let name = |(at, one): (usize, &meter_data::Meter)| {
            let id = if one.id.is_empty() {
                "the file\u{2019}s meter".to_owned()
            } else {
                one.id.clone()
            };
            view! { <option value=at.to_string()>{id}</option> }
        };
        all.iter().enumerate().map(name).collect_view()
    });
    let several = meters.with_value(|all| all.len() > 1);
    view! {
        <h3>{format!("Understood of {name}")}</h3>
        <p class="quiet num">{format}</p>
        <ul class="notes">
            {notes.into_iter().map(|note| view! { <li class="quiet quiet--warn">{note}</li> }).collect_view()}
        </ul>
        <div class="move" hidden=!several>
            <label for="file-meter">"Which meter of the file"</label>
            <select
                id="file-meter"
                class="text-field"
                on:change=move |event| which.set(event_target_value(&event).parse().unwrap_or_default())
            >
                {names}
            </select>
        </div>
        {move || {
            let meter = meters.with_value(|all| all.get(which.get()).cloned());
            match meter {
                Some(meter) => view! { <FileMeter meter mine /> }.into_any(),
                None => view! { <p class="quiet quiet--warn">"No meter\u{2019}s energy is in it."</p> }.into_any(),
            }
        }}
    }
}

/// What a file says of one meter.
#[component]
fn FileMeter(meter: meter_data::Meter, mine: Memo<Vec<Meter>>) -> impl IntoView {
    let slots = meter.slots();
    let cut = slots.slots.iter().filter(|slot| slot.cut).count();
    let said: Vec<Said> = slots.slots.iter().filter_map(said).collect();
    let span = meter.span().map(|(from_s, to_s)| {
        let ms = |at_s: i64| u64::try_from(at_s).unwrap_or_default().saturating_mul(1_000);
        format!("{} to {}", clock::moment(ms(from_s)), clock::moment(ms(to_s)))
    });
    let mut made = format!(
        "{} of 15 minutes, {} incomplete",
        counted(u64::try_from(said.len()).unwrap_or_default(), "slot", "slots"),
        slots.incomplete
    );
    if cut > 0 {
        made += &format!("; {cut} cut from longer intervals, whose sum alone was measured");
    }
    view! {
        <dl class="bill num" id="file-told">
            <div>
                <dt>"From, to"</dt>
                <dd>{span.unwrap_or_else(|| "no intervals".to_owned())}</dd>
            </div>
            <div>
                <dt>"Slots"</dt>
                <dd>{made}</dd>
            </div>
            {meter.channels.iter().map(channel).collect_view()}
        </dl>
        <Signing said=StoredValue::new(said) mine />
    }
}

/// A slot of a file as the ledger counts it.
fn said(slot: &meter_data::Slot) -> Option<Said> {
    let start_s = u64::try_from(slot.start_s).ok()?;
    let (import_wh, export_wh) = (slot.import_wh, slot.export_wh);
    Some(Said { slot: start_s / SLOT_S, import_wh, export_wh })
}

fn channel(channel: &ChannelReport) -> impl IntoView + use<> {
    let way = match channel.direction {
        Direction::Import => "taken",
        Direction::Export => "given",
    };
    let number = |count: usize| u64::try_from(count).unwrap_or_default();
    let intervals = counted(number(channel.intervals), "interval", "intervals");
    let mut parts = vec![wh(channel.total_wh), intervals];
    for (count, what) in [
        (channel.substituted, "substituted"),
        (channel.duplicates_same, "twice, alike"),
        (channel.duplicates_conflicting, "twice and different: the first counts"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    if channel.gap_count > 0 {
        parts.push(counted(number(channel.gap_count), "gap", "gaps"));
    }
    let ms = |at_s: i64| u64::try_from(at_s).unwrap_or_default().saturating_mul(1_000);
    let gaps = channel.gaps.iter().take(SHOWN_MAX).map(|gap| {
        format!("gap {} to {}", clock::moment(ms(gap.start_s)), clock::moment(ms(gap.end_s)))
    });
    parts.extend(gaps);
    view! {
        <div>
            <dt>{format!("{} ({way})", channel.name)}</dt>
            <dd>{parts.join("; ")}</dd>
        </div>
    }
}
