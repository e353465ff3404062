//! `channel_data` under libFuzzer. What it does and what must hold: `starling_fuzz::targets::channel_data`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| starling_fuzz::targets::channel_data::run(bytes));
