//! Words for the errors of the system.

use std::error::Error;
use std::io;

/// Returns the reason of an error of the system, such as `no such file or directory`, without the number of the
/// error and without the path of a temporary file.
#[must_use]
pub fn system_reason(error: &io::Error) -> String {
    let mut inner: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = inner {
        if let Some(code) = current.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return tidy_system_text(&io::Error::from_raw_os_error(code).to_string());
        }
        inner = match current.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(cause) => Some(cause),
            None => current.source(),
        };
    }
    tidy_system_text(&error.to_string())
}

/// Returns the text of a stage's error. The system's words in it have the form of [`system_reason`].
pub(crate) fn error_text(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        if let Some(system_error) = current.downcast_ref::<io::Error>() {
            text = text.replace(&system_error.to_string(), &system_reason(system_error));
        }
        cause = current.source();
    }
    text
}

/// Returns the text of a stage's error, without the number of the system's error that ends the text.
pub(crate) fn without_os_error_numbers(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::with_capacity(text.len());
    while let Some(start) = rest.find(" (os error ") {
        let (before, from) = rest.split_at(start);
        kept.push_str(before);
        rest = from.find(')').map_or("", |end| &from[end + 1..]);
    }
    kept + rest
}

fn tidy_system_text(text: &str) -> String {
    let text = without_os_error_numbers(text);
    // The crate `tempfile` appends the path to the words of the system, and hides the original error.
    let text = text.split_once(" at path ").map_or(text.as_str(), |(words, _)| words);
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_have_no_error_numbers_and_no_temporary_paths() {
        let missing = std::fs::File::open("/no/such/file").expect_err("missing");
        assert_eq!(system_reason(&missing), "no such file or directory");
        let temporary = tempfile::NamedTempFile::new_in("/no/such/folder").expect_err("missing");
        assert_eq!(system_reason(&temporary), "no such file or directory");
        assert_eq!(system_reason(&io::Error::other("Damaged")), "damaged");
        let stage_error = perfdata::PerfData::open("/no/such/perf.data".as_ref()).expect_err("missing");
        assert_eq!(
            error_text(&stage_error),
            "/no/such/perf.data: no such file or directory"
        );
        assert_eq!(
            without_os_error_numbers("a: No such file (os error 2); b: Full (os error 28)"),
            "a: No such file; b: Full"
        );
    }
}
