//! The extensible binary form: a table of sections, then the sections, some of which are compressed.

mod inflate;
mod reader;
mod section;
mod table;
mod writer;

pub use table::SectionInfo;

pub(crate) use reader::open;
pub(crate) use section::{MAGIC, flag};
pub(crate) use table::read_table;
pub(crate) use writer::write;
