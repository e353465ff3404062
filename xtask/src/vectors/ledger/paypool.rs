//! Kind `paypool`: a history of pools, balances and pools compared after each step.

use ledger::{
    AssetId,
    domains::{
        accounts,
        paypool::{self, Action, Error, Paypool, Voucher},
    },
};
use primitives::{KeyPair, Seed};
use serde_json::{Map, Value, json};

use super::{Lab, account, field, list, number, same, small, text};

/// Plays the steps of a vector.
pub(crate) fn check(vector: &Value) -> Result<(), String> {
    let start = field(vector, "start")?.as_object().ok_or("\"start\" is not an object")?;
    let mut game = Game { lab: Lab::new(0), names: start.keys().cloned().collect(), pools: 0 };
    for name in start.keys() {
        let amount = number(&vector["start"], name)?;
        if amount > 0 {
            game.lab.mint(account(name), AssetId::NATIVE, amount)?;
        }
    }
    for (index, step) in list(vector, "steps")?.iter().enumerate() {
        game.step(step).map_err(|problem| format!("step {index}: {problem}"))?;
    }
    Ok(())
}

struct Game {
    lab: Lab,
    names: Vec<String>,
    pools: u64,
}

impl Game {
    fn step(&mut self, entry: &Value) -> Result<(), String> {
        let step = field(entry, "step")?;
        if step.get("dt").is_some() {
            self.lab.wait_s(small(step, "dt")?);
        }
        let (signer, action) = self.action(step)?;
        let (result, returned) = match self.lab.act::<Paypool>(account(&signer), &action)? {
            Ok(events) => {
                let numbers = events.last().map(|event| event.numbers.clone()).unwrap_or_default();
                ("ok".to_owned(), self.returned(&action, &numbers)?)
            }
            Err(Error::Funds(error)) => (format!("reject:{error:?}"), Value::Null),
            Err(error) => (format!("reject:{error:?}"), Value::Null),
        };
        same("result", field(entry, "result")?, &result.into())?;
        same("returned", field(entry, "returned")?, &returned)?;
        same("balances", field(entry, "balances")?, &self.balances()?)?;
        same("pools", field(entry, "pools")?, &self.pools()?)
    }

    /// What the step asks for, and whose signature it takes.
    fn action(&mut self, step: &Value) -> Result<(String, Action), String> {
        let op = text(step, "op")?;
        if op == "open" {
            let payer = text(step, "payer")?.to_owned();
            let (deposit, ttl_s) = (number(step, "deposit")?, small(step, "ttl")?);
            let signer = voucher_key(&payer).id();
            return Ok((payer, Action::Open { asset: AssetId::NATIVE, deposit, ttl_s, signer }));
        }
        let pool: u64 = small(step, "pool")?;
        let payer = paypool::pool(&self.lab.store, pool).map(|pool| pool.payer);
        let payer = self.names.iter().find(|name| Some(account(name)) == payer);
        let payer = payer.cloned().unwrap_or_default();
        Ok(match op {
            "topUp" => (payer, Action::TopUp { pool, amount: number(step, "amount")? }),
            "extend" => (payer, Action::Extend { pool, ttl_s: small(step, "ttl")? }),
            "reserve" => {
                let amounts = field(step, "lanes")?;
                let names = amounts.as_object().ok_or("\"lanes\" is not an object")?;
                let lane = |name: &String| Ok((account(name), number(amounts, name)?));
                let mut lanes = names.keys().map(lane).collect::<Result<Vec<_>, String>>()?;
                lanes.sort();
                (payer, Action::Reserve { pool, lanes })
            }
            "claim" => {
                let payee = account(text(step, "payee")?);
                let (epoch, sum) = (small(step, "epoch")?, number(step, "cumulative")?);
                let (key, chain) = (voucher_key(&payer), self.lab.context.chain);
                let voucher = Voucher::sign(&key, chain, pool, payee, epoch, sum);
                // By nobody in particular: anyone may.
                ("anyone".to_owned(), Action::Claim { vouchers: vec![voucher] })
            }
            "release" => {
                let payee = text(step, "payee")?.to_owned();
                (payee, Action::Release { pool, epoch: small(step, "epoch")? })
            }
            "closeStart" => (payer, Action::CloseStart { pool }),
            "closeFinish" => (payer, Action::CloseFinish { pool }),
            other => return Err(format!("unknown op {other:?}")),
        })
    }

    /// What the vector calls returned: the new pool, what was paid, freed or given back.
    fn returned(&mut self, action: &Action, numbers: &[u128]) -> Result<Value, String> {
        let at = |index: usize| numbers.get(index).copied().ok_or("an event without numbers");
        let found = match action {
            Action::Open { .. } => {
                self.pools = at(0)?.try_into().map_err(|_| "a pool beyond 64 bits")?;
                at(0)?
            }
            Action::Claim { .. } | Action::Release { .. } | Action::CloseFinish { .. } => at(1)?,
            Action::TopUp { .. }
            | Action::Extend { .. }
            | Action::Reserve { .. }
            | Action::CloseStart { .. } => return Ok(Value::Null),
        };
        integer(found)
    }

    fn balances(&self) -> Result<Value, String> {
        let mut balances = Map::new();
        for name in &self.names {
            let held = accounts::balance(&self.lab.store, account(name), AssetId::NATIVE);
            balances.insert(name.clone(), integer(held)?);
        }
        Ok(balances.into())
    }

    fn pools(&self) -> Result<Value, String> {
        let mut pools = Map::new();
        for id in 1..=self.pools {
            let Some(pool) = paypool::pool(&self.lab.store, id) else { continue };
            let payer = self.names.iter().find(|name| account(name) == pool.payer);
            let (mut lanes, mut used) = (Map::new(), Map::new());
            for name in &self.names {
                let Some(lane) = paypool::lane(&self.lab.store, id, account(name)) else {
                    continue;
                };
                used.insert(name.clone(), lane.epoch.into());
                if lane.open {
                    let (reserve, redeemed) = (integer(lane.reserve)?, integer(lane.redeemed)?);
                    let lane =
                        json!({ "reserve": reserve, "redeemed": redeemed, "epoch": lane.epoch });
                    lanes.insert(name.clone(), lane);
                }
            }
            let record = json!({
                "payer": payer, "free": integer(pool.free)?, "lanes": lanes,
                "expiry": pool.expiry_s, "closing": pool.closing_s, "used": used,
            });
            pools.insert(id.to_string(), record);
        }
        Ok(pools.into())
    }
}

fn voucher_key(payer: &str) -> KeyPair {
    let number = payer.bytes().fold(0, |number, byte| number * 256 + u64::from(byte));
    KeyPair::from_seed(Seed::from_number(number))
}

fn integer(number: u128) -> Result<Value, String> {
    u64::try_from(number).map(Value::from).map_err(|_| format!("{number} does not fit JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_open_vectors_pass() {
        super::super::check_file("payments_vectors_open.json", &["paypool"]);
    }

    #[test]
    fn a_changed_vector_fails() {
        let step = json!({
            "step": { "op": "open", "payer": "v", "deposit": 6, "ttl": 86_400 },
            "result": "ok", "returned": 1, "balances": { "v": 5 }, "pools": {},
        });
        let vector = json!({ "start": { "v": 10 }, "steps": [step] });
        assert_eq!(check(&vector), Err("step 0: balances.v: expected 5, found 4".to_owned()));
    }
}
