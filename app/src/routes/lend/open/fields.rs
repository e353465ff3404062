//! The fields of one asset in the form that opens a market.

use leptos::prelude::*;
use wallet::lending::{self, Asset, Choices, Feed, PriceState};

use crate::format::short_key;

use super::super::curve::Drawn;
use super::super::words::{percent, price, price_source, symbol};
use super::draft::{ALL, Draft, Field, NUMBERS, Number, OF_LENT, OF_PLEDGE, Typed};

/// What is typed and chosen of an asset. Copied freely; lives as long as the form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    /// 0-based position in the market.
    at: usize,
    asset: RwSignal<Option<u32>>,
    feed: RwSignal<Option<u32>>,
    is_pledged: RwSignal<bool>,
    is_lent: RwSignal<bool>,
    numbers: [RwSignal<String>; NUMBERS],
}

impl Fields {
    /// As the form begins: the first is the ledger's own asset, pledged; others are chosen, and lent.
    pub(super) fn new(at: usize) -> Self {
        Self {
            at,
            asset: RwSignal::new((at == 0).then_some(0)),
            feed: RwSignal::new(None),
            is_pledged: RwSignal::new(at == 0),
            is_lent: RwSignal::new(at > 0),
            numbers: ALL.map(|number| RwSignal::new(number.told().2.to_owned())),
        }
    }

    /// What is typed now.
    pub(super) fn typed(self, choices: Option<&Choices>) -> Typed {
        let asset = self.asset.get();
        Typed {
            asset,
            decimals: choices.and_then(|all| Some(found(all, asset?)?.decimals)),
            feed: self.feed(choices),
            is_pledged: self.is_pledged.get(),
            is_lent: self.is_lent.get(),
            numbers: self.numbers.map(|one| one.get()),
        }
    }

    /// The feed that was chosen, or else the one that other markets take for this asset.
    fn feed(self, choices: Option<&Choices>) -> Option<u32> {
        self.feed.get().or_else(|| choices?.feed_of(self.asset.get()?))
    }

    fn number(self, number: Number) -> Option<RwSignal<String>> {
        self.numbers.get(number.place()).copied()
    }

    /// An id of the page.
    fn id(self, name: &str) -> String {
        format!("open-{name}-{}", self.at)
    }
}

/// What the fields look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looks {
    pub(super) choices: Memo<Option<Choices>>,
    pub(super) draft: Memo<Draft>,
}

impl Looks {
    fn problem(self, fields: Fields, field: Field) -> Signal<Option<String>> {
        Signal::derive(move || self.draft.read().problem(fields.at, field))
    }

    fn asset(self, fields: Fields) -> Option<Asset> {
        let choices = self.choices.read();
        found(choices.as_ref()?, fields.asset.get()?).cloned()
    }
}

fn found(choices: &Choices, asset: u32) -> Option<&Asset> {
    choices.assets.iter().find(|one| one.id == asset)
}

/// All of one asset.
#[component]
pub(super) fn AssetFields(fields: Fields, looks: Looks) -> impl IntoView {
    let title = fields.id("title");
    let labelled = title.clone();
    view! {
        <div class="asset-rules" role="group" aria-labelledby=labelled>
            <h3 id=title>{format!("Asset {}", fields.at + 1)}</h3>
            <div class="pair pair--form">
                <AssetChoice fields looks />
                <FeedChoice fields looks />
                <NumberField fields looks number=Number::SupplyCap />
            </div>
            <Switch id=fields.id("pledged") words="It may be pledged" on=fields.is_pledged />
            <Show when=move || fields.is_pledged.get()>
                <div class="pair pair--form">{numbers(fields, looks, &OF_PLEDGE)}</div>
            </Show>
            <Switch id=fields.id("lent") words="It may be borrowed" on=fields.is_lent />
            <Show when=move || fields.is_lent.get()>
                <div class="pair pair--form">{numbers(fields, looks, &OF_LENT)}</div>
                <Preview fields looks />
            </Show>
        </div>
    }
}

fn numbers(fields: Fields, looks: Looks, of: &'static [Number]) -> impl IntoView {
    of.iter().map(|number| view! { <NumberField fields looks number=*number /> }).collect_view()
}

#[component]
fn Switch(id: String, words: &'static str, on: RwSignal<bool>) -> impl IntoView {
    let labelled = id.clone();
    view! {
        <label class="check" for=labelled>
            <input
                id=id
                type="checkbox"
                prop:checked=on
                on:change=move |event| on.set(event_target_checked(&event))
            />
            {words}
        </label>
    }
}

/// What is wrong with a field.
#[component]
fn Trouble(id: String, problem: Signal<Option<String>>) -> impl IntoView {
    view! {
        <span id=id class="quiet quiet--warn" aria-live="polite">
            {move || problem.get()}
        </span>
    }
}

#[component]
fn NumberField(fields: Fields, looks: Looks, number: Number) -> impl IntoView {
    let (name, words, _) = number.told();
    let id = fields.id(name);
    let trouble = format!("{id}-problem");
    let problem = looks.problem(fields, Field::Number(number));
    let typed = fields.number(number);
    let unit = move || {
        if number.is_amount() {
            looks.asset(fields).map(|asset| symbol(&asset))
        } else {
            Some("%".to_owned())
        }
    };
    let value = move || typed.map(|typed| typed.get()).unwrap_or_default();
    let input = move |event| {
        if let Some(typed) = typed {
            typed.set(event_target_value(&event));
        }
    };
    view! {
        <div class="labelled">
            <label for=id.clone()>{words}</label>
            <div class="with-unit">
                <input
                    id=id
                    class="text-field num"
                    inputmode="decimal"
                    autocomplete="off"
                    aria-describedby=trouble.clone()
                    aria-invalid=move || problem.read().is_some().to_string()
                    prop:value=value
                    on:input=input
                />
                <span>{unit}</span>
            </div>
            <Trouble id=trouble problem />
        </div>
    }
}

