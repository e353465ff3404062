//! The commands: each reads its options, calls the library and tells a person what happened.

pub(crate) mod demo;
pub(crate) mod publish;
pub(crate) mod serve;

mod problem;
mod progress;
mod signals;

pub(crate) use problem::Problem;
