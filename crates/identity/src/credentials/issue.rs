//! What an issuer does: issue, and say what holds no more.

use std::collections::BTreeSet;

use primitives::Seed;
use serde_json::{Map, Value, json};

use super::{
    Credentials, Issued, IssuedOne, Mark, Order, Said, Turn,
    lists::{PLACES, joined, list_name, split},
    shown::count,
    signs, texts, words,
};
use crate::{
    PublicKey,
    did::Did,
    limits::{ISSUED_MAX, LABEL_BYTES_MAX, MADE_MAX, QUERY_TEXT_BYTES_MAX, SAID_MAX},
    sd_jwt::{CopyFor, Path, Step, Template, issue_copies},
    session::Head,
};

/// Seconds of a day.
const DAY_S: u64 = 86_400;

impl Credentials {
    pub(super) fn issue(&mut self, order: &Order, turn: &mut Turn<'_>) -> Result<(), String> {
        if self.issued.len() >= ISSUED_MAX {
            let next = if self.issued.iter().any(|one| one.is_over(turn.now_s)) {
                "let those go that are over, below"
            } else {
                "none of them is over yet, so none can go. Issue in another browser that has your words, with a backup of its own, or wait until one is over"
            };
            return Err(format!(
                "{ISSUED_MAX} credentials are remembered as issued here, and there is no room for more: {next}"
            ));
        }
        if order.label.len() > LABEL_BYTES_MAX {
            return Err(format!("a note has at most {LABEL_BYTES_MAX} bytes"));
        }
        let who = signs(turn.root, order.head.as_ref())?;
        let holders = holders(order)?;
        let issuer = who.did.to_string();
        let until_s = until(turn.now_s, order.lasts_s);
        let mut template = template(order, &who.did, turn.now_s, until_s)?;
        let (list, places) = if order.revocable {
            let (list, places) = self.free_places(&issuer, holders.len(), &turn.seed)?;
            let uri = list_name(&issuer, list);
            let status = json!({ "status_list": { "idx": 0, "uri": uri } });
            template.claims.insert("status".to_owned(), status);
            (list, places)
        } else {
            (0, Vec::new())
        };
        let at = |copy: usize| places.get(copy).map(|place| split(*place).1);
        let copies: Vec<CopyFor> = holders
            .iter()
            .enumerate()
            .map(|(copy, holder)| CopyFor { holder: *holder, place: at(copy) })
            .collect();
        let seed = turn.seed.derive("credentials/salts");
        let issued = issue_copies(&template, &who.key, &who.key_id, &copies, seed);
        let issued = issued.map_err(words)?;
        let list = if order.revocable { Some(self.own_list(&who, list, turn)?) } else { None };
        let entry = self.issued.iter().map(|one| one.shown.entry).max().unwrap_or(0) + 1;
        let shown = Issued {
            entry,
            label: order.label.clone(),
            kind: order.kind.clone(),
            issuer: issuer.clone(),
            at_s: turn.now_s,
            until_s,
            copies: count(issued.len()),
            revocable: order.revocable,
            mark: Mark::Valid,
        };
        self.issued.push(IssuedOne { shown, places, marked_s: None });
        turn.reply.text = texts::bundle(issued, list.as_deref());
        self.change_book(turn);
        Ok(())
    }

    pub(super) fn mark(
        &mut self,
        entry: u32,
        mark: Mark,
        head: Option<&Head>,
        turn: &mut Turn<'_>,
    ) -> Result<(), String> {
        let who = signs(turn.root, head)?;
        let found = self.issued.iter_mut().find(|one| one.shown.entry == entry);
        let one = found.ok_or("that credential was not issued here")?;
        if one.shown.issuer != who.did.to_string() {
            return Err(format!(
                "it was issued by {}, which can\u{2019}t sign now",
                one.shown.issuer
            ));
        }
        if !one.shown.revocable {
            return Err("it was issued without a place in a status list".to_owned());
        }
        if one.shown.mark == Mark::Revoked {
            return Err("what was revoked stays revoked: issue another".to_owned());
        }
        one.set(mark, turn.now_s);
        // All its copies are in one.
        let list = one.places.first().map_or(0, |place| split(*place).0);
        turn.reply.text = self.sign_list(&who, list, turn.now_s)?;
        self.change_book(turn);
        Ok(())
    }

    /// There is something that no backup has.
    pub(super) const fn change_book(&mut self, turn: &mut Turn<'_>) {
        self.unsaved = self.unsaved.saturating_add(1);
        turn.changed = true;
    }

    /// Places that no credential of the issuer has, all in the list that is named with them.
    fn free_places(
        &self,
        issuer: &str,
        wanted: usize,
        seed: &Seed,
    ) -> Result<(u64, Vec<u64>), String> {
        let of_issuer = self.issued.iter().filter(|one| one.shown.issuer == issuer);
        let mut used: BTreeSet<u64> = of_issuer.flat_map(|one| one.places.clone()).collect();
        let made = self.made.iter().filter(|made| made.issuer == issuer);
        used.extend(
            made.flat_map(|made| made.also().iter().map(|(at, _)| joined(made.list(), *at))),
        );
        // Half of a list stays free, so that a few draws find a place.
        let has_room = |list: &u64| {
            used.range(joined(*list, 0)..joined(list + 1, 0)).count() + wanted <= PLACES / 2
        };
        let list = (0..).take(MADE_MAX).find(has_room);
        let list = list.ok_or(
            "the status lists of this issuer are full: issue as another identity, or so that it can\u{2019}t be revoked",
        )?;
        // Nobody can guess from one place which others belong to the same person.
        let drawn = (0_u64..).map(|draw| {
            let drawn = seed.derive(&format!("credentials/place/{draw}"));
            let [high, low, ..] = *drawn.as_bytes();
            joined(list, u16::from_be_bytes([high, low]).into())
        });
        Ok((list, drawn.filter(|place| used.insert(*place)).take(wanted).collect()))
    }
}

