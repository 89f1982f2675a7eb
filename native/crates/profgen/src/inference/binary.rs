//! The code of a binary, as the inference needs it.

use elf::{Code, Image};
use symbolize::FunctionTable;

/// A binary, its code and its functions.
pub(crate) struct Binary<'a> {
    pub image: &'a Image,
    pub code: &'a Code<'a>,
    pub functions: &'a FunctionTable,
}
