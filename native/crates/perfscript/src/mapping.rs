//! Lines about mappings, which `perf script --show-mmap-events` prints between the samples.

use memchr::memmem;

use crate::branches::Dialect;
use crate::kind::BRANCHES_AFTER_FRAMES;
use crate::number::{decimal, hex, leading_hex};

/// Text that every line about a mapping has.
pub(crate) const MARK: &[u8] = b"PERF_RECORD_MMAP";

/// Smallest length in bytes of a line about a mapping.
const MIN_LENGTH: usize = 50;

/// A mapping, as the text describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingLine<'a> {
    /// Process id; -1 for the kernel.
    pub pid: i32,
    /// First address of the mapping.
    pub start: u64,
    /// Length of the mapping in bytes.
    pub len: u64,
    /// Offset in the file, in bytes. For the kernel image: the address of the symbol in its name.
    pub offset: u64,
    /// The build id, if the record had one.
    pub build_id: Option<Vec<u8>>,
    /// True if the permissions of the mapping have an x.
    pub executable: bool,
    /// Path or name of what is mapped: the rest of the line.
    pub path: &'a [u8],
}

impl<'a> MappingLine<'a> {
    /// Returns true if a line that is not part of a sample is about a mapping. [`read`](Self::read) may still not
    /// understand the line. A line that looks like the branch entries after a call stack is not about a mapping,
    /// whatever else it has.
    ///
    /// perf pads process ids and times to a fixed width, so a line begins without a blank only if its first number is
    /// long. llvm-profgen does not take such a line for a line about a mapping.
    #[must_use]
    pub fn is_mapping_line(line: &'a [u8], dialect: Dialect) -> bool {
        line.len() >= MIN_LENGTH
            && !line.starts_with(BRANCHES_AFTER_FRAMES)
            && memmem::find(line, MARK).is_some()
            && (!line[0].is_ascii_digit() || dialect == Dialect::Anything && Self::read(line).is_some())
    }

    /// Reads the mapping. Skips the text that stands before it. Returns `None` if the line is not as perf writes it.
    #[must_use]
    pub fn read(line: &'a [u8]) -> Option<Self> {
        // A line that has both marks is a line about an MMAP2 record.
        let (mark, is_mmap2) = match memmem::find(line, b"PERF_RECORD_MMAP2 ") {
            Some(_) => (&b"PERF_RECORD_MMAP2 "[..], true),
            None => (&b"PERF_RECORD_MMAP "[..], false),
        };
        let at = memmem::find(line, mark)?;
        Self::read_after_mark(&line[at + mark.len()..], is_mmap2)
    }

    /// Reads `PID/TID: [0xADDR(0xSIZE) @ OFFSET REST]: PROT PATH`. Only MMAP2 has a REST. If there are several ways to
    /// read the line, the one with the longest REST counts.
    fn read_after_mark(text: &'a [u8], has_rest: bool) -> Option<Self> {
        let (pid, text) = split_at_byte(text, b'/')?;
        let pid = i32::try_from(parse_signed(pid)?).ok()?;
        let (tid, text) = split_at_byte(text, b':')?;
        tid.iter().all(u8::is_ascii_digit).then_some(())?;
        if tid.is_empty() {
            return None;
        }
        let (start, text) = prefixed_hex(text.strip_prefix(b" [")?)?;
        let (len, text) = prefixed_hex(text.strip_prefix(b"(")?)?;
        let text = text.strip_prefix(b") @ ")?;
        let (offset, text) = prefixed_hex(text).or_else(|| Some((0, text.strip_prefix(b"0")?)))?;
        let close = |rest: &'a [u8]| {
            let rest = rest.strip_prefix(b"]: ")?;
            let permissions = rest
                .iter()
                .position(|byte| !matches!(byte, b'-' | b'a'..=b'z'))
                .filter(|at| *at > 0)?;
            let path = rest[permissions..].strip_prefix(b" ")?;
            Some((rest[..permissions].contains(&b'x'), path))
        };
        let (build_id, (executable, path)) = if has_rest {
            let rest = text.strip_prefix(b" ")?;
            memmem::rfind_iter(rest, b"]: ").find_map(|at| Some((parse_build_id(&rest[..at]), close(&rest[at..])?)))?
        } else {
            (None, close(text)?)
        };
        Some(Self {
            pid,
            start,
            len,
            offset,
            build_id,
            executable,
            path,
        })
    }
}

/// Reads a build id. perf prints it in place of `MAJOR:MINOR INODE GENERATION`, in newer versions in angle brackets.
fn parse_build_id(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text
        .strip_prefix(b"<")
        .and_then(|text| text.strip_suffix(b">"))
        .unwrap_or(text);
    if digits.is_empty() || !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| hex(pair).and_then(|byte| u8::try_from(byte).ok()))
        .collect()
}

