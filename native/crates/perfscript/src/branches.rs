//! Reads a line of branch entries.

use memchr::{memchr, memmem};

use crate::chars::{split_token, trim_end, trim_start};
use crate::number::{HexReader, hex, leading_hex, token_length};

/// The fields that may stand before the branch entries of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// At most the sampled address, as in llvm-profgen 22.
    Address,
    /// At most the name of the event and the sampled address, as in llvm-profgen 19.
    EventAndAddress,
    /// All fields that perf can print there: program, process, CPU, time, event, address, symbol.
    Anything,
}

/// A branch entry of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BranchEntry {
    /// Address of the branch instruction.
    pub from: u64,
    /// Address of the branch target.
    pub to: u64,
    /// True if the CPU executed the branch speculatively on a path that was not taken in the end (AMD LBRv2).
    pub wrong_path: bool,
}

/// The error for a line whose first field should be the sampled address and is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidAddress<'a> {
    /// Name of the event, without the colon after it.
    pub event: Option<&'a [u8]>,
}

/// A line of branch entries.
#[derive(Debug, Clone)]
pub struct BranchLine<'a> {
    /// Name of the event, without the colon after it. With [`Dialect::Anything`], this is all the text up to that
    /// colon, because names may have blanks; see [`ends_with_event_name`].
    pub event: Option<&'a [u8]>,
    /// The sampled address, if the line has it.
    pub address: Option<u64>,
    /// The branch entries of the line.
    pub branches: Branches<'a>,
}

impl<'a> BranchLine<'a> {
    /// Reads the fields before the branch entries.
    ///
    /// # Errors
    /// When the field that should be the sampled address is not an address.
    #[inline]
    pub fn read(line: &'a [u8], dialect: Dialect) -> Result<Self, InvalidAddress<'a>> {
        let line = trim_end(line);
        if dialect == Dialect::Anything
            && let Some(read) = Self::read_after_any_fields(line)
        {
            return Ok(read);
        }
        let mut rest = line;
        let mut event = None;
        if dialect != Dialect::Address
            && let Some((token, after)) = split_token(rest)
            && token.ends_with(b":")
        {
            event = Some(without_colons(token));
            rest = after;
        }
        let mut address = None;
        if let Some((token, after)) = split_token(rest)
            && memchr(b'/', token).is_none()
        {
            address = Some(hex(token).ok_or(InvalidAddress { event })?);
            rest = after;
        }
        let branches = Branches {
            rest,
            names_files: false,
            invalid: false,
            addresses: HexReader::default(),
        };
        Ok(Self {
            event,
            address,
            branches,
        })
    }

    /// Reads any fields before the branch entries. The first token that is a branch entry ends these fields. Returns
    /// `None` if no token is a branch entry.
    fn read_after_any_fields(line: &'a [u8]) -> Option<Self> {
        let (mut event, mut address) = (None, None);
        let mut rest = line;
        while let Some((token, after)) = split_token(rest) {
            if starts_with_entry(trim_start(rest)) {
                let branches = Branches {
                    rest: trim_start(rest),
                    names_files: true,
                    invalid: false,
                    addresses: HexReader::default(),
                };
                return Some(Self {
                    event,
                    address,
                    branches,
                });
            }
            if token.ends_with(b":") {
                let end = line.len() - after.len() - usize::from(!after.is_empty());
                event = Some(without_colons(&line[..end]));
                address = None;
            } else if let Some(value) = hex(token) {
                // The sampled address follows the name of the event. Only names of symbols may stand after the
                // address.
                address = Some(value);
            }
            rest = after;
        }
        None
    }

    /// Returns true if a line looks like a line of branch entries. The kind of the text need not be known.
    pub(crate) fn looks_like_branches(line: &'a [u8], dialect: Dialect) -> bool {
        let pieces = split_in_three(trim_end(trim_start(line)));
        let is_branches = |piece: &[u8]| piece.starts_with(b"0x") && memchr(b'/', piece).is_some();
        let recognised = match *pieces {
            [first, rest, ..] if dialect != Dialect::Address && memchr(b':', first).is_some() => {
                split_in_three(trim_start(rest))
                    .get(1)
                    .is_some_and(|second| is_branches(second))
            }
            [_, second, ..] => is_branches(second),
            _ => false,
        };
        recognised || dialect == Dialect::Anything && Self::read_after_any_fields(line).is_some()
    }
}

/// Splits at the first two blanks, and leaves out empty pieces. So a pair of blanks gives one piece fewer, as in
/// llvm-profgen.
fn split_in_three(text: &[u8]) -> Vec<&[u8]> {
    text.splitn(3, |&byte| byte == b' ')
        .filter(|piece| !piece.is_empty())
        .collect()
}

/// Returns true if the text before the sampled address ends with the event name `name`.
#[must_use]
pub fn ends_with_event_name(event: &[u8], name: &[u8]) -> bool {
    event
        .strip_suffix(name)
        .is_some_and(|before| matches!(before.last(), None | Some(b' ')))
}

fn without_colons(mut token: &[u8]) -> &[u8] {
    while let [rest @ .., b':'] = token {
        token = rest;
    }
    token
}

/// Returns true if `text` starts with `0x40062f/0x4005b0` or, with files, `0x40062f(/bin/app)/0x4005b0(/bin/app)`,
/// whatever follows.
fn starts_with_entry(text: &[u8]) -> bool {
    let target = || {
        let digits = text.strip_prefix(b"0x")?;
        let (_, length) = leading_hex(digits)?;
        let target = digits[length..].strip_prefix(b"/0x")?;
        leading_hex(target)
    };
    target().is_some() || read_entry_with_files(text).is_some()
}

/// The branch entries of a line, newest first. Reading ends at the first token that is not a branch entry.
#[derive(Debug, Clone)]
pub struct Branches<'a> {
    rest: &'a [u8],
    /// True if perf may have printed the name of the file after each address.
    names_files: bool,
    invalid: bool,
    addresses: HexReader,
}

