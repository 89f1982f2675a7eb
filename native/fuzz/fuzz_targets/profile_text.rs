//! Text profiles.
#![no_main]

use autofdo_gen_fuzz::profile::check;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| check(&[b"f:1:1\n".as_slice(), bytes].concat()));
