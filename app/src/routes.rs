//! The pages, one file each.

pub(crate) mod home;
pub(crate) mod network;
pub(crate) mod settings;
pub(crate) mod watch;