fn split_at_byte(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(byte, text)?;
    Some((&text[..at], &text[at + 1..]))
}

fn parse_signed(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix(b"-") {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    Some(sign * i64::try_from(decimal(digits)?).ok()?)
}

/// Reads a number of lower-case hexadecimal digits after `0x`. Returns the number and the text after it.
fn prefixed_hex(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.strip_prefix(b"0x")?;
    let (value, length) = leading_hex(digits)?;
    if digits[..length].iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    Some((value, &digits[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_versions_of_perf() {
        let inode: &[u8] =
            b"app 12 1.5: PERF_RECORD_MMAP2 12/13: [0x7f0000001000(0x2000) @ 0x1000 08:01 77 1]: r-xp /usr/bin/my app";
        let read = MappingLine::read(inode).expect("read");
        assert!(MappingLine::is_mapping_line(inode, Dialect::Address));
        assert_eq!(
            (read.pid, read.start, read.len, read.offset),
            (12, 0x7f00_0000_1000, 0x2000, 0x1000)
        );
        assert_eq!(
            (read.executable, read.path, read.build_id),
            (true, &b"/usr/bin/my app"[..], None)
        );

        for id in ["<0a1b>", "0a1b"] {
            let line = format!("PERF_RECORD_MMAP2 1/1: [0x1000(0x1000) @ 0 {id}]: r--p /bin/a (deleted)");
            let read = MappingLine::read(line.as_bytes()).expect("read");
            assert_eq!((read.build_id, read.executable), (Some(vec![0x0a, 0x1b]), false));
            assert_eq!(read.path, b"/bin/a (deleted)");
        }

        let kernel: &[u8] =
            b"PERF_RECORD_MMAP -1/0: [0xffffffff81000000(0xe000) @ 0xffffffff81000000]: x [kernel.kallsyms]_text";
        let read = MappingLine::read(kernel).expect("read");
        assert_eq!(
            (read.pid, read.executable, read.path),
            (-1, true, &b"[kernel.kallsyms]_text"[..])
        );
    }

    #[test]
    fn a_long_number_may_begin_the_line() {
        let mapping = "PERF_RECORD_MMAP2 12345/12345: [0x1000(0x1000) @ 0 08:01 7 0]: r-xp /bin/app";
        for before in ["12345/12345 ", "12345 ", "12345678 [000] ", "100800.123456: "] {
            let line = format!("{before}{mapping}");
            assert!(
                MappingLine::is_mapping_line(line.as_bytes(), Dialect::Anything),
                "{line}"
            );
            assert!(
                !MappingLine::is_mapping_line(line.as_bytes(), Dialect::Address),
                "{line}"
            );
            assert_eq!(
                MappingLine::read(line.as_bytes()).map(|read| read.path),
                Some(&b"/bin/app"[..])
            );
        }
        let sample = b"12345 4f PERF_RECORD_MMAP2+0x10 (/bin/PERF_RECORD_MMAP2) 0x1/0x2/P/-/-/0 0x3/0x4/P/-/-/0";
        assert!(!MappingLine::is_mapping_line(sample, Dialect::Anything));
    }

    #[test]
    fn a_bracket_in_the_path_belongs_to_the_rest() {
        // The regular expression of llvm-profgen is greedy, so the last bracket ends the REST.
        let line = b"PERF_RECORD_MMAP2 1/1: [0x1000(0x1000) @ 0 08:01 7 0]: r-xp /tmp/[x]: r-xp /bin/app";
        assert_eq!(MappingLine::read(line).expect("read").path, b"/bin/app");
    }

    #[test]
    fn lines_that_perf_does_not_write_are_refused() {
        for line in [
            "PERF_RECORD_MMAP2 1/-1: [0x1000(0x1000) @ 0 08:01 7 0]: r-xp /bin/app",
            "PERF_RECORD_MMAP2 1/1: [0x1000(0x1000) @ 0]: r-xp /bin/app",
            "PERF_RECORD_MMAP2 1/1: [1000(0x1000) @ 0 08:01 7 0]: r-xp /bin/app",
            "PERF_RECORD_MMAP2 1/1: [0xA000(0x1000) @ 0 08:01 7 0]: r-xp /bin/app",
            "PERF_RECORD_MMAP2 1/1: [0x1000(0x1000) @ 17 08:01 7 0]: r-xp /bin/app",
            "PERF_RECORD_MMAP2 1/1: [0x1000(0x1000) @ 0 08:01 7 0]: R-xp /bin/app",
            "PERF_RECORD_MMAP2 1/1: [0x1000(0x1000) @ 0 08:01 7 0]: r-xp",
            "PERF_RECORD_MMAP3 1/1: [0x1000(0x1000) @ 0 08:01 7 0]: r-xp /bin/app",
        ] {
            assert_eq!(MappingLine::read(line.as_bytes()), None, "{line}");
        }
    }
}
