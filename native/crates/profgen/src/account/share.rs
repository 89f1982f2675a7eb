//! Shares of a whole, as messages print them.

use std::fmt;

/// A part of a whole. Prints as `12.3 % of the branch entries (1234 of 10000)` if `of` is "branch entries".
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub part: u64,
    pub whole: u64,
    /// The things that are counted, in the plural.
    pub of: &'static str,
}

impl Share {
    /// Returns `part` as a share of the branch entries that were read. All losses, in the ledger and in
    /// warnings, are shares of these entries.
    pub(crate) fn of_entries(part: u64, entries: u64) -> Self {
        Self {
            part,
            whole: entries,
            of: "branch entries",
        }
    }

    /// Returns true if the share prints as 0.1 % or more.
    pub(crate) fn is_noteworthy(&self) -> bool {
        percent(self.part, self.whole) >= 0.05
    }

    /// Returns the share as llvm-profgen prints it: `12.34%(x/y)`.
    pub(crate) fn in_llvm_words(&self) -> String {
        format!("{:.2}%({}/{})", percent(self.part, self.whole), self.part, self.whole)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, whole, of } = self;
        write!(f, "{} of the {of} ({part} of {whole})", percent_text(*part, *whole))
    }
}

/// Returns a percentage with one decimal, as in the summary of the command line. A share that is greater than
/// 0 but too small for this decimal prints as `<0.1 %`.
pub(crate) fn percent_text(part: u64, whole: u64) -> String {
    let percent = percent(part, whole);
    if part > 0 && percent < 0.05 {
        "<0.1 %".to_owned()
    } else {
        format!("{percent:.1} %")
    }
}

/// Returns `part` as a percentage of `whole`; 0 if `whole` is 0.
#[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
pub(crate) fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 * 100.0 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_each_size() {
        let texts = [(0, 10), (1, 3000), (1, 1000), (5095, 53632)].map(|(part, whole)| {
            let share = Share::of_entries(part, whole);
            (share.is_noteworthy(), share.to_string())
        });
        let expected = [
            (false, "0.0 % of the branch entries (0 of 10)"),
            (false, "<0.1 % of the branch entries (1 of 3000)"),
            (true, "0.1 % of the branch entries (1 of 1000)"),
            (true, "9.5 % of the branch entries (5095 of 53632)"),
        ];
        assert_eq!(texts, expected.map(|(told, text)| (told, text.to_owned())));
        assert_eq!(Share::of_entries(5095, 53632).in_llvm_words(), "9.50%(5095/53632)");
    }
}
