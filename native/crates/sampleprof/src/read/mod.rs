//! Reads profiles: detects the encoding, and reports errors with their place.

mod detect;
mod error;
mod foreign;

pub use error::{Place, ReadError, ReadErrorKind};
pub use foreign::Foreign;

pub(crate) use detect::{Encoding, detect};
pub(crate) use error::Located;

use crate::binary::EncodedProfile;
use crate::{Format, Profile, SectionInfo, binary, extbinary, text};

/// Reads a sample profile in any encoding that LLVM 22 writes.
///
/// `file` names the input in errors. Adds up what LLVM's reader adds up, such as the counts of a function that occurs
/// twice. Sums saturate at 2^64-1.
///
/// # Errors
/// When the bytes are not a sample profile, are damaged, or use something that [`Profile`] cannot hold.
pub fn read(bytes: &[u8], file: &str) -> Result<Profile, ReadError> {
    let profile = match open_binary(bytes) {
        Ok(Some(profile)) => profile.decode(),
        Ok(None) => text::read(bytes),
        Err(error) => Err(error),
    };
    profile.map_err(|error| error.in_file(file))
}

/// Opens a profile in a binary encoding. Returns `None` if the profile is a text.
pub(crate) fn open_binary(bytes: &[u8]) -> Result<Option<EncodedProfile<'_>>, Located> {
    match detect(bytes) {
        Encoding::Sample(Format::Text) => Ok(None),
        Encoding::Sample(Format::Binary) => binary::open(bytes).map(Some),
        Encoding::Sample(Format::ExtBinary) => extbinary::open(bytes).map(Some),
        Encoding::Foreign(foreign) => Err(Located::whole_file(ReadErrorKind::Foreign(foreign))),
    }
}

/// Returns the encoding of a sample profile. The content is not checked and may be damaged.
///
/// # Errors
/// When the bytes are not a sample profile.
pub fn format_of(bytes: &[u8], file: &str) -> Result<Format, ReadError> {
    match detect(bytes) {
        Encoding::Sample(format) => Ok(format),
        Encoding::Foreign(foreign) => Err(Located::whole_file(ReadErrorKind::Foreign(foreign)).in_file(file)),
    }
}

/// Returns the section table of an extbinary profile. Other encodings have no sections.
///
/// # Errors
/// When the bytes are not a sample profile, or the table is damaged.
pub fn sections(bytes: &[u8], file: &str) -> Result<Vec<SectionInfo>, ReadError> {
    match format_of(bytes, file)? {
        Format::ExtBinary => extbinary::read_table(bytes).map_err(|error| error.in_file(file)),
        Format::Text | Format::Binary => Ok(Vec::new()),
    }
}
