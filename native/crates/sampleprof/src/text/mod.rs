//! The text form of profiles. Clang's user manual describes its grammar in "Sample Profile Text Format".
//!
//! This reader refuses two kinds of lines that LLVM's reader takes by accident: a function that is only a number, and
//! a location without a colon.

mod line;
mod names;
mod reader;
mod writer;

pub use line::parse_context;
pub use names::names_that_text_changes;
pub(crate) use reader::{read, starts_like_profile};
pub(crate) use writer::write;
