//! `alerts` under libFuzzer. What it does and what must hold: `starling_fuzz::targets::alerts`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| starling_fuzz::targets::alerts::run(bytes));
