//! `swarm_inputs` under libFuzzer. What it does and what must hold: `starling_fuzz::targets::swarm_inputs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| starling_fuzz::targets::swarm_inputs::run(bytes));
