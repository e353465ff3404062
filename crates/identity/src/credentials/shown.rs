//! What is held, issued and asked, as a page shows it.

use serde_json::{Map, Value};

use super::{
    Card, Claim, Credentials, HeldList, IssuedOne, List, Made, Mark, Show, View, Wait,
    facts::Known, lists::says,
};
use crate::{
    holder,
    limits::ISSUED_SHOWN_MAX,
    sd_jwt::{Path, Step, Verified},
    status::{Status, StatusRef, StatusToken, token_hash},
};

/// Claims that are not shown as such: they stand elsewhere on the page, or say nothing to a person.
const TECHNICAL: [&str; 10] =
    ["iss", "vct", "cnf", "status", "iat", "exp", "nbf", "vct#integrity", "aka_vcts", "_sd_alg"];

/// Every claim that says something, each with whether it is shown. `choices`: what may be left out; `shown`:
/// what is not.
pub(super) fn claims(claims: &Map<String, Value>, choices: &[Path], shown: &[Path]) -> Vec<Claim> {
    let mut list = Vec::new();
    for (name, value) in claims.iter().filter(|(name, _)| !TECHNICAL.contains(&name.as_str())) {
        walk(&Path(vec![Step::Name(name.clone())]), value, &mut |path: &Path, value: &Value| {
            let show = show(path, choices, shown);
            list.push(Claim { name: name_of(path), value: in_words(value), show });
        });
    }
    list
}

fn walk(path: &Path, value: &Value, visit: &mut impl FnMut(&Path, &Value)) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                walk(&path.join(Step::Name(name.clone())), value, visit);
            }
        }
        Value::Array(elements) if !elements.is_empty() => {
            for (at, value) in elements.iter().enumerate() {
                walk(&path.join(Step::Index(at)), value, visit);
            }
        }
        _ => visit(path, value),
    }
}

/// Whether a claim is shown: every choice on the way to it must be.
fn show(claim: &Path, choices: &[Path], shown: &[Path]) -> Show {
    let mut on_way = choices.iter().filter(|choice| choice.leads_to(claim)).peekable();
    if on_way.peek().is_none() {
        return Show::Always;
    }
    let is_shown = |choice: &Path| shown.iter().any(|path| choice.leads_to(path));
    if on_way.all(is_shown) { Show::Asked } else { Show::Hidden }
}

fn name_of(path: &Path) -> String {
    let step = |step: &Step| match step {
        Step::Name(name) => name.replace('_', " "),
        Step::Index(at) => (at + 1).to_string(),
    };
    path.0.iter().map(step).collect::<Vec<_>>().join(" \u{b7} ")
}

fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    }
}

/// A number of things as it crosses to the page.
pub(super) fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

impl Credentials {
    pub(super) fn view(&self, now_s: u64) -> View {
        let cards = self.holder.cards();
        let sought = |one: &&IssuedOne| {
            let holds = |text: &str| text.to_lowercase().contains(&self.sought);
            self.sought.is_empty() || holds(&one.shown.label) || holds(&one.shown.kind)
        };
        let newest = self.issued.iter().rev().filter(sought);
        let issued = newest.take(ISSUED_SHOWN_MAX).map(|one| one.shown.clone()).collect();
        let over = self.issued.iter().filter(|one| one.is_over(now_s)).count();
        let mut asked: Vec<Wait> = self.asked.iter().map(|one| one.shown.clone()).collect();
        asked.reverse();
        let own = |made: &Made| List {
            issuer: made.issuer.clone(),
            uri: made.uri.clone(),
            token: says(made, &self.issued).then(|| token_hash(&made.token)),
            seen: made.seen(),
            number: u32::try_from(made.list()).unwrap_or(u32::MAX),
        };
        View {
            cards: cards.iter().map(|card| self.card(card, now_s)).collect(),
            can_undo: self.before.is_some(),
            issued,
            lists: self.made.iter().map(own).collect(),
            asked,
            given: self.shown_grants(),
            saved_s: self.saved_s,
            unsaved: self.unsaved,
            issued_count: count(self.issued.len()),
            issued_over: count(over),
            told: self.told.iter().rev().cloned().collect(),
            sought: self.sought.clone(),
            handed: self.handed.is_some(),
        }
    }

    fn card(&self, card: &holder::Card, now_s: u64) -> Card {
        let contents = &card.contents;
        let choices = self.holder.choices(card.id);
        let kept = contents.status.as_ref().map(|place| (place, self.kept_list(contents, place)));
        let list = kept.map(|(place, list)| List {
            issuer: contents.issuer.clone(),
            uri: place.uri.clone(),
            token: list.map(|list| token_hash(&list.token)),
            seen: Vec::new(),
            number: 0,
        });
        let mark = kept.and_then(|(place, list)| said(list?, place, now_s));
        Card {
            id: card.id,
            kind: contents.credential_type.clone(),
            issuer: contents.issuer.clone(),
            claims: claims(&contents.claims, choices, &[]),
            until_s: card.expires_s,
            copies: count(card.copies),
            fresh: count(card.fresh),
            list,
            mark,
        }
    }

    /// The signed list of a credential, if it is here.
    pub(super) fn kept_list(&self, contents: &Verified, place: &StatusRef) -> Option<&HeldList> {
        let is_it = |list: &&HeldList| list.issuer == contents.issuer && list.uri == place.uri;
        self.lists.iter().find(is_it)
    }
}

/// What a list that was checked when it came says of a credential.
fn said(list: &HeldList, place: &StatusRef, now_s: u64) -> Option<Mark> {
    let HeldList { issuer, uri, token, key, .. } = list;
    let token = StatusToken::open(token, uri, issuer, &Known(*key), now_s).ok()?;
    mark(token.status(place, now_s).ok()?)
}

/// A status in words of ours; none: one that only its issuer understands.
const fn mark(status: Status) -> Option<Mark> {
    match status {
        Status::Valid => Some(Mark::Valid),
        Status::Invalid => Some(Mark::Revoked),
        Status::Suspended => Some(Mark::Suspended),
        Status::Other(_) => None,
    }
}
