//! The commands: each reads its options, calls the library and tells a person what happened.

pub(crate) mod add;
pub(crate) mod car;
pub(crate) mod demo;
pub(crate) mod get;
pub(crate) mod id;
pub(crate) mod keys;
pub(crate) mod ledger;
pub(crate) mod publish;
pub(crate) mod relay;
pub(crate) mod seed;
pub(crate) mod serve;
pub(crate) mod store;
pub(crate) mod validator;

mod problem;
mod progress;
mod signals;
mod units;

pub(crate) use problem::Problem;

/// Runs what waits for disks on a thread that may; with `json`, tells its error on standard output too.
pub(crate) async fn blocking(
    json: bool,
    work: impl FnOnce() -> Result<(), starling::content::ContentError> + Send + 'static,
) -> Result<(), Problem> {
    let result = tokio::task::spawn_blocking(work).await;
    let result = result.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    told(json, result.map_err(Problem::from))
}

/// With `json`, tells an error on standard output too.
pub(crate) fn told(json: bool, result: Result<(), Problem>) -> Result<(), Problem> {
    result.inspect_err(|problem| {
        let Problem { code, what, remedy, .. } = problem;
        if json {
            let error = serde_json::json!({ "code": code, "what": what, "remedy": remedy });
            println!("{}", serde_json::json!({ "error": error }));
        }
    })
}
