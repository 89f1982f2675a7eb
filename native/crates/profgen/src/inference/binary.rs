//! What is known of a binary's code.

use elf::{Code, Image};
use symbolize::FunctionTable;

/// A binary.
pub(crate) struct Binary<'a> {
    pub image: &'a Image,
    pub code: &'a Code<'a>,
    pub functions: &'a FunctionTable,
}
