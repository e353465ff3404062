//! Parts that pages are made of.

pub(crate) mod area_chart;
pub(crate) mod avatar;
pub(crate) mod cache;
pub(crate) mod car;
pub(crate) mod copy;
pub(crate) mod file_list;
pub(crate) mod gateway;
pub(crate) mod header;
pub(crate) mod icon;
pub(crate) mod integrity;
pub(crate) mod link_card;
pub(crate) mod logo;
pub(crate) mod open_url;
pub(crate) mod peer_table;
pub(crate) mod player;
pub(crate) mod preview;
pub(crate) mod problems;
pub(crate) mod proof_badge;
pub(crate) mod segment_strip;
pub(crate) mod send;
pub(crate) mod share;
pub(crate) mod swarm_graph;
pub(crate) mod totals;
pub(crate) mod transfers;
pub(crate) mod truth;
pub(crate) mod upload;
