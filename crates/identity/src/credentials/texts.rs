//! Texts and links that go from hand to hand.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::Offer;
use crate::{
    PublicKey, base64url, json as strict,
    limits::{COPIES_MAX, QUERY_TEXT_BYTES_MAX, RESPONSE_BYTES_MAX},
    session,
};

/// What an offer begins with.
const OFFER: &str = "starling-offer-1.";
/// What a holder's keys begin with.
const KEYS: &str = "starling-keys-1.";

/// What a link to whatever wallet there is begins with (OpenID4VP 1.0, 13.1.2).
const WALLETS: &str = "openid4vp:";

/// What somebody handed over, without what is around it: of a link, the value of the first member of its
/// fragment; of a link to whatever wallet there is, the request that it holds.
pub(super) fn bare(text: &str) -> String {
    let text = text.trim();
    if let Some(request) = handed_on(text) {
        return request;
    }
    let Some((_, fragment)) = text.split_once('#').filter(|(link, _)| link.contains("://")) else {
        return text.to_owned();
    };
    let value = fragment.split_once('=').map_or(fragment, |(_, value)| value);
    let value = value.split('&').next().unwrap_or_default();
    percent_decode_str(value).decode_utf8_lossy().into_owned()
}

fn handed_on(text: &str) -> Option<String> {
    let (_, query) = text.strip_prefix(WALLETS)?.split_once('?')?;
    let request = query.split('&').find_map(|pair| pair.strip_prefix("request="))?;
    Some(percent_decode_str(request).decode_utf8_lossy().into_owned())
}

/// An offer as a text.
pub(super) fn offer(offer: &Offer) -> String {
    format!("{OFFER}{}", base64url::encode(&session::to_bytes(offer)))
}

/// The offer of a text; none: it is none.
pub(super) fn read_offer(text: &str) -> Option<Offer> {
    let offer: Offer = session::read(&base64url::decode(text.strip_prefix(OFFER)?)?)?;
    let fits = |text: &String| !text.is_empty() && text.len() <= QUERY_TEXT_BYTES_MAX;
    (fits(&offer.kind) && fits(&offer.issuer)).then_some(offer)
}

/// A holder's keys for copies of a type, as a text.
pub(super) fn keys(kind: &str, keys: &[PublicKey]) -> String {
    let bytes = session::to_bytes(&(kind.to_owned(), keys.to_vec()));
    format!("{KEYS}{}", base64url::encode(&bytes))
}

/// The type and the keys of a text; none: it is none.
pub(super) fn read_keys(text: &str) -> Option<(String, Vec<PublicKey>)> {
    let bytes = base64url::decode(text.strip_prefix(KEYS)?)?;
    let (kind, keys): (String, Vec<PublicKey>) = session::read(&bytes)?;
    (!keys.is_empty() && keys.len() <= COPIES_MAX).then_some((kind, keys))
}

/// What an issuer hands over: copies in the form of OpenID4VCI, 8.3, and its status list. One copy without
/// a list is the credential alone.
pub(super) fn bundle(copies: Vec<String>, list: Option<&str>) -> String {
    match (copies.as_slice(), list) {
        ([only], None) => only.clone(),
        _ => {
            let copies: Vec<Value> =
                copies.into_iter().map(|text| json!({ "credential": text })).collect();
            let mut bundle = json!({ "credentials": copies });
            if let Some(list) = list {
                bundle["status_list"] = list.into();
            }
            bundle.to_string()
        }
    }
}

/// The copies of a bundle as the holder's core takes them, and the list; none: it is no bundle.
pub(super) fn read_bundle(text: &str) -> Option<(String, Option<String>)> {
    if text.len() > RESPONSE_BYTES_MAX || !text.starts_with('{') {
        return None;
    }
    let members = strict::parse_object(text.as_bytes())?;
    let copies = members.get("credentials")?.as_array()?;
    let one = |copy: &Value| Some(Value::from(copy.get("credential")?.as_str()?));
    let copies: Vec<Value> = copies.iter().map(one).collect::<Option<_>>()?;
    let list = members.get("status_list").and_then(Value::as_str).map(str::to_owned);
    Some((Value::from(copies).to_string(), list))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_around_a_text_is_taken_away() {
        assert_eq!(bare(" e30.e30.AA "), "e30.e30.AA");
        assert_eq!(bare("https://a.example/b#request=e30.e30.AA&x=y"), "e30.e30.AA");
        assert_eq!(bare("openid4vp://?client_id=did%3Ax&request=e30.e30.AA"), "e30.e30.AA");
        assert_eq!(bare("openid4vp://authorize?request=e30&state=1"), "e30");
        // One that must be fetched is none: nobody is asked for what a stranger's link names.
        let by_reference = "openid4vp://?client_id=x&request_uri=https%3A%2F%2Fa.example";
        assert_eq!(bare(by_reference), by_reference);
    }
}
