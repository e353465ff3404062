//! One request, put to one source after the other, and what their answers are worth.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use ledger_node::api::{ApiError, KEY_BYTES_MAX, Seat};
use light_client::Verifier;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use wire::ledger::{Finality, StateProof};

use super::sources::{Source, Trouble, whole};
use super::{Forwarder, VIA};

/// What light clients ask for.
pub(super) const CBOR: &str = "application/cbor";
/// What everybody else does.
const JSON: &str = "application/json";
/// Longest path with its query, in bytes: two keys in hexadecimal, and words.
const PATH_BYTES_MAX: usize = 4 * KEY_BYTES_MAX + 128;
/// Longest answer, in bytes: a full block in hexadecimal, with room.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// How long a source may take while there is another: a tab waits for 5 s.
const ASK_WITHIN: Duration = Duration::from_secs(2);
/// How long the last one may, and all of them in all.
const LAST_WITHIN: Duration = Duration::from_secs(8);
/// How long a part of an answer may take to be taken.
const TAKE_WITHIN: Duration = Duration::from_secs(10);
/// Most bytes that are handed on at a time: who takes as much within [`TAKE_WITHIN`] is not cut off.
const PART_BYTES_MAX: usize = 16 << 10;
/// How often, and after how long, sources are asked again that are all behind what was shown before.
const ROUNDS_MAX: usize = 6;
const ROUND_EVERY: Duration = Duration::from_millis(150);

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// With its query.
    path: String,
    cbor: bool,
    kind: Kind,
    body: Option<Bytes>,
}

/// What is done with an answer before it is handed on.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// It gets the hosts that this one names.
    Status,
    /// That the newest block is final: checked.
    Latest,
    /// The record under this key: checked.
    State(Vec<u8>),
    /// Units for nothing, which not every source gives.
    Faucet,
    /// What became of a transaction, which waits at the source that took it.
    Receipt,
    /// Nothing.
    Plain,
}

/// A source's answer.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    form: &'static str,
    body: Told,
}

#[derive(Debug)]
enum Told {
    Whole(Vec<u8>),
    /// It comes still.
    Coming(Box<reqwest::Response>),
}

impl Asked {
    /// What a request for this asks.
    ///
    /// # Errors
    /// [`ApiError::Malformed`]: it has what no path of the ledger has. A path with `..` in any spelling would lead
    /// elsewhere at a source.
    pub(super) fn read(uri: &Uri, cbor: bool) -> Result<Self, ApiError> {
        let path = uri.path_and_query().map(|path| path.as_str()).ok_or(ApiError::Malformed)?;
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let is_path =
            uri.path().split('/').skip(1).all(|part| !part.is_empty() && part.bytes().all(is_word));
        let query = uri.query().unwrap_or_default();
        let is_query = query.bytes().all(|byte| is_word(byte) || matches!(byte, b'=' | b'&'));
        if !is_path || !is_query || path.len() > PATH_BYTES_MAX {
            return Err(ApiError::Malformed);
        }
        let parts: Vec<&str> = uri.path().split('/').skip(2).collect();
        let kind = match parts.as_slice() {
            ["status"] => Kind::Status,
            ["certificates", "latest"] if cbor => Kind::Latest,
            ["state", key] if cbor => Kind::State(bytes(key).ok_or(ApiError::Malformed)?),
            ["faucet", _] => Kind::Faucet,
            ["receipts", _] => Kind::Receipt,
            _ => Kind::Plain,
        };
        Ok(Self { path: path.to_owned(), cbor, kind, body: None })
    }

    /// The same with something to take.
    pub(super) fn with(self, body: Bytes) -> Self {
        Self { body: Some(body), ..self }
    }
}

/// From lower-case hexadecimal.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

impl Answer {
    /// For whoever asked, who has this room until the source has said all.
    pub(super) fn response(self, room: Seat) -> Response {
        let body = match self.body {
            Told::Whole(bytes) => Body::from(bytes),
            Told::Coming(response) => passed(*response, room, TAKE_WITHIN),
        };
        (self.status, [(header::CONTENT_TYPE, self.form)], body).into_response()
    }
}

