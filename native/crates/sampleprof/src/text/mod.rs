//! The text form. Its grammar is described in clang's user manual, "Sample Profile Text Format".

mod writer;

pub(crate) use writer::{push_name, write};
