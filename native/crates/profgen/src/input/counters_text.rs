//! Counters as text: llvm-profgen's "unsymbolized profile".
//!
//! ```text
//! <number of ranges>
//! <first>-<last>:<count>
//! <number of branches>
//! <source>-><target>:<count>
//! ```
//!
//! Addresses are lower-case hexadecimal without a prefix, relative to a base (modulo 2^64).

use std::fmt::Write;

use crate::counting::counters::{Counter, CounterTable, Counters};
use elf::Svma;
use job::{Error, ErrorCode};

/// The text form; addresses are printed relative to `base`.
#[must_use]
pub fn write(counters: &Counters, base: Svma) -> String {
    let mut out = String::new();
    for (table, separator) in [(&counters.ranges, "-"), (&counters.branches, "->")] {
        let _ = writeln!(out, "{}", table.rows().len());
        for row in table.rows() {
            let (first, second) = (row.first.0.wrapping_sub(base.0), row.second.0.wrapping_sub(base.0));
            let _ = writeln!(out, "{first:x}{separator}{second:x}:{}", row.count);
        }
    }
    out
}

/// Reads the text form. Blocks may repeat; counts of equal pairs add up.
///
/// # Errors
/// `InputInvalid` names the line that is not of the form above.
pub fn read(text: &str, base: Svma) -> Result<Counters, Error> {
    let mut lines = text.lines().enumerate().peekable();
    if lines.peek().is_none() {
        return Err(Error::new(ErrorCode::EmptyProfile, "the unsymbolized profile is empty"));
    }
    let mut blocks = [Vec::new(), Vec::new()];
    while lines.peek().is_some() {
        for (block, separator) in blocks.iter_mut().zip(["-", "->"]) {
            let (number, line) = lines.next().ok_or_else(premature_end)?;
            if line.trim_start().starts_with('[') {
                return Err(Error::new(
                    ErrorCode::Unsupported,
                    format!(
                        "line {} opens a calling context; context-sensitive counters are not supported",
                        number + 1
                    ),
                )
                .hint("Write the counters with --ignore-stack-samples, or use llvm-profgen for this file."));
            }
            let rows: usize = line.trim_start().parse().map_err(|_| malformed(number, line))?;
            for _ in 0..rows {
                let (number, line) = lines.next().ok_or_else(premature_end)?;
                block.push(parse_row(line.trim_start(), separator, base).ok_or_else(|| malformed(number, line))?);
            }
        }
    }
    let [ranges, branches] = blocks;
    Ok(Counters {
        contexts: None,
        ranges: CounterTable::new(ranges),
        branches: CounterTable::new(branches),
    })
}

fn parse_row(line: &str, separator: &str, base: Svma) -> Option<Counter> {
    let (pair, count) = line.split_once(':')?;
    let (first, second) = pair.split_once(separator)?;
    let address = |digits: &str| {
        u64::from_str_radix(digits, 16)
            .ok()
            .map(|offset| base.wrapping_add(offset))
    };
    Some(Counter {
        first: address(first)?,
        second: address(second)?,
        count: count.parse().ok()?,
    })
}

fn malformed(number: usize, line: &str) -> Error {
    Error::new(
        ErrorCode::InputInvalid,
        format!("Invalid raw profile at line {}: {line}", number + 1),
    )
    .hint(
        "Expected a number of rows, then rows such as `1a0-1c4:17` (ranges) or `1c4->1a0:16` (branches), \
         as --skip-symbolization writes them.",
    )
}

fn premature_end() -> Error {
    Error::new(
        ErrorCode::InputInvalid,
        "Invalid raw profile! The file ends before the rows that its counts announce",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "2\n10-14:3\n20-20:1\n1\nfffffffffffff001->10:4\n";

    #[test]
    fn reads_what_it_writes() {
        let base = Svma(0x1000);
        let counters = read(TEXT, base).expect("valid");
        assert_eq!(
            counters.ranges.rows()[0],
            Counter {
                first: Svma(0x1010),
                second: Svma(0x1014),
                count: 3
            }
        );
        assert_eq!(counters.branches.rows()[0].first, crate::counting::counters::EXTERNAL);
        assert_eq!(write(&counters, base), TEXT);
    }

    #[test]
    fn repeated_blocks_add_up() {
        let counters = read(&TEXT.repeat(3), Svma(0)).expect("valid");
        assert_eq!(counters.ranges.rows()[0].count, 9);
        assert_eq!(counters.branches.rows().len(), 1);
    }

    #[test]
    fn every_deviation_names_its_line() {
        for (text, line) in [
            ("x\n", 1),
            ("1\n10:3\n0\n", 2),
            ("1\n10-14:3 \n0\n", 2),
            ("0\n1\n10-14:3\n", 3),
            ("1\n0x10-14:3\n0\n", 2),
        ] {
            let error = read(text, Svma(0)).expect_err(text);
            assert!(error.message.contains(&format!("at line {line}:")), "{text:?}: {error}");
        }
        for text in ["1\n", "1\n10-14:3\n", "18446744073709551615\n1-2:3\n"] {
            assert_eq!(read(text, Svma(0)).expect_err(text).code, ErrorCode::InputInvalid);
        }
        assert_eq!(read("", Svma(0)).expect_err("empty").code, ErrorCode::EmptyProfile);
    }
}
