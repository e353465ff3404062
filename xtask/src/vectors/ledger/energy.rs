//! Kinds of energy: `uniform-auction`, `pay-as-bid-continuous`, `mid-market-rate`,
//! `imbalance-settlement`.

use std::collections::{BTreeMap, BTreeSet};

use ledger::domains::energy::{
    Book, Clearing, Fill, Metered, Order, Part, Side, Tariff, Traded, clear, settle, share,
};
use serde_json::{Map, Value, json};

use super::{account, field, list, same, small, text};

/// What a vector calls an order or a meter, by its rank among all of them: ties go to the first.
struct Names(Vec<String>);

impl Names {
    fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self(names.collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect())
    }

    fn rank(&self, name: &str) -> Result<u64, String> {
        let place = self.0.binary_search_by(|known| known.as_str().cmp(name));
        let place = place.map_err(|_| format!("unknown name {name:?}"))?;
        u64::try_from(place).map_err(|_| "too many names".to_owned())
    }

    fn name(&self, rank: u64) -> &str {
        usize::try_from(rank).ok().and_then(|rank| self.0.get(rank)).map_or("", String::as_str)
    }
}

/// Orders of a list, and who is behind each id.
struct Orders {
    orders: Vec<Order>,
    ids: Names,
    owners: BTreeMap<u64, String>,
}

impl Orders {
    fn read(entries: &[Value]) -> Result<Self, String> {
        let names = entries.iter().map(|entry| text(entry, "id"));
        let ids = Names::of(names.collect::<Result<Vec<_>, _>>()?.into_iter());
        let (mut orders, mut owners) = (Vec::new(), BTreeMap::new());
        for entry in entries {
            let (id, owner) = (ids.rank(text(entry, "id")?)?, text(entry, "acct")?);
            owners.insert(id, owner.to_owned());
            let (limit, quantity_wh) = (small(entry, "price")?, small(entry, "qty")?);
            orders.push(Order { id, owner: account(owner), limit, quantity_wh });
        }
        Ok(Self { orders, ids, owners })
    }

    fn owner(&self, id: u64) -> &str {
        self.owners.get(&id).map_or("", String::as_str)
    }

    fn fills(&self, fills: &[Fill], money: &str, with_fee: bool) -> Result<Value, String> {
        let fill = |fill: &Fill| {
            let mut entry = Map::new();
            entry.insert("id".to_owned(), self.ids.name(fill.id).into());
            entry.insert("acct".to_owned(), self.owner(fill.id).into());
            entry.insert("qty".to_owned(), fill.quantity_wh.into());
            entry.insert(money.to_owned(), integer(fill.money)?);
            if with_fee {
                entry.insert("fee".to_owned(), integer(fill.fee)?);
            }
            Ok(Value::from(entry))
        };
        fills.iter().map(fill).collect::<Result<Vec<_>, String>>().map(Value::from)
    }
}

/// Kind `uniform-auction`.
pub(crate) fn check_auction(vector: &Value) -> Result<(), String> {
    let inputs = field(vector, "inputs")?;
    let bids = Orders::read(list(inputs, "bids")?)?;
    let offers = Orders::read(list(inputs, "offers")?)?;
    let fee = small(inputs, "gridFee")?;
    let found = clear(&bids.orders, &offers.orders, fee);
    if let (Some(welfare), Some(clearing)) = (vector.get("welfareMicroWh"), &found) {
        same("welfare", welfare, &welfare_of(clearing, &bids, &offers, fee)?)?;
    }
    let found = match &found {
        Some(clearing) => cleared(clearing, &bids, &offers)?,
        None => json!({
            "volume": 0, "price": null, "low": null, "high": null, "buys": [], "sells": [],
            "trades": [], "residue": 0, "grid_fees": 0,
        }),
    };
    same("expected", field(vector, "expected")?, &found)
}