/// A body as it comes. It is read beside, so that who takes nothing of it has no room for ever.
fn passed(response: reqwest::Response, room: Seat, within: Duration) -> Body {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(pass(response, sender, room, within));
    let parts = stream::try_unfold(receiver, |mut receiver| async move {
        match receiver.recv().await {
            Some(Some(part)) => Ok(Some((part, receiver))),
            Some(None) => Ok(None),
            // It is not whole, which whoever reads must know.
            None => Err(io::Error::other("the answer was cut off")),
        }
    });
    Body::from_stream(parts)
}

/// Hands on a body's parts, up to the longest one that there may be, and then that it is over (`None`). It ends where
/// the source does, and with who takes nothing.
async fn pass(
    mut response: reqwest::Response,
    parts: mpsc::Sender<Option<Bytes>>,
    _room: Seat,
    within: Duration,
) {
    let mut left = ANSWER_BYTES_MAX;
    loop {
        let Ok(part) = response.chunk().await else { return };
        let Some(mut part) = part else {
            // Who took all of it and went misses nothing.
            drop(tokio::time::timeout(within, parts.send(None)).await);
            return;
        };
        let Some(now) = left.checked_sub(part.len()) else { return };
        left = now;
        while !part.is_empty() {
            let first = part.split_to(part.len().min(PART_BYTES_MAX));
            let taken = tokio::time::timeout(within, parts.send(Some(first))).await;
            if !matches!(taken, Ok(Ok(()))) {
                return;
            }
        }
    }
}

/// What a source's no is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum No {
    /// Of the ledger: others say the same.
    Final,
    /// Another source may have it.
    Mine,
    /// It is none, but of this block, which is older than what was shown before.
    Old(u64),
    /// It does not work.
    Useless,
}

/// Judges an answer that is no success, by its status and the error in it.
fn judge(asked: &Asked, status: StatusCode, told: &[u8]) -> No {
    let error = serde_json::from_slice::<Value>(told).unwrap_or_default();
    let code = error["error"]["code"].as_str().unwrap_or_default();
    match code {
        "" | "off" | "starting" | "stopped" | "unreachable" | "other-ledger" | "replaced" => {
            No::Useless
        }
        "busy" | "full" | "place" => No::Mine,
        // It is in a block that this one does not keep, or it gives nothing away.
        _ if error["error"]["since"].is_u64() => No::Mine,
        "unknown" if matches!(asked.kind, Kind::Faucet | Kind::Receipt) => No::Mine,
        _ if status.is_server_error() => No::Useless,
        _ => No::Final,
    }
}

/// What is handed on where no source has better.
#[derive(Debug, Default)]
struct Rest {
    no: Option<Answer>,
    /// The newest one of those that are older than what was shown before.
    old: Option<(u64, Answer)>,
}

impl Rest {
    fn keep(&mut self, height: u64, answer: Answer) {
        if self.old.as_ref().is_none_or(|(kept, _)| *kept <= height) {
            self.old = Some((height, answer));
        }
    }
}

impl Forwarder {
    /// Asks one source after the other. `None`: nobody answers.
    pub(super) async fn ask(&self, asked: &Asked) -> Option<Answer> {
        let mut rest = Rest::default();
        let asking = tokio::time::timeout(LAST_WITHIN, self.ask_all(asked, &mut rest));
        let answer = match asking.await {
            Ok(answer) => answer,
            // The one that was asked last may have given.
            Err(_) if asked.kind == Kind::Faucet => return None,
            Err(_) => None,
        };
        answer.or(rest.no).or(rest.old.map(|(_, answer)| answer))
    }

