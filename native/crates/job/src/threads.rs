//! Creates the threads that a job runs on.

use crate::error::{Error, ErrorCode};

/// Runs `work` on a separate thread pool of `threads` threads; 0 stands for one thread for each processor.
///
/// # Errors
/// The errors of `work`; `Internal` if the system starts no threads.
pub fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("autofdo-{index}"))
        .build()
        .map_err(|error| {
            let message = format!("cannot start threads: {error}");
            Error::new(ErrorCode::Internal, message).caused_by(error)
        })?;
    pool.install(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_has_the_requested_number_of_threads() {
        let threads = on_threads(3, || Ok(rayon::current_num_threads()));
        assert_eq!(threads.expect("they start"), 3);
    }
}
