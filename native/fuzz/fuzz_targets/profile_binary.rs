//! Reads profiles in the raw binary form. The input stands after the magic number and the version.
#![no_main]

use autofdo_gen_fuzz::profile::check;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| check(&[b"\xff\xe5\xd0\xb1\xf4\xc9\x94\xa8\x53\x67".as_slice(), bytes].concat()));
