//! The raw binary form, and the parts of it that the extbinary form shares: summary, names, function bodies.

mod cursor;
mod decoder;
mod encoded;
mod magic;
mod metadata;
mod reader;
mod writer;

pub(crate) use cursor::Cursor;
pub(crate) use decoder::{Decoder, Variable, skim_function};
pub(crate) use encoded::{EncodedProfile, Part, Span, read_contexts, read_guids, read_names};
pub(crate) use magic::{MAGIC, VERSION, magic};
pub(crate) use reader::{open, read_summary, read_version};
pub(crate) use writer::{Encoder, write};
