//! Counters as text: llvm-profgen's "unsymbolized profile".
//!
//! ```text
//! <number of ranges>
//! <first>-<last>:<count>
//! <number of branches>
//! <source>-><target>:<count>
//! ```
//!
//! Addresses are lower-case hexadecimal without a prefix, relative to a base (modulo 2^64). In counters by calling
//! context, a line with the context in brackets precedes each block, and the block is indented.

use std::collections::BTreeMap;
use std::fmt::Write;

use sampleprof::LineLocation;

use crate::counting::counter::{Counted, Counter};
use crate::counting::counters::{ContextCounters, CounterTable, Counters};
use crate::counting::read_contexts::{Context, ReadContext};
use elf::Svma;
use job::{Error, ErrorCode};

/// The text between the two addresses of a range, and of a branch.
const SEPARATORS: [&str; 2] = ["-", "->"];

/// The indentation of blocks with a context.
const INDENTATION: &str = "  ";

/// Returns the text form. Addresses are printed relative to `base`.
#[must_use]
pub fn write(counters: &Counters, base: Svma) -> String {
    let mut out = String::new();
    write_block(&mut out, [&counters.ranges, &counters.branches], base, "");
    out
}

/// Returns the text form of counters by context. Each context is given as text. Addresses are printed
/// relative to `base`.
#[must_use]
pub(crate) fn write_contexts(contexts: Vec<(Vec<u8>, Counted)>, base: Svma) -> Vec<u8> {
    let mut sorted: BTreeMap<Vec<u8>, Counted> = BTreeMap::new();
    for (context, counted) in contexts {
        sorted.entry(context).or_default().add(&counted);
    }
    let mut out = Vec::new();
    for (context, Counted { ranges, branches }) in sorted {
        out.push(b'[');
        out.extend(context);
        out.extend(b"]\n");
        let mut block = String::new();
        let tables = [&CounterTable::new(ranges), &CounterTable::new(branches)];
        write_block(&mut block, tables, base, INDENTATION);
        out.extend(block.into_bytes());
    }
    out
}

fn write_block(out: &mut String, tables: [&CounterTable; 2], base: Svma, indentation: &str) {
    for (table, separator) in tables.into_iter().zip(SEPARATORS) {
        let _ = writeln!(out, "{indentation}{}", table.rows().len());
        for row in table.rows() {
            let (first, second) = (row.first.0.wrapping_sub(base.0), row.second.0.wrapping_sub(base.0));
            let _ = writeln!(out, "{indentation}{first:x}{separator}{second:x}:{}", row.count);
        }
    }
}

/// The remedy for a file that does not hold counters.
pub(crate) const HOW_TO_WRITE: &str =
    "{generate --skip-symbolization} and `llvm-profgen --skip-symbolization` write files of counters.";

/// Reads the text form. Blocks may repeat; counts of equal pairs add up, see [`CounterTable::new`].
///
/// # Errors
/// `InputInvalid` names the line that is not of the form above.
pub fn read(text: &str, base: Svma) -> Result<Counters, Error> {
    let mut lines = text.lines().enumerate().peekable();
    if lines.peek().is_none() {
        return Err(Error::new(ErrorCode::EmptyProfile, "the file of counters is empty").hint(HOW_TO_WRITE));
    }
    let mut blocks = [Vec::new(), Vec::new()];
    let is_by_context = text.starts_with('[') || text.contains("\n[");
    let mut contexts = Vec::new();
    while let Some(&(number, line)) = lines.peek() {
        let context = line.starts_with('[').then(|| lines.next());
        let mut block = [Vec::new(), Vec::new()];
        for (table, separator) in block.iter_mut().zip(SEPARATORS) {
            let (number, line) = lines.next().ok_or_else(premature_end)?;
            let rows: usize = line.trim_start().parse().map_err(|_| malformed(number, line))?;
            for _ in 0..rows {
                let (number, line) = lines.next().ok_or_else(premature_end)?;
                table.push(parse_row(line.trim_start(), separator, base).ok_or_else(|| malformed(number, line))?);
            }
        }
        for (all, table) in blocks.iter_mut().zip(&block) {
            all.extend_from_slice(table);
        }
        if is_by_context {
            let context = match context {
                Some(_) => parse_context(line, base).ok_or_else(|| malformed(number, line))?,
                None => Context::Calls(Vec::new()),
            };
            let [ranges, branches] = block;
            let counted = Counted { ranges, branches };
            contexts.push(ReadContext { context, counted });
        }
    }
    let [ranges, branches] = blocks;
    Ok(Counters {
        contexts: is_by_context.then_some(ContextCounters::Read(contexts)),
        ranges: CounterTable::new(ranges),
        branches: CounterTable::new(branches),
    })
}

/// Parses a context such as `[main:3 @ foo]` or `[0x6f5 @ 0x620]`. The brackets are empty if no caller is
/// known.
fn parse_context(line: &str, base: Svma) -> Option<Context> {
    let inside = line.trim_end().strip_prefix('[')?.strip_suffix(']')?;
    let call = |item: &str| {
        let digits = item.strip_prefix("0x")?;
        Some(base.wrapping_add(u64::from_str_radix(digits, 16).ok()?))
    };
    if inside.is_empty() {
        return Some(Context::Calls(Vec::new()));
    }
    if let Some(calls) = inside.split(" @ ").map(call).collect() {
        return Some(Context::Calls(calls));
    }
    let mut frames = Vec::new();
    let leaf = sampleprof::parse_context(line.trim_end().as_bytes(), |caller, location| {
        frames.push((caller.to_vec(), location));
    })?;
    frames.push((leaf.to_vec(), LineLocation::default()));
    Some(Context::Frames(frames))
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
        format!(
            "line {} is neither a number of rows nor a row such as `1a0-1c4:17` (a range) or `1c4->1a0:16` (a branch): {line}",
            number + 1
        ),
    )
    .hint(HOW_TO_WRITE)
}

fn premature_end() -> Error {
    Error::new(
        ErrorCode::InputInvalid,
        "the file ends before the rows that its counts announce",
    )
    .hint(HOW_TO_WRITE)
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
        assert_eq!(counters.branches.rows()[0].first, crate::counting::counter::EXTERNAL);
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
            assert!(
                error.message.starts_with(&format!("line {line} is neither")),
                "{text:?}: {error}"
            );
        }
        for text in ["1\n", "1\n10-14:3\n", "18446744073709551615\n1-2:3\n"] {
            assert_eq!(read(text, Svma(0)).expect_err(text).code, ErrorCode::InputInvalid);
        }
        assert_eq!(read("", Svma(0)).expect_err("empty").code, ErrorCode::EmptyProfile);
    }
}
