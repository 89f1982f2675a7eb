use crate::{Profile, WriteError, WriteOptions, write};

/// Writes `profile` in at most `limit` bytes by dropping its coldest functions, as `llvm-profdata merge
/// --output-size-limit` does. Returns `None` if not even the hottest function fits.
///
/// The size that remains after dropping some functions is not known beforehand, so this function guesses their number,
/// writes, and guesses again.
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
        // The share is squared, because hot functions are large: cold functions are a larger part of the number than
        // of the size.
        let share = limit as f64 / bytes.len() as f64;
        let keep = (count as f64 * share * share).round() as usize;
        profile.functions.truncate(keep.min(count.saturating_sub(1)));
        if profile.functions.is_empty() {
            return Ok(None);
        }
    }
}
