//! Finds the ELF files that take part in a job, and reads them.

pub(crate) mod code_space;
pub(crate) mod debug;
pub(crate) mod discover;
pub(crate) mod failures;
pub(crate) mod id;
pub(crate) mod kernel_module;
pub(crate) mod live_text;
pub(crate) mod mapped;
pub(crate) mod open;
pub(crate) mod target;