fn cleared(clearing: &Clearing, bids: &Orders, offers: &Orders) -> Result<Value, String> {
    let trades: Vec<Value> = clearing
        .flows
        .iter()
        .map(|flow| {
            let (seller, buyer) = (offers.owner(flow.offer), bids.owner(flow.bid));
            json!({ "seller": seller, "buyer": buyer, "qty": flow.quantity_wh })
        })
        .collect();
    Ok(json!({
        "volume": clearing.volume_wh, "price": clearing.price,
        "low": clearing.low, "high": clearing.high,
        "buys": bids.fills(&clearing.buys, "total", true)?,
        "sells": offers.fills(&clearing.sells, "revenue", false)?,
        "trades": trades,
        "residue": integer(clearing.residue)?, "grid_fees": integer(clearing.grid_fees)?,
    }))
}

/// What buyers would pay at most, less the grid fee and what sellers ask at least.
fn welfare_of(
    clearing: &Clearing,
    bids: &Orders,
    offers: &Orders,
    fee: u64,
) -> Result<Value, String> {
    let limits = |orders: &Orders, fills: &[Fill], fee: u64| {
        let limit = |fill: &Fill| {
            let order = orders.orders.iter().find(|order| order.id == fill.id);
            let limit = order.map_or(0, |order| order.limit);
            (i128::from(limit) - i128::from(fee)) * i128::from(fill.quantity_wh)
        };
        fills.iter().map(limit).sum::<i128>()
    };
    whole(limits(bids, &clearing.buys, fee) - limits(offers, &clearing.sells, 0))
}

/// Kind `pay-as-bid-continuous`: orders in order of arrival.
pub(crate) fn check_book(vector: &Value) -> Result<(), String> {
    let inputs = list(vector, "inputs")?;
    let orders = Orders::read(inputs)?;
    let (mut book, mut trades) = (Book::new(), Vec::new());
    for (entry, order) in inputs.iter().zip(&orders.orders) {
        let side = match text(entry, "side")? {
            "buy" => Side::Buy,
            "sell" => Side::Sell,
            other => return Err(format!("unknown side {other:?}")),
        };
        for trade in book.place(side, *order) {
            let (maker, taker) = (orders.ids.name(trade.maker), orders.ids.name(trade.taker));
            let (resting, coming) = (orders.owner(trade.maker), orders.owner(trade.taker));
            let (seller, buyer) = match side {
                Side::Buy => (resting, coming),
                Side::Sell => (coming, resting),
            };
            trades.push(json!({
                "maker": maker, "taker": taker, "seller": seller, "buyer": buyer,
                "qty": trade.quantity_wh, "price": trade.price,
                "pay": integer(trade.pay)?, "receive": integer(trade.receive)?,
            }));
        }
    }
    let rest = book.resting().into_iter().map(|resting| {
        json!({ "id": orders.ids.name(resting.order.id), "qty": resting.order.quantity_wh })
    });
    let rest: Vec<Value> = rest.collect();
    let found = json!({ "trades": trades, "resting": rest, "residue": integer(book.residue())? });
    same("expected", field(vector, "expected")?, &found)
}

/// Kind `mid-market-rate`.
pub(crate) fn check_sharing(vector: &Value) -> Result<(), String> {
    let inputs = field(vector, "inputs")?;
    let meters = list(inputs, "meters")?;
    let names = meters.iter().map(|meter| text(meter, "acct")).collect::<Result<Vec<_>, _>>()?;
    let names = Names::of(names.into_iter());
    let reading = |meter: &Value| {
        let id = names.rank(text(meter, "acct")?)?;
        Ok(Metered { id, import_wh: small(meter, "imp")?, export_wh: small(meter, "exp")? })
    };
    let readings = meters.iter().map(reading).collect::<Result<Vec<_>, String>>()?;
    let shared = share(&readings, &tariff(inputs)?);
    let mut accounts = Map::new();
    for part in &shared.parts {
        accounts.insert(names.name(part.metered.id).to_owned(), part_of(part)?);
    }
    let found = json!({
        "volume": shared.volume_wh, "mid": shared.mid, "accounts": accounts,
        "residue": integer(shared.residue)?, "gridFees": integer(shared.grid_fees)?,
        "gridOperatorNet": whole(shared.grid_net)?,
    });
    same("expected", field(vector, "expected")?, &found)
}