    /// The answer that no other source has better. `None`: there is none but in `rest`.
    async fn ask_all(&self, asked: &Asked, rest: &mut Rest) -> Option<Answer> {
        // Whoever asks may have been shown this one: an older one is no news.
        let least = self.highest();
        for _ in 0..ROUNDS_MAX {
            let sources = self.order();
            let mut is_behind = false;
            let mut left = sources.len();
            for source in sources {
                left -= 1;
                let is_once = asked.kind == Kind::Faucet;
                let within = if left == 0 || is_once { LAST_WITHIN } else { ASK_WITHIN };
                let answer = tokio::time::timeout(within, self.ask_one(source, asked, least));
                match answer.await.unwrap_or(Err(Trouble::Late)) {
                    Ok((answer, No::Final)) => return Some(answer),
                    Ok((answer, No::Old(height))) => {
                        is_behind = true;
                        rest.keep(height, answer);
                    }
                    Ok((answer, _)) => {
                        rest.no.get_or_insert(answer);
                    }
                    Err(Trouble::Behind) => is_behind = true,
                    Err(trouble @ Trouble::OtherLedger(_)) => {
                        source.fall(&trouble);
                        self.tell_open();
                    }
                    Err(trouble) => {
                        source.tire(&trouble);
                        // It may have given, and another one would give as well.
                        if is_once && trouble.may_have_done() {
                            rest.no = None;
                            return None;
                        }
                    }
                }
            }
            if rest.no.is_some() || !is_behind {
                break;
            }
            tokio::time::sleep(ROUND_EVERY).await;
        }
        None
    }

    /// A source's answer; with [`No::Mine`] and [`No::Old`], another's may be better.
    async fn ask_one(
        &self,
        source: &Source,
        asked: &Asked,
        least: u64,
    ) -> Result<(Answer, No), Trouble> {
        let url = format!("{}{}", source.base, asked.path);
        let request = match &asked.body {
            Some(body) => self.http.post(&url).body(body.clone()),
            None => self.http.get(&url),
        };
        let accept = if asked.cbor { CBOR } else { JSON };
        let request = request.header(header::ACCEPT, accept).header(header::VIA, VIA);
        let response = request.send().await.map_err(|error| Trouble::of(&error))?;
        let status = response.status();
        let form = form(&response).ok_or(Trouble::Form)?;
        if !status.is_success() {
            let told = whole(response).await?;
            return match judge(asked, status, &told) {
                No::Useless => Err(Trouble::Status(status.as_u16())),
                // It may be in a block that this source does not have yet.
                No::Mine if asked.kind == Kind::Receipt && source.is_behind(least) => {
                    Err(Trouble::Behind)
                }
                no => Ok((Answer { status, form, body: Told::Whole(told) }, no)),
            };
        }
        let mut height = least;
        let body = match &asked.kind {
            Kind::Plain | Kind::Faucet | Kind::Receipt => Told::Coming(Box::new(response)),
            Kind::Status => Told::Whole(self.named(&whole(response).await?)?),
            Kind::Latest => {
                let told = whole(response).await?;
                let finality = Finality::read(&told).ok_or(Trouble::Form)?;
                height = self.check(source, &finality).await?.height;
                Told::Whole(told)
            }
            Kind::State(key) => {
                let told = whole(response).await?;
                let proof = StateProof::read(&told).ok_or(Trouble::Form)?;
                let header = self.check(source, &proof.finality).await?.first;
                height = header.height;
                let record = Verifier::record(&header, key, &proof);
                record.map_err(|fault| Trouble::Unproved(fault.code().to_owned()))?;
                Told::Whole(told)
            }
        };
        let worth = if height < least { No::Old(height) } else { No::Final };
        Ok((Answer { status, form, body }, worth))
    }

    /// A source's status, with the hosts that this one names.
    fn named(&self, told: &[u8]) -> Result<Vec<u8>, Trouble> {
        let mut status: Value = serde_json::from_slice(told).map_err(|_| Trouble::Form)?;
        let root = status["root"].as_str().and_then(|text| text.parse().ok());
        self.is_ours(&root.ok_or(Trouble::Form)?)?;
        status["hosts"] = json!(self.hosts);
        Ok(status.to_string().into_bytes())
    }
}

