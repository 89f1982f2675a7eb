//! Writing: the encodings and what they cannot hold.

mod error;
mod options;
mod order;

pub use error::WriteError;
pub use options::{Format, SymbolListEncoding, WriteOptions};
pub(crate) use order::{Ranked, TargetSorter, WriteOrder, check_name};

use crate::{Profile, binary, extbinary, text};

/// The bytes of `profile` in the chosen encoding.
///
/// They depend on nothing but the arguments, and equal what LLVM 22 writes, except that LLVM stores the checksums and
/// attributes of `extbinary` in the order of a hash table. Of a context-sensitive profile in which a function has
/// different checksums in different contexts, the summary has those contexts that agree with the first one; LLVM's
/// takes any for the first.
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
