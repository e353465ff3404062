//! How a connection goes through the network, read from `getStats` (W3C webrtc-stats).

use js_sys::{Map, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::RtcPeerConnection;

use crate::number;

/// The selected candidate pair, as far as the browser tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Path {
    /// One of its ends is a relay.
    pub(super) relayed: bool,
    /// Current round-trip time in milliseconds.
    pub(super) rtt_ms: Option<u32>,
}

/// Asks the browser; `None` while no pair is selected.
pub(super) async fn look_up(connection: &RtcPeerConnection) -> Option<Path> {
    let report = JsFuture::from(connection.get_stats()).await.ok()?;
    // An RTCStatsReport is maplike: it has Map's methods without being one.
    let report: &Map = report.unchecked_ref();
    let pair = selected_pair(report)?;
    let is_relay = |end: &str| {
        text(&pair, end).is_some_and(|id| {
            text(&report.get(&id.into()), "candidateType").as_deref() == Some("relay")
        })
    };
    let rtt_ms = field(&pair, "currentRoundTripTime")
        .as_f64()
        .map(|seconds| u32::try_from(number::whole(seconds * 1000.0)).unwrap_or(u32::MAX));
    Some(Path { relayed: is_relay("localCandidateId") || is_relay("remoteCandidateId"), rtt_ms })
}

/// Chromium and Safari name the pair in the transport's entry; Firefox marks the pair.
fn selected_pair(report: &Map) -> Option<JsValue> {
    let mut pair = None;
    report.for_each(&mut |entry, _| match text(&entry, "type").as_deref() {
        Some("transport") => {
            if let Some(id) = text(&entry, "selectedCandidatePairId") {
                pair = Some(report.get(&id.into()));
            }
        }
        Some("candidate-pair") if pair.is_none() && field(&entry, "selected").is_truthy() => {
            pair = Some(entry);
        }
        _ => {}
    });
    pair.filter(|pair| !pair.is_undefined())
}

fn field(entry: &JsValue, name: &str) -> JsValue {
    Reflect::get(entry, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

fn text(entry: &JsValue, name: &str) -> Option<String> {
    field(entry, name).as_string()
}
