#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| quipu_fuzz::usage::responses(input));
