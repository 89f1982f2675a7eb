//! Maps addresses of a recording to places in binaries: which mapping belongs to which binary, and where in
//! the binary's code an address lies.

pub(crate) mod binding;
pub(crate) mod build_ids;
pub(crate) mod load_address;
pub(crate) mod locate;