/// A meter that only gives is told as a producer, any other as a consumer.
fn part_of(part: &Part) -> Result<Value, String> {
    let metered = part.metered;
    if metered.import_wh == 0 && metered.export_wh > 0 {
        return Ok(json!({
            "local": part.local_export_wh, "grid": metered.export_wh - part.local_export_wh,
            "localRevenue": integer(part.local_revenue)?,
            "gridRevenue": integer(part.grid_revenue)?, "total": whole(part.total())?,
        }));
    }
    Ok(json!({
        "local": part.local_import_wh, "grid": metered.import_wh - part.local_import_wh,
        "localCost": integer(part.local_cost)?, "gridFee": integer(part.grid_fee)?,
        "gridCost": integer(part.grid_cost)?, "total": whole(part.total())?,
    }))
}

/// Kind `imbalance-settlement`.
pub(crate) fn check_deviations(vector: &Value) -> Result<(), String> {
    let inputs = field(vector, "inputs")?;
    let (contracts, meters) = (field(inputs, "contracts")?, field(inputs, "meters")?);
    let keys = |value: &Value| {
        value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>()).unwrap_or_default()
    };
    let all = [keys(contracts), keys(meters)].concat();
    let names = Names::of(all.iter().map(String::as_str));
    let amount = |of: &Value, name: &str, what: &str| match of.get(name) {
        Some(entry) if entry.get(what).is_some() => small(entry, what),
        _ => Ok(0),
    };
    let traded = |name: &String| {
        let (import_wh, export_wh) = (amount(meters, name, "imp")?, amount(meters, name, "exp")?);
        let metered = Metered { id: names.rank(name)?, import_wh, export_wh };
        let sold_wh = amount(contracts, name, "sold")?;
        Ok(Traded { metered, sold_wh, bought_wh: amount(contracts, name, "bought")? })
    };
    let slot = names.0.iter().map(traded).collect::<Result<Vec<_>, String>>()?;
    let settled = settle(&slot, &tariff(inputs)?);
    let mut accounts = Map::new();
    for one in &settled.deviations {
        let found = json!({ "position": whole(one.position_wh)?, "imbalance": whole(one.money)? });
        accounts.insert(names.name(one.id).to_owned(), found);
    }
    let found = json!({
        "accounts": accounts, "gridOperatorNet": whole(settled.grid_net)?,
        "gridIn": integer(settled.grid_in_wh)?, "gridOut": integer(settled.grid_out_wh)?,
    });
    same("expected", field(vector, "expected")?, &found)
}

fn tariff(inputs: &Value) -> Result<Tariff, String> {
    let grid_fee = if inputs.get("gridFee").is_some() { small(inputs, "gridFee")? } else { 0 };
    Ok(Tariff { retail: small(inputs, "retail")?, feed_in: small(inputs, "feedIn")?, grid_fee })
}

fn integer(number: u128) -> Result<Value, String> {
    u64::try_from(number).map(Value::from).map_err(|_| format!("{number} does not fit JSON"))
}

/// A number that may be negative, written without a sign if it is not.
fn whole(number: i128) -> Result<Value, String> {
    match u128::try_from(number) {
        Ok(number) => integer(number),
        Err(_) => i64::try_from(number)
            .map(Value::from)
            .map_err(|_| format!("{number} does not fit JSON")),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_open_vectors_pass() {
        let kinds =
            ["uniform-auction", "pay-as-bid-continuous", "mid-market-rate", "imbalance-settlement"];
        super::super::check_file("energy_vectors_open.json", &kinds);
    }
}