impl Branches<'_> {
    /// Returns true if the line goes on with something that is not a branch entry. To be called after the last entry.
    #[must_use]
    pub fn has_invalid_end(&self) -> bool {
        self.invalid
    }
}

impl Iterator for Branches<'_> {
    type Item = BranchEntry;

    #[inline]
    fn next(&mut self) -> Option<BranchEntry> {
        let start = self.rest.iter().position(|&byte| byte != b' ')?;
        let text = &self.rest[start..];
        let read =
            read_entry(text, &mut self.addresses).or_else(|| read_entry_with_files(text).filter(|_| self.names_files));
        match read {
            Some((entry, length)) => {
                self.rest = &text[length..];
                Some(entry)
            }
            None => {
                self.rest = &[];
                self.invalid = true;
                None
            }
        }
    }
}

/// Reads the entry at the start of `text`, and returns the entry and its length. The first two characters of an
/// address may be any.
#[inline]
fn read_entry(text: &[u8], addresses: &mut HexReader) -> Option<(BranchEntry, usize)> {
    const PREFIX: usize = 2;
    let (from, digits) = addresses.read(text.get(PREFIX..)?).filter(|_| is_prefix(text))?;
    let slash = PREFIX + digits;
    if *text.get(slash)? != b'/' {
        return None;
    }
    let target = &text[slash + 1..];
    let (to, digits) = addresses.read(target.get(PREFIX..)?).filter(|_| is_prefix(target))?;
    finish_entry(from, to, text, &target[PREFIX + digits..])
}

/// Makes the entry whose flags begin at the start of `after`, and returns the entry and its length. `text` begins
/// with the entry, and both texts have the same end.
#[inline]
fn finish_entry(from: u64, to: u64, text: &[u8], after: &[u8]) -> Option<(BranchEntry, usize)> {
    let length = token_length(after);
    let flags = &after[..length];
    if !matches!(flags.first(), None | Some(b'/')) {
        return None;
    }
    let entry = BranchEntry {
        from,
        to,
        wrong_path: has_wrong_path_flag(flags),
    };
    Some((entry, text.len() - after.len() + length))
}

/// Longest name of a file, with the offset that perf may print after it, in bytes.
const MAX_FILE_NAME_LENGTH: usize = 4096 + 32;

