//! From addresses of a recording to places in binaries: which mapping is which binary, and where in its code an address lies.

pub(crate) mod binding;
pub(crate) mod load_address;
pub(crate) mod locate;
