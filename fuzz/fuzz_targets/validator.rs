//! `validator` under libFuzzer. What it does and what must hold: `starling_fuzz::targets::validator`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| starling_fuzz::targets::validator::run(bytes));
