//! What is run, one module each.

pub mod alerts;
pub mod channel_data;
pub mod content;
pub mod decode_blocks;
pub mod decode_node;
pub mod decode_peer;
pub mod decode_signaling;
pub mod did_document;
pub mod fund_reports;
pub mod light_client;
pub mod manifest;
pub mod meter_data;
pub mod near;
pub mod payments;
pub mod peer_inputs;
pub mod request;
pub mod sd_jwt;
pub mod share_frames;
pub mod status_list;
pub mod stun;
pub mod swarm_inputs;
pub mod tracker;
pub mod transaction;
pub mod turn_machine;
#[cfg(feature = "node")]
pub mod validator;
