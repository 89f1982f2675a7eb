use crate::{Profile, WriteError, WriteOptions, write};

/// Writes `profile` in at most `limit` bytes by dropping its coldest functions, as
/// `llvm-profdata merge --output-size-limit` does.
///
/// The size that remains after dropping some is not known beforehand, so this guesses, writes and guesses again.
/// Nothing if not even the hottest function fits.
///
/// # Errors
/// When the encoding cannot hold the profile.
pub fn write_within(
    profile: &mut Profile,
    options: &WriteOptions,
    limit: usize,
) -> Result<Option<Vec<u8>>, WriteError> {
    profile.sort_hottest_first();
    loop {
        let bytes = write(profile, options)?;
        if bytes.len() <= limit {
            return Ok(Some(bytes));
        }
        let count = profile.functions.len();
        // Squared: hot functions are large, so cold ones make up more of the number than of the size.
        let share = limit as f64 / bytes.len() as f64;
        let keep = (count as f64 * share * share).round() as usize;
        profile.functions.truncate(keep.min(count.saturating_sub(1)));
        if profile.functions.is_empty() {
            return Ok(None);
        }
    }
}
