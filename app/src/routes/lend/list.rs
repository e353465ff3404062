//! Which markets there are.

use leptos::prelude::*;
use leptos_router::components::A;
use wallet::lending::{self, LISTED_MAX, Market, Reserve};

use crate::format::short_key;

use super::desk::Desk;
use super::open::OpenMarket;
use super::seen::SeenBadge;
use super::words::{MISCOUNTED, percent, symbol};

/// The list.
#[component]
pub(super) fn Markets() -> impl IntoView {
    let desk = Desk::get();
    let listing = Memo::new(move |_| lending::listing(&desk.book.read()));
    let words = move || match listing.get() {
        None => Some((
            "Asking which markets there are",
            "The ledger counts them, and the count is proved here first.",
        )),
        Some(listing) if listing.count == 0 => Some((
            "No market was opened yet",
            "Anybody may open one: assets, prices and rules that are fixed from then on.",
        )),
        Some(_) => None,
    };
    let more = move || {
        let count = listing.get().map_or(0, |listing| listing.count);
        (count > LISTED_MAX).then(|| {
            format!(
                "The newest {LISTED_MAX} of {count}. Any other opens by its number: /lend?market=1"
            )
        })
    };
    view! {
        <section class="card" aria-labelledby="markets-title">
            <h2 id="markets-title">"Markets"</h2>
            <div class="empty" role="status" hidden=move || words().is_none()>
                <p class="empty-title">{move || words().map(|(title, _)| title)}</p>
                <p class="quiet">{move || words().map(|(_, more)| more)}</p>
            </div>
            <ul class="markets">
                {move || {
                    let markets = listing.get().map(|listing| listing.markets).unwrap_or_default();
                    markets.into_iter().map(|id| view! { <Row id /> }).collect_view()
                }}
            </ul>
            <p class="quiet" hidden=move || more().is_none()>
                {more}
            </p>
            <OpenMarket />
        </section>
    }
}

#[component]
fn Row(id: u32) -> impl IntoView {
    let desk = Desk::get();
    let market = Memo::new(move |_| desk.market(id));
    let seen = Signal::derive(move || market.read().as_ref().map(|market| market.seen));
    let miscounted = Memo::new(move |_| lending::is_miscounted(&desk.book.read(), id));
    let by = move || {
        let (market, view) = (market.read(), desk.ledger.view.read());
        let creator = market.as_ref()?.creator.to_string();
        let who = if creator == view.account { "you".to_owned() } else { short_key(&creator) };
        Some(format!("; opened by {who}"))
    };
    let is_chosen = move || (desk.chosen.get() == Some(id)).then_some("true");
    view! {
        <li class="market" aria-current=is_chosen>
            <div class="market-name">
                <A href=format!("/lend?market={id}")>{format!("Market {id}")}</A>
                <span class="quiet">"isolated: it shares no risk with others" {by}</span>
                <Show
                    when=move || !miscounted.get()
                    fallback=|| view! { <span class="quiet quiet--warn">{MISCOUNTED}</span> }
                >
                    <SeenBadge seen />
                </Show>
            </div>
            {move || match market.get() {
                Some(market) => table(market).into_any(),
                None => ().into_any(),
            }}
        </li>
    }
}

fn table(market: Market) -> impl IntoView {
    let row = |reserve: Reserve| {
        view! {
            <tr>
                <th scope="row">
                    {symbol(&reserve.asset)}
                    {reserve
                        .asset
                        .issuer
                        .as_ref()
                        .map(|issuer| {
                            view! { <span class="quiet">{format!(" IOU of {}", short_key(issuer))}</span> }
                        })}
                </th>
                <td class="num right" data-label="Supply APY">
                    {percent(reserve.supply_apy_ppm)}
                </td>
                <td class="num right" data-label="Borrow APY">
                    {if reserve.is_borrowable {
                        percent(reserve.borrow_apy_ppm)
                    } else {
                        "not lent".to_owned()
                    }}
                </td>
                <td class="num right" data-label="Lent out">
                    {percent(reserve.used_ppm)}
                </td>
            </tr>
        }
    };
    view! {
        <table class="peers">
            <thead>
                <tr>
                    <th scope="col">"Asset"</th>
                    <th scope="col" class="right">
                        "Supply APY"
                    </th>
                    <th scope="col" class="right">
                        "Borrow APY"
                    </th>
                    <th scope="col" class="right">
                        "Lent out"
                    </th>
                </tr>
            </thead>
            <tbody>{market.reserves.into_iter().map(row).collect_view()}</tbody>
        </table>
    }
}
