//! Shares of a whole, as messages have them.

use std::fmt;

/// A part of a whole. It prints as `12.3 % of the branch entries (1234 of 10000)`, if "branch entries" is what is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub part: u64,
    pub whole: u64,
    /// What is counted, in the plural.
    pub of: &'static str,
}

impl Share {
    /// `part` of the branch entries that were read. All losses are shares of these, in the ledger as in the warnings.
    pub(crate) fn of_entries(part: u64, entries: u64) -> Self {
        Self {
            part,
            whole: entries,
            of: "branch entries",
        }
    }

    /// Whether it is 0.1 % or more, as it is printed.
    pub(crate) fn is_noteworthy(&self) -> bool {
        percent(self.part, self.whole) >= 0.05
    }

    /// As llvm-profgen prints shares: `12.34%(x/y)`.
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

/// One decimal, as the summary of the command line has; what is little and not nothing is `<0.1 %`.
pub(crate) fn percent_text(part: u64, whole: u64) -> String {
    let percent = percent(part, whole);
    if part > 0 && percent < 0.05 {
        "<0.1 %".to_owned()
    } else {
        format!("{percent:.1} %")
    }
}

/// 0 of nothing.
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
