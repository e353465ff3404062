//! The segments around the playhead: which are here, which come, and who brought them.

use leptos::prelude::*;
use peer_wasm::view::{SegmentState, SegmentView};

use crate::format::counted;
use crate::session::Session;

/// Tracks from here on are audio.
const AUDIO_TRACK_FIRST: u16 = 32;

/// The strip, one row a track in use.
#[component]
pub(crate) fn SegmentStrip() -> impl IntoView {
    let session = Session::get();
    let rows = Memo::new(move |_| rows(&session.stream.read().segments));
    let drawn = move || {
        rows.read()
            .iter()
            .map(|(track, segments)| {
                view! {
                    <div class="strip-row">
                        <span class="strip-name">{track_name(*track)}</span>
                        <div class="strip-cells" role="img" aria-label=describe(segments)>
                            {segments.iter().map(cell).collect_view()}
                        </div>
                    </div>
                }
            })
            .collect_view()
    };
    view! {
        <section class="card strip" aria-labelledby="strip-title">
            <div class="card-head">
                <h2 id="strip-title">"Around the playhead"</h2>
                <ul class="legend">
                    <li class="key key--peers">"from viewers"</li>
                    <li class="key key--origin">"from the site or kept here"</li>
                    <li class="key key--missing">"not here yet"</li>
                </ul>
            </div>
            <div class="strip-rows">
                {drawn}
                <p class="quiet" hidden=move || !rows.read().is_empty()>
                    "Segments show up here as soon as the video plays."
                </p>
            </div>
        </section>
    }
}

fn cell(segment: &SegmentView) -> impl IntoView + use<> {
    let state = match segment.state {
        SegmentState::Missing => "missing",
        SegmentState::Arriving => "arriving",
        SegmentState::Held => "held",
    };
    let height = format!("{}%", segment.peer_percent.min(100));
    view! {
        <span class="cell" data-state=state title=words(segment)>
            <span class="cell-fill" style:height=height></span>
        </span>
    }
}

/// One segment in words.
fn words(segment: &SegmentView) -> String {
    let holders = counted(u64::from(segment.holders), "neighbour has it", "neighbours have it");
    match segment.state {
        SegmentState::Missing => format!("Segment {}: not here, {holders}", segment.index),
        SegmentState::Arriving => format!("Segment {}: arriving, {holders}", segment.index),
        SegmentState::Held => {
            format!("Segment {}: {} % from viewers, {holders}", segment.index, segment.peer_percent)
        }
    }
}

/// A row in words.
fn describe(segments: &[SegmentView]) -> String {
    let held = segments.iter().filter(|segment| segment.state == SegmentState::Held);
    let shared = held.clone().filter(|segment| segment.peer_percent >= 50).count();
    format!(
        "{} of {} segments here, {shared} of them mostly from viewers",
        held.count(),
        segments.len()
    )
}

fn track_name(track: u16) -> &'static str {
    if track < AUDIO_TRACK_FIRST { "Video" } else { "Audio" }
}

/// Segments by track, leaving out tracks of which nothing is here or coming.
fn rows(segments: &[SegmentView]) -> Vec<(u16, Vec<SegmentView>)> {
    let mut rows: Vec<(u16, Vec<SegmentView>)> = Vec::new();
    for segment in segments {
        match rows.iter_mut().find(|(track, _)| *track == segment.track) {
            Some((_, row)) => row.push(*segment),
            None => rows.push((segment.track, vec![*segment])),
        }
    }
    rows.retain(|(_, row)| row.iter().any(|segment| segment.state != SegmentState::Missing));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(track: u16, index: u32, state: SegmentState) -> SegmentView {
        SegmentView { track, index, state, ..SegmentView::default() }
    }

    #[test]
    fn tracks_in_use_get_a_row_each() {
        let made = rows(&[
            segment(0, 1, SegmentState::Held),
            segment(1, 1, SegmentState::Missing),
            segment(32, 1, SegmentState::Arriving),
            segment(0, 2, SegmentState::Missing),
        ]);
        let shape: Vec<_> = made.iter().map(|(track, row)| (*track, row.len())).collect();
        assert_eq!(shape, [(0, 2), (32, 1)]);
    }
}
