//! Directories that `perf record --threads` and `--kcore` write.
//!
//! `data` is an ordinary perf.data file. `data.0`, `data.1` and so on are bare records of one thread each, whose
//! events `data` declares.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Name of the file with the header.
pub(crate) const MAIN_FILE: &str = "data";

/// Returns the files of bare records in `directory` with their numbers, in the order of the numbers. Leaves out
/// everything that is not a regular file, because a FIFO could keep its reader waiting for ever.
pub(crate) fn thread_files(directory: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix("data."))
            .filter(|digits| is_number(digits));
        let path = entry.path();
        if let Some(number) = number.and_then(|digits| digits.parse::<u64>().ok())
            && path.is_file()
        {
            files.push((number, path));
        }
    }
    files.sort();
    Ok(files)
}

fn is_number(digits: &str) -> bool {
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}
