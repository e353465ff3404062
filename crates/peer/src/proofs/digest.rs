//! The origin's own digest: `Repr-Digest` (RFC 9530) by HEAD.

use core::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use primitives::{Hash, SegmentId, SortedMap, Time};
use swarm::Proof;

use super::{Context, Found, HTTP_TIMEOUT, Health};
use crate::{
    Output, RequestId,
    effect::Effect,
    input::{HttpAnswer, HttpError},
};

/// Most HEAD requests at a time.
const HEADS_MAX: usize = 6;
/// Attempts for one segment while the source works.
const TRIES_MAX: u32 = 3;
/// First wait between them, doubled each time.
const WAIT: Duration = Duration::from_secs(1);
/// The source is tried again after this: it could not be asked, it gives no digests.
const AGAIN: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(300));

/// The digests of one stream's origin.
#[derive(Debug)]
pub(super) struct DigestSource {
    pub(super) health: Health,
    heads: SortedMap<SegmentId, Head>,
}

#[derive(Debug)]
enum Head {
    Asking { request: RequestId, by: Time, tries: u32 },
    Retry { at: Time, tries: u32 },
    Done(Option<Hash>),
}

impl Default for DigestSource {
    fn default() -> Self {
        Self { health: Health::Unknown, heads: SortedMap::new() }
    }
}

impl DigestSource {
    /// One HEAD finds out whether the origin gives digests at all; the other segments wait for it.
    pub(super) fn find(&mut self, segment: SegmentId, cx: &mut Context<'_>) -> Found {
        let tries = match self.heads.get(&segment) {
            Some(Head::Done(sha256)) => {
                let sha256 = *sha256;
                self.heads.remove(&segment);
                return sha256
                    .map_or(Found::Nothing, |sha256| Found::Proof(Proof::Whole { sha256 }));
            }
            Some(Head::Asking { .. }) => return Found::Wait,
            Some(Head::Retry { at, .. }) if *at > cx.now => return Found::Wait,
            Some(Head::Retry { tries, .. }) => *tries,
            None => 0,
        };
        let url = cx.listing.url(segment).filter(|url| url.range.is_none());
        let Some(url) = url.map(|url| url.url.clone()).filter(|_| !self.health.has_failed(cx.now))
        else {
            // The digest of a file says nothing of a range in it.
            self.heads.remove(&segment);
            return Found::Nothing;
        };
        let most = if self.health == Health::Works { HEADS_MAX } else { 1 };
        let asking = self.heads.values().filter(|head| matches!(head, Head::Asking { .. })).count();
        if asking >= most {
            // Taken up when an answer comes; its own time has passed and must not wake anybody.
            self.heads.remove(&segment);
            return Found::Wait;
        }
        let request = cx.ids.request();
        self.heads.insert(segment, Head::Asking { request, by: cx.now + HTTP_TIMEOUT, tries });
        cx.fx.push_back(Effect::Out(Output::Http { request, url, head: true, fresh: false }));
        Found::Wait
    }

    pub(super) fn on_http(
        &mut self,
        request: RequestId,
        answer: &Result<HttpAnswer, HttpError>,
        cx: &mut Context<'_>,
    ) -> bool {
        let asked =
            |head: &Head| matches!(head, Head::Asking { request: asked, .. } if *asked == request);
        let Some(segment) = self.heads.iter().find(|(_, head)| asked(head)).map(|(id, _)| *id)
        else {
            return false;
        };
        self.on_answer(segment, answer, cx.now);
        true
    }

    pub(super) fn tick(&mut self, now: Time) {
        let late = |head: &Head| matches!(head, Head::Asking { by, .. } if *by <= now);
        let late: Vec<SegmentId> =
            self.heads.iter().filter(|(_, head)| late(head)).map(|(id, _)| *id).collect();
        for segment in late {
            self.on_answer(segment, &Err(HttpError::Unreachable), now);
        }
    }

    pub(super) fn wake(&self) -> Time {
        let at = self.heads.values().filter_map(|head| match head {
            Head::Asking { by, .. } => Some(*by),
            Head::Retry { at, .. } => Some(*at),
            Head::Done(_) => None,
        });
        at.min().unwrap_or(Time::NEVER)
    }

    fn on_answer(&mut self, segment: SegmentId, answer: &Result<HttpAnswer, HttpError>, now: Time) {
        let Some(Head::Asking { tries, .. }) = self.heads.get(&segment) else { return };
        let tries = tries + 1;
        let works = self.health == Health::Works;
        let head = match answer {
            Ok(HttpAnswer { status: 200..=299, repr_digest, .. }) => {
                let sha256 = repr_digest.as_deref().and_then(sha256_of);
                match sha256 {
                    Some(_) => self.health = Health::Works,
                    None if !works => self.health = Health::Failed(now + AGAIN.1),
                    None => {}
                }
                Head::Done(sha256)
            }
            Ok(HttpAnswer { status: 408 | 429 | 500..=599, .. }) | Err(_)
                if works && tries < TRIES_MAX =>
            {
                Head::Retry { at: now + WAIT * (1 << tries.min(8)), tries }
            }
            Ok(HttpAnswer { status: 405 | 501, .. }) => {
                self.health = Health::Failed(now + AGAIN.1);
                Head::Done(None)
            }
            Ok(HttpAnswer { status: 400..=499, .. }) if works => Head::Done(None),
            Ok(_) | Err(_) => {
                self.health = Health::Failed(now + AGAIN.0);
                Head::Done(None)
            }
        };
        self.heads.insert(segment, head);
    }
}

/// The `sha-256` of a `Repr-Digest`: a structured-field dictionary (RFC 9651) of byte sequences,
/// as in `sha-512=:…:, sha-256=:…:`. The last of several counts.
fn sha256_of(field: &str) -> Option<Hash> {
    let members = field.split(',').map(str::trim);
    let mut values = members.filter_map(|member| member.strip_prefix("sha-256="));
    let value = values.next_back()?.split(';').next()?.trim_end();
    let text = value.strip_prefix(':')?.strip_suffix(':')?;
    let bytes: [u8; 32] = STANDARD.decode(text).ok()?.try_into().ok()?;
    Some(Hash::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 9530, appendix B.1: the digest of `{"hello": "world"}` and a line feed.
    #[test]
    fn a_repr_digest_is_read_as_the_standard_writes_it() {
        let expected = primitives::sha256(b"{\"hello\": \"world\"}\n");
        let member = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
        let check = |field: &str, expected| assert_eq!(sha256_of(field), expected, "{field}");
        check(member, Some(expected));
        check(&format!("sha-512=:AAAA:, {member};p=1"), Some(expected));
        check("sha-512=:AAAA:", None);
        check("sha-256=:AAAA:", None);
        check("sha-256=RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=", None);
        check("", None);
    }
}