/// To whom: keys that the holder gave for copies, or the key of their DID.
fn holders(order: &Order) -> Result<Vec<PublicKey>, String> {
    let to = texts::bare(&order.to);
    if let Some((kind, keys)) = texts::read_keys(&to) {
        if kind != order.kind {
            return Err(format!("the holder gave keys for another type: {kind}"));
        }
        return Ok(keys.into_iter().take(usize::from(order.copies).max(1)).collect());
    }
    match to.parse() {
        Ok(Did::Key(key)) => Ok(vec![key]),
        Ok(_) => {
            Err("a holder is named by a did:key, or gives keys: send them an offer".to_owned())
        }
        Err(_) => {
            Err("expected the holder\u{2019}s did:key, or the text with their keys".to_owned())
        }
    }
}

/// Until when it holds: to the end of a day, so that copies shown to two verifiers have no second in common.
const fn until(now_s: u64, lasts_s: u64) -> Option<u64> {
    match lasts_s {
        0 => None,
        lasts_s => {
            let days = (now_s.saturating_add(lasts_s) / DAY_S).saturating_add(1);
            Some(days.saturating_mul(DAY_S))
        }
    }
}

fn template(
    order: &Order,
    did: &Did,
    now_s: u64,
    until_s: Option<u64>,
) -> Result<Template, String> {
    if order.kind.is_empty() || order.kind.len() > QUERY_TEXT_BYTES_MAX {
        return Err("say which type of credential it is".to_owned());
    }
    if order.claims.is_empty() || order.claims.len() > SAID_MAX {
        return Err(format!("a credential says 1 to {SAID_MAX} things"));
    }
    let mut claims = Map::new();
    let mut hidden: Vec<Path> = Vec::new();
    for said in &order.claims {
        let path = path_of(said)?;
        put(&mut claims, &path, value(&said.value))
            .ok_or_else(|| format!("{path} stands there twice, or within another"))?;
        // A claim can be left out with all that is around it.
        for length in 1..=path.0.len() {
            let part = Path(path.0.iter().take(length).cloned().collect());
            if !hidden.contains(&part) {
                hidden.push(part);
            }
        }
    }
    claims.insert("vct".to_owned(), order.kind.as_str().into());
    // The key of a name on the ledger is looked up by the second. A key that is its own name always held.
    let issued_s = if matches!(did, Did::Key(_)) { now_s / DAY_S * DAY_S } else { now_s };
    claims.insert("iat".to_owned(), issued_s.into());
    if let Some(until_s) = until_s {
        claims.insert("exp".to_owned(), until_s.into());
    }
    Ok(Template { claims, hidden, decoys: 0 })
}

/// Names that mean something of their own.
const RESERVED: [&str; 9] =
    ["iss", "vct", "cnf", "status", "iat", "exp", "nbf", "aka_vcts", "vct#integrity"];

fn path_of(said: &Said) -> Result<Path, String> {
    let text = format!("/{}", said.path.trim().trim_start_matches('/'));
    let names: Vec<Step> =
        text.split('/').skip(1).map(|name| Step::Name(name.to_owned())).collect();
    let named = |step: &Step| matches!(step, Step::Name(name) if !name.trim().is_empty());
    let first = names.first();
    let taken = |name: &str| first == Some(&Step::Name(name.to_owned()));
    if let Some(name) = RESERVED.iter().find(|name| taken(name)) {
        return Err(format!("{name} is set by itself: call the claim something else"));
    }
    let is_long = text.len() > QUERY_TEXT_BYTES_MAX || said.value.len() > QUERY_TEXT_BYTES_MAX;
    if is_long || names.len() > 4 || !names.iter().all(named) {
        return Err(format!("\u{201c}{}\u{201d} is no name of a claim, or too long", said.path));
    }
    Ok(Path(names))
}

fn put(claims: &mut Map<String, Value>, path: &Path, value: Value) -> Option<()> {
    let (last, parents) = path.0.split_last()?;
    let name = |step: &Step| match step {
        Step::Name(name) => name.clone(),
        Step::Index(at) => at.to_string(),
    };
    let mut members = claims;
    for step in parents {
        members = members.entry(name(step)).or_insert_with(|| json!({})).as_object_mut()?;
    }
    members.insert(name(last), value).is_none().then_some(())
}

/// A value as it was typed.
pub(super) fn value(text: &str) -> Value {
    match (text.trim(), text.trim().parse::<i64>()) {
        ("true" | "yes", _) => true.into(),
        ("false" | "no", _) => false.into(),
        (text, Ok(number)) if number.to_string() == text => number.into(),
        (text, _) => text.into(),
    }
}
