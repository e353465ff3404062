//! The pages, one file each.

pub(crate) mod energy;
pub(crate) mod get;
pub(crate) mod home;
pub(crate) mod host;
pub(crate) mod identity;
pub(crate) mod ledger;
pub(crate) mod lend;
pub(crate) mod library;
pub(crate) mod network;
pub(crate) mod settings;
pub(crate) mod share;
pub(crate) mod wallet;
pub(crate) mod watch;
