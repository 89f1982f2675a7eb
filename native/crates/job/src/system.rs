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
            return words(&io::Error::from_raw_os_error(code).to_string());
        }
        inner = match current.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(cause) => Some(cause),
            None => current.source(),
        };
    }
    words(&error.to_string())
}

/// Returns the text of a stage's error. The system's words in it have the form of [`system_reason`].
pub(crate) fn in_words_of_people(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        if let Some(of_system) = current.downcast_ref::<io::Error>() {
            text = text.replace(&of_system.to_string(), &system_reason(of_system));
        }
        cause = current.source();
    }
    text
}

/// Returns the text of a stage's error, without the number of the system's error that ends the text.
pub(crate) fn without_numbers(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::with_capacity(text.len());
    while let Some(start) = rest.find(" (os error ") {
        let (before, from) = rest.split_at(start);
        kept.push_str(before);
        rest = from.find(')').map_or("", |end| &from[end + 1..]);
    }
    kept + rest
}

fn words(text: &str) -> String {
    let text = without_numbers(text);
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
    fn says_no_numbers_and_no_temporary_names() {
        let missing = std::fs::File::open("/no/such/file").expect_err("missing");
        assert_eq!(system_reason(&missing), "no such file or directory");
        let temporary = tempfile::NamedTempFile::new_in("/no/such/folder").expect_err("missing");
        assert_eq!(system_reason(&temporary), "no such file or directory");
        assert_eq!(system_reason(&io::Error::other("Damaged")), "damaged");
        let of_stage = perfdata::PerfData::open("/no/such/perf.data".as_ref()).expect_err("missing");
        assert_eq!(
            in_words_of_people(&of_stage),
            "/no/such/perf.data: no such file or directory"
        );
        assert_eq!(
            without_numbers("a: No such file (os error 2); b: Full (os error 28)"),
            "a: No such file; b: Full"
        );
    }
}
