//! Kind `scenario-aave`.

use ledger::{
    AccountId, AssetId, Code as _, Overlay, Store,
    domains::{
        accounts, assets,
        lending::{
            self, Action, Config, Error, Health, Lending, Purpose, Quotes,
            math::{RAY, Rounding, U256, ray_mul},
        },
        oracle::{self, Quote},
    },
};
use serde_json::{Map, Value, json};

use super::super::{Lab, account, field, list, number, same, small, text};

/// The market of a scenario: the first of its ledger.
const MARKET: u32 = 1;

/// Plays the steps of a scenario.
pub(crate) fn check(vector: &Value) -> Result<(), String> {
    let mut game = Game::open(vector)?;
    for (index, step) in list(vector, "steps")?.iter().enumerate() {
        game.step(step).map_err(|problem| format!("step {index}: {problem}"))?;
    }
    Ok(())
}

struct Game {
    lab: Lab,
    symbols: Vec<String>,
    /// By feed, which is numbered like the reserve, from 1.
    prices: Vec<u64>,
    users: Vec<String>,
}

/// The scenario's own prices, without the oracle's rules.
struct Prices<'a>(&'a [u64]);

impl Quotes for Prices<'_> {
    fn quote(&self, _: &dyn Store, feed: u32) -> Result<Quote, Error> {
        let index = usize::try_from(feed).ok().and_then(|feed| feed.checked_sub(1));
        let price = index.and_then(|index| self.0.get(index)).ok_or(Error::StalePrice)?;
        Ok(Quote::flat(*price))
    }
}

impl Game {
    fn open(vector: &Value) -> Result<Self, String> {
        let mut lab = Lab::new(small(vector, "t0")?);
        let (mut symbols, mut prices, mut rules) = (Vec::new(), Vec::new(), Vec::new());
        for (reserve, id) in list(vector, "reserves")?.iter().zip(1..) {
            let (symbol, decimals) = (text(reserve, "sym")?.to_owned(), small(reserve, "dec")?);
            make_asset(&mut lab, &symbol, decimals)?;
            rules.push(config(reserve, id, decimals)?);
            prices.push(small(reserve, "price")?);
            symbols.push(symbol);
        }
        let open = Action::Open { treasury: account("treasury"), reserves: rules };
        refused(lab.act::<Lending>(account("creator"), &open)?)?;
        Ok(Self { lab, symbols, prices, users: Vec::new() })
    }

    fn step(&mut self, entry: &Value) -> Result<(), String> {
        let step = field(entry, "step")?;
        if step.get("dt").is_some() {
            self.lab.wait_s(small(step, "dt")?);
        }
        for who in ["user", "borrower"].iter().filter_map(|who| step.get(*who)?.as_str()) {
            if !self.users.iter().any(|user| user == who) {
                self.users.push(who.to_owned());
            }
        }
        let (result, returned) = match self.play(step)? {
            Ok(returned) => ("ok".to_owned(), returned),
            Err(error) => (format!("revert:{error:?}"), Value::Null),
        };
        same("result", field(entry, "result")?, &result.into())?;
        same("returned", field(entry, "returned")?, &returned)?;
        same("state", field(entry, "state")?, &self.state()?)
    }

    fn play(&mut self, step: &Value) -> Result<Result<Value, Error>, String> {
        let done = Ok(Ok(Value::Null));
        match text(step, "op")? {
            "wait" => done,
            "price" => {
                let reserve = self.reserve(step, "asset")?;
                self.prices[usize::from(reserve)] = small(step, "price")?;
                done
            }
            "mint" => {
                let asset = asset(self.reserve(step, "asset")?);
                let user = account(text(step, "user")?);
                self.lab.mint(user, asset, number(step, "amount")?)?;
                done
            }
            "donate" => {
                let (asset, amount) =
                    (asset(self.reserve(step, "asset")?), number(step, "amount")?);
                let to = AccountId::of_domain("lending");
                let gift = accounts::Action::Transfer { asset, to, amount };
                let user = account(text(step, "user")?);
                refused(self.lab.act::<accounts::Accounts>(user, &gift)?)?;
                done
            }
            "liquidate" => self.liquidate(step),
            op => self.act(op, step),
        }
    }

