//! Writes profiles: the encodings, and the properties that an encoding cannot hold.

mod error;
mod options;
mod order;

pub use error::WriteError;
pub use options::{Format, SymbolListEncoding, WriteOptions};
pub(crate) use order::{Ranked, TargetSorter, WriteOrder, check_name};

use crate::{Profile, binary, extbinary, text};

/// Returns the bytes of `profile` in the chosen encoding.
///
/// The bytes depend on nothing but the arguments. They equal the bytes that LLVM 22 writes, except that LLVM stores
/// the checksums and attributes of `extbinary` in the order of a hash table. In a context-sensitive profile, a
/// function may have different checksums in different contexts. The summary then counts the contexts whose checksum
/// equals that of the first one; LLVM takes any of the contexts for the first.
///
/// # Errors
/// When the encoding cannot hold the profile.
pub fn write(profile: &Profile, options: &WriteOptions) -> Result<Vec<u8>, WriteError> {
    let order = WriteOrder::new(profile)?;
    match options.format {
        Format::Text => text::write(profile, &order),
        Format::Binary => binary::write(profile, &order),
        Format::ExtBinary => extbinary::write(profile, &order, options),
    }
}