/// Reads the entry at the start of `text`, and returns the entry and its length. `perf script -F +brstack` and `-F
/// brstack,dso` print entries like this: `0x40062f(/bin/app)/0x4005b0(/bin/app)/P/-/-/0`, since perf 6.4 with a blank
/// before each parenthesis. Names may have blanks, slashes and parentheses.
fn read_entry_with_files(text: &[u8]) -> Option<(BranchEntry, usize)> {
    let address = |text: &'_ [u8]| -> Option<(u64, usize)> {
        let (value, digits) = leading_hex(text.strip_prefix(b"0x")?)?;
        let length = 2 + digits;
        let blank = usize::from(text.get(length) == Some(&b' '));
        (text.get(length + blank) == Some(&b'(')).then_some((value, length + blank))
    };
    let name_end = |text: &[u8], is_end: &dyn Fn(&[u8]) -> bool| {
        let longest = &text[..text.len().min(MAX_FILE_NAME_LENGTH)];
        memmem::find_iter(longest, b")/")
            .map(|at| at + 1)
            .find(|&at| is_end(&text[at + 1..]))
    };
    let (from, name) = address(text)?;
    let slash = name + name_end(&text[name..], &|target| address(target).is_some())?;
    let target = &text[slash + 1..];
    let (to, name) = address(target)?;
    // P and M stand for the prediction, N for a branch that was not taken, and `-` for nothing.
    let are_flags = |flags: &[u8]| {
        let known = flags.iter().take_while(|flag| b"PMN-".contains(flag)).count();
        known > 0 && flags.get(known) == Some(&b'/')
    };
    let flags = name + name_end(&target[name..], &are_flags)?;
    finish_entry(from, to, text, &target[flags..])
}

/// Returns true if the two characters before the digits may be a prefix. They may be any characters, except that a
/// slash ends a field and a blank ends a token.
#[inline]
fn is_prefix(text: &[u8]) -> bool {
    text.starts_with(b"0x") || !text[..2].iter().any(|byte| matches!(byte, b'/' | b' '))
}