    fn act(&mut self, op: &str, step: &Value) -> Result<Result<Value, Error>, String> {
        let (market, reserve) = (MARKET, self.reserve(step, "asset")?);
        let user = step.get("user").and_then(Value::as_str).unwrap_or("anyone");
        let all = step.get("amount").is_none_or(Value::is_null);
        let amount = if all { 0 } else { number(step, "amount")? };
        let some = (!all).then_some(amount);
        let action = match op {
            "supply" => Action::Supply { market, reserve, amount },
            "withdraw" => Action::Withdraw { market, reserve, amount: some },
            "borrow" => Action::Borrow { market, reserve, amount },
            "repay" => Action::Repay { market, reserve, amount: some, debtor: account(user) },
            "mintToTreasury" => Action::Collect { market, reserve },
            "setCollateral" => {
                let on = step.get("on").or_else(|| step.get("use")).and_then(Value::as_bool);
                let on = on.ok_or("\"on\" is missing")?;
                Action::SetCollateral { market, reserve, on }
            }
            "coverDeficit" => Action::Cover { market, reserve, amount },
            other => return Err(format!("unknown op {other:?}")),
        };
        let outcome = self.run(account(user), &action)?;
        let tells = matches!(action, Action::Withdraw { .. } | Action::Repay { .. });
        Ok(outcome.map(|numbers| {
            // market, reserve, amount
            let moved = numbers.get(2).filter(|_| tells);
            moved.map_or(Value::Null, |amount| amount.to_string().into())
        }))
    }

    fn liquidate(&mut self, step: &Value) -> Result<Result<Value, Error>, String> {
        let action = Action::Liquidate {
            market: MARKET,
            collateral: self.reserve(step, "collateral")?,
            debt: self.reserve(step, "debt")?,
            borrower: account(text(step, "borrower")?),
            cover: number(step, "amount")?,
        };
        let outcome = self.run(account(text(step, "user")?), &action)?;
        Ok(outcome.map(|numbers| {
            // market, collateral, debt, repaid, seized, fee
            let digits = |index: usize| numbers.get(index).map(u128::to_string);
            let (repaid, seized, fee) = (digits(3), digits(4), digits(5));
            json!({ "debtRepaid": repaid, "collateralSeized": seized, "protocolFee": fee })
        }))
    }

    /// Acts with the scenario's prices; the numbers of the last event.
    fn run(
        &mut self,
        signer: AccountId,
        action: &Action,
    ) -> Result<Result<Vec<u128>, Error>, String> {
        let mut state = Overlay::new(&self.lab.store);
        let quotes = Prices(&self.prices);
        let outcome = lending::act(&self.lab.context, &quotes, signer, action, &mut state);
        let (changes, events) = state.into_parts();
        if outcome.is_ok() {
            self.lab.store.commit(changes);
        }
        ledger::laws(&self.lab.store).map_err(|broken| broken.to_string())?;
        Ok(outcome.map(|()| events.last().map(|event| event.numbers.clone()).unwrap_or_default()))
    }

    fn reserve(&self, step: &Value, name: &str) -> Result<u8, String> {
        let symbol = text(step, name)?;
        let place = self.symbols.iter().position(|known| known == symbol);
        let place = place.and_then(|place| u8::try_from(place).ok());
        place.ok_or_else(|| format!("unknown asset {symbol:?}"))
    }

    fn state(&self) -> Result<Value, String> {
        let now_s = self.lab.context.now_s();
        let (mut reserves, mut treasury) = (Map::new(), Map::new());
        let claims = lending::position(&self.lab.store, MARKET, account("treasury"));
        for (symbol, index) in self.symbols.iter().zip(0..) {
            let scaled = claims.entry(index).supply_scaled.to_string();
            treasury.insert(symbol.clone(), scaled.into());
            reserves.insert(symbol.clone(), reserve_state(&self.found(index)?, now_s)?);
        }
        let mut users = Map::new();
        for user in &self.users {
            users.insert(user.clone(), self.user(account(user))?);
        }
        let time = now_s.to_string();
        Ok(json!({ "t": time, "reserves": reserves, "users": users, "treasuryAScaled": treasury }))
    }

    fn found(&self, index: u8) -> Result<lending::Reserve, String> {
        lending::reserve(&self.lab.store, MARKET, index).ok_or_else(|| "no reserve".to_owned())
    }

