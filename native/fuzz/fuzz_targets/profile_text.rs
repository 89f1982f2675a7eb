//! Reads text profiles.
#![no_main]

use autofdo_gen_fuzz::profile::check;
use libfuzzer_sys::fuzz_target;

// A text that starts with a bracket is a profile with calling contexts, so no line is put in front of it.
fuzz_target!(|bytes: &[u8]| {
    let start: &[u8] = if bytes.starts_with(b"[") { b"" } else { b"f:1:1\n" };
    check(&[start, bytes].concat());
});
