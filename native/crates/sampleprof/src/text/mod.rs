//! The text form. Its grammar is described in clang's user manual, "Sample Profile Text Format".
//!
//! What LLVM's reader takes by accident is refused: a function that is only a number, a location without a colon.

mod line;
mod names;
mod reader;
mod writer;

pub use line::parse_context;
pub use names::names_that_text_changes;
pub(crate) use reader::{read, starts_like_profile};
pub(crate) use writer::write;