    fn user(&self, user: AccountId) -> Result<Value, String> {
        let (store, now_s) = (&self.lab.store, self.lab.context.now_s());
        let position = lending::position(store, MARKET, user);
        let mut fields = Map::new();
        for (symbol, index) in self.symbols.iter().zip(0..) {
            let (entry, reserve) = (position.entry(index), self.found(index)?);
            let worth = |scaled: u128, index: U256, rounding| {
                ray_mul(U256::from(scaled), index, rounding).map_err(|_| "an overflow")
            };
            let income = reserve.income_index(now_s).map_err(|_| "an overflow")?;
            let debt = reserve.debt_index(now_s).map_err(|_| "an overflow")?;
            let held = json!({
                "wallet": accounts::balance(store, user, asset(index)).to_string(),
                "aScaled": entry.supply_scaled.to_string(),
                "aBal": worth(entry.supply_scaled, income, Rounding::Floor)?.to_string(),
                "vScaled": entry.debt_scaled.to_string(),
                "vBal": worth(entry.debt_scaled, debt, Rounding::Ceil)?.to_string(),
            });
            fields.insert(symbol.clone(), held);
        }
        let quotes = Prices(&self.prices);
        let purpose = Purpose::Liquidate;
        let health = lending::health(store, &quotes, now_s, MARKET, user, purpose);
        fields.insert("account".to_owned(), account_state(&health.map_err(name)?)?);
        Ok(fields.into())
    }
}

fn reserve_state(reserve: &lending::Reserve, now_s: u64) -> Result<Value, String> {
    let digits = |number: u128| number.to_string();
    let income = reserve.income_index(now_s).map_err(|_| "an overflow")?;
    let debt = reserve.debt_index(now_s).map_err(|_| "an overflow")?;
    debug_assert!(reserve.liquidity_index >= RAY);
    Ok(json!({
        "liquidityIndex": digits(reserve.liquidity_index),
        "variableBorrowIndex": digits(reserve.borrow_index),
        "liquidityRate": digits(reserve.liquidity_rate),
        "variableBorrowRate": digits(reserve.borrow_rate),
        "accruedToTreasury": digits(reserve.accrued_scaled),
        "virtualBalance": digits(reserve.available),
        "deficit": digits(reserve.deficit),
        "scaledSupply": digits(reserve.supply_scaled),
        "scaledDebt": digits(reserve.debt_scaled),
        "normIncome": income.to_string(),
        "normDebt": debt.to_string(),
    }))
}

fn account_state(health: &Health) -> Result<Value, String> {
    let available = health.available_borrow().map_err(|_| "an overflow")?;
    Ok(json!({
        "collateralBase": health.collateral.to_string(),
        "debtBase": health.debt.to_string(),
        "availableBorrowsBase": available.to_string(),
        "currentLT": health.threshold_bps.to_string(),
        "ltv": health.ltv_bps.to_string(),
        "hf": health.factor.to_string(),
    }))
}

fn config(reserve: &Value, id: u32, decimals: u8) -> Result<Config, String> {
    Ok(Config {
        asset: AssetId(id),
        feed: id,
        decimals,
        ltv_bps: small(reserve, "ltv")?,
        threshold_bps: small(reserve, "lt")?,
        bonus_bps: small(reserve, "bonus")?,
        reserve_factor_bps: small(reserve, "rf")?,
        protocol_fee_bps: small(reserve, "protFee")?,
        supply_cap: u128::MAX,
        borrow_cap: u128::MAX,
        borrowable: true,
        curve: super::curve(reserve)?,
    })
}

/// The asset and the feed of a reserve, both numbered like it, from 1.
fn make_asset(lab: &mut Lab, symbol: &str, decimals: u8) -> Result<(), String> {
    let (supply_max, freezable) = (None, false);
    let symbol = symbol.to_owned();
    let create = assets::Action::Create { symbol, decimals, supply_max, freezable };
    refused(lab.act::<assets::Assets>(account("issuer"), &create)?)?;
    let mut reporters: Vec<AccountId> =
        (0..4).map(|number| account(&format!("reporter-{number}"))).collect();
    reporters.sort();
    let create = oracle::Action::Create { reporters, age_max_s: 120 };
    refused(lab.act::<oracle::Oracle>(account("issuer"), &create)?)
}

fn asset(reserve: u8) -> AssetId {
    AssetId(u32::from(reserve) + 1)
}

/// What must not be refused while a scenario is prepared.
fn refused<T, E: ledger::Code>(outcome: Result<T, E>) -> Result<(), String> {
    outcome.map(|_| ()).map_err(|error| format!("refused with {}", error.code()))
}

fn name(error: Error) -> String {
    format!("{error:?} ({})", error.code())
}
