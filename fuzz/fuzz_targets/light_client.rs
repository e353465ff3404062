//! `light_client` under libFuzzer. What it does and what must hold: `starling_fuzz::targets::light_client`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| starling_fuzz::targets::light_client::run(bytes));
