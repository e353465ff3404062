//! The commands: each reads its options, calls the library and tells a person what happened.

pub(crate) mod add;
pub(crate) mod car;
pub(crate) mod demo;
pub(crate) mod fund;
pub(crate) mod get;
pub(crate) mod id;
pub(crate) mod keys;
pub(crate) mod ledger;
pub(crate) mod liquidate;
pub(crate) mod meter;
pub(crate) mod money;
pub(crate) mod page;
pub(crate) mod publish;
pub(crate) mod relay;
pub(crate) mod report;
pub(crate) mod seed;
pub(crate) mod serve;
pub(crate) mod store;
pub(crate) mod validator;

mod lines;
mod problem;
mod progress;
mod signals;
mod units;

use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) use problem::Problem;
pub(crate) use starling::waiting::waiting;

/// [`waiting`]; with `json`, tells its error on standard output too.
pub(crate) async fn blocking(
    json: bool,
    work: impl FnOnce() -> Result<(), starling::content::ContentError> + Send + 'static,
) -> Result<(), Problem> {
    told(json, waiting(work).await.map_err(Problem::from))
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Seconds since 1970.
pub(crate) fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// With `json`, tells an error on standard output too.
pub(crate) fn told<T>(json: bool, result: Result<T, Problem>) -> Result<T, Problem> {
    result.inspect_err(|problem| {
        let Problem { code, what, remedy, .. } = problem;
        if json {
            let error = serde_json::json!({ "code": code, "what": what, "remedy": remedy });
            println!("{}", serde_json::json!({ "error": error }));
        }
    })
}
