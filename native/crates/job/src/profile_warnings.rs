//! Warnings about a profile that is about to be written, for every kind of job.

use sampleprof::{Format, Mark, NameId, Profile, names_that_text_changes};

use crate::diagnostic::Diagnostic;
use crate::diagnostic_code::DiagnosticCode;
use crate::number::count_of;

/// Number of functions that get a warning of their own, or are named in one. The other functions are only counted.
const MAX_SHOWN: usize = 20;

/// The way to make counts smaller that are too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmallerCounts {
    /// The caller can give smaller weights, because the job multiplies profiles by weights.
    Weights,
    /// The caller can divide the counts, because they are those of the inputs.
    Division,
}

impl SmallerCounts {
    fn remedy(self) -> &'static str {
        match self {
            Self::Weights => "merge with smaller weights",
            Self::Division => "divide all counts of the input by the same number",
        }
    }
}

/// Returns warnings about what readers of `profile` will misunderstand once the profile is written as `format`:
/// marks that the encoding cannot state, names that a reader of text would read as others, and counts that reached
/// their limit. `smaller` selects the advice for such counts.
#[must_use]
pub fn profile_warnings(profile: &Profile, format: Format, smaller: SmallerCounts) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let marks = profile.marks_lost_in(format).into_iter();
    found.extend(marks.map(|mark| Diagnostic::warning(mark.into(), lost_mark_message(mark, format))));
    found.extend(overflow_warnings(profile, smaller));
    if format == Format::Text {
        found.extend(changed_names_warning(profile));
    }
    found
}

/// Says what the loss of a mark means for compilers.
fn lost_mark_message(mark: Mark, format: Format) -> String {
    let encoding = match format {
        Format::Text => "text",
        Format::Binary => "binary",
        Format::ExtBinary => "extbinary",
    };
    let (what, so) = match mark {
        Mark::Partial => (
            "the profile is partial",
            "compilers will take functions without a profile for cold",
        ),
        Mark::FlowSensitive => (
            "discriminators are flow-sensitive",
            "clang applies all counts only with `-mllvm -profile-isfs`",
        ),
        Mark::PreInlined => (
            "llvm-profgen's pre-inliner has chosen what to inline",
            "compilers will choose again",
        ),
    };
    format!("the {encoding} format has no mark for profiles in which {what}, so {so}; the extbinary format has one")
}

fn changed_names_warning(profile: &Profile) -> Option<Diagnostic> {
    let changed = names_that_text_changes(profile);
    let first = *changed.first()?;
    let (subject, example) = match changed.len() {
        1 => (format!("the name {}", quoted_name(profile, first)), String::new()),
        count => (
            format!("{count} names"),
            format!(" (for example {})", quoted_name(profile, first)),
        ),
    };
    Some(Diagnostic::warning(
        DiagnosticCode::NameNotForText,
        format!(
            "a compiler that reads this text will misread {subject}{example}, because brackets, blanks, digits or colons have another meaning \
             there; the extbinary format keeps every name"
        ),
    ))
}

/// Warns of counts that reached the limit of 64 bits. They stop there, as in `llvm-profdata merge`.
fn overflow_warnings(profile: &Profile, smaller: SmallerCounts) -> Vec<Diagnostic> {
    let remedy = smaller.remedy();
    let functions = profile.overflowed();
    let warning = |message: String| Diagnostic::warning(DiagnosticCode::CounterOverflow, message);
    let mut found: Vec<_> = functions
        .iter()
        .take(MAX_SHOWN)
        .map(|&name| {
            let name = shown_name(profile, name);
            warning(format!(
                "counter overflow in {name}: a count exceeds 2^64-1, so it is written as 2^64-1; {remedy}"
            ))
        })
        .collect();
    if let Some(more) = functions.len().checked_sub(MAX_SHOWN).filter(|&more| more > 0) {
        found.push(warning(format!(
            "counter overflow in {}",
            count_of(more as u64, "more function")
        )));
    }
    let total = profile.total_count();
    if total > u128::from(u64::MAX) {
        found.push(Diagnostic::warning(
            DiagnosticCode::TotalOverflow,
            format!(
                "the counts add up to {total}, which exceeds 2^64-1, so compilers will misjudge what is hot; {remedy}"
            ),
        ));
    }
    found
}

fn quoted_name(profile: &Profile, name: NameId) -> String {
    format!("'{}'", shown_name(profile, name))
}

/// Returns a name on one line, shortened if it is long.
fn shown_name(profile: &Profile, name: NameId) -> String {
    const MAX_CHARACTERS: usize = 200;
    let name = profile.names.get(name).to_string();
    let start: String = name.chars().take(MAX_CHARACTERS).collect();
    let rest = if start.len() < name.len() { "..." } else { "" };
    format!("{}{rest}", start.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_warning_is_short_and_on_one_line() {
        let long = "x".repeat(1000);
        let text = format!("{long}:{0}:1\n 1: {0}\n", u64::MAX);
        let profile = sampleprof::read(text.as_bytes(), "x").expect("a profile");
        let warnings = profile_warnings(&profile, Format::Text, SmallerCounts::Division);
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].message.len() < 400, "{}", warnings[0].message);
        assert!(warnings[0].message.contains("xxx...: a count exceeds"));

        let mut profile = Profile::new();
        let name = profile.names.intern(b"[a\x1b]");
        profile.functions.push(sampleprof::FunctionSamples::new(name));
        let warnings = profile_warnings(&profile, Format::Text, SmallerCounts::Division);
        assert!(warnings[0].message.contains("'[a\\u{1b}]'"), "{}", warnings[0].message);
        assert!(profile_warnings(&profile, Format::ExtBinary, SmallerCounts::Division).is_empty());
    }
}
