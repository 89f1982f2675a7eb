//! Reads whole files: header, attrs, features, records.
#![no_main]

use autofdo_gen_fuzz::read_both_ways;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = read_both_ways(bytes);
});