/// A list of what can be chosen by number.
#[component]
fn Choice(
    /// Where it stands, and what it is called.
    id: String,
    words: &'static str,
    /// Numbers that are offered, and how each is told.
    offered: Memo<Vec<u32>>,
    told: Callback<u32, String>,
    chosen: Signal<Option<u32>>,
    choose: Callback<Option<u32>>,
    problem: Signal<Option<String>>,
) -> impl IntoView {
    let trouble = format!("{id}-problem");
    let option = move |number: u32| {
        view! {
            <option value=number.to_string() prop:selected=move || chosen.get() == Some(number)>
                {move || told.run(number)}
            </option>
        }
    };
    view! {
        <div class="labelled">
            <label for=id.clone()>{words}</label>
            <select
                id=id
                class="text-field"
                aria-describedby=trouble.clone()
                aria-invalid=move || problem.read().is_some().to_string()
                on:change=move |event| choose.run(event_target_value(&event).parse().ok())
            >
                <option
                    value=""
                    disabled=move || chosen.get().is_some()
                    prop:selected=move || chosen.get().is_none()
                >
                    "Choose\u{2026}"
                </option>
                {move || offered.get().into_iter().map(option).collect_view()}
            </select>
            <Trouble id=trouble problem />
        </div>
    }
}

#[component]
fn AssetChoice(fields: Fields, looks: Looks) -> impl IntoView {
    let offered = Memo::new(move |_| {
        let choices = looks.choices.read();
        choices.iter().flat_map(|all| &all.assets).map(|asset| asset.id).collect::<Vec<_>>()
    });
    let told = Callback::new(move |number: u32| {
        let choices = looks.choices.read();
        let asset = choices.as_ref().and_then(|all| found(all, number));
        asset.map(asset_words).unwrap_or_default()
    });
    view! {
        <Choice
            id=fields.id("asset")
            words="Asset"
            offered
            told
            chosen=fields.asset.into()
            choose=Callback::new(move |number: Option<u32>| fields.asset.set(number))
            problem=looks.problem(fields, Field::Asset)
        />
    }
}

/// Anybody may give an asset any name: the issuer stands beside it.
fn asset_words(asset: &Asset) -> String {
    match &asset.issuer {
        None => symbol(asset),
        Some(issuer) => {
            format!("{}: asset {}, IOU of {}", symbol(asset), asset.id, short_key(issuer))
        }
    }
}

#[component]
fn FeedChoice(fields: Fields, looks: Looks) -> impl IntoView {
    let offered = Memo::new(move |_| {
        let choices = looks.choices.read();
        choices.iter().flat_map(|all| &all.feeds).map(|feed| feed.id).collect::<Vec<_>>()
    });
    let told = Callback::new(move |number: u32| {
        let choices = looks.choices.read();
        let all = choices.as_ref();
        let feed = all.and_then(|all| all.feeds.iter().find(|one| one.id == number));
        all.zip(feed).map(|(all, feed)| feed_words(feed, all)).unwrap_or_default()
    });
    let chosen = Signal::derive(move || fields.feed(looks.choices.read().as_ref()));
    let source = move || {
        let (choices, chosen) = (looks.choices.read(), chosen.get()?);
        let feed = choices.as_ref()?.feeds.iter().find(|one| one.id == chosen)?;
        Some(price_source(&feed.price))
    };
    view! {
        <div class="labelled">
            <Choice
                id=fields.id("feed")
                words="Its price"
                offered
                told
                chosen
                choose=Callback::new(move |number: Option<u32>| fields.feed.set(number))
                problem=looks.problem(fields, Field::Feed)
            />
            <span class="quiet num">{source}</span>
        </div>
    }
}

/// A feed has no name: its price, and what markets take it for.
fn feed_words(feed: &Feed, choices: &Choices) -> String {
    let price = match feed.price.state {
        PriceState::Fresh => price(feed.price.price),
        PriceState::Unproved => "not proved yet".to_owned(),
        PriceState::Stale | PriceState::Confirming => "no price now".to_owned(),
    };
    let names = feed.taken_for.iter().filter_map(|asset| found(choices, *asset)).map(symbol);
    let names: Vec<String> = names.collect();
    let taken = if names.is_empty() {
        String::new()
    } else {
        format!(", as {} elsewhere", names.join(" and "))
    };
    format!("Feed {}: {price}{taken}", feed.id)
}

/// The curve as it is typed.
#[component]
fn Preview(fields: Fields, looks: Looks) -> impl IntoView {
    let rules = Memo::new(move |_| looks.draft.read().rules.get(fields.at).cloned());
    let points =
        Signal::derive(move || rules.get().map(|one| lending::curve_of(&one)).unwrap_or_default());
    let bend = Memo::new(move |_| lending::bend(rules.read().as_ref()?));
    let at =
        Signal::derive(move || bend.get().map_or((0, 0), |bend| (bend.used_ppm, bend.borrow_ppm)));
    let words = Signal::derive(move || {
        let points = points.read();
        let (Some(first), Some(bend), Some(last)) = (points.first(), bend.get(), points.last())
        else {
            return String::new();
        };
        format!(
            "Borrowing costs {} a year with nothing lent out, {} at {}, {} with all of it.",
            percent(first.borrow_ppm),
            percent(bend.borrow_ppm),
            percent(bend.used_ppm),
            percent(last.borrow_ppm)
        )
    });
    view! {
        <Drawn points at words />
        <p class="quiet num" id=fields.id("curve")>
            {move || words.get()}
        </p>
    }
}
