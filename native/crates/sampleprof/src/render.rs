//! Reports in the exact words of `llvm-profdata`, for scripts that read them.

use std::fmt::{self, Write as _};

use crate::{HotFunctions, OverlapReport, Profile, SectionInfo, Shares};

/// Returns the text that `llvm-profdata show --sample --show-sec-info-only` prints.
#[must_use]
pub fn render_sections(sections: &[SectionInfo]) -> String {
    let mut text = String::new();
    for section in sections {
        let SectionInfo { offset, size, .. } = section;
        let flags = section.flag_names();
        push_formatted(
            &mut text,
            format_args!("{} - Offset: {offset}, Size: {size}, Flags: {flags}\n", section.name()),
        );
    }
    let header = sections.first().map_or(0, |section| section.offset);
    let total = sections
        .iter()
        .fold(0u64, |sum, section| sum.wrapping_add(section.size));
    let end = sections
        .iter()
        .map(|section| section.offset.wrapping_add(section.size))
        .max()
        .unwrap_or(0);
    push_formatted(
        &mut text,
        format_args!("Header Size: {header}\nTotal Sections Size: {total}\nFile Size: {end}\n"),
    );
    text
}

/// Returns the text that `llvm-profdata show --sample --hot-func-list` prints after the functions. The list has at
/// most `top` functions (`--topn`).
#[must_use]
pub fn render_hot_functions(hot: &HotFunctions, profile: &Profile, top: usize) -> String {
    let HotFunctions {
        threshold,
        functions,
        hot_samples,
        total_samples,
        function_count,
    } = hot;
    let mut text = String::new();
    let count = functions.len();
    let share = percent(count as u64, *function_count as u64, 2);
    let considered = format_args!("are considered hot functions (max sample >= {threshold})");
    push_formatted(
        &mut text,
        format_args!("{count} out of {function_count} functions with profile ({share}) {considered}.\n"),
    );
    let share = percent(*hot_samples, *total_samples, 2);
    push_formatted(
        &mut text,
        format_args!("{hot_samples} out of {total_samples} profile counts ({share}) are from hot functions.\n"),
    );
    push_formatted(
        &mut text,
        format_args!(
            " {:<23}{:<18}{:<16}Function name\n",
            "Total sample (%)", "Max sample", "Entry sample"
        ),
    );
    for function in functions.iter().take(top) {
        // LLVM computes this percentage from a product, which rounds differently from a quotient times 100.
        let share = match total_samples {
            0 => 0.0,
            whole => function.total as f64 * 100.0 / *whole as f64,
        };
        let total = format!(" {} ({share:.2}%)", function.total);
        let columns = [
            (total, 24),
            (function.max.to_string(), 42),
            (function.entries.to_string(), 58),
        ];
        push_columns(&mut text, &columns);
        let full_name = profile.full_name(&profile.functions[function.position]);
        push_formatted(&mut text, format_args!("{full_name}\n"));
    }
    text
}

/// Returns the text that `llvm-profdata overlap --sample` prints.
#[must_use]
pub fn render_overlap(report: &OverlapReport, base_name: &str, test_name: &str) -> String {
    let mut text = String::new();
    let samples = &report.samples;
    push_formatted(
        &mut text,
        format_args!(
            "Profile overlap information for base_profile: {base_name} and test_profile: {test_name}\n\
             Program level:\n  \
             Whole program profile similarity: {:.3}%\n  \
             Whole program sample overlap: {:.3}%\n    \
             percentage of samples unique in base profile: {:.3}%\n    \
             percentage of samples unique in test profile: {:.3}%\n    \
             total samples in base profile: {}\n    \
             total samples in test profile: {}\n",
            report.similarity * 100.0,
            samples.overlap() * 100.0,
            samples.base_unique_share() * 100.0,
            samples.test_unique_share() * 100.0,
            samples.base,
            samples.test,
        ),
    );
    for (title, things, shares) in [
        ("Function", "functions", &report.functions),
        ("Hot-function", "hot functions", &report.hot_functions),
        ("Hot-block", "hot blocks", &report.hot_blocks),
    ] {
        let Shares {
            common,
            base_only,
            test_only,
        } = shares;
        push_formatted(
            &mut text,
            format_args!(
                "  {title} overlap: {:.3}%\n    \
                 overlap {things}: {common}\n    \
                 {things} unique in base profile: {base_only}\n    \
                 {things} unique in test profile: {test_only}\n",
                shares.overlap() * 100.0
            ),
        );
    }
    text
}

/// Returns the table of functions that `llvm-profdata overlap --sample` adds: the functions of the test profile with a
/// count of at least `value_cutoff`, and the common functions with a similarity below `similarity_cutoff` (from 0 to
/// 1).
#[must_use]
pub fn render_function_overlap(report: &OverlapReport, value_cutoff: u64, similarity_cutoff: f64) -> String {
    let chosen = report.details.iter().filter(|function| {
        let common = function.in_base && function.in_test;
        function.in_test && function.test_max >= value_cutoff || common && function.similarity < similarity_cutoff
    });
    let mut text = String::new();
    for function in chosen {
        if text.is_empty() {
            text.push_str(
                "Function-level details:\n\
                 Base weight    Test weight    Similarity   Overlap   Base unique   Test unique   \
                 Base samples   Test samples   Function name\n",
            );
        }
        let samples = &function.samples;
        let percent = |share: f64| format!("{:.2}%", share * 100.0);
        let columns = [
            (percent(function.base_weight), 15),
            (percent(function.test_weight), 30),
            (percent(function.similarity), 43),
            (percent(samples.overlap()), 53),
            (percent(samples.base_unique_share()), 67),
            (percent(samples.test_unique_share()), 81),
            (samples.base.to_string(), 96),
            (samples.test.to_string(), 111),
        ];
        push_columns(&mut text, &columns);
        push_formatted(&mut text, format_args!("{}\n", String::from_utf8_lossy(&function.name)));
    }
    text
}

/// Appends cells. Fills the space after each cell with blanks, at least one, up to the given column of the line
/// (LLVM: `PadToColumn`).
fn push_columns(text: &mut String, cells: &[(String, usize)]) {
    let mut column = 0;
    for (cell, end) in cells {
        let blanks = end.saturating_sub(column + cell.len()).max(1);
        push_formatted(text, format_args!("{cell}{:blanks$}", ""));
        column += cell.len() + blanks;
    }
}

fn percent(part: u64, whole: u64, decimals: usize) -> String {
    let share = if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64 * 100.0
    };
    format!("{share:.decimals$}%")
}

fn push_formatted(text: &mut String, arguments: fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a String takes everything");
}
