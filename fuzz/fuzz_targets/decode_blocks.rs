//! `decode_blocks` under libFuzzer. What it does and what must hold: `starling_fuzz::targets::decode_blocks`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| starling_fuzz::targets::decode_blocks::run(bytes));
