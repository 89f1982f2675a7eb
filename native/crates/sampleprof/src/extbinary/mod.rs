//! The extensible binary form: a table of sections, and the sections, some of them compressed.

mod section;
mod writer;

pub(crate) use writer::write;

/// `SPF_Ext_Binary`.
pub(crate) const MAGIC: u64 = crate::binary::magic(0x04);