/// In which of the ledger's two forms an answer is.
fn form(response: &reqwest::Response) -> Option<&'static str> {
    let form = response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    [CBOR, JSON].into_iter().find(|known| form.starts_with(known))
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use ledger_node::api::Seats;

    use super::super::lies::until;
    use super::*;

    /// A body that a source gives, with the only seat there is.
    fn passed_by(seats: &std::sync::Arc<Seats>, bytes: Vec<u8>, within: Duration) -> Body {
        let answer = reqwest::Response::from(axum::http::Response::new(bytes));
        passed(answer, seats.take(None).unwrap(), within)
    }

    #[tokio::test]
    async fn who_takes_nothing_of_an_answer_has_no_room_for_ever() {
        let seats = Seats::new(1, 1);
        let body = passed_by(&seats, b"an answer".to_vec(), Duration::from_millis(1));
        assert!(seats.take(None).is_none());
        until("the room is free", || seats.take(None).is_some()).await;
        assert!(to_bytes(body, usize::MAX).await.is_err(), "what is cut off is not whole");
    }

    #[tokio::test]
    async fn an_answer_is_whole_or_an_error_and_has_an_end() {
        let (seats, long) = (Seats::new(1, 1), Duration::from_secs(600));
        let body = passed_by(&seats, b"an answer".to_vec(), long);
        assert_eq!(to_bytes(body, usize::MAX).await.unwrap(), "an answer");
        until("the room is free", || seats.take(None).is_some()).await;
        let body = passed_by(&seats, vec![0; ANSWER_BYTES_MAX + 1], long);
        assert!(to_bytes(body, usize::MAX).await.is_err(), "longer than any answer");
    }

    fn read(path: &str, cbor: bool) -> Option<Kind> {
        Asked::read(&path.parse().unwrap(), cbor).ok().map(|asked| asked.kind)
    }

    #[test]
    fn only_what_light_clients_ask_is_checked_and_a_status_gets_hosts() {
        assert_eq!(read("/ledger/status", false), Some(Kind::Status));
        assert_eq!(read("/ledger/certificates/latest", true), Some(Kind::Latest));
        assert_eq!(read("/ledger/certificates/latest", false), Some(Kind::Plain));
        assert_eq!(read("/ledger/certificates/7", true), Some(Kind::Plain));
        assert_eq!(read("/ledger/state/00ff", true), Some(Kind::State(vec![0, 0xff])));
        assert_eq!(read("/ledger/state/00ff", false), Some(Kind::Plain));
        assert_eq!(read("/ledger/records/0502?after=0502ff", true), Some(Kind::Plain));
        assert_eq!(read("/ledger/faucet/ab?asset=3", false), Some(Kind::Faucet));
        assert_eq!(read("/ledger/receipts/ab", true), Some(Kind::Receipt));
    }

    #[test]
    fn a_path_that_leads_elsewhere_at_a_source_is_malformed() {
        let long = format!("/ledger/state/{}", "ab".repeat(PATH_BYTES_MAX));
        for path in [
            "/ledger/../v1/status",
            "/ledger/%2e%2e/v1/status",
            "/ledger/receipts//",
            "/ledger/receipts/a%2f..",
            "/ledger/records/0502?after=%00",
            "/ledger/state/0",
            "/ledger/state/GG",
            long.as_str(),
        ] {
            assert_eq!(read(path, true), None, "{path}");
        }
    }

    #[test]
    fn another_source_is_asked_where_it_may_know_more() {
        let plain = Asked::read(&"/ledger/blocks/7".parse().unwrap(), false).unwrap();
        let faucet = Asked { kind: Kind::Faucet, ..plain.clone() };
        let receipt = Asked { kind: Kind::Receipt, ..plain.clone() };
        let judged = |asked: &Asked, status: u16, error: Value| {
            let told = json!({ "error": error }).to_string();
            judge(asked, StatusCode::from_u16(status).unwrap(), told.as_bytes())
        };
        let code = |code: &str| json!({ "code": code });
        assert_eq!(judged(&plain, 404, code("unknown")), No::Final);
        assert_eq!(judged(&faucet, 404, code("unknown")), No::Mine);
        assert_eq!(judged(&receipt, 404, code("unknown")), No::Mine);
        assert_eq!(judged(&faucet, 409, code("enough")), No::Final);
        let older = json!({ "code": "unknown", "since": 9 });
        assert_eq!(judged(&plain, 404, older), No::Mine);
        assert_eq!(judged(&plain, 422, json!({ "code": "refused", "refusal": 3 })), No::Final);
        assert_eq!(judged(&plain, 503, code("full")), No::Mine);
        assert_eq!(judged(&plain, 503, code("stopped")), No::Useless);
        assert_eq!(judged(&plain, 404, code("off")), No::Useless);
        assert_eq!(judge(&plain, StatusCode::BAD_GATEWAY, b"<html>"), No::Useless);
    }
}
