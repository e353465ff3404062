//! `sd_jwt` under libFuzzer. What it does and what must hold: `starling_fuzz::targets::sd_jwt`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| starling_fuzz::targets::sd_jwt::run(bytes));