/// Returns true if a field after a slash says that the branch was on a wrong path.
#[inline]
fn has_wrong_path_flag(flags: &[u8]) -> bool {
    const WRONG_PATH: &[u8] = b"SPEC_WRONG_PATH";
    let mut fields = flags.split(|&byte| byte == b'/').skip(1);
    flags.len() > WRONG_PATH.len() && fields.any(|field| field.starts_with(WRONG_PATH))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &[u8]) -> (Vec<(u64, u64)>, bool) {
        let mut branches = BranchLine::read(text, Dialect::Address).expect("a line").branches;
        let entries = branches.by_ref().map(|entry| (entry.from, entry.to)).collect();
        (entries, branches.has_invalid_end())
    }

    #[test]
    fn a_tab_may_stand_before_the_first_entry() {
        for text in ["\t0x1/0x2/P/-/-/0  0x3/0x4/P/-/-/0", " \t 0x1/0x2/P/-/-/0 0x3/0x4"] {
            let line = BranchLine::read(text.as_bytes(), Dialect::Anything).expect("a line");
            let found: Vec<_> = line.branches.map(|entry| (entry.from, entry.to)).collect();
            assert_eq!(found, [(1, 2), (3, 4)], "{text:?}");
        }
    }

    #[test]
    fn entries_end_at_the_first_other_token() {
        assert_eq!(
            entries(b"  4f 0x1/0x2/P/-/-/0  0xA/0xffffffffffffffff\t\r\n"),
            (vec![(1, 2), (10, u64::MAX)], false)
        );
        // The first two characters of an address may be any.
        assert_eq!(entries(b"zz1/yy2 0x3/0x4"), (vec![(1, 2), (3, 4)], false));
        for text in [
            "0x1",
            "0x1/",
            "0x1/0x",
            "0x1/0x2z/P",
            "0x/0x1",
            "0x1/0x10000000000000000",
            "x /0x1",
            "0x1 /0x2",
            "0x1/0 2",
        ] {
            let line = format!("0xa/0xb {text} 0xc/0xd");
            assert_eq!(entries(line.as_bytes()), (vec![(10, 11)], true), "{text}");
        }
        assert_eq!(entries(b""), (vec![], false));
        assert_eq!(entries(b"400000"), (vec![], false));
    }

    #[test]
    fn fields_before_the_entries_are_read() {
        let line: &[u8] =
            b"my app 1234/1235 [001]  12.345678:   1000   cycles:u:   401310 main+0x10 (/bin/app) 0x1/0x2/P/-/-/0";
        let read = BranchLine::read(line, Dialect::Anything).expect("understood");
        let event = read.event.expect("named");
        assert!(ends_with_event_name(event, b"cycles:u"));
        assert!(!ends_with_event_name(event, b"ycles:u") && !ends_with_event_name(event, b"cycles"));
        assert_eq!(read.address, Some(0x40_1310));
        assert_eq!(read.branches.count(), 1);
        assert!(BranchLine::read(line, Dialect::EventAndAddress).is_err());

        let line: &[u8] = b"raw 0x20c4:uh:  401310 0x1/0x2/P";
        let read = BranchLine::read(line, Dialect::Anything).expect("understood");
        assert_eq!(
            (read.event, read.address),
            (Some(&b"raw 0x20c4:uh"[..]), Some(0x40_1310))
        );

        let line: &[u8] = b" cycles:upp: 401310 0x1/0x2/P";
        let read = BranchLine::read(line, Dialect::EventAndAddress).expect("understood");
        assert_eq!((read.event, read.address), (Some(&b"cycles:upp"[..]), Some(0x40_1310)));
        assert_eq!(
            BranchLine::read(line, Dialect::Address).err(),
            Some(InvalidAddress { event: None })
        );
    }

    #[test]
    fn lines_of_branch_entries_are_recognised() {
        use Dialect::{Address, Anything, EventAndAddress};
        for (line, dialects) in [
            (
                &b"\t 4f 0x1/0x2/P/-/-/0 \r"[..],
                &[Address, EventAndAddress, Anything][..],
            ),
            (b"4f  0x1/0x2", &[Address, EventAndAddress, Anything]),
            (b"4f   0x1/0x2", &[Anything]),
            (b"0x1/0x2", &[Anything]),
            (b"4f 0x1 0x2/", &[]),
            (b"4f  0x1 0x2/", &[Address, EventAndAddress, Anything]),
            (b" cycles:  4f 0x1/0x2", &[EventAndAddress, Anything]),
            (b"app 12  4f 0x1/0x2", &[Anything]),
        ] {
            for dialect in [Address, EventAndAddress, Anything] {
                let want = dialects.contains(&dialect);
                assert_eq!(
                    BranchLine::looks_like_branches(line, dialect),
                    want,
                    "{dialect:?} {:?}",
                    String::from_utf8_lossy(line)
                );
            }
        }
    }

    #[test]
    fn file_names_may_follow_addresses() {
        let line: &[u8] = b"app 12 [000] 1.5: 7 cycles: 4f main+0x1 (/bin/my (old) app) \
            0x1(/bin/my (old) app)/0x2(/a(b)/c (deleted))/P/-/-/0  0x3 (/bin/app+0x3)/0x4 ([unknown])/M/-/-/0/COND/SPEC_WRONG_PATH \
            0x5([kernel.kallsyms])/0x6(/bin/app)/-/-/-/0  0x7/0x8/PN/-/-/0";
        let read = BranchLine::read(line, Dialect::Anything).expect("understood");
        assert_eq!(read.address, Some(0x4f));
        let mut branches = read.branches;
        let entries: Vec<_> = branches
            .by_ref()
            .map(|entry| (entry.from, entry.to, entry.wrong_path))
            .collect();
        assert_eq!(entries, [(1, 2, false), (3, 4, true), (5, 6, false), (7, 8, false)]);
        assert!(!branches.has_invalid_end());
        assert!(BranchLine::looks_like_branches(line, Dialect::Anything));

        for broken in [
            "0x1(/bin/app/0x2(/bin/app)/P/-",
            "0x1(/bin/app)/0x2(/bin/app)",
            "0x1(/bin/app)/2(/bin/app)/P/-",
        ] {
            assert!(read_entry_with_files(broken.as_bytes()).is_none(), "{broken}");
        }
        let endless = b"0x1(".repeat(100_000);
        assert!(!BranchLine::looks_like_branches(&endless, Dialect::Anything));
    }

    #[test]
    fn wrong_paths_of_amd_are_recognised() {
        let line: &[u8] = b"0x1/0x2/P/-/-/0//SPEC_WRONG_PATH 0x3/0x4/P/-/-/0/COND/NON_SPEC_CORRECT_PATH";
        let read = BranchLine::read(line, Dialect::Address).expect("understood");
        assert_eq!(
            read.branches.map(|entry| entry.wrong_path).collect::<Vec<_>>(),
            [true, false]
        );
    }
}
