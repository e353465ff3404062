//! Vectors of the ledger's domains: a scenario is played on the state machine that validators run.

pub(super) mod energy;
pub(super) mod lending;
pub(super) mod paypool;

use ledger::{
    AccountId, AssetId, BlockContext, ChainId, Event, MemoryStore, Overlay,
    domains::{Domain, accounts},
};
use serde_json::Value;

/// A ledger in memory, and what the vector calls its people.
struct Lab {
    store: MemoryStore,
    context: BlockContext,
}

impl Lab {
    fn new(time_s: u64) -> Self {
        let context =
            BlockContext { chain: ChainId::new([1; 32]), height: 1, time_ms: time_s * 1000 };
        Self { store: MemoryStore::new(), context }
    }

    fn wait_s(&mut self, seconds: u64) {
        self.context.time_ms += seconds * 1000;
    }

    fn mint(&mut self, to: AccountId, asset: AssetId, amount: u128) -> Result<(), String> {
        let mut state = Overlay::new(&self.store);
        accounts::mint(&mut state, asset, to, amount).map_err(|error| format!("{error:?}"))?;
        self.store.commit(state.into_parts().0);
        Ok(())
    }

    /// Acts as a transaction would, and asks the laws of every domain.
    fn act<D: Domain>(
        &mut self,
        signer: AccountId,
        action: &D::Action,
    ) -> Result<Result<Vec<Event>, D::Error>, String> {
        let mut state = Overlay::new(&self.store);
        let outcome = D::execute(&self.context, signer, action, &mut state);
        let (changes, events) = state.into_parts();
        if outcome.is_ok() {
            self.store.commit(changes);
        }
        ledger::laws(&self.store).map_err(|broken| broken.to_string())?;
        Ok(outcome.map(|()| events))
    }
}

/// The account of a name in a vector.
fn account(name: &str) -> AccountId {
    AccountId::of_domain(&format!("vector/{name}"))
}

/// The field of an object, or what is missing.
fn field<'a>(value: &'a Value, name: &str) -> Result<&'a Value, String> {
    value.get(name).ok_or_else(|| format!("it has no {name:?}"))
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, String> {
    field(value, name)?.as_str().ok_or_else(|| format!("{name:?} is not a text"))
}

fn list<'a>(value: &'a Value, name: &str) -> Result<&'a Vec<Value>, String> {
    field(value, name)?.as_array().ok_or_else(|| format!("{name:?} is not a list"))
}

/// A number, written as one or as decimal digits. More than 128 bits hold means "all".
fn number(value: &Value, name: &str) -> Result<u128, String> {
    let found = field(value, name)?;
    let digits = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
    let decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !decimal {
        return Err(format!("{name:?} is not a number: {found}"));
    }
    Ok(digits.parse().unwrap_or(u128::MAX))
}

fn small<T: TryFrom<u128>>(value: &Value, name: &str) -> Result<T, String> {
    number(value, name)?.try_into().map_err(|_| format!("{name:?} is too large"))
}

/// Compares, and names the first difference below.
fn same(path: &str, expected: &Value, found: &Value) -> Result<(), String> {
    match (expected, found) {
        (Value::Object(left), Value::Object(right)) => {
            for key in left.keys().chain(right.keys()) {
                let missing = &Value::Null;
                let (left, right) = (left.get(key), right.get(key));
                let path = format!("{path}.{key}");
                same(&path, left.unwrap_or(missing), right.unwrap_or(missing))?;
            }
            Ok(())
        }
        _ if expected == found => Ok(()),
        _ => Err(format!("{path}: expected {expected}, found {found}")),
    }
}

/// Checks every vector of these kinds in a file that is kept with the tests.
#[cfg(test)]
pub(super) fn check_file(name: &str, kinds: &[&str]) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = folder.join("../tests/conformance/vectors").join(name);
    let document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for kind in kinds {
        let vectors = document["vectors"].as_array().unwrap().iter();
        let mut count = 0;
        for vector in vectors.filter(|vector| vector["kind"] == *kind) {
            count += 1;
            let outcome = super::check_one(vector, &document, super::KINDS);
            assert_eq!(outcome, Ok(()), "{}", vector["id"]);
        }
        assert!(count > 0, "{name} has no {kind}");
    }
}
