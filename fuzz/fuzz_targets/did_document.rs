//! `did_document` under libFuzzer. What it does and what must hold: `starling_fuzz::targets::did_document`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| starling_fuzz::targets::did_document::run(bytes));
