//! ELF images: segments, symbols, build id, code and its instruction classes.

mod address;

pub use address::{FileOffset, Svma};
